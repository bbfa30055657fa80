"""``python -m consentcrawl`` is the command line."""

from consentcrawl.cli import app

app()
