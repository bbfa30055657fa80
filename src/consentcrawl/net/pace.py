"""Politeness: how soon and how many at once an origin is asked.

Nobody is asked sooner than they wish; who wishes for more than is ever waited is left alone, not slept on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from consentcrawl.core import Evidence

MOST_SECONDS = 120.0
_ORIGINS_KEPT = 100_000
_ASKED_TO_WAIT = (429, 503)
_NEVER = float("inf")


class Parked(Exception):
    """The origin wants to be left alone for longer than is waited; ``seconds`` from now it may be asked again."""

    def __init__(self, origin: str, seconds: float) -> None:
        """Say who is left alone, and for how long."""
        self.seconds = seconds
        super().__init__(f"{origin} wants no request for {seconds:.0f} seconds")


@dataclass(slots=True)
class _Origin:
    """What is known of one origin: the seconds between two requests, and when the next may start (monotonic)."""

    turn: threading.Semaphore
    delay: float = 0.0
    free_at: float = 0.0
    waiting: int = 0


class Pace:
    """The turns of every origin, for the threads of one process.

    ``at_once`` requests per origin run at a time; ``most`` is the longest wait in seconds, a longer one parks the
    origin. Delays come from Crawl-delay (no standard; the largest of a group) and Retry-After (RFC 9110 §10.2.3).
    """

    def __init__(
        self, *, at_once: int = 1, most: float = MOST_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Let ``at_once`` requests per origin run at a time, and wait at most ``most`` seconds for a turn."""
        self._at_once, self._most, self._clock = at_once, most, clock
        self._origins: dict[str, _Origin] = {}
        self._changing = threading.Lock()
        self._stopped = threading.Event()

    @contextmanager
    def turn(self, origin: str, *, delayed: bool = True) -> Iterator[None]:
        """Wait for the turn of ``origin`` and keep it for the block; raises Parked instead of waiting too long.

        Not ``delayed``: only for a place among those ``at_once`` (policy files are few, and each is asked for once).
        """
        known = self._enter(origin)
        try:
            with known.turn:
                if self._stopped.is_set():
                    raise Parked(origin, 0)
                if delayed:
                    self._wait(origin, known)
                yield
        finally:
            self._leave(known)

    def note(self, origin: str, *, delay: float | None = None, retry_after: float | None = None) -> None:
        """Keep ``delay`` seconds between requests to ``origin``, and ask nothing for ``retry_after`` seconds."""
        if delay is None and retry_after is None:
            return
        with self._changing:
            known = self._known(origin)
            known.delay = _sane(delay, known.delay)
            known.free_at = max(known.free_at, self._clock() + _sane(retry_after, 0.0))

    def heed(self, origin: str, evidence: Evidence) -> None:
        """Take note of what an answer says about when to come back."""
        if evidence.status in _ASKED_TO_WAIT:
            self.note(origin, retry_after=retry_after(evidence.fields.first("retry-after"), evidence.at))

    def delay(self, origin: str) -> float:
        """Return the seconds that ``origin`` wants between two requests; 0 when it named none."""
        known = self._origins.get(origin)
        return known.delay if known else 0.0

    def stop(self) -> None:
        """Wake everybody who waits: their origins count as parked from now on."""
        self._stopped.set()

    def _wait(self, origin: str, known: _Origin) -> None:
        with self._changing:
            now = self._clock()
            wait = known.free_at - now
            if wait > self._most:
                raise Parked(origin, wait)
            known.free_at = max(known.free_at, now) + known.delay
        if wait > 0 and self._stopped.wait(wait):
            raise Parked(origin, wait)

    def _enter(self, origin: str) -> _Origin:
        with self._changing:
            known = self._known(origin)
            known.waiting += 1
            return known

    def _leave(self, known: _Origin) -> None:
        with self._changing:
            known.waiting -= 1

    def _known(self, origin: str) -> _Origin:
        known = self._origins.get(origin)
        if known is None:
            if len(self._origins) >= _ORIGINS_KEPT:
                self._forget()
            known = self._origins[origin] = _Origin(threading.Semaphore(self._at_once))
        return known

    def _forget(self) -> None:
        """Let go of origins that nobody waits for and that may be asked at once; their robots.txt tells the delay."""
        now = self._clock()
        self._origins = {o: k for o, k in self._origins.items() if k.waiting or k.free_at > now}


def retry_after(value: str, now: float) -> float | None:
    """Seconds from ``now`` (since the epoch) that a Retry-After field asks for; None when it says nothing readable."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) < 16 else _NEVER  # noqa: PLR2004 (more than any life)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def _sane(seconds: float | None, otherwise: float) -> float:
    """Return a delay that can be reckoned with: what is no number of seconds is the longest wish there is."""
    if seconds is None:
        return otherwise
    return seconds if 0 <= seconds < _NEVER else _NEVER if seconds > 0 or seconds != seconds else 0.0  # noqa: PLR0124 (NaN)
