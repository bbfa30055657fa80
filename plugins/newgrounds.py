"""Newgrounds: the page of a piece of art, found from the maker and the title in the name of its file."""

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
from consentcrawl.formats import ai_tags, answer, html, location, own_page
from consentcrawl.formats.location import Form

SPEC = Spec(
    "Newgrounds page",
    "2022-09",
    "https://www.newgrounds.com/wiki/help-information/terms-of-use",
    (Gate.LOOKUP,),
    "a page",
)
HOSTS = ("newgrounds.com", "ngfiles.com")

_AI = (Category.TRAIN, Category.AI_USE)

# "portal:" and "image:" are numbers of their own; a file's name gives maker and title of its day.
_PAGES = (
    Form(r"(?:www\.)?newgrounds\.com/art/view/([\w-]+)/([\w-]+)", "{}/{}".format),
    Form(r"(?:www\.)?newgrounds\.com/portal/view/(\d+)(?:/.*)?", "portal:{}".format),
)
_TITLED = Form(
    r"art\.ngfiles\.com/(?:images|medium_views)/\d+/\d+(?:_\d+)?_([A-Za-z0-9-]+)_([\w-]+)(?:\.[0-9a-f]{32})?\.\w+",
    "{}/{}".format,
)
WORKS = (*_PAGES, _TITLED)
FILES = (Form(r"art\.ngfiles\.com/(?:images|medium_views|thumbnails)/\d+/(\d+)(?:_[^/]*)?\.\w+", "image:{}".format),)


def keys(asset: Asset) -> Iterable[str]:
    """Give the work of a page or a file."""
    return [f"newgrounds:{name}" for name in location.names(asset.url, (*_PAGES, *FILES))]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        yield Need(Gate.LOOKUP, _page(work), limit=html.LIMIT, polite=True, holds=True)
    if not works and location.fits(asset.url, FILES):
        yield ROBOTS_TXT


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the page where it is that of the asset's own work."""
    if evidence.need == ROBOTS_TXT:
        yield Gap(asset.url, "no_source", holds=True)
        return
    page = evidence.parsed(html.parse, evidence.content_type)
    own = evidence.status == answer.OK and own_page.is_of(page, evidence.url, WORKS, _works(asset))
    if own:
        for category, quote, where in ai_tags.found(page, evidence.fields.lines("x-robots-tag"), purpose.token):
            yield disallow(Category(category), quote, where)
        for file in own_page.files(page, evidence.url, "newgrounds", FILES):
            for work in _works(asset):
                yield _belongs(file, work)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _works(asset: Asset) -> tuple[str, ...]:
    known = location.names(asset.url, WORKS) or location.names(asset.page, WORKS)
    return known or location.learnt(asset.work_keys, "newgrounds")


def _page(work: str) -> str:
    number = work.removeprefix("portal:")
    return f"https://www.newgrounds.com/{'art' if number == work else 'portal'}/view/{number}"


def _belongs(file: str, work: str) -> Said:
    """Teach whose file it is, for those who know nothing but its address."""
    return remark(
        Category.TRAIN, file, "picture of the work's page", "a file of the work", about=file, names=f"newgrounds:{work}"
    )
