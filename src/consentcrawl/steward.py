"""Opens inquiries, meets their needs, and closes them into the ledger.

However many inquiries ask at once, each document is fetched once; an inquiry that is given up stops no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, wait
from typing import Self

from consentcrawl import discovery
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
    Policy,
    Purpose,
    Verdict,
    host_of,
    name_of,
    origin_of,
    plan,
)
from consentcrawl.core.inquiry import MAX_DEPTH
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.ledger.recording import Record
from consentcrawl.ledger.recording.durable import durable
from consentcrawl.net.pace import Answer, Pace, Turn
from consentcrawl.sources import Source
from consentcrawl.sources.origins import Origins
from consentcrawl.sources.pacing import Pacing
from consentcrawl.sources.router import Router
from consentcrawl.sources.web import Reads, answer_to
from consentcrawl.storage import Store
from consentcrawl.storage.memory import MemoryStore

_OF_ACCESS = frozenset({"robots_txt", "protego_reading"})
"""Signals about fetching from where they stand: what they say does not go with a work to where it was copied."""

Pending = Generator[list[Future[Evidence]], None, None]
"""The look-ups that are waited for, step by step."""


class Steward:
    """What all inquiries of one taker share. Safe for threads and tasks; make one in each process after a fork.

    A context manager: leaving it waits for look-ups under way and lets go of threads, store and ledger.
    """

    def __init__(  # noqa: PLR0913 (each has a default)
        self,
        config: Config | None = None,
        *,
        reader: Reads | None = None,
        store: Store | None = None,
        record: Record | None = None,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Serve the purpose and policy of ``config``; look documents up with ``reader`` and keep them in ``store``.

        ``pace`` is the steward's from now on, and is shared through ``store``.
        ``record`` is the ledger; without one it is that which ``config`` names, if any. Raises LedgerBroken for one
        that is damaged, or that another process writes.
        """
        self._config = config or Config()
        self.store: Store = store or MemoryStore()
        self.reader: Reads = reader or self._config.reader()
        self.clock = clock
        self.record = record or _record(self._config)
        among = discovery.active(self.policy, self._config.configured)
        self._hosts = discovery.Hosts(among)
        self.pace, self._paces = pace or Pace(), self._config.pace != "off"
        self.pace.shared = self.store
        self._pacing = Pacing(self.pace, self.store, clock, self.purpose.token, self._hosts)
        self._router = Router(
            self._config, self.reader, self.store, clock, among=among, hosts=self._hosts, pacing=self._pacing
        )
        self._origins = Origins(self.purpose, among, self._hosts, self._router, self.store)
        self._lasting = tuple(s for s in discovery.general(among) if name_of(s) not in _OF_ACCESS)

    @property
    def config(self) -> Config:
        """The settings it was made with."""
        return self._config

    @property
    def purpose(self) -> Purpose:
        """What the taker wants assets for."""
        return self._config.purpose

    @property
    def policy(self) -> Policy:
        """The policy under which inquiries are opened, unless they are given one of another mode."""
        return self._config.policy

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close."""
        self.close()

    def open(
        self,
        url: str,
        page: str | None = None,
        *,
        reach: Gate = Gate.BODY,
        settle: bool = True,
        policy: Policy | None = None,
    ) -> Inquiry:
        """Open an inquiry about the asset at ``url``, told what is already known. Raises BadUrl for ``url``.

        A ``page`` that cannot be read is a gap. ``reach`` and ``settle`` as for ``Inquiry``; ``policy`` may differ
        from the steward's in its mode.
        """
        now = self.clock()
        shown_on, bad_page = _page(page) if page else (None, None)
        asset, known = self._origins.known(Asset(canonical(url), shown_on), now)
        inquiry = Inquiry(
            asset, self.purpose, policy or self.policy, known.lacking,
            agreements=self._config.agreements, reach=reach, settle=settle,
        )  # fmt: skip
        inquiry.evidence.extend(known.evidence)
        for evidence, signals in known.answers:
            inquiry.hear(evidence, signals)
        if bad_page is not None:
            inquiry.lack(bad_page)
        if learnt := self.store.recall(asset.keys, now):
            inquiry.recall(learnt)
        if self._router.single:
            self._tell_known(inquiry)
        return inquiry

    @property
    def prepared_at_once(self) -> int:
        """How many URLs it is best to ``prepare`` together, or 0 where that does not matter."""
        return self._router.prepared_at_once

    def prepare(self, urls: Iterable[str]) -> None:
        """Look up together what registries and platforms answer for several works at once. Blocks; never raises."""
        self._router.prepare(urls)

    def resolve(self, inquiry: Inquiry, *sources: Source, copies: tuple[Asset, ...] = ()) -> Pending:
        """Meet every need that is met without the asset's own answer; yields the look-ups to wait for, step by step.

        ``sources`` are asked before the taker's own: the manifests of a content. ``copies`` are the assets that led
        here, from one copy of a work to the next.
        """
        makers: set[Need] = set()
        while needs := [need for need in inquiry.needs() if self._router.source(need, sources) is not None]:
            own = next((need for need in needs if need not in makers and self._is_makers(need, inquiry)), None)
            if own is None:
                yield from self._obtain(needs, inquiry, sources)
            else:
                makers.add(own)
                yield from self._ask_maker(own, inquiry, (*copies, inquiry.asset))

    def look_up(self, inquiry: Inquiry) -> None:
        """Resolve an inquiry. Blocks; never raises for what could not be had."""
        for pending in self.resolve(inquiry):
            wait(pending)

    async def look_up_async(self, inquiry: Inquiry) -> None:
        """Resolve an inquiry; cancelling the task leaves the shared look-ups running."""
        for pending in self.resolve(inquiry):
            for future in pending:
                await durable(future)

    def prefix(self, url: str, limit: int) -> Future[Evidence]:
        """Return at most ``limit`` bytes from the beginning of the asset at ``url``, to come."""
        return self._router.web.prefix(url, limit)

    def turn(self, origin: str) -> Turn | None:
        """Return the turn of ``origin`` to wait for before the caller's request is sent; None where it may go at once.

        It raises Parked for an origin that wants to be left alone for too long. ``end_turn`` gives it back.
        """
        return self._pacing.before(origin) if self._paces else None

    def end_turn(self, origin: str, turn: Turn | None, answer: Answer | None = None) -> None:
        """Give the turn back, and take note of what the answer says about when to come back."""
        if self._paces:
            self.pace.ended(origin, turn, answer)

    def decide(self, inquiry: Inquiry, hops: Sequence[Hop] = ()) -> Verdict:
        """End the inquiry and return its verdict, once the ledger has it. Blocks; raises LedgerBroken."""
        verdict, entry = self.finish(inquiry, hops)
        if entry is not None:
            entry.result()
        return verdict

    def finish(self, inquiry: Inquiry, hops: Sequence[Hop] = ()) -> tuple[Verdict, Future[int] | None]:
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

    def unreadable(self, url: str, error: BadUrl, *, recorded: bool = True, policy: Policy | None = None) -> Verdict:
        """Return the verdict about something that is no URL: undetermined, for the reason ``error`` names.

        The ledger has it soon, unless it is ``recorded`` elsewhere; there is no need to wait, as nothing is delivered.
        """
        policy = policy or self.policy
        gap = Gap(url, "bad_url", holds=True, note=str(error))
        verdict = Verdict(
            url=url, outcome=Outcome.UNDETERMINED, purpose=self.purpose.name, gate=Gate.LOOKUP,
            enforced=policy.mode == "enforce", grounds=(), gaps=(gap,),
            decided_at=self.clock(), policy=policy.name, version=VERSION,
        )  # fmt: skip
        if self.record is not None and recorded:
            self.record.record_verdict(verdict, ())
        return verdict

    def close(self) -> None:
        """Wait for look-ups that are under way and let go of threads and files."""
        self._router.close()
        self.store.close()
        if self.record is not None:
            self.record.close()

    def _tell_known(self, inquiry: Inquiry) -> None:
        """Tell an inquiry that has just been opened what the sources about single assets hold."""
        for need in inquiry.needs():
            source = self._router.source(need)
            if source is not None and not source.shared and (known := source.known(need, inquiry.asset)) is not None:
                inquiry.tell(known)

    def _obtain(self, needs: list[Need], inquiry: Inquiry, sources: Sequence[Source]) -> Pending:
        asked = [(need, source) for need in needs if (source := self._router.source(need, sources)) is not None]
        pending = [source.obtain(need, inquiry.asset) for need, source in asked]
        yield pending
        for (need, _), future in zip(asked, pending, strict=True):
            inquiry.tell(answer_to(need, future.result()))

    def _is_makers(self, need: Need, inquiry: Inquiry) -> bool:
        """Return whether a look-up goes to the maker's own place: the plugin says from which answer on it does."""
        asset = inquiry.asset
        plugins = self._hosts.plugins(asset.host) if need.polite and need.holds else ()
        if not plugins:
            return False
        depth = inquiry.depth(need)
        # On the asset's own origin the policy files are read anyway.
        return (depth > 0 or origin_of(need.at(asset)) != asset.origin) and any(
            depth >= discovery.makers_from(plugin) for plugin in plugins
        )

    def _ask_maker(self, need: Need, inquiry: Inquiry, copies: tuple[Asset, ...]) -> Pending:
        """Ask about the maker's own copy in its own right: what is said there goes for the copy elsewhere.

        Where plugins know that place, what they find answers ``need``; else its page is still read as any page.
        """
        url, now = need.at(inquiry.asset), self.clock()
        plugins = self._hosts.plugins(host_of(url)) if inquiry.depth(need) else ()
        asset = Asset(url, None, self._origins.keys(plugins, Asset(url), now))
        met = {key for copy in copies for key in copy.keys}
        if len(copies) > MAX_DEPTH or not met.isdisjoint(asset.keys):
            inquiry.tell(Evidence(need, url, gap="depth", at=now))
            return
        own = inquiry.beside(asset, plan(asset, self.purpose, (*self._lasting, *plugins)))
        own.recall(self.store.recall(asset.keys, now))
        yield from self.resolve(own, copies=copies)
        known = any(asked != ROBOTS_TXT for plugin in plugins for asked in plugin.needs(asset, self.purpose))
        inquiry.adopt(own, need if known else None)


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
