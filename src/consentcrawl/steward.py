"""Opens inquiries, remembers shared evidence, and closes them into the ledger.

Law: whoever asks, and however many at once, each document is fetched once; whoever stops waiting stops nobody else.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from types import ModuleType
from typing import Protocol

from consentcrawl import registry
from consentcrawl.config import VERSION, Config
from consentcrawl.core import (
    ROBOTS_TXT,
    Asset,
    Evidence,
    Gap,
    Gate,
    Hop,
    Inquiry,
    Need,
    Outcome,
    Plan,
    Verdict,
    host_of,
    name_of,
    origin_of,
    plan,
)
from consentcrawl.core.evidence import Pairs
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.storage import Store
from consentcrawl.storage.memory import MemoryStore

_PLANS_KEPT = 10_000
_POLL_SECONDS = 0.02
_LOOK_UPS_AT_ONCE = 32
_PLACEHOLDER = re.compile(r"\{(\w+\.\w+)\}")


class Reads(Protocol):
    """What a steward asks of a reader (``net.reader``, or one that keeps a pace)."""

    def read(self, need: Need, url: str) -> Evidence:
        """Answer ``need`` from ``url``; never raises."""
        ...

    def head(self, url: str, fields: Pairs = ()) -> Evidence:
        """Status and fields of the asset at ``url``."""
        ...

    def prefix(self, url: str, limit: int = ..., fields: Pairs = ()) -> Evidence:
        """At most ``limit`` bytes of the asset at ``url``."""
        ...


class Record(Protocol):
    """What a steward asks of a ledger."""

    def record_verdict(self, verdict: Verdict, evidence: Iterable[Evidence]) -> int:
        """Make the verdict and what it rests on durable; give its place."""
        ...


class Steward:
    """What all inquiries of one taker share. Safe for threads and tasks; make one in each process after a fork."""

    def __init__(
        self,
        config: Config | None = None,
        *,
        reader: Reads | None = None,
        store: Store | None = None,
        record: Record | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Serve the purpose and policy of ``config``; look documents up with ``reader`` and keep them in ``store``."""
        self.config = config or Config()
        self.purpose, self.policy = self.config.purpose, self.config.policy
        self.store: Store = store or MemoryStore()
        self.reader: Reads = reader or self.config.reader()
        self.clock, self._record = clock, record
        among = registry.active(self.policy)
        self._general, self._hosts = registry.general(among), registry.Hosts(among)
        self._robots = tuple(s for s in among if name_of(s) == "robots_txt")
        self._plans: dict[tuple[str, str | None], Plan] = {}
        self._flights: dict[str, Future[Evidence]] = {}
        self._boarding = threading.Lock()
        self._pool = ThreadPoolExecutor(_LOOK_UPS_AT_ONCE, thread_name_prefix="consentcrawl-lookup")

    def open(self, url: str, page: str | None = None, *, reach: Gate = Gate.BODY, settle: bool = True) -> Inquiry:
        """Open an inquiry about the asset at ``url``, told what is already known. Raises BadUrl for ``url``.

        A ``page`` that cannot be read is a gap. ``reach`` and ``settle`` as for ``Inquiry``.
        """
        asset, plugins, bad_page = self._asset(canonical(url), page)
        inquiry = Inquiry(
            asset, self.purpose, self.policy, self._plan(asset, plugins),
            agreements=self.config.agreements, reach=reach, settle=settle,
        )  # fmt: skip
        if bad_page is not None:
            inquiry.lack(bad_page)
        now = self.clock()
        inquiry.recall(self.store.recall(asset.keys, now))
        self._tell_known(inquiry, now)
        return inquiry

    def look_up(self, inquiry: Inquiry) -> None:
        """Meet the needs of the LOOKUP gate. Blocks; never raises for what could not be had."""
        for waiting in self._meet(inquiry):
            wait(waiting)

    async def look_up_async(self, inquiry: Inquiry) -> None:
        """Meet the needs of the LOOKUP gate; cancelling the task leaves the shared look-ups running."""
        for waiting in self._meet(inquiry):
            # asyncio.wait, unlike gather and wait_for, leaves what it waits for alone when cancelled.
            await asyncio.wait([asyncio.wrap_future(future) for future in waiting])

    def close(self, inquiry: Inquiry, hops: Sequence[Hop] = ()) -> Verdict:
        """End the inquiry, keep what was learnt about other assets, and record the verdict before it is given out."""
        now = self.clock()
        verdict = inquiry.verdict(decided_at=now, hops=hops, version=VERSION)
        if inquiry.asides:
            self.store.learn((g.statement.about or "", (g, now + ROBOTS_TXT.serves)) for g in inquiry.asides)
        if self._record is not None:
            self._record.record_verdict(verdict, inquiry.evidence)
        return verdict

    def unreadable(self, url: str, error: BadUrl) -> Verdict:
        """Give the verdict about something that is no URL: undetermined, for the reason ``error`` names."""
        gap = Gap(url, "bad_url", holds=True, note=str(error))
        return Verdict(
            url=url, outcome=Outcome.UNDETERMINED, purpose=self.purpose.name, gate=Gate.LOOKUP,
            enforced=self.policy.mode == "enforce", grounds=(), gaps=(gap,),
            decided_at=self.clock(), policy=self.policy.name, version=VERSION,
        )  # fmt: skip

    def shut(self) -> None:
        """Wait for look-ups that are under way and let go of threads and files."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.store.close()

    def _asset(self, url: str, page: str | None) -> tuple[Asset, tuple[ModuleType, ...], Gap | None]:
        shown_on, bad_page = _page(page)
        plugins = self._hosts.plugins(host_of(url))
        if not plugins:
            return Asset(url, shown_on), (), bad_page
        return Asset(url, shown_on, registry.keys_among(plugins, Asset(url))), plugins, bad_page

    def _plan(self, asset: Asset, plugins: tuple[ModuleType, ...]) -> Plan:
        if plugins:
            return plan(asset, self.purpose, (*self._general, *plugins))
        kept = self._plans.get((asset.origin, asset.page))
        if kept is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            kept = self._plans[asset.origin, asset.page] = plan(asset, self.purpose, self._general)
        return kept

    def _tell_known(self, inquiry: Inquiry, now: float) -> None:
        for need in inquiry.needs():
            if need.gate is Gate.LOOKUP:
                known = self.store.get(need.at(inquiry.asset), need, now)
                if known is not None:
                    inquiry.tell(known)

    def _meet(self, inquiry: Inquiry) -> Generator[list[Future[Evidence]], None, None]:
        """Decide what is fetched next, for both worlds: yields what to wait for until the LOOKUP gate lacks nothing."""
        while needs := [need for need in inquiry.needs() if need.gate is Gate.LOOKUP]:
            permitted = []
            for need in needs:
                url = need.at(inquiry.asset)
                robots = self._fetch(origin_of(url) + ROBOTS_TXT.url, ROBOTS_TXT) if need.polite else None
                permitted.append((need, url, robots))
            if asked := [robots for _, _, robots in permitted if robots is not None]:
                yield asked
            answers = [(need, self._visit(need, url, robots)) for need, url, robots in permitted]
            yield [future for _, future in answers]
            for need, future in answers:
                inquiry.tell(_for(need, future.result()))

    def _visit(self, need: Need, url: str, robots: Future[Evidence] | None) -> Future[Evidence]:
        """Look a document up, unless it is a page or an API that the robots.txt of its host closes to us."""
        if robots is not None and not self._may_visit(url, robots.result()):
            return _done(Evidence(need, url, gap="page_refused", at=self.clock()))
        return self._fetch(url, need)

    def _may_visit(self, url: str, robots: Evidence) -> bool:
        if any(name_of(plugin) in self.config.operator_ok for plugin in self._hosts.plugins(host_of(url))):
            return True
        asset = Asset(url)
        visit = Inquiry(asset, self.purpose, self.policy, plan(asset, self.purpose, self._robots), reach=Gate.LOOKUP)
        visit.tell(robots)
        return visit.verdict().outcome is Outcome.PERMIT

    def _fetch(self, url: str, need: Need) -> Future[Evidence]:
        """Give the one look-up of ``url`` that is under way, or start it, or give what is known."""
        known = self.store.get(url, need, self.clock())
        if known is not None:
            return _done(known)
        with self._boarding:
            flight = self._flights.get(url)
            if flight is None:
                flight = self._flights[url] = self._pool.submit(self._obtain, url, need)
        return flight

    def _obtain(self, url: str, need: Need) -> Evidence:
        try:
            while True:
                known = self.store.get(url, need, self.clock())
                if known is not None:
                    return known
                if self.store.lease(url, self.clock()):
                    return self._read(url, need)
                time.sleep(_POLL_SECONDS)
        finally:
            with self._boarding:
                self._flights.pop(url, None)

    def _read(self, url: str, need: Need) -> Evidence:
        try:
            filled = self._filled(need, url)
            answer = filled if isinstance(filled, Evidence) else self.reader.read(filled, filled.url or url)
            evidence = _for(need, answer)
            self.store.put(url, evidence)
        finally:
            self.store.release(url)
        return evidence

    def _filled(self, need: Need, url: str) -> Need | Evidence:
        """Put the taker's keys where a need names them; a key that is missing is a gap that names it."""
        wanted = {name for text in (url, *(v for _, v in need.fields)) for name in _PLACEHOLDER.findall(text)}
        missing = sorted(wanted - self.config.secrets.keys())
        if missing:
            return Evidence(need, url, gap="no_key", at=self.clock())
        fields = tuple((name, self._fill(value)) for name, value in need.fields)
        return replace(need, url=self._fill(url), fields=fields)

    def _fill(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self.config.secrets[found[1]], text)


def _page(page: str | None) -> tuple[str | None, Gap | None]:
    if not page:
        return None, None
    try:
        return canonical(page), None
    except BadUrl as error:
        return None, Gap(page, "bad_url", note=str(error))


def _done(evidence: Evidence) -> Future[Evidence]:
    future: Future[Evidence] = Future()
    future.set_result(evidence)
    return future


def _for(need: Need, evidence: Evidence) -> Evidence:
    """Give evidence as the answer to ``need``: another signal may have asked for the same URL in other words."""
    if evidence.need == need:
        return evidence
    return Evidence(
        need, evidence.url, status=evidence.status, fields=evidence.fields, content=evidence.content,
        at=evidence.at, gap=evidence.gap, whole=evidence.whole,
    )  # fmt: skip
