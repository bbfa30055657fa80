"""What a platform calls its works: which work an address shows, where it is looked up, and what its answer lacks.

A name comes from an address or was learnt from an answer; nothing is guessed. Only an answer in which the work was
found says anything about it; a status alone says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from consentcrawl.core import ROBOTS_TXT, Asset, Evidence, Gap, Gate, Need, Purpose, Statement
from consentcrawl.formats import html
from consentcrawl.platforms import addresses, ai_tags
from consentcrawl.platforms.addresses import Form

NO_SOURCE = "no_source"
"""The reason code where nothing names the work that a file belongs to."""
OK = 200
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Works:
    """The works of one platform.

    ``forms`` are the addresses that name a work, ``files`` those that name a file on its own, ``unnamed`` those of
    files that name nothing. ``look_up`` makes the address at which a work is looked up out of its name; an empty one:
    no look-up knows it. ``default`` is what holds where the maker chose nothing. ``short`` is the part of a name that
    stands in the key. ``own_forms`` are the addresses by which a page names its work, where these are not ``forms``.
    ``own_domains`` are those of a re-host: a source there leads to no maker.
    """

    platform: str
    forms: tuple[Form, ...]
    look_up: Callable[[str], str]
    default: Statement
    files: tuple[Form, ...] = ()
    unnamed: tuple[Form, ...] = ()
    short: Callable[[str], str] = str
    own_forms: tuple[Form, ...] = ()
    own_domains: tuple[str, ...] = ()

    def key(self, name: str) -> str:
        """Return the work key of a name."""
        return f"{self.platform}:{name}"

    def keys(self, asset: Asset) -> list[str]:
        """Return the work keys of an asset's address, without network."""
        return [self.key(self.short(name)) for name in addresses.names(asset.url, (*self.files, *self.forms))]

    def of(self, asset: Asset) -> tuple[str, ...]:
        """Return the works that an asset is part of: as was learnt, as its address names them, or else its page."""
        named = addresses.names(asset.url, self.forms)
        own = set(map(self.short, named))
        learnt = tuple(name for name in addresses.learnt(asset.work_keys, self.platform) if name not in own)
        return learnt or named or addresses.names(asset.page, self.forms)

    def look_ups(self, asset: Asset) -> list[str]:
        """Return the addresses at which the works of an asset are looked up."""
        return [address for work in self.of(asset) if (address := self.look_up(work))]

    def needs(self, asset: Asset, purpose: Purpose) -> list[Need]:
        """Look up the works of an asset; where none is known, need nothing more than is asked for anyway."""
        if not ai_tags.concern(purpose):
            return []
        return [visit(url) for url in self.look_ups(asset)] or [ROBOTS_TXT]

    def unknown(self, asset: Asset) -> Iterator[Gap]:
        """Yield the gap of a file whose work is not known; nothing for what is no file of a work."""
        if not self.look_ups(asset) and addresses.fits(asset.url, (*self.forms, *self.files, *self.unnamed)):
            yield Gap(asset.url, NO_SOURCE, holds=True)


def visit(url: str) -> Need:
    """Return the need for a page or a record that is asked for politely, and without which nothing is decided."""
    return Need(Gate.LOOKUP, url, limit=html.LIMIT, polite=True, holds=True)


def lacking(evidence: Evidence, *, own: bool, gave_up: str = "", holds: bool = True) -> Iterator[Gap]:
    """Yield the gap that an answer leaves to a look-up of one work, if any.

    ``own``: the work was found in it. ``gave_up`` is why its document was not read whole. A reason that is noted with
    the answer is not noted twice. A challenge, a login wall, a page for browsers only and a soft 200 are all the
    same here: the work is not in them.
    """
    reason = gave_up if own else _absence(evidence, gave_up)
    if reason and not evidence.gap:
        yield Gap(evidence.url, reason, holds=holds)


def _absence(evidence: Evidence, gave_up: str) -> str:
    if evidence.status in _GONE:
        return "gone"
    if evidence.unreachable:
        return "unreachable"
    return (gave_up if evidence.status == OK else "") or "blocked"
