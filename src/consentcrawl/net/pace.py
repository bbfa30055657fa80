"""When an origin may be sent the next request: one clock per origin, for everything that is sent there.

A turn is waited for as a future, so that threads and tasks wait alike. An origin that wants to be left alone for longer
than is waited is parked.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Protocol

from consentcrawl.core import DAY, Fields
from consentcrawl.net.timer import Timer
from consentcrawl.storage.turns import HELD_SECONDS, Turns

MOST_SECONDS = 120.0
MINIMUM_SECONDS = 0.1
"""Seconds between two requests to an origin that names none, for what this project asks by itself."""
_LONGEST_BACK_OFF = 3_600.0
_ORIGINS_KEPT = 100_000
_ASKED_TO_WAIT = (429, 503)
_NEVER = float("inf")
_LONG_AGO = -_NEVER
_DOUBLED = 16

Turn = Future[None]
"""A turn to come; it raises Parked."""


class Parked(Exception):
    """The origin wants to be left alone for longer than is waited; ``seconds`` from now it may be asked again."""

    def __init__(self, origin: str, seconds: float) -> None:
        """Name the origin and the seconds."""
        self.seconds = seconds
        super().__init__(f"{origin} wants no request for {seconds:.0f} seconds")


class Answer(Protocol):
    """The head of an answer."""

    @property
    def status(self) -> int | None:
        """The status; None where nothing answered."""
        ...

    @property
    def fields(self) -> Fields:
        """The fields."""
        ...


class Shared(Protocol):
    """The next time of each origin, among all that share it (``storage.Store``)."""

    def take_turn(self, origin: str, now: float, delay: float) -> float:
        """Hold ``origin`` for one request and return 0, or return the seconds after which to try again."""
        ...

    def end_turn(self, origin: str, next_at: float, *, held: bool = False) -> None:
        """Let go of ``origin``, unless it stays ``held``, and send it nothing before ``next_at``."""
        ...


@dataclass(slots=True)
class _Origin:
    """What is known of one origin; times are in seconds since the epoch.

    ``free``: nothing delays it. ``current``: the turn that is under way ``since``. ``last``: when a request had its
    answer. ``resumes_at``: until then it asked to be left alone. ``wakes_at``: when those that wait are looked after.
    """

    delay: float
    free: bool
    informed_until: float = _LONG_AGO
    failures: int = 0
    current: Turn | None = None
    since: float = _LONG_AGO
    last: float = _LONG_AGO
    resumes_at: float = _LONG_AGO
    wakes_at: float = _LONG_AGO
    pending: deque[tuple[Turn, bool]] = field(default_factory=deque)
    changing: threading.Lock = field(default_factory=threading.Lock)


class Pace:
    """The turns of every origin, one request at a time. Safe for threads; made anew after a fork.

    ``minimum`` seconds lie between two requests to any origin; ``most`` is the longest wait in seconds, a longer one
    parks the origin. Delays come from Crawl-delay (no standard; the largest of a group), from the floor of a platform,
    from Retry-After (RFC 9110 §10.2.3), and from 429 and 503 without it: then 1 second, doubled each time.
    """

    def __init__(
        self,
        *,
        minimum: float = 0.0,
        most: float = MOST_SECONDS,
        shared: Shared | None = None,
        clock: Callable[[], float] = time.time,
        after: Callable[[float, Callable[[], None]], None] | None = None,
    ) -> None:
        """Keep the times in ``shared``, or in memory; ``after`` calls a function in some seconds."""
        self.minimum, self.shared = minimum, shared or Turns()
        self._most, self._clock = most, clock
        self._after = after or Timer().after
        self._origins: dict[str, _Origin] = {}
        self._changing = threading.Lock()
        self._stopped = False

    def before(self, origin: str, *, delayed: bool = True) -> Turn | None:
        """Return the turn of ``origin`` to wait for; None where nothing delays it, and it may be asked at once.

        Not ``delayed``: only until no other request is under way (policy files are few, and each is asked for once).
        A turn is given back by ``ended``.
        """
        known = self._origins.get(origin) or self._known(origin)
        return None if known.free else self._queued(origin, known, delayed=delayed)

    def ended(self, origin: str, turn: Turn | None, answer: Answer | None = None) -> None:
        """Give a turn back, waited for or not, and take note of what the answer says about when to come back.

        The next request counts from now: the request can have been sent no later than its answer came.
        """
        if answer is not None and (turn is not None or answer.status in _ASKED_TO_WAIT):
            self.heed(origin, answer)
        if turn is not None:
            turn.cancel()
            known = self._known(origin)
            with known.changing:
                if known.current is turn:
                    self._let_go(origin, known)
            self._grant(origin, known)

    @contextmanager
    def turn(self, origin: str, *, delayed: bool = True) -> Iterator[None]:
        """Wait for the turn of ``origin`` and keep it for the block; raises Parked instead of waiting too long."""
        turn = self._queued(origin, self._known(origin), delayed=delayed)
        try:
            turn.result()
            yield
        finally:
            self.ended(origin, turn)

    def note(self, origin: str, *, delay: float | None = None, retry_after: float | None = None) -> None:
        """Keep ``delay`` seconds between requests to ``origin``, and ask nothing for ``retry_after`` seconds."""
        if delay is None and retry_after is None:
            return
        known = self._known(origin)
        if delay is not None:
            known.delay = max(self.minimum, _sane(delay))
        if retry_after is not None:
            known.resumes_at = max(known.resumes_at, self._clock() + _sane(retry_after))
            self.shared.end_turn(origin, known.resumes_at, held=True)
        known.free = not known.delay and known.resumes_at == _LONG_AGO

    def is_informed(self, origin: str, now: float) -> bool:
        """Return whether ``inform`` was called for ``origin``, and still goes."""
        known = self._origins.get(origin)
        return known is not None and now < known.informed_until

    def inform(self, origin: str, delay: float, *, asked_at: float, until: float) -> None:
        """Keep ``delay`` seconds until asked to inform again at ``until``; the origin was asked at ``asked_at``.

        If that was less than ``delay`` ago, more may have been asked there meanwhile, by others: it counts from now.
        """
        known, now = self._known(origin), self._clock()
        if asked_at + delay > now:
            known.last = now
        self.note(origin, delay=delay)
        known.informed_until = until

    def asked(self, origin: str) -> None:
        """Count a request that took no turn."""
        known = self._known(origin)
        known.last = self._clock()
        if known.delay:
            self.shared.end_turn(origin, known.last + known.delay, held=True)

    def heed(self, origin: str, answer: Answer) -> None:
        """Take note of what an answer says about when to come back."""
        known, now = self._known(origin), self._clock()
        if answer.status in _ASKED_TO_WAIT:
            back_off = min(2.0 ** min(known.failures, _DOUBLED), _LONGEST_BACK_OFF)
            known.failures += 1
            # A server that names no time, or none at all, is given a longer one each time.
            self.note(origin, retry_after=retry_after(answer.fields.first("retry-after"), now) or back_off)
        elif answer.status and known.failures and now >= known.resumes_at:
            # Before that, it is the answer to what was sent earlier, or to what waits for no delay.
            known.failures, known.resumes_at = 0, _LONG_AGO
            self.note(origin, delay=known.delay)

    def delay(self, origin: str) -> float:
        """Return the seconds that ``origin`` wants between two requests; 0 when it named none."""
        known = self._origins.get(origin)
        return known.delay if known else 0.0

    def stop(self) -> None:
        """Park every origin from now on, those that are waited for included."""
        self._stopped = True
        with self._changing:
            origins = list(self._origins.items())
        for origin, known in origins:
            self._grant(origin, known)

    def _queued(self, origin: str, known: _Origin, *, delayed: bool) -> Turn:
        turn: Turn = Future()
        with known.changing:
            known.pending.append((turn, delayed))
        self._grant(origin, known)
        return turn

    def _grant(self, origin: str, known: _Origin) -> None:
        """Give the turn to the first that waits, if it is time; else come back when it is."""
        given: list[tuple[Turn, Parked | None]] = []
        with known.changing:
            while known.pending:
                turn, delayed = known.pending[0]
                now = self._clock()
                wait = 0.0 if turn.cancelled() or self._stopped else self._wait(origin, known, now, delayed=delayed)
                if wait and (wait <= self._most or known.current is not None):
                    self._come_back(origin, known, now, wait)
                    break
                known.pending.popleft()
                if wait or self._stopped:
                    given.append((turn, Parked(origin, wait)))
                elif turn.set_running_or_notify_cancel():
                    known.current, known.since = turn, now
                    given.append((turn, None))
        for turn, parked in given:
            if parked is None:
                turn.set_result(None)
            else:
                turn.set_exception(parked)

    def _wait(self, origin: str, known: _Origin, now: float, *, delayed: bool) -> float:
        """Return the seconds before the next turn; 0 takes it."""
        if known.current is not None:
            if (left := known.since + HELD_SECONDS - now) > 0:
                return left
            self._let_go(origin, known)
        if not delayed:
            return 0.0
        own = max(known.resumes_at, known.last + known.delay) - now
        return own if own > 0 else self.shared.take_turn(origin, now, known.delay)

    def _let_go(self, origin: str, known: _Origin) -> None:
        known.current, known.last = None, self._clock()
        self.shared.end_turn(origin, known.last + known.delay)

    def _come_back(self, origin: str, known: _Origin, now: float, wait: float) -> None:
        if not now < known.wakes_at <= now + wait:
            known.wakes_at = now + wait
            self._after(wait, partial(self._woken, origin, known))

    def _woken(self, origin: str, known: _Origin) -> None:
        known.wakes_at = _LONG_AGO
        self._grant(origin, known)

    def _known(self, origin: str) -> _Origin:
        with self._changing:
            known = self._origins.get(origin)
            if known is None:
                if len(self._origins) >= _ORIGINS_KEPT:
                    self._forget()
                known = self._origins[origin] = _Origin(self.minimum, free=self.minimum == 0)
            return known

    def _forget(self) -> None:
        """Let go of origins that are not waited for and may be asked at once; their robots.txt tells the delay."""
        now = self._clock()
        self._origins = {
            origin: known
            for origin, known in self._origins.items()
            if known.pending or known.current or max(known.resumes_at, known.last + known.delay) > now
        }


def retry_after(value: str, now: float) -> float | None:
    """Seconds from ``now`` (since the epoch) that a Retry-After field asks for; None when it says nothing readable."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) < 16 else _NEVER  # noqa: PLR2004 (more than any life)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def _sane(seconds: float) -> float:
    """Return a delay that can be reckoned with, at most a day; what is no number of seconds is the longest there is."""
    return min(max(seconds, 0.0), DAY) if seconds == seconds else DAY  # noqa: PLR0124 (NaN)
