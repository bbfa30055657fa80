"""Pinterest: where a pinned work comes from; files do not tell their pins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import (
    ROBOTS_TXT,
    Asset,
    Category,
    Evidence,
    Gap,
    Gate,
    Need,
    Purpose,
    Said,
    Spec,
    disallow,
    remark,
)
from consentcrawl.formats import answer, html, location, maker_page, own_page
from consentcrawl.formats.location import Form

SPEC = Spec("Pinterest pin", "2026-09", "https://policy.pinterest.com/en/terms-of-service", (Gate.LOOKUP,), "pages")
HOSTS = (
    *(
        "pinterest.com",
        "pinterest.at",
        "pinterest.ca",
        "pinterest.ch",
        "pinterest.cl",
        "pinterest.co.kr",
        "pinterest.co.uk",
        "pinterest.com.au",
    ),
    *(
        "pinterest.com.mx",
        "pinterest.de",
        "pinterest.dk",
        "pinterest.es",
        "pinterest.fr",
        "pinterest.ie",
        "pinterest.it",
        "pinterest.jp",
    ),
    *("pinterest.nz", "pinterest.ph", "pinterest.pt", "pinterest.se", "pinimg.com"),
)

# What a post leads to is the maker's own place.
MAKERS = 1
_AI = (Category.TRAIN, Category.AI_USE)
WORKS = (Form(r"(?:[\w-]+\.)?pinterest\.[a-z]{2,3}(?:\.[a-z]{2})?/pin/(?:[^/]*--)?(\d+)(?:/.*)?"),)
_UNTOLD = (Form(r"i\.pinimg\.com/.+"),)
_SOURCES = frozenset({"og:see_also", "pinterestapp:source"})


def keys(asset: Asset) -> Iterable[str]:
    """Give the pin of a page; files do not tell it."""
    return [f"pinterest:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the pin, or for nothing more than is asked anyway where it is not known."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        yield Need(Gate.LOOKUP, f"https://www.pinterest.com/pin/{work}/", limit=html.LIMIT, polite=True, holds=True)
    if not works and location.fits(asset.url, _UNTOLD):
        yield ROBOTS_TXT


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Go from the pin to its source; or read that source."""
    if evidence.need == ROBOTS_TXT:
        yield Gap(asset.url, "no_source", holds=True)
    elif location.names(evidence.need.url, WORKS):
        yield from _pin(evidence, asset)
    else:
        yield from _maker(evidence, purpose)


def _works(asset: Asset) -> tuple[str, ...]:
    known = location.names(asset.url, WORKS) or location.names(asset.page, WORKS)
    return known or location.learnt(asset.work_keys, "pinterest")


def _pin(evidence: Evidence, asset: Asset) -> Iterator[Said]:
    page = evidence.parsed(html.parse, evidence.content_type)
    own = evidence.status == answer.OK and own_page.is_of(page, evidence.url, WORKS, _works(asset))
    if own:
        for file in own_page.files(page, evidence.url, "pinterest"):
            for work in _works(asset):
                yield _belongs(file, work)
    given = [meta.content for meta in page.metas if not _SOURCES.isdisjoint((meta.property, meta.name))]
    pages = maker_page.addresses(given, "pinterest.com") if own else ()
    yield from (Need(Gate.LOOKUP, page, limit=html.LIMIT, polite=True, holds=True) for page in pages)
    if own and (not pages or len(pages) >= maker_page.MOST):
        yield Gap(evidence.url, "no_source", holds=True)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _maker(evidence: Evidence, purpose: Purpose) -> Iterator[Said]:
    page, lines = evidence.parsed(html.parse, evidence.content_type), evidence.fields.lines("x-robots-tag")
    own, tags = maker_page.read(page, evidence.url, evidence.need.url, lines, purpose.token)
    own = own and evidence.status == answer.OK
    if own:
        yield from (disallow(Category(category), quote, where) for category, quote, where in tags)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _belongs(file: str, work: str) -> Said:
    """Teach whose file it is, for those who know nothing but its address."""
    return remark(
        Category.TRAIN, file, "picture of the pin", "a file of the pin", about=file, names=f"pinterest:{work}"
    )
