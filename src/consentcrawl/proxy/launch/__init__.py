"""A program under a proxy of its own: ``consentcrawl run``."""
