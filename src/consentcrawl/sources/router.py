"""Which source meets which need, and what all of them prepare together for a list of URLs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from consentcrawl.config import Config
from consentcrawl.core import Asset, Need
from consentcrawl.discovery import Hosts, bulk_of, registry_of
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.sources import Source
from consentcrawl.sources.optout_lists import Lists
from consentcrawl.sources.pacing import Pacing
from consentcrawl.sources.registries import MOST_URLS, Registries
from consentcrawl.sources.web import Reads, Web
from consentcrawl.storage import Store


class Router:
    """The sources of one taker: opt-out lists and registries where they are configured, and the web."""

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
        """Open what ``config`` names; arguments as for ``Web``. Raises BadPolicy for a list that cannot be opened."""
        self.web = Web(config, reader, store, clock, among=among, hosts=hosts, pacing=pacing)
        self._hosts, self._purpose = hosts, config.purpose
        asked = [registry for module in among if (registry := registry_of(module))]
        self._registries = Registries(config, store, clock, asked) if asked else None
        self._lists = Lists(map(Path, config.lists), clock) if config.lists else None
        single: tuple[Source | None, ...] = (self._lists, self._registries)
        self._sources: tuple[Source, ...] = (*filter(None, single), self.web)
        self.single = len(self._sources) > 1
        """Whether there are sources that answer about one asset alone."""

    def source(self, need: Need, first: Sequence[Source] = ()) -> Source | None:
        """Return the source that meets ``need``, those in ``first`` before the taker's own; None where none does."""
        for source in (*first, *self._sources):
            if source.meets(need):
                return source
        return None

    def is_shared(self, need: Need) -> bool:
        """Return whether an answer to ``need`` serves every asset of its origin and page."""
        source = self.source(need)
        return source is None or source.shared

    @property
    def prepared_at_once(self) -> int:
        """How many URLs it is best to ``prepare`` together, or 0 where that does not matter."""
        return MOST_URLS if self._registries is not None else 0

    def prepare(self, urls: Iterable[str]) -> None:
        """Look up together what registries and platforms answer for several works at once. Blocks; never raises."""
        assets = []
        for url in urls:
            with suppress(BadUrl):
                assets.append(Asset(canonical(url)))
        if self._registries is not None:
            self._registries.prepare(asset.url for asset in assets)
        joint: dict[ModuleType, dict[Need, None]] = {}
        for asset in assets:
            for plugin in self._hosts.plugins(asset.host):
                if bulk_of(plugin):
                    joint.setdefault(plugin, {}).update(dict.fromkeys(plugin.needs(asset, self._purpose)))
        for plugin, needs in joint.items():
            self.web.join(plugin, tuple(needs))

    def close(self) -> None:
        """Wait for what is under way, and let go of threads and files."""
        for source in self._sources:
            source.close()
