"""e621 and e926: tags by which makers keep their work from being posted, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consentcrawl.core import Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, disallow, remark
from consentcrawl.formats import answer, html, json, location, maker_page
from consentcrawl.formats.location import Form

SPEC = Spec("e621 post", "2026-08", "https://e621.net/wiki_pages/2425", (Gate.LOOKUP,), "a JSON document and pages")
HOSTS = ("e621.net", "e926.net")

# What a post leads to is the maker's own place.
MAKERS = 1
_AI = (Category.TRAIN, Category.AI_USE)
_FORBIDDING = ("avoid_posting", "conditional_dnp")
WORKS = (
    Form(r"(?:www\.)?e(?:621|926)\.net/posts?/(?:show/)?(\d+)(?:\.json)?(?:/.*)?"),
    Form(r"(?:www\.)?e(?:621|926)\.net/posts(?:\.json)?", "md5:{}".format, r"[?&]md5=([0-9a-f]{32})(?=&|$)"),
    Form(r"static\d*\.e(?:621|926)\.net/data/(?:[\w-]+/)*([0-9a-f]{32})(?:_\w+)?\.\w+", "md5:{}".format),
)


def keys(asset: Asset) -> Iterable[str]:
    """Give the post of a page, or the MD5 of a file."""
    return [f"e621:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the post as JSON."""
    if purpose.heeds.isdisjoint(_AI):
        return
    for name in _names(asset):
        md5 = name.removeprefix("md5:")
        path = f"posts/{name}.json" if md5 == name else f"posts.json?md5={md5}"
        yield Need(Gate.LOOKUP, f"https://e621.net/{path}", polite=True, holds=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its source; or read that source."""
    if evidence.need.url not in {need.url for need in needs(asset, purpose)}:
        yield from _maker(evidence, purpose)
        return
    document, gave_up = evidence.parsed(json.parse)
    mine = [post for post in _posts(document) if evidence.status == answer.OK and _is_own(post, asset)]
    for post in mine[:1]:
        yield from _belongs(post, asset)
        yield from _said(post, evidence)
    if reason := answer.reason(evidence.status, evidence.gap, own=bool(mine), gave_up=gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _posts(document: Any) -> list[Any]:  # noqa: ANN401 (any JSON value)
    return [json.at(document, "post"), *json.items(document, "posts")[:100]]


def _is_own(post: Any, asset: Asset) -> bool:  # noqa: ANN401 (any JSON value)
    names = {json.text(post, "id"), *(f"md5:{json.text(post, *path)}" for path in (("file", "md5"),))}
    return not names.isdisjoint((*_names(asset), *location.names(asset.url, WORKS)))


def _said(post: Any, evidence: Evidence) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    groups = json.at(post, "tags")
    names = groups if isinstance(groups, dict) else {}
    tags = {json.text(tag) for group in names for tag in json.items(groups, group)}
    for tag in _FORBIDDING:
        if tag in tags:
            yield from (disallow(category, tag, "tags of the post") for category in _AI)
    pages = maker_page.addresses([json.text(source) for source in json.items(post, "sources")], "e621.net")
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


def _names(asset: Asset) -> tuple[str, ...]:
    """The post, where its record taught that it has the file; else what the address tells."""
    return location.learnt(asset.work_keys, "e621") or location.names(asset.url, WORKS)


def _belongs(post: Any, asset: Asset) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    """Teach whose file it is, for those who know nothing but its address."""
    number, md5, site = json.text(post, "id"), json.text(post, "file", "md5"), "e621"
    if md5 and number in _names(asset):
        about, names = f"{site}:md5:{md5}", f"{site}:{number}"
        yield remark(Category.TRAIN, md5, "record of the post", "a file of the post", about=about, names=names)
