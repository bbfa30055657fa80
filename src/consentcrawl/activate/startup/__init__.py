"""The folder that goes on PYTHONPATH, so that every Python started with it activates consentcrawl."""
