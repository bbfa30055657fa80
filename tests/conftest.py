"""What holds for every test: how many examples a law is tried on, and that none of them is held to the clock."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("suite", deadline=None, derandomize=True)  # the same examples in every run
settings.register_profile("night", deadline=None, max_examples=2_000)  # unless a test says how many
settings.load_profile("suite")
