"""The page of a work: which work it says it is about, its AI tags, and the files that it shows as its own.

The address that was asked for proves nothing, since a soft 200 keeps it; a page that does not say it is the work's says
nothing about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from consentcrawl.core import Asset, Category, Evidence, Purpose, Said, Statement, remark
from consentcrawl.formats import html, url
from consentcrawl.formats.html import Page
from consentcrawl.platforms import addresses, ai_tags
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.works import OK, Works, lacking

_METAS = frozenset({"og:url", "twitter:url", "al:web:url"})
_RELATIONS = frozenset({"canonical", "shortlink", "alternate"})
_PICTURES = frozenset({"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"})
_WORDS = re.compile(r"[^\W_]{4,}")
_WHERE = "picture of the work's page"


def read(works: Works, evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the page of the asset's work; of any other document only that the work is not known."""
    yield works.default
    if evidence.need.url not in works.look_ups(asset):
        yield from works.unknown(asset)
        return
    page, own = evidence.parsed(html.parse, evidence.content_type), is_own(works, evidence, asset)
    if own:
        yield from ai_tags.statements(evidence, page, purpose)
        for file in files(page, evidence.url, works.platform, works.files):
            yield from (belongs(file, _WHERE, works.key(work)) for work in works.of(asset))
    yield from lacking(evidence, own=own, gave_up=page.gave_up)


def is_own(works: Works, evidence: Evidence, asset: Asset) -> bool:
    """Return whether a look-up of the asset's work was answered with a page that says it is that work's."""
    if evidence.status != OK or evidence.need.url not in works.look_ups(asset):
        return False
    page = evidence.parsed(html.parse, evidence.content_type)
    named = set(map(works.short, names(page, evidence.url, works.own_forms or works.forms)))
    return not named.isdisjoint(map(works.short, works.of(asset)))


def belongs(file: str, where: str, work: str) -> Statement:
    """Return the remark that the key ``file`` is that of a file of ``work``, so that it is looked up there later."""
    return remark(Category.TRAIN, file, where, "a file of the work", about=file, names=work)


def own_addresses(page: Page, base: str) -> tuple[str, ...]:
    """Return the canonical URLs that the page says are its own, each once; ``base`` is where it came from."""
    given = [meta.content for meta in page.metas if not _METAS.isdisjoint((meta.property.lower(), meta.name.lower()))]
    given += [link.href for link in page.links if not _RELATIONS.isdisjoint(link.rel)]
    return tuple(dict.fromkeys(resolved for reference in given for resolved in _resolved(base, reference)))


def names(page: Page, base: str, forms: Sequence[Form]) -> frozenset[str]:
    """Return the names of the works whose page it says it is."""
    return frozenset(name for address in own_addresses(page, base) for name in addresses.names(address, forms))


def is_of(page: Page, base: str, forms: Sequence[Form], wanted: Iterable[str]) -> bool:
    """Return whether the page says it is that of one of the ``wanted`` works."""
    return not names(page, base, forms).isdisjoint(wanted)


def files(page: Page, base: str, platform: str, forms: Sequence[Form] = ()) -> tuple[str, ...]:
    """Return the keys of the pictures that the page gives as its own: the name that a form gives, or the address."""
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
