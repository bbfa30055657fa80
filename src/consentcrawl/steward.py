"""Opens inquiries, remembers shared evidence, and closes them into the ledger.

Law: whoever asks, and however many at once, each document is fetched once; whoever stops waiting stops nobody else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from consentcrawl import per_asset, registry
from consentcrawl.config import VERSION, Config
from consentcrawl.core import (
    ROBOTS_TXT,
    SILENT,
    Asset,
    Evidence,
    Gap,
    Gate,
    Hop,
    Inquiry,
    Need,
    Outcome,
    Plan,
    Signal,
    Verdict,
    host_of,
    name_of,
    origin_of,
    plan,
)
from consentcrawl.core.inquiry import MAX_DEPTH
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.lookups import LookUps, Reads, answer_to
from consentcrawl.storage import Store, serves
from consentcrawl.storage.memory import MemoryStore

_SHARED_KEPT = 10_000
_OF_ACCESS = frozenset({"robots_txt", "protego_reading"})
"""Signals about fetching from where they stand: what they say does not go with a work to where it was copied."""


Waiting = Generator[list[Future[Evidence]], None, None]
"""What is waited for, step by step."""


class Record(Protocol):
    """What a steward asks of a ledger."""

    def record_verdict(self, verdict: Verdict, evidence: Iterable[Evidence]) -> int:
        """Make the verdict and what it rests on durable; give its place."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before anything is asked, until a time, and what is still lacking.

    ``answers`` are the evidence that says something, with the signals for which it does.
    """

    lacking: Plan
    evidence: tuple[Evidence, ...]
    answers: tuple[tuple[Evidence, Sequence[Signal | ModuleType]], ...]
    until: float


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
        among = registry.active(self.policy, self.config.configured)
        self._general, self._hosts = registry.general(among), registry.Hosts(among)
        self._lasting = tuple(s for s in self._general if name_of(s) not in _OF_ACCESS)
        self._shared: dict[tuple[str, str | None], Known] = {}
        self._look_ups = LookUps(self.config, self.reader, self.store, clock, among)
        self._per_asset = per_asset.answers(self.config, self.store, clock, among)

    def open(self, url: str, page: str | None = None, *, reach: Gate = Gate.BODY, settle: bool = True) -> Inquiry:
        """Open an inquiry about the asset at ``url``, told what is already known. Raises BadUrl for ``url``.

        A ``page`` that cannot be read is a gap. ``reach`` and ``settle`` as for ``Inquiry``.
        """
        now = self.clock()
        shown_on, bad_page = _page(page) if page else (None, None)
        asset = Asset(canonical(url), shown_on)
        known = self._shared.get((asset.origin, shown_on))
        if known is None or known.until <= now:
            asset, known = self._prepare(asset, now)
        inquiry = Inquiry(
            asset, self.purpose, self.policy, known.lacking,
            agreements=self.config.agreements, reach=reach, settle=settle,
        )  # fmt: skip
        inquiry.evidence.extend(known.evidence)
        for evidence, signals in known.answers:
            inquiry.hear(evidence, signals)
        if bad_page is not None:
            inquiry.lack(bad_page)
        if learnt := self.store.recall(asset.keys, now):
            inquiry.recall(learnt)
        if self._per_asset is not None:
            self._per_asset.tell(inquiry)
        return inquiry

    @property
    def lot(self) -> int:
        """How many URLs it is best to prepare together, or 0 where that does not matter."""
        return self._per_asset.lot if self._per_asset is not None else 0

    def prepare(self, urls: Iterable[str]) -> None:
        """Look up together what platforms answer for several works at once. Blocks; optional, and never raises."""
        waiting: dict[ModuleType, dict[Need, None]] = {}
        urls = list(urls)
        for url in urls:
            with suppress(BadUrl):
                asset = Asset(canonical(url))
                for plugin in self._hosts.plugins(asset.host):
                    if hasattr(plugin, "bulk"):
                        waiting.setdefault(plugin, {}).update(dict.fromkeys(plugin.needs(asset, self.purpose)))
        if self._per_asset is not None:
            self._per_asset.prepare(urls)
        for plugin, needs in waiting.items():
            self._look_ups.join(plugin, tuple(needs))

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
        # What the asset is part of may be taught by its own answers: another size of the file has only its address.
        learnt = [*inquiry.asides, *(g for g in verdict.grounds if g.statement.names and g.statement.about)]
        if learnt:
            self.store.learn((g.statement.about or "", (g, now + ROBOTS_TXT.serves)) for g in learnt)
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
        self._look_ups.shut()
        if self._per_asset is not None:
            self._per_asset.shut()
        self.store.close()

    def _prepare(self, asset: Asset, now: float) -> tuple[Asset, Known]:
        """Gather what every inquiry of the same origin and page shares; keep it where no plugin has a say."""
        plugins = self._hosts.plugins(asset.host)
        if plugins:
            asset = Asset(asset.url, asset.page, self._keys(plugins, asset, now))
        planned = plan(asset, self.purpose, (*self._general, *plugins))
        known = self._known(asset, planned, now)
        if not plugins and all(per_asset.is_one(need) for need in known.lacking[Gate.LOOKUP]):
            if len(self._shared) >= _SHARED_KEPT:
                self._shared.clear()
            self._shared[asset.origin, asset.page] = known
        return asset, known

    def _keys(self, plugins: tuple[ModuleType, ...], asset: Asset, now: float) -> tuple[str, ...]:
        """Give the work keys found in the address, and those that were learnt to name the same work."""
        keys = registry.keys_among(plugins, asset)
        learnt = self.store.recall((asset.url, *keys), now)
        further = (ground.statement.names for ground in learnt if ground.statement.names)
        return tuple(dict.fromkeys((*keys, *further)))

    def _known(self, asset: Asset, planned: Plan, now: float) -> Known:
        lacking, evidence, answers, until = {}, [], [], float("inf")
        for need, signals in planned[Gate.LOOKUP].items():
            kept = None if per_asset.is_one(need) else self.store.get(need.at(asset), need, now)
            if kept is None:
                lacking[need] = signals
                continue
            evidence.append(kept)
            until = min(until, serves(kept))
            if speaking := [s for s in signals if kept.gap or not self._silent(s, kept, asset)]:
                answers.append((kept, speaking))
        return Known((lacking, planned[Gate.HEAD], planned[Gate.BODY]), tuple(evidence), tuple(answers), until)

    def _silent(self, signal: Signal | ModuleType, evidence: Evidence, asset: Asset) -> bool:
        try:
            return signal.read(evidence, asset, self.purpose) is SILENT
        except Exception:  # noqa: BLE001 (the inquiry makes it a gap)
            return False

    def _meet(self, inquiry: Inquiry, copies: tuple[Asset, ...] = ()) -> Waiting:
        """Decide what is fetched next, for both worlds: yields what to wait for until the LOOKUP gate lacks nothing.

        ``copies`` are the assets that led here, from one copy of a work to the next.
        """
        makers: set[Need] = set()
        while needs := [need for need in inquiry.needs() if need.gate is Gate.LOOKUP]:
            own = next((need for need in needs if need not in makers and self._is_makers(need, inquiry)), None)
            if own is None:
                yield from self._obtain(needs, inquiry)
            else:
                makers.add(own)
                yield from self._ask_maker(own, inquiry, (*copies, inquiry.asset))

    def _obtain(self, needs: list[Need], inquiry: Inquiry) -> Waiting:
        urls = [need.at(inquiry.asset) for need in needs]
        rules = [self._look_ups.rules(need, url) for need, url in zip(needs, urls, strict=True)]
        if asked := [robots for robots in rules if robots is not None]:
            yield asked
        answers = [self._visit(inquiry, *visit) for visit in zip(needs, urls, rules, strict=True)]
        yield answers
        for need, answer in zip(needs, answers, strict=True):
            inquiry.tell(answer_to(need, answer.result()))

    def _visit(self, inquiry: Inquiry, need: Need, url: str, robots: Future[Evidence] | None) -> Future[Evidence]:
        if self._per_asset is not None and per_asset.is_one(need):
            return self._per_asset.ask(need, inquiry.asset)
        return self._look_ups.visit(need, url, robots)

    def _is_makers(self, need: Need, inquiry: Inquiry) -> bool:
        """Tell whether a look-up goes to the maker's own place: the plugin says from which answer on it does."""
        asset = inquiry.asset
        plugins = self._hosts.plugins(asset.host) if need.polite and need.holds else ()
        if not plugins:
            return False
        depth = inquiry.depth(need)
        # On the asset's own origin the policy files are read anyway.
        return (depth > 0 or origin_of(need.at(asset)) != asset.origin) and any(
            depth >= registry.makers_from(plugin) for plugin in plugins
        )

    def _ask_maker(self, need: Need, inquiry: Inquiry, copies: tuple[Asset, ...]) -> Waiting:
        """Ask about the maker's own copy in its own right: what is said there goes for the copy elsewhere.

        Where plugins know that place, what they find answers ``need``; else its page is still read as any page.
        """
        url, now = need.at(inquiry.asset), self.clock()
        plugins = self._hosts.plugins(host_of(url)) if inquiry.depth(need) else ()
        asset = Asset(url, None, self._keys(plugins, Asset(url), now))
        met = {key for copy in copies for key in copy.keys}
        if len(copies) > MAX_DEPTH or not met.isdisjoint(asset.keys):
            inquiry.tell(Evidence(need, url, gap="depth", at=now))
            return
        own = inquiry.beside(asset, plan(asset, self.purpose, (*self._lasting, *plugins)))
        own.recall(self.store.recall(asset.keys, now))
        yield from self._meet(own, copies)
        known = any(asked != ROBOTS_TXT for plugin in plugins for asked in plugin.needs(asset, self.purpose))
        inquiry.adopt(own, need if known else None)


def _page(page: str) -> tuple[str | None, Gap | None]:
    try:
        return canonical(page), None
    except BadUrl as error:
        return None, Gap(page, "bad_url", note=str(error))
