"""What time it is, asked for in one place, so that a clock that jumps can be tested."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """The time of day, which may be set, and a clock that only goes forward; both in seconds."""

    def wall(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment."""
        ...


class SystemClock:
    """The system's clocks."""

    wall = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


SYSTEM_CLOCK = SystemClock()
