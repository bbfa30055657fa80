"""What every inquiry about the same origin and page shares: the plan of needs, and the evidence that is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from consentcrawl.core import SILENT, Asset, Evidence, Gate, Plan, Purpose, Signal, plan
from consentcrawl.discovery import Hosts, general, keys_among
from consentcrawl.sources.router import Router
from consentcrawl.storage import CLOCK_SKEW, Store, serves

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known between ``since`` and ``until`` (seconds since the epoch), and the plan of what is lacking.

    ``answers`` are the evidence that says something, with the signals for which it does.
    """

    lacking: Plan
    evidence: tuple[Evidence, ...]
    answers: tuple[tuple[Evidence, Sequence[Signal | ModuleType]], ...]
    since: float
    until: float


class Origins:
    """What is known of the origins and pages that were asked about of late. Safe for threads."""

    def __init__(
        self, purpose: Purpose, among: tuple[ModuleType, ...], hosts: Hosts, router: Router, store: Store
    ) -> None:
        """Plan for ``purpose`` with the signals ``among``, and take evidence from ``store``."""
        self._purpose, self._general, self._hosts = purpose, general(among), hosts
        self._router, self._store = router, store
        self._kept: dict[tuple[str, str | None], Known] = {}

    def known(self, asset: Asset, now: float) -> tuple[Asset, Known]:
        """Return the asset with its work keys, and what is known before anything is asked about it."""
        kept = self._kept.get((asset.origin, asset.page))
        if kept is not None and kept.since <= now < kept.until:
            return asset, kept
        plugins = self._hosts.plugins(asset.host)
        if plugins:
            asset = Asset(asset.url, asset.page, self.keys(plugins, asset, now))
        found = self._gather(asset, plan(asset, self._purpose, (*self._general, *plugins)), now)
        if not plugins and not any(map(self._router.is_shared, found.lacking[Gate.LOOKUP])):
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[asset.origin, asset.page] = found
        return asset, found

    def keys(self, plugins: tuple[ModuleType, ...], asset: Asset, now: float) -> tuple[str, ...]:
        """Return the work keys found in the address, and those that were learnt to name the same work."""
        keys = keys_among(plugins, asset)
        learnt = self._store.recall((asset.url, *keys), now)
        further = (ground.statement.names for ground in learnt if ground.statement.names)
        return tuple(dict.fromkeys((*keys, *further)))

    def _gather(self, asset: Asset, planned: Plan, now: float) -> Known:
        lacking, evidence, answers, since, until = {}, [], [], float("-inf"), float("inf")
        for need, signals in planned[Gate.LOOKUP].items():
            held = self._store.get(need.at(asset), need, now) if self._router.is_shared(need) else None
            if held is None:
                lacking[need] = signals
                continue
            evidence.append(held)
            since, until = max(since, held.at - CLOCK_SKEW), min(until, serves(held))
            if speaking := [s for s in signals if held.gap or not self._is_silent(s, held, asset)]:
                answers.append((held, speaking))
        return Known((lacking, planned[Gate.HEAD], planned[Gate.BODY]), tuple(evidence), tuple(answers), since, until)

    def _is_silent(self, signal: Signal | ModuleType, evidence: Evidence, asset: Asset) -> bool:
        try:
            return signal.read(evidence, asset, self._purpose) is SILENT
        except Exception:  # noqa: BLE001 (the inquiry makes it a gap)
            return False
