"""How much work a test may cost: CPU time, and more of it beside a tracer, which sees every line."""

from __future__ import annotations

import sys

_TRACED = 4


def at_most(seconds: float) -> float:
    """Return the bound in seconds of CPU time: itself, or four times as much where coverage is measured."""
    return seconds * _TRACED if sys.gettrace() is not None else seconds
