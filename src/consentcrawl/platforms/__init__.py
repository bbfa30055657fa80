"""What platform plugins are written with: addresses and work keys, pages of works and makers, re-hosts, defaults."""

from consentcrawl.platforms.addresses import Form, parameter
from consentcrawl.platforms.rehost import Post
from consentcrawl.platforms.works import OK, Works, lacking, visit

__all__ = ["OK", "Form", "Post", "Works", "lacking", "parameter", "visit"]
