"""Pinterest: where a pinned work comes from; the addresses of files do not name their pins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import html
from consentcrawl.platforms import Form, Post, Works, own_page, rehost, site_default

_WORKS = Works(
    "pinterest",
    forms=(
        Form(r"(?:[\w-]+\.)?pinterest\.[a-z]{2,4}(?:\.[a-z]{2})?/pin/(?:[^/]*--)?(\d+|[A-Za-z][\w-]{30,})(?:/.*)?"),
    ),
    look_up="https://www.pinterest.com/pin/{}/".format,
    default=site_default.beside(__file__),
    unnamed=(Form(r"i\.pinimg\.com/.+"),),
    own_domains=("pinterest.com",),
)
_SOURCES = frozenset({"og:see_also", "pinterestapp:source"})

SPEC = Spec(
    "Pinterest pin",
    "2026-09",
    "https://policy.pinterest.com/en/terms-of-service",
    (Gate.LOOKUP,),
    "pages",
    hosts=site_default.hosts(__file__),
    keys=_WORKS.keys,
    # What a post leads to is the maker's own place.
    makers_from=1,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the pin, or for nothing more than is asked anyway where it is not known."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its sources; or read what one of these led to."""
    yield from rehost.read(_WORKS, evidence, asset, purpose, _posts)


def _posts(evidence: Evidence) -> tuple[list[Post], str]:
    page = evidence.parsed(html.parse, evidence.content_type)
    names = tuple(sorted(own_page.names(page, evidence.url, _WORKS.forms)))
    sources = tuple(meta.content for meta in page.metas if not _SOURCES.isdisjoint((meta.property, meta.name)))
    pin = Post(names, sources, files=own_page.files(page, evidence.url, "pinterest"))
    return [pin] if names else [], page.gave_up
