"""Asks again about what was permitted, and lists who has opted out since."""
