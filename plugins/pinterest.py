"""Pinterest: where a pinned work comes from; files do not tell their pins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import html
from consentcrawl.platforms import own_page, rehost, site_default
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.answer import Answer
from consentcrawl.platforms.rehost import Post
from consentcrawl.platforms.works import Works

from . import ask, say

SPEC = Spec("Pinterest pin", "2026-09", "https://policy.pinterest.com/en/terms-of-service", (Gate.LOOKUP,), "pages")
HOSTS = site_default.hosts(__file__)
DEFAULT = site_default.beside(__file__)
# What a post leads to is the maker's own place.
MAKERS = 1

WORKS = Works(
    "pinterest",
    forms=(
        Form(r"(?:[\w-]+\.)?pinterest\.[a-z]{2,4}(?:\.[a-z]{2})?/pin/(?:[^/]*--)?(\d+|[A-Za-z][\w-]{30,})(?:/.*)?"),
    ),
    look_up="https://www.pinterest.com/pin/{}/".format,
    untold=(Form(r"i\.pinimg\.com/.+"),),
    home=("pinterest.com",),
)
_SOURCES = frozenset({"og:see_also", "pinterestapp:source"})


def keys(asset: Asset) -> Iterable[str]:
    """Return the pin of a page; files do not tell it."""
    return WORKS.keys(asset.url)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the pin, or for nothing more than is asked anyway where it is not known."""
    return ask(WORKS, asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its sources; or read what one of these led to."""
    yield from say(rehost.read(WORKS, evidence, asset, purpose.token, _posts), DEFAULT)


def _posts(evidence: Answer) -> tuple[list[Post], str]:
    page = evidence.parsed(html.parse, evidence.content_type)
    names = tuple(sorted(own_page.names(page, evidence.url, WORKS.forms)))
    sources = tuple(meta.content for meta in page.metas if not _SOURCES.isdisjoint((meta.property, meta.name)))
    pin = Post(names, sources, files=own_page.files(page, evidence.url, "pinterest"))
    return [pin] if names else [], page.gave_up
