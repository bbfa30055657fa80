"""Opens inquiries, remembers shared evidence, and closes them into the ledger.

Whoever asks, and however many at once, each document is fetched once; whoever stops waiting stops nobody else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType

from consentcrawl import discovery
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
    plan,
)
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.ledger.recording import Record
from consentcrawl.sources import router
from consentcrawl.sources.web import LookUps, Reads
from consentcrawl.storage import CLOCK_SKEW, Store, serves
from consentcrawl.storage.memory import MemoryStore
from consentcrawl.visits import Visits

_SHARED_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before anything is asked, for a time, and what is still lacking.

    ``answers`` are the evidence that says something, with the signals for which it does.
    """

    lacking: Plan
    evidence: tuple[Evidence, ...]
    answers: tuple[tuple[Evidence, Sequence[Signal | ModuleType]], ...]
    since: float
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
        """Serve the purpose and policy of ``config``; look documents up with ``reader`` and keep them in ``store``.

        ``record`` is the ledger; without one it is that which ``config`` names, if any. Raises LedgerBroken for one
        that is damaged, or that another process writes.
        """
        self.config = config or Config()
        self.purpose, self.policy = self.config.purpose, self.config.policy
        self.store: Store = store or MemoryStore()
        self.reader: Reads = reader or self.config.reader()
        self.clock = clock
        self.record = record or _record(self.config)
        among = discovery.active(self.policy, self.config.configured)
        self._general, self._hosts = discovery.general(among), discovery.Hosts(among)
        self._shared: dict[tuple[str, str | None], Known] = {}
        self._look_ups = LookUps(self.config, self.reader, self.store, clock, among)
        self._per_asset = router.answers(self.config, self.store, clock, among)
        self._visits = Visits(
            purpose=self.purpose, among=among, look_ups=self._look_ups, answers=self._per_asset, store=self.store,
            clock=clock,
        )  # fmt: skip

    def open(self, url: str, page: str | None = None, *, reach: Gate = Gate.BODY, settle: bool = True) -> Inquiry:
        """Open an inquiry about the asset at ``url``, told what is already known. Raises BadUrl for ``url``.

        A ``page`` that cannot be read is a gap. ``reach`` and ``settle`` as for ``Inquiry``.
        """
        now = self.clock()
        shown_on, bad_page = _page(page) if page else (None, None)
        asset = Asset(canonical(url), shown_on)
        known = self._shared.get((asset.origin, shown_on))
        if known is None or not known.since <= now < known.until:
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
                    if discovery.bulk_of(plugin):
                        waiting.setdefault(plugin, {}).update(dict.fromkeys(plugin.needs(asset, self.purpose)))
        if self._per_asset is not None:
            self._per_asset.prepare(urls)
        for plugin, needs in waiting.items():
            self._look_ups.join(plugin, tuple(needs))

    def look_up(self, inquiry: Inquiry) -> None:
        """Meet the needs of the LOOKUP gate. Blocks; never raises for what could not be had."""
        for waiting in self._visits.meet(inquiry):
            wait(waiting)

    async def look_up_async(self, inquiry: Inquiry) -> None:
        """Meet the needs of the LOOKUP gate; cancelling the task leaves the shared look-ups running."""
        for waiting in self._visits.meet(inquiry):
            # asyncio.wait, unlike gather and wait_for, leaves what it waits for alone when cancelled.
            await asyncio.wait([asyncio.wrap_future(future) for future in waiting])

    def close(self, inquiry: Inquiry, hops: Sequence[Hop] = ()) -> Verdict:
        """End the inquiry and give its verdict, once the ledger has it. Blocks; raises LedgerBroken."""
        verdict, entry = self.end(inquiry, hops)
        if entry is not None:
            entry.result()
        return verdict

    def end(self, inquiry: Inquiry, hops: Sequence[Hop] = ()) -> tuple[Verdict, Future[int] | None]:
        """End the inquiry, keep what was learnt about other assets, and hand the verdict to the ledger.

        The verdict may be acted upon when the future of its entry has come; without a ledger there is none to await.
        """
        now = self.clock()
        verdict = inquiry.verdict(decided_at=now, hops=hops, version=VERSION)
        # What the asset is part of may be taught by its own answers: another size of the file has only its address.
        learnt = [*inquiry.asides, *(g for g in verdict.grounds if g.statement.names and g.statement.about)]
        if learnt:
            self.store.learn((g.statement.about or "", (g, now + ROBOTS_TXT.serves)) for g in learnt)
        if self.record is None:
            return verdict, None
        return verdict, self.record.record_verdict(verdict, inquiry.evidence, inquiry.asides)

    def unreadable(self, url: str, error: BadUrl, *, recorded: bool = True) -> Verdict:
        """Return the verdict about something that is no URL: undetermined, for the reason ``error`` names.

        The ledger has it soon, unless it is ``recorded`` elsewhere; nobody waits for that, since nothing is delivered.
        """
        gap = Gap(url, "bad_url", holds=True, note=str(error))
        verdict = Verdict(
            url=url, outcome=Outcome.UNDETERMINED, purpose=self.purpose.name, gate=Gate.LOOKUP,
            enforced=self.policy.mode == "enforce", grounds=(), gaps=(gap,),
            decided_at=self.clock(), policy=self.policy.name, version=VERSION,
        )  # fmt: skip
        if self.record is not None and recorded:
            self.record.record_verdict(verdict, ())
        return verdict

    def shut(self) -> None:
        """Wait for look-ups that are under way and let go of threads and files."""
        self._look_ups.shut()
        if self._per_asset is not None:
            self._per_asset.shut()
        self.store.close()
        if self.record is not None:
            self.record.close()

    def _prepare(self, asset: Asset, now: float) -> tuple[Asset, Known]:
        """Gather what every inquiry of the same origin and page shares; keep it where no plugin has a say."""
        plugins = self._hosts.plugins(asset.host)
        if plugins:
            asset = Asset(asset.url, asset.page, self._visits.keys(plugins, asset, now))
        planned = plan(asset, self.purpose, (*self._general, *plugins))
        known = self._known(asset, planned, now)
        if not plugins and all(router.is_one(need) for need in known.lacking[Gate.LOOKUP]):
            if len(self._shared) >= _SHARED_KEPT:
                self._shared.clear()
            self._shared[asset.origin, asset.page] = known
        return asset, known

    def _known(self, asset: Asset, planned: Plan, now: float) -> Known:
        lacking, evidence, answers, since, until = {}, [], [], float("-inf"), float("inf")
        for need, signals in planned[Gate.LOOKUP].items():
            kept = None if router.is_one(need) else self.store.get(need.at(asset), need, now)
            if kept is None:
                lacking[need] = signals
                continue
            evidence.append(kept)
            since, until = max(since, kept.at - CLOCK_SKEW), min(until, serves(kept))
            if speaking := [s for s in signals if kept.gap or not self._silent(s, kept, asset)]:
                answers.append((kept, speaking))
        return Known((lacking, planned[Gate.HEAD], planned[Gate.BODY]), tuple(evidence), tuple(answers), since, until)

    def _silent(self, signal: Signal | ModuleType, evidence: Evidence, asset: Asset) -> bool:
        try:
            return signal.read(evidence, asset, self.purpose) is SILENT
        except Exception:  # noqa: BLE001 (the inquiry makes it a gap)
            return False


def _record(config: Config) -> Record | None:
    """Open the ledger that the settings name."""
    if not config.ledger:
        return None
    from consentcrawl.ledger.recording.live import LedgerRecord  # noqa: PLC0415 (few need it)

    return LedgerRecord.open(config.ledger, config)


def _page(page: str) -> tuple[str | None, Gap | None]:
    try:
        return canonical(page), None
    except BadUrl as error:
        return None, Gap(page, "bad_url", note=str(error))
