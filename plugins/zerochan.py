"""Zerochan: where a work comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consentcrawl.core import Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.formats import answer, html, json, location, maker_page
from consentcrawl.formats.location import Form

SPEC = Spec("Zerochan entry", "2026-08", "https://www.zerochan.net/api", (Gate.LOOKUP,), "a JSON document and pages")
HOSTS = ("zerochan.net",)

# What a post leads to is the maker's own place.
MAKERS = 1
_AI = (Category.TRAIN, Category.AI_USE)
WORKS = (
    Form(r"(?:www\.)?zerochan\.net/(\d+)"),
    Form(r"[\w-]+\.zerochan\.net/(?:.*\.)?(?:full|\d+)\.(\d+)\.\w+"),
    Form(r"s\d*\.zerochan\.net/(?:\d+/)+(\d+)\.\w+"),
)


def keys(asset: Asset) -> Iterable[str]:
    """Give the entry of a page or a file."""
    return [f"zerochan:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the entry as JSON."""
    if purpose.heeds.isdisjoint(_AI):
        return
    for name in location.names(asset.url, WORKS):
        yield Need(Gate.LOOKUP, f"https://www.zerochan.net/{name}?json", polite=True, holds=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its source; or read that source."""
    if evidence.need.url not in {need.url for need in needs(asset, purpose)}:
        yield from _maker(evidence, purpose)
        return
    document, gave_up = evidence.parsed(json.parse)
    mine = [post for post in _posts(document) if evidence.status == answer.OK and _is_own(post, asset)]
    for post in mine[:1]:
        yield from _said(post, evidence)
    if reason := answer.reason(evidence.status, evidence.gap, own=bool(mine), gave_up=gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _posts(document: Any) -> list[Any]:  # noqa: ANN401 (any JSON value)
    return [document]


def _is_own(post: Any, asset: Asset) -> bool:  # noqa: ANN401 (any JSON value)
    return json.text(post, "id") in location.names(asset.url, WORKS)


def _said(post: Any, evidence: Evidence) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    pages = maker_page.addresses([json.text(post, "source")], "zerochan.net")
    yield from (Need(Gate.LOOKUP, page, limit=html.LIMIT, polite=True, holds=True) for page in pages)
    if not pages or len(pages) >= maker_page.MOST:
        yield Gap(evidence.url, "no_source", holds=True)


def _maker(evidence: Evidence, purpose: Purpose) -> Iterator[Said]:
    page, lines = evidence.parsed(html.parse, evidence.content_type), evidence.fields.lines("x-robots-tag")
    own, tags = maker_page.read(page, evidence.url, evidence.need.url, lines, purpose.token)
    own = own and evidence.status == answer.OK
    if own:
        yield from (disallow(Category(category), quote, where) for category, quote, where in tags)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)
