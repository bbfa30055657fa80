"""What an inquiry asks at the LOOKUP gate, one step after the other, up to the maker's own copy of a work.

It decides and never waits: callers of both worlds, threads and tasks, wait for what it yields.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from types import ModuleType

from consentcrawl import discovery
from consentcrawl.core import (
    ROBOTS_TXT,
    Asset,
    Evidence,
    Gate,
    Inquiry,
    Need,
    Purpose,
    host_of,
    name_of,
    origin_of,
    plan,
)
from consentcrawl.core.inquiry import MAX_DEPTH
from consentcrawl.sources import router
from consentcrawl.sources.router import PerAsset
from consentcrawl.sources.web import LookUps, answer_to
from consentcrawl.storage import Store

_OF_ACCESS = frozenset({"robots_txt", "protego_reading"})
"""Signals about fetching from where they stand: what they say does not go with a work to where it was copied."""

Waiting = Generator[list[Future[Evidence]], None, None]
"""What is waited for, step by step."""


class Visits:
    """The way of each inquiry of one taker from need to need."""

    def __init__(  # noqa: PLR0913 (what a steward shares)
        self,
        *,
        purpose: Purpose,
        among: tuple[ModuleType, ...],
        look_ups: LookUps,
        answers: PerAsset | None,
        store: Store,
        clock: Callable[[], float],
    ) -> None:
        """Ask ``look_ups`` and, about single assets, ``answers``; ``among`` are the signals that the policy reads."""
        self._purpose, self._look_ups, self._per_asset = purpose, look_ups, answers
        self._store, self._clock, self._hosts = store, clock, discovery.Hosts(among)
        self._lasting = tuple(s for s in discovery.general(among) if name_of(s) not in _OF_ACCESS)

    def keys(self, plugins: tuple[ModuleType, ...], asset: Asset, now: float) -> tuple[str, ...]:
        """Return the work keys found in the address, and those that were learnt to name the same work."""
        keys = discovery.keys_among(plugins, asset)
        learnt = self._store.recall((asset.url, *keys), now)
        further = (ground.statement.names for ground in learnt if ground.statement.names)
        return tuple(dict.fromkeys((*keys, *further)))

    def meet(self, inquiry: Inquiry, copies: tuple[Asset, ...] = ()) -> Waiting:
        """Decide what is fetched next: yields what to wait for until the LOOKUP gate lacks nothing.

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
        if self._per_asset is not None and router.is_one(need):
            return self._per_asset.ask(need, inquiry.asset)
        return self._look_ups.visit(need, url, robots)

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

    def _ask_maker(self, need: Need, inquiry: Inquiry, copies: tuple[Asset, ...]) -> Waiting:
        """Ask about the maker's own copy in its own right: what is said there goes for the copy elsewhere.

        Where plugins know that place, what they find answers ``need``; else its page is still read as any page.
        """
        url, now = need.at(inquiry.asset), self._clock()
        plugins = self._hosts.plugins(host_of(url)) if inquiry.depth(need) else ()
        asset = Asset(url, None, self.keys(plugins, Asset(url), now))
        met = {key for copy in copies for key in copy.keys}
        if len(copies) > MAX_DEPTH or not met.isdisjoint(asset.keys):
            inquiry.tell(Evidence(need, url, gap="depth", at=now))
            return
        own = inquiry.beside(asset, plan(asset, self._purpose, (*self._lasting, *plugins)))
        own.recall(self._store.recall(asset.keys, now))
        yield from self.meet(own, copies)
        known = any(asked != ROBOTS_TXT for plugin in plugins for asked in plugin.needs(asset, self._purpose))
        inquiry.adopt(own, need if known else None)
