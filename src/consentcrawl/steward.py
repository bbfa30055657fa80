"""Opens inquiries, remembers shared evidence, and closes them into the ledger.

Law: whoever asks, and however many at once, each document is fetched once; whoever stops waiting stops nobody else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from consentcrawl import registry
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
        among = registry.active(self.policy)
        self._general, self._hosts = registry.general(among), registry.Hosts(among)
        self._lasting = tuple(s for s in self._general if name_of(s) not in _OF_ACCESS)
        self._shared: dict[tuple[str, str | None], Known] = {}
        self._look_ups = LookUps(self.config, self.reader, self.store, clock, among)

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
        return inquiry

    def look_up(self, inquiry: Inquiry) -> None:
        """Meet the needs of the LOOKUP gate. Blocks; never raises for what could not be had."""
        for waiting in self._meet(inquiry):
            wait(waiting)

    def prepare(self, urls: Iterable[str]) -> None:
        """Look up together what a platform answers for several works at once. Blocks; optional, and never raises.

        Whatever is not answered this way is asked for singly, by the inquiry that needs it.
        """
        waiting: dict[ModuleType, dict[Need, None]] = {}
        for url in urls:
            for plugin, need in self._bulky(url):
                waiting.setdefault(plugin, {})[need] = None
        for plugin, needs in waiting.items():
            for joint, parts in plugin.bulk(tuple(needs)):
                self._together(joint, parts)

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
        self.store.close()

    def _prepare(self, asset: Asset, now: float) -> tuple[Asset, Known]:
        """Gather what every inquiry of the same origin and page shares; keep it where no plugin has a say."""
        plugins = self._hosts.plugins(asset.host)
        if plugins:
            asset = Asset(asset.url, asset.page, self._keys(plugins, asset, now))
        planned = plan(asset, self.purpose, (*self._general, *plugins))
        known = self._known(asset, planned, now)
        if not plugins and not known.lacking[Gate.LOOKUP]:
            if len(self._shared) >= _SHARED_KEPT:
                self._shared.clear()
            self._shared[asset.origin, asset.page] = known
        return asset, known

    def _keys(self, plugins: tuple[ModuleType, ...], asset: Asset, now: float) -> tuple[str, ...]:
        """Give the work keys found in the address, and those that were learnt to name the same work."""
        keys = registry.keys_among(plugins, asset)
        further = (ground.statement.names for ground in self.store.recall(keys, now) if ground.statement.names)
        return tuple(dict.fromkeys((*keys, *further)))

    def _known(self, asset: Asset, planned: Plan, now: float) -> Known:
        lacking, evidence, answers, until = {}, [], [], float("inf")
        for need, signals in planned[Gate.LOOKUP].items():
            kept = self.store.get(need.at(asset), need, now)
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

    def _meet(self, inquiry: Inquiry, copies: tuple[Asset, ...] = ()) -> Generator[list[Future[Evidence]], None, None]:
        """Decide what is fetched next, for both worlds: yields what to wait for until the LOOKUP gate lacks nothing.

        ``copies`` are the assets that led here, from one copy of the work to the next.
        """
        makers: set[Need] = set()
        while needs := [need for need in inquiry.needs() if need.gate is Gate.LOOKUP]:
            own = next((need for need in needs if need not in makers and self._is_makers(need, inquiry)), None)
            if own is not None:
                makers.add(own)
                yield from self._ask_maker(own, inquiry, (*copies, inquiry.asset))
                continue
            permitted = []
            for need in needs:
                url = need.at(inquiry.asset)
                robots = self._look_ups.rules(need, url)
                permitted.append((need, url, robots))
            if asked := [robots for _, _, robots in permitted if robots is not None]:
                yield asked
            answers = [(need, self._look_ups.visit(need, url, robots)) for need, url, robots in permitted]
            yield [future for _, future in answers]
            for need, future in answers:
                inquiry.tell(answer_to(need, future.result()))

    def _is_makers(self, need: Need, inquiry: Inquiry) -> bool:
        """Tell whether a look-up goes to the maker's own place: the plugin says from which answer on it does."""
        if not (need.polite and need.holds):
            return False
        asset, depth = inquiry.asset, inquiry.depth(need)
        if not depth and origin_of(need.at(asset)) == asset.origin:
            return False  # then the policy files of that place are read anyway
        return any(depth >= registry.makers_from(plugin) for plugin in self._hosts.plugins(asset.host))

    def _ask_maker(
        self, need: Need, inquiry: Inquiry, copies: tuple[Asset, ...]
    ) -> Generator[list[Future[Evidence]], None, None]:
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

    def _bulky(self, url: str) -> Iterator[tuple[ModuleType, Need]]:
        """Give what an asset needs of a plugin that joins look-ups, and is not known yet."""
        try:
            asset = Asset(canonical(url))
        except BadUrl:
            return
        for plugin in self._hosts.plugins(asset.host):
            if hasattr(plugin, "bulk"):
                for need in plugin.needs(asset, self.purpose):
                    if self.store.get(need.at(asset), need, self.clock()) is None:
                        yield plugin, need

    def _together(self, joint: Need, parts: Sequence[Need]) -> None:
        """Keep the answer to a joint look-up as the answer to each of its parts."""
        evidence = self._look_ups.visit(joint, joint.url, self._look_ups.rules(joint, joint.url)).result()
        if evidence.found or (evidence.unreachable and not evidence.gap):
            for part in parts:
                self.store.put(part.url, answer_to(part, evidence))


def _page(page: str) -> tuple[str | None, Gap | None]:
    try:
        return canonical(page), None
    except BadUrl as error:
        return None, Gap(page, "bad_url", note=str(error))
