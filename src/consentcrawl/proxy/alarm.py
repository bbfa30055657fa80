"""A deadline that is set anew for every request of a connection, and almost never comes.

It rings once, not before its time and at most once a deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls back when a deadline has passed. To set it and to turn it off costs no timer: one is kept for all."""

    __slots__ = ("_loop", "_ring", "_timer", "_until")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Be off."""
        self._loop, self._until = loop, 0.0
        self._ring: Callable[[], object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float, ring: Callable[[], object]) -> None:
        """Call ``ring`` in so many seconds, in the place of what was set before."""
        self._until, self._ring = self._loop.time() + seconds, ring
        if self._timer is None or self._timer.when() > self._until:
            self._wait()

    def off(self) -> None:
        """Ring no more."""
        self._ring = None

    def close(self) -> None:
        """Ring no more, and keep no timer."""
        self._ring = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._until, self._come)

    def _come(self) -> None:
        self._timer = None
        if self._ring is None:
            return
        if self._loop.time() < self._until:
            self._wait()
            return
        ring, self._ring = self._ring, None
        ring()
