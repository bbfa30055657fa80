"""Answers what is known of a single asset and lies in no document: the rows of opt-out lists and of registries.

Such an answer is about one asset, and never shared by the others of its origin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from consentcrawl.config import Config
from consentcrawl.core import Asset, Evidence, Inquiry, Need
from consentcrawl.discovery import registry_of
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.sources import optout_lists as lists
from consentcrawl.sources.registries import MOST_URLS, Registries
from consentcrawl.sources.registries import PREFIX as REGISTRY
from consentcrawl.storage import Store

_LIST = lists.PREFIX
_OWN = (_LIST, REGISTRY)
_HASHED_AT_ONCE = 4


def is_one(need: Need) -> bool:
    """Return whether a need is about a single asset."""
    return need.url.startswith(_OWN)


def answers(config: Config, store: Store, clock: Callable[[], float], among: Iterable[ModuleType]) -> PerAsset | None:
    """Open what is configured; None where nothing is."""
    registries = [registry for module in among if (registry := registry_of(module))]
    if not config.lists and not registries:
        return None
    opened = lists.Lists(Path(file) for file in config.lists)
    return PerAsset(opened, Registries(config, store, clock, registries) if registries else None, clock)


class PerAsset:
    """The lists and registries of one taker."""

    def __init__(self, opened: lists.Lists, registries: Registries | None, clock: Callable[[], float]) -> None:
        """Answer out of ``opened`` at once, and out of ``registries`` when they have answered."""
        self._lists, self._registries, self._clock = opened, registries, clock
        self._pool = ThreadPoolExecutor(_HASHED_AT_ONCE, thread_name_prefix="consentcrawl-lists")

    @property
    def lot(self) -> int:
        """How many URLs a registry takes at once, or 0 where none is asked."""
        return MOST_URLS if self._registries is not None else 0

    def tell(self, inquiry: Inquiry) -> None:
        """Tell an inquiry that has just been opened what is known without asking anybody."""
        for need in inquiry.needs():
            if is_one(need) and (answer := self._known(need, inquiry.asset)) is not None:
                inquiry.tell(answer)

    def ask(self, need: Need, asset: Asset) -> Future[Evidence]:
        """Answer one need; a registry is waited for, and so is the hashing of a content."""
        if self._registries is not None and need.url.startswith(REGISTRY):
            return self._registries.ask(need, asset)
        if need.content and self._lists.of_content:
            return self._pool.submit(self._lists.answer, need, asset, self._clock())
        future: Future[Evidence] = Future()
        future.set_result(self._lists.answer(need, asset, self._clock()))
        return future

    def prepare(self, urls: Iterable[str]) -> None:
        """Begin to ask the registries about many URLs; what is no URL is left out. Does not wait."""
        if self._registries is None:
            return
        found = []
        for url in urls:
            with suppress(BadUrl):
                found.append(canonical(url))
        self._registries.prepare(found)

    def shut(self) -> None:
        """Let go of threads and files."""
        if self._registries is not None:
            self._registries.shut()
        self._pool.shutdown(wait=True)
        self._lists.close()

    def _known(self, need: Need, asset: Asset) -> Evidence | None:
        if need.url.startswith(_LIST):
            return self._lists.answer(need, asset, self._clock())
        return self._registries.known(need, asset) if self._registries is not None else None
