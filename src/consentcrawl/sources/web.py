"""The source that reads documents: each once however many ask, pages and APIs only where their robots.txt permits.

A look-up is shared and outlives the inquiry that asked first; the taker's keys are sent, never kept.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any, Protocol

from consentcrawl.config import Config
from consentcrawl.core import (
    BODY,
    ROBOTS_TXT,
    Asset,
    Evidence,
    Gate,
    Inquiry,
    Need,
    Outcome,
    host_of,
    name_of,
    origin_of,
    plan,
)
from consentcrawl.core.evidence import Pairs
from consentcrawl.discovery import Hosts, bulk_of
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.net.reader import FOLLOWED, MOST_REDIRECTS, following
from consentcrawl.net.unreached import BAD_URL, REDIRECTS, Unreached
from consentcrawl.sources import answered
from consentcrawl.sources.pacing import Pacing
from consentcrawl.storage import Store

PARKED = "parked"
_POLL_SECONDS = 0.02
_AT_ONCE = 32
LookUp = Generator[Future[Any], None, Evidence]
"""A look-up; yields what must have come before it goes on."""

_PLACEHOLDER = re.compile(r"\{(\w+\.\w+)\}")


class Reads(Protocol):
    """What a steward asks of a reader (``net.reader``)."""

    def read(self, need: Need, url: str) -> Evidence:
        """Answer ``need`` from ``url``; never raises."""
        ...

    def head(self, url: str, fields: Pairs = ()) -> Evidence:
        """Status and fields of the asset at ``url``."""
        ...

    def prefix(self, url: str, limit: int = ..., fields: Pairs = ()) -> Evidence:
        """At most ``limit`` bytes of the asset at ``url``."""
        ...


class Web:
    """The source that reads documents: policy files, pages and APIs. It makes its look-ups in threads."""

    shared = True

    def __init__(  # noqa: PLR0913 (what a steward shares)
        self,
        config: Config,
        reader: Reads,
        store: Store,
        clock: Callable[[], float],
        *,
        among: tuple[ModuleType, ...],
        hosts: Hosts,
        pacing: Pacing,
    ) -> None:
        """Read with ``reader`` and keep in ``store``; ``among`` are the policy's signals, ``hosts`` its plugins.

        ``pacing`` says when each origin may be asked.
        """
        self._config, self._reader, self._store, self._clock = config, reader, store, clock
        self._hosts, self._pacing = hosts, pacing
        self._robots = tuple(s for s in among if name_of(s) == "robots_txt")
        self._flights: dict[str, Future[Evidence]] = {}
        self._changing = threading.Lock()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="consentcrawl-lookup")

    def meets(self, need: Need) -> bool:
        """Return whether ``need`` is a document to look up."""
        return need.gate is Gate.LOOKUP

    def known(self, need: Need, asset: Asset) -> Evidence | None:
        """Return the document from the store."""
        return self._store.get(need.at(asset), need, self._clock())

    def obtain(self, need: Need, asset: Asset) -> Future[Evidence]:
        """Return the document to come; a page or an API is asked for only where its robots.txt permits."""
        url = need.at(asset)
        if not need.polite or missing(self._config, need, url):
            return self._fetch(url, need)
        robots = self._fetch(origin_of(url) + ROBOTS_TXT.url, ROBOTS_TXT)
        return _then(robots, lambda evidence: self._visit(need, url, evidence))

    def prefix(self, url: str, limit: int) -> Future[Evidence]:
        """Return at most ``limit`` bytes of the asset at ``url``, to come."""
        flight: Future[Evidence] = Future()
        self._go_on(flight, self._asked(replace(BODY, polite=True), url, lambda: self._reader.prefix(url, limit)))
        return flight

    def close(self) -> None:
        """Wait for look-ups that are under way, and start no more; those that wait for their turn are parked."""
        self._pacing.pace.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _visit(self, need: Need, url: str, robots: Evidence) -> Future[Evidence]:
        """Look a document up, unless it is a page or an API that the robots.txt of its host closes to us."""
        if self._may_visit(url, robots):
            return self._fetch(url, need)
        names = [name_of(plugin) for plugin in self._hosts.plugins(host_of(url))]
        note = "".join(f"operator_ok of [platforms.{name}] would permit it" for name in names[:1])
        return answered(Evidence(need, url, gap="page_refused", at=self._clock(), note=note))

    def join(self, plugin: ModuleType, needs: Sequence[Need]) -> None:
        """Look up together what a plugin's platform answers for several works at once. Blocks.

        The answer to a joint look-up is kept as that to each of its parts; a platform that refuses the joint one is
        asked for each, by the inquiry that needs it.
        """
        unknown = [need for need in needs if self._store.get(need.url, need, self._clock()) is None]
        bulk = bulk_of(plugin)
        for joint, parts in bulk(unknown) if bulk else ():
            evidence = self.obtain(joint, Asset(joint.url)).result()
            if evidence.found:
                for part in parts:
                    self._store.put(part.url, answer_to(part, evidence))

    def _may_visit(self, url: str, robots: Evidence) -> bool:
        if any(name_of(plugin) in self._config.operator_ok for plugin in self._hosts.plugins(host_of(url))):
            return True
        asset = Asset(url)
        visit = Inquiry(
            asset,
            self._config.purpose,
            self._config.policy,
            plan(asset, self._config.purpose, self._robots),
            reach=Gate.LOOKUP,
        )
        visit.tell(robots)
        return visit.verdict().outcome is Outcome.PERMIT

    def _fetch(self, url: str, need: Need) -> Future[Evidence]:
        """Return the one look-up of ``url`` that is under way, or start it, or give what is known."""
        if lacking := missing(self._config, need, url):
            note = f"[platforms.*] of the settings lacks {', '.join(lacking)}"
            return answered(Evidence(need, url, gap="no_key", at=self._clock(), note=note))
        known = self._store.get(url, need, self._clock())
        if known is not None:
            return answered(known)
        with self._changing:
            flight = self._flights.get(url)
            if flight is None:
                flight = self._flights[url] = Future()
                self._go_on(flight, self._obtain(url, need))
        return flight

    def _go_on(self, flight: Future[Evidence], look_up: LookUp) -> None:
        """Have a thread go on with a look-up; none waits for what it yields."""
        try:
            self._pool.submit(self._advance, flight, look_up).add_done_callback(
                lambda task: flight.cancel() if task.cancelled() else None
            )
        except RuntimeError:  # closed
            look_up.close()
            flight.cancel()

    def _advance(self, flight: Future[Evidence], look_up: LookUp) -> None:
        try:
            while (pending := next(look_up)).done():
                pass
        except StopIteration as ended:
            flight.set_result(ended.value)
        except BaseException as error:  # noqa: BLE001 (the inquiry that waits for it raises it)
            flight.set_exception(error)
        else:
            pending.add_done_callback(lambda _: self._go_on(flight, look_up))

    def _obtain(self, url: str, need: Need) -> LookUp:
        try:
            while True:
                known = self._store.get(url, need, self._clock())
                if known is not None:
                    return known
                if self._store.lease(url, self._clock()):
                    return (yield from self._read(url, need))
                time.sleep(_POLL_SECONDS)
        finally:
            with self._changing:
                self._flights.pop(url, None)

    def _read(self, url: str, need: Need) -> LookUp:
        try:
            asked = filled(self._config, need, url)
            answer = yield from self._followed(asked)
            # What was sent with the taker's keys is told by the address without them.
            evidence = answer_to(need, answer, url if asked.url != url else answer.url)
            if answer.gap != PARKED:  # it is asked when it may be, and not ten minutes later
                self._store.put(url, evidence)
        finally:
            self._store.release(url)
        return evidence

    def _asked(self, need: Need, url: str, ask: Callable[[], Evidence]) -> LookUp:
        """Ask an origin in its turn; policy files wait for no delay, and count as requests."""
        try:
            origin = origin_of(canonical(url))
        except BadUrl:
            return ask()
        pacing = self._pacing
        turn = pacing.before(origin) if need.polite else pacing.pace.before(origin, delayed=False)
        answer = None
        try:
            if turn is not None:
                yield turn
                if note := pacing.parked(turn):
                    return Evidence(need, url, gap=PARKED, at=self._clock(), whole=False, note=note)
            else:
                pacing.pace.asked(origin)
            answer = ask()
        finally:
            pacing.pace.ended(origin, turn, answer)
            if turn is None:
                pacing.pace.asked(origin)
        return answer

    def _followed(self, need: Need) -> LookUp:
        """Read a document; where a page or an API sends us on, the robots.txt of each step is asked as of the first."""
        answer, steps = (yield from self._asked(need, need.url, lambda: self._reader.read(need, need.url))), 0
        while need.polite and answer.status in FOLLOWED:
            steps += 1
            try:
                url = following(need, answer.url, answer.fields)
            except BadUrl:
                return self._not_read(need, answer.url, BAD_URL)
            except Unreached as error:
                return self._not_read(need, answer.url, error.reason)
            if steps > MOST_REDIRECTS:
                return self._not_read(need, url, REDIRECTS)
            robots = self._fetch(origin_of(url) + ROBOTS_TXT.url, ROBOTS_TXT)
            yield robots
            if not self._may_visit(url, robots.result()):
                return self._not_read(need, url, "page_refused")
            same = origin_of(url) == origin_of(need.url)
            step = partial(self._reader.read, need if same else replace(need, fields=()), url)
            answer = yield from self._asked(need, url, step)
        return answer

    def _not_read(self, need: Need, url: str, reason: str) -> Evidence:
        return Evidence(need, url, gap=reason, at=self._clock(), whole=False)


def missing(config: Config, need: Need, url: str) -> list[str]:
    """Return the keys that a need names and the settings lack, such as ``flickr.api_key``."""
    wanted = {name for text in (url, *(v for _, v in need.fields)) for name in _PLACEHOLDER.findall(text)}
    return sorted(wanted - config.secrets.keys())


def filled(config: Config, need: Need, url: str) -> Need:
    """Put the taker's keys where a need names them."""

    def fill(text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: config.secrets[found[1]], text)

    return replace(need, url=fill(url), fields=tuple((name, fill(value)) for name, value in need.fields))


def _then(first: Future[Evidence], more: Callable[[Evidence], Future[Evidence]]) -> Future[Evidence]:
    """Return what ``more`` makes of the first evidence, without a thread that waits for it."""
    if first.done() and not first.cancelled():
        return more(first.result())
    second: Future[Evidence] = Future()

    def end(done: Future[Evidence]) -> None:
        try:
            second.set_result(done.result())
        except BaseException as error:  # noqa: BLE001 (the caller waits for it)
            second.set_exception(error)

    def go_on(done: Future[Evidence]) -> None:
        try:
            more(done.result()).add_done_callback(end)
        except BaseException as error:  # noqa: BLE001 (the caller waits for it)
            second.set_exception(error)

    first.add_done_callback(go_on)
    return second


def answer_to(need: Need, evidence: Evidence, url: str = "") -> Evidence:
    """Return evidence as the answer to ``need``: another signal may have asked for the same URL in other words."""
    if evidence.need == need:
        return evidence
    return Evidence(
        need, url or evidence.url, status=evidence.status, fields=evidence.fields, content=evidence.content,
        at=evidence.at, gap=evidence.gap, whole=evidence.whole, note=evidence.note,
    )  # fmt: skip
