"""When each origin may be sent the next request, in memory: what a store of one process keeps of it.

One request to an origin is under way at a time; it holds the origin until it has ended, or for ten seconds.
"""

from __future__ import annotations

from threading import Lock

from consentcrawl.core import DAY

HELD_SECONDS = 10.0
"""How long a request that never ends, such as that of a process that died, holds its origin."""
POLL_SECONDS = 0.02
"""How soon an origin that another process holds is asked for again."""
FURTHEST = 2 * DAY
"""A time further ahead than this was written by a clock that has been set back since; it counts as no time."""
_KEPT = 100_000


class Turns:
    """The next time of each origin, in seconds since the epoch. Safe for threads."""

    def __init__(self) -> None:
        """Know of no origin."""
        self._rows: dict[str, tuple[float, float]] = {}
        self._changing = Lock()

    def take_turn(self, origin: str, now: float, delay: float) -> float:
        """Hold ``origin`` and return 0, or return the seconds after which to try again."""
        with self._changing:
            if (wait := wait_of(*self._rows.get(origin, (0.0, 0.0)), now)) == 0:
                if len(self._rows) >= _KEPT:
                    self._rows = {name: row for name, row in self._rows.items() if wait_of(*row, now)}
                self._rows[origin] = (now + delay, now + HELD_SECONDS)
            return wait

    def end_turn(self, origin: str, next_at: float, *, held: bool = False) -> None:
        """Let go of ``origin``, unless it stays ``held``, and send it nothing before ``next_at``."""
        with self._changing:
            before, until = self._rows.get(origin, (0.0, 0.0))
            self._rows[origin] = (max(before, next_at), until if held else 0.0)


def wait_of(next_at: float, held_until: float, now: float) -> float:
    """Return the seconds to wait by the next time and until when it is held; 0 for times that cannot be right."""
    wait = next_at - now if now < next_at <= now + FURTHEST else 0.0
    if now < held_until <= now + HELD_SECONDS:
        return max(wait, min(POLL_SECONDS, held_until - now))
    return wait
