"""``python -m consentcrawl.activate``."""

import sys

from consentcrawl.activate import main

sys.exit(main(sys.argv[1:]))
