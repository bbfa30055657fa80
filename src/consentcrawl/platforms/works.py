"""What a platform calls its works: which work an address shows, and where that work is looked up.

A name comes from an address or was learnt from an answer; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from consentcrawl.platforms import addresses
from consentcrawl.platforms.addresses import Form

NO_SOURCE = "no_source"
"""The reason code where nothing tells which work a file belongs to."""


class Asset(Protocol):
    """As much of an asset as is needed here: the asset of the core has it."""

    @property
    def url(self) -> str:
        """The canonical URL of the file."""
        ...

    @property
    def page(self) -> str | None:
        """The canonical URL of the page that showed it, if known."""
        ...

    @property
    def work_keys(self) -> tuple[str, ...]:
        """The keys it goes by, those that were learnt among them."""
        ...


@dataclass(frozen=True, slots=True)
class Works:
    """The works of one platform.

    ``forms`` are the addresses that tell a work, ``files`` those that tell a file by a name of its own, ``untold``
    those of files that tell nothing. ``look_up`` makes the address at which a work is looked up out of its name; an
    empty one: no look-up knows it. ``short`` is what of a name stands in the key. ``own`` are the addresses by which
    a page says whose it is, where these are not ``forms``. ``home`` are the domains of a re-host: a source there leads
    to no maker.
    """

    platform: str
    forms: tuple[Form, ...]
    look_up: Callable[[str], str]
    files: tuple[Form, ...] = ()
    untold: tuple[Form, ...] = ()
    short: Callable[[str], str] = str
    own: tuple[Form, ...] = ()
    home: tuple[str, ...] = ()

    def keys(self, url: str) -> list[str]:
        """The work keys of an address."""
        return [f"{self.platform}:{self.short(name)}" for name in addresses.names(url, (*self.files, *self.forms))]

    def of(self, asset: Asset) -> tuple[str, ...]:
        """The works that an asset is part of: as was learnt, as its address tells, or else as its page tells."""
        told = addresses.names(asset.url, self.forms)
        own = set(map(self.short, told))
        learnt = tuple(name for name in addresses.learnt(asset.work_keys, self.platform) if name not in own)
        return learnt or told or addresses.names(asset.page, self.forms)

    def look_ups(self, asset: Asset) -> list[str]:
        """The addresses at which the works of an asset are looked up."""
        return [address for work in self.of(asset) if (address := self.look_up(work))]

    def lacking(self, asset: Asset) -> tuple[tuple[str, str], ...]:
        """The gap of a file whose work is not known, as ``answer.Found`` has it; nothing for what is no file."""
        lone = not self.look_ups(asset) and addresses.fits(asset.url, (*self.forms, *self.files, *self.untold))
        return ((asset.url, NO_SOURCE),) if lone else ()
