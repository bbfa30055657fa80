"""Reddit: where a linked work comes from; what was uploaded there has no source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consentcrawl.core import ROBOTS_TXT, Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.formats import answer, html, json, location, maker_page
from consentcrawl.formats.location import Form

SPEC = Spec(
    "Reddit post", "2026-09", "https://support.reddithelp.com/hc/en-us/articles/26410290525844", (Gate.LOOKUP,), "pages"
)
HOSTS = ("reddit.com", "redd.it")

# What a post leads to is the maker's own place.
MAKERS = 1
_AI = (Category.TRAIN, Category.AI_USE)
WORKS = (
    Form(r"(?:[\w-]+\.)?reddit\.com/(?:(?:r|u|user)/[^/]+/)?comments/(\w+)(?:/.*)?"),
    Form(r"(?:[\w-]+\.)?reddit\.com/gallery/(\w+)"),
    Form(r"redd\.it/(\w+)"),
)
_UNTOLD = (Form(r"(?:i|v|preview|external-preview)\.redd\.it/.+"),)
_OWN_HOSTS = ("reddit.com", "redd.it")


def keys(asset: Asset) -> Iterable[str]:
    """Give the post of a page; files do not tell it."""
    return [f"reddit:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the post, or for nothing more than is asked anyway where it is not known."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        yield Need(
            Gate.LOOKUP, f"https://www.reddit.com/comments/{work}/.json", limit=html.LIMIT, polite=True, holds=True
        )
    if not works and location.fits(asset.url, _UNTOLD):
        yield ROBOTS_TXT


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Go from the post to its source; or read that source."""
    if evidence.need == ROBOTS_TXT:
        yield Gap(asset.url, "no_source", holds=True)
    elif location.names(evidence.need.url, WORKS):
        yield from _post(evidence, asset)
    else:
        yield from _maker(evidence, purpose)


def _works(asset: Asset) -> tuple[str, ...]:
    return location.names(asset.url, WORKS) or location.names(asset.page, WORKS)


def _post(evidence: Evidence, asset: Asset) -> Iterator[Said]:
    document, gave_up = evidence.parsed(json.parse)
    post = json.at(document, 0, "data", "children", 0, "data")
    own = evidence.status == answer.OK and json.text(post, "id") in _works(asset)
    pages = _links(post) if own else ()
    yield from (Need(Gate.LOOKUP, page, limit=html.LIMIT, polite=True, holds=True) for page in pages)
    if own and (not pages or len(pages) >= maker_page.MOST):
        yield Gap(evidence.url, "no_source", holds=True)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _links(post: Any) -> tuple[str, ...]:  # noqa: ANN401 (any JSON value)
    given = json.text(post, "url_overridden_by_dest") or json.text(post, "url")
    pages = maker_page.addresses([given], "reddit.com")
    return tuple(page for page in pages if not location.below(location.split(page).host, _OWN_HOSTS))


def _maker(evidence: Evidence, purpose: Purpose) -> Iterator[Said]:
    page, lines = evidence.parsed(html.parse, evidence.content_type), evidence.fields.lines("x-robots-tag")
    own, tags = maker_page.read(page, evidence.url, evidence.need.url, lines, purpose.token)
    own = own and evidence.status == answer.OK
    if own:
        yield from (disallow(Category(category), quote, where) for category, quote, where in tags)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)
