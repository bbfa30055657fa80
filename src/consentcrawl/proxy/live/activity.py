"""Counters of the proxy, its last requests and refusals, and two switches.

A million requests take no more memory than a thousand. It belongs to one event loop.
"""

from __future__ import annotations

import secrets
import time
from bisect import bisect_left
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from consentcrawl.core import Outcome, Verdict, origin_of
from consentcrawl.drivers.shared.withheld import reasons
from consentcrawl.proxy.live.request_log import (
    DELIVERED_STATES,
    URL_KEPT,
    LoggedRequest,
    OriginCounts,
    Refusal,
    State,
    state_of,
)

RECENT = 600
"""How many of the last requests are kept."""
REFUSALS = 100
ORIGINS = 1_000
SECONDS = 60
"""How far the rate looks back."""
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds, in seconds, of the histogram of decision times."""
VIEWERS = 16
"""How many may follow the live page at once."""
_SAMPLE = 1_000
_TITLE_KEPT = 200
_SMOOTHING = 0.2


class Activity:
    """Counts what the proxy does; the live page shows it.

    ``delay`` gives the seconds that an origin wants between two requests. ``ledger`` is the directory of an open one.
    The switches ``observing`` and ``paused`` are turned with ``token`` alone.
    """

    def __init__(
        self,
        *,
        observing: bool = False,
        ledger: Path | None = None,
        delay: Callable[[str], float] = lambda _: 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to count."""
        self.observing, self.paused = observing, False
        self.ledger, self.delay = ledger, delay
        self.viewers = 0
        self.token = secrets.token_urlsafe(18)
        self.requests = self.size = self.change = 0
        self.states: Counter[State] = Counter()
        self.signals: Counter[str] = Counter()
        self.gaps: Counter[str] = Counter()
        self.seconds, self.decision_seconds, self.decision_counts = 0.0, 0.0, [0] * (len(BOUNDS) + 1)
        self.recent: list[LoggedRequest | None] = [None] * RECENT
        self.refusals: deque[Refusal] = deque(maxlen=REFUSALS)
        self.origins: OrderedDict[str, OriginCounts] = OrderedDict()
        self._clock, self._began = clock, clock()
        self._sample: deque[float] = deque(maxlen=_SAMPLE)
        self._per_second: OrderedDict[int, int] = OrderedDict()

    def started(self, method: str, url: str) -> int:
        """Count a request; return its number, which ``ended`` takes."""
        number, self.requests = self.requests, self.requests + 1
        self._count_second()
        self.change += 1
        self.recent[number % RECENT] = LoggedRequest(number, method[:20], url[:_TITLE_KEPT], State.PENDING, self.change)
        return number

    def ended(  # noqa: PLR0913 (one row, named)
        self, number: int, *, verdict: Verdict | None, status: int, size: int, seconds: float, decision_seconds: float
    ) -> None:
        """Count how a request ended; ``decision_seconds`` is the part of ``seconds`` that deciding took.

        ``status`` is what the client got, 0 when it got nothing; ``size`` is the content delivered, in bytes.
        """
        state = state_of(verdict, status)
        self.states[state] += 1
        self.size += size
        self.seconds += seconds
        self._count_decision(decision_seconds)
        self._set_state(number, state)
        if verdict is None:
            return
        self._count_origin(verdict.url, state)
        if verdict.outcome is not Outcome.PERMIT:
            self._count_refusal(number, verdict, state)

    @property
    def pending(self) -> int:
        """How many requests are under way."""
        return self.requests - self.states.total()

    @property
    def delivered(self) -> int:
        """How many requests were delivered."""
        return sum(self.states[state] for state in DELIVERED_STATES)

    @property
    def rate(self) -> float:
        """Requests a second, over the last minute or since the beginning."""
        now = self._clock()
        recent = sum(count for second, count in self._per_second.items() if second > now - SECONDS)
        return recent / min(SECONDS, max(1.0, now - self._began))

    @property
    def by_second(self) -> list[int]:
        """Requests in each of the last sixty seconds, the newest last; the second that still runs is left out."""
        counts, now = dict(self._per_second), int(self._clock())
        return [counts.get(second, 0) for second in range(now - SECONDS, now)]

    def decision_time(self, share: float) -> float:
        """Return the seconds that deciding took in at most ``share`` of the last thousand requests."""
        ordered = sorted(self._sample)
        return ordered[int(share * (len(ordered) - 1))] if ordered else 0.0

    def since(self, change: int) -> list[LoggedRequest]:
        """Return the last requests that have changed after ``change``."""
        return [logged for logged in self.recent if logged is not None and logged.change > change]

    def busiest(self, most: int) -> list[tuple[str, OriginCounts]]:
        """Return the origins with the most requests, in that order."""
        return sorted(self.origins.items(), key=lambda item: item[1].requests, reverse=True)[:most]

    def _count_second(self) -> None:
        second = int(self._clock())
        self._per_second[second] = self._per_second.get(second, 0) + 1
        if len(self._per_second) > SECONDS + 1:
            self._per_second.popitem(last=False)

    def _count_decision(self, decision_seconds: float) -> None:
        self.decision_seconds += decision_seconds
        self.decision_counts[bisect_left(BOUNDS, decision_seconds)] += 1
        self._sample.append(decision_seconds)

    def _set_state(self, number: int, state: State) -> None:
        """Set the state of a request, unless a later one has taken its place."""
        logged = self.recent[number % RECENT]
        if logged is not None and logged.number == number:
            self.change += 1
            logged.state, logged.change = state, self.change

    def _count_origin(self, url: str, state: State) -> None:
        if not url.startswith(("http://", "https://")):  # what could not be read as a URL has none
            return
        name, now = origin_of(url)[:URL_KEPT], self._clock()
        origin = self.origins.pop(name, None) or OriginCounts()
        if origin.requests:
            share = _SMOOTHING if origin.requests > 1 else 1.0
            origin.interval += share * (now - origin.last - origin.interval)
        origin.requests, origin.last = origin.requests + 1, now
        origin.delivered += state in DELIVERED_STATES
        origin.withheld += state in (State.REFUSED, State.UNDETERMINED)
        self.origins[name] = origin
        if len(self.origins) > ORIGINS:
            self.origins.popitem(last=False)

    def _count_refusal(self, number: int, verdict: Verdict, state: State) -> None:
        found = [replace(reason, source=reason.source[:URL_KEPT]) for reason in reasons(verdict)]
        self.signals.update({reason.signal for reason in found if reason.signal})
        self.gaps.update({reason.gap for reason in found if reason.gap})
        self.refusals.append(Refusal(number, verdict.decided_at, verdict.url[:URL_KEPT], state, tuple(found[:3])))
