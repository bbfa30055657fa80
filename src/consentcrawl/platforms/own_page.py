"""Whose page it is: the addresses that a page gives as its own.

The address that was asked for proves nothing; a soft 200 keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from consentcrawl.formats import url
from consentcrawl.platforms import addresses

if TYPE_CHECKING:
    from consentcrawl.formats.html import Page

_METAS = frozenset({"og:url", "twitter:url", "al:web:url"})
_RELATIONS = frozenset({"canonical", "shortlink", "alternate"})
_PICTURES = frozenset({"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"})
_WORDS = re.compile(r"[^\W_]{4,}")


def own_addresses(page: Page, base: str) -> tuple[str, ...]:
    """The canonical URLs that the page says are its own, each once; ``base`` is where it came from."""
    given = [meta.content for meta in page.metas if not _METAS.isdisjoint((meta.property.lower(), meta.name.lower()))]
    given += [link.href for link in page.links if not _RELATIONS.isdisjoint(link.rel)]
    return tuple(dict.fromkeys(resolved for reference in given for resolved in _resolved(base, reference)))


def names(page: Page, base: str, forms: Sequence[addresses.Form]) -> frozenset[str]:
    """The names of the works whose page it says it is."""
    return frozenset(name for address in own_addresses(page, base) for name in addresses.names(address, forms))


def is_of(page: Page, base: str, forms: Sequence[addresses.Form], wanted: Iterable[str]) -> bool:
    """Return whether the page says it is that of one of the ``wanted`` works."""
    return not names(page, base, forms).isdisjoint(wanted)


def files(page: Page, base: str, platform: str, forms: Sequence[addresses.Form] = ()) -> tuple[str, ...]:
    """The keys of the pictures that the page gives as its own: the name that a form gives, or else the address."""
    given = [
        meta.content for meta in page.metas if not _PICTURES.isdisjoint((meta.property.lower(), meta.name.lower()))
    ]
    given += [link.href for link in page.links if "image_src" in link.rel]
    pictures = dict.fromkeys(resolved for reference in given for resolved in _resolved(base, reference))
    named = {picture: addresses.names(picture, forms) for picture in pictures}
    keys = (key for picture, found in named.items() for key in ([f"{platform}:{name}" for name in found] or [picture]))
    return tuple(dict.fromkeys(keys))


def answers(page: Page, base: str, asked: str) -> bool:
    """Return whether a page of an unknown site says it is the one that was ``asked`` for.

    It does when the last word of four letters or digits in the path asked stands in an address it gives as its own;
    where the path has none, when it names the host.
    """
    place, given = addresses.split(asked), own_addresses(page, base)
    words = _WORDS.findall("/".join(place.segments) + place.query)
    if not words:
        return any(addresses.split(address).host == place.host for address in given)
    return any(words[-1] in _WORDS.findall(address) for address in given)


def _resolved(base: str, reference: str) -> list[str]:
    try:
        return [url.join(base, reference)]
    except url.BadUrl:
        return []
