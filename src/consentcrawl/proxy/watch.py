"""What the proxy has done: counters, the last requests, the latest refusals, and two switches.

A million requests take no more memory than a thousand. It belongs to one event loop.
"""

from __future__ import annotations

import secrets
import time
from bisect import bisect_left
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from pathlib import Path

from consentcrawl.core import Outcome, Verdict, origin_of
from consentcrawl.proxy.seen import TAKEN, URL_KEPT, Origin, Refusal, Seen, State, reasons, state_of

SQUARES = 600
"""How many of the last requests are kept for the wall."""
REFUSALS = 100
ORIGINS = 1_000
SECONDS = 60
"""How far the rate looks back."""
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds, in seconds, of the histogram of what deciding added."""
VIEWERS = 16
"""How many may follow the live page at once."""
_SAMPLE = 1_000
_TITLE_KEPT = 200
_OF_THE_LAST = 0.2


class Watch:
    """Told of each request by the engine; read by the live page.

    ``delay`` gives the seconds that an origin wants between two requests. ``ledger`` is the directory of an open one.
    Whoever knows ``token`` may turn the switches ``observing`` and ``paused``.
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
        self.asked = self.size = self.change = 0
        self.states: Counter[State] = Counter()
        self.signals: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.seconds, self.waited, self.waits = 0.0, 0.0, [0] * (len(BOUNDS) + 1)
        self.wall: list[Seen | None] = [None] * SQUARES
        self.refusals: deque[Refusal] = deque(maxlen=REFUSALS)
        self.origins: OrderedDict[str, Origin] = OrderedDict()
        self._clock, self._began = clock, clock()
        self._sample: deque[float] = deque(maxlen=_SAMPLE)
        self._per_second: OrderedDict[int, int] = OrderedDict()

    def began(self, method: str, url: str) -> int:
        """Take note of a request; gives the number under which it ends."""
        number, self.asked = self.asked, self.asked + 1
        self._count_second()
        self.change += 1
        self.wall[number % SQUARES] = Seen(number, method[:20], url[:_TITLE_KEPT], State.WAITING, self.change)
        return number

    def ended(  # noqa: PLR0913 (one row, named)
        self, number: int, *, verdict: Verdict | None, status: int, size: int, seconds: float, waited: float
    ) -> None:
        """Take note of how a request ended; ``waited`` are the seconds of ``seconds`` that deciding added.

        ``status`` is what the client got, 0 when it got nothing; ``size`` is the content delivered, in bytes.
        """
        state = state_of(verdict, status)
        self.states[state] += 1
        self.size += size
        self.seconds += seconds
        self._count_wait(waited)
        self._mark(number, state)
        if verdict is None:
            return
        self._count_origin(verdict.url, state)
        if verdict.outcome is not Outcome.PERMIT:
            self._count_refusal(number, verdict, state)

    @property
    def waiting(self) -> int:
        """How many requests are under way."""
        return self.asked - self.states.total()

    @property
    def taken(self) -> int:
        """How many were delivered."""
        return sum(self.states[state] for state in TAKEN)

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

    def added(self, share: float) -> float:
        """The seconds that deciding added to at most ``share`` of the last thousand requests."""
        ordered = sorted(self._sample)
        return ordered[int(share * (len(ordered) - 1))] if ordered else 0.0

    def since(self, change: int) -> list[Seen]:
        """What happened on the wall after ``change``."""
        return [seen for seen in self.wall if seen is not None and seen.change > change]

    def busiest(self, most: int) -> list[tuple[str, Origin]]:
        """The origins of late, those that were asked most before the others."""
        return sorted(self.origins.items(), key=lambda item: item[1].asked, reverse=True)[:most]

    def _count_second(self) -> None:
        second = int(self._clock())
        self._per_second[second] = self._per_second.get(second, 0) + 1
        if len(self._per_second) > SECONDS + 1:
            self._per_second.popitem(last=False)

    def _count_wait(self, waited: float) -> None:
        self.waited += waited
        self.waits[bisect_left(BOUNDS, waited)] += 1
        self._sample.append(waited)

    def _mark(self, number: int, state: State) -> None:
        """Change the square, unless a later request has taken its place."""
        seen = self.wall[number % SQUARES]
        if seen is not None and seen.number == number:
            self.change += 1
            seen.state, seen.change = state, self.change

    def _count_origin(self, url: str, state: State) -> None:
        if not url.startswith(("http://", "https://")):  # what could not be read as a URL has none
            return
        name, now = origin_of(url)[:URL_KEPT], self._clock()
        origin = self.origins.pop(name, None) or Origin()
        if origin.asked:
            share = _OF_THE_LAST if origin.asked > 1 else 1.0
            origin.every += share * (now - origin.last - origin.every)
        origin.asked, origin.last = origin.asked + 1, now
        origin.taken += state in TAKEN
        origin.withheld += state in (State.REFUSED, State.UNDETERMINED)
        self.origins[name] = origin
        if len(self.origins) > ORIGINS:
            self.origins.popitem(last=False)

    def _count_refusal(self, number: int, verdict: Verdict, state: State) -> None:
        why = tuple(reasons(verdict))
        self.signals.update({reason.signal for reason in why if reason.signal})
        self.reasons.update({reason.reason for reason in why if reason.reason})
        self.refusals.append(Refusal(number, verdict.decided_at, verdict.url[:URL_KEPT], state, why[:3]))
