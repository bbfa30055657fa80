"""Gelbooru, Safebooru and TBIB: where a work comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

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
from consentcrawl.formats import answer, html, json, location, maker_page
from consentcrawl.formats.location import Form

SPEC = Spec(
    "Gelbooru post",
    "2026-08",
    "https://gelbooru.com/index.php?page=wiki&s=view&id=18780",
    (Gate.LOOKUP,),
    "a JSON document and pages",
)
HOSTS = ("gelbooru.com", "safebooru.org", "tbib.org")

# What a post leads to is the maker's own place.
MAKERS = 1
_AI = (Category.TRAIN, Category.AI_USE)
_SITES = {"gelbooru.com": "gelbooru", "safebooru.org": "safebooru", "tbib.org": "tbib"}
_API = "index.php?page=dapi&s=post&q=index&json=1"
# Filled in from the taker's configuration: Gelbooru answers nobody without.
_KEYS = {"gelbooru": "&api_key={gelbooru.api_key}&user_id={gelbooru.user_id}"}

_HASH = r"([0-9a-f]{40}|[0-9a-f]{32})"
_FILE = r"/(?:images|samples|thumbnails)/(?:\w+/)+(?:sample_|thumbnail_)?"
# PHP takes the last of a parameter that is repeated.
_VIEW = r"^(?=.*[?&]page=(?:post|dapi)(?:&|$))(?=.*[?&]s=(?:view|post)(?:&|$)).*[?&]id=(\d+)(?=&|$)"
_LIST = r"^(?=.*[?&]page=post(?:&|$)).*[?&]md5=([0-9a-f]{32})(?=&|$)"


def _hashed(digits: str) -> str:
    return f"{'md5' if len(digits) == 32 else 'hash'}:{digits}"  # noqa: PLR2004 (MD5's digits)


WORKS = (
    Form(r"(?:[\w-]+\.)?(?:gelbooru\.com|safebooru\.org|tbib\.org)/index\.php", query=_VIEW),
    Form(r"(?:[\w-]+\.)?(?:gelbooru\.com|safebooru\.org|tbib\.org)/index\.php", _hashed, _LIST),
    # The number behind a file is its post, except at Gelbooru, where it may be a directory's.
    Form(rf"(?:[\w-]+\.)?(?:safebooru|tbib)\.org{_FILE}(?:[0-9a-f]{{40}}|[0-9a-f]{{32}})\.\w+", query=r"\?(\d+)$"),
    Form(rf"(?:[\w-]+\.)?(?:gelbooru\.com|safebooru\.org|tbib\.org){_FILE}{_HASH}\.\w+", _hashed),
)


def keys(asset: Asset) -> Iterable[str]:
    """Give the post, or the hash of a file that does not tell it."""
    return [f"{_SITES[_site(asset)]}:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the post as JSON; the newer hashes are known to no look-up."""
    if purpose.heeds.isdisjoint(_AI):
        return
    site = _site(asset)
    for name in _names(asset):
        if name.startswith("hash:"):
            yield ROBOTS_TXT
        else:
            which = f"tags={name}" if name.startswith("md5:") else f"id={name}"
            url = f"https://{site}/{_API}&{which}{_KEYS.get(_SITES[site], '')}"
            yield Need(Gate.LOOKUP, url, polite=True, holds=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its source; or read that source."""
    if evidence.need == ROBOTS_TXT:
        yield Gap(asset.url, "no_source", holds=True)
        return
    if evidence.need.url not in {need.url for need in needs(asset, purpose)}:
        yield from _maker(evidence, purpose)
        return
    document, gave_up = evidence.parsed(json.parse)
    mine = [post for post in _posts(document) if evidence.status == answer.OK and _is_own(post, asset)]
    for post in mine[:1]:
        yield from _belongs(post, asset)
        yield from _said(post, evidence, _site(asset))
    if reason := answer.reason(evidence.status, evidence.gap, own=bool(mine), gave_up=gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _site(asset: Asset) -> str:
    return ".".join(asset.host.split(".")[-2:])


def _posts(document: Any) -> list[Any]:  # noqa: ANN401 (any JSON value)
    found = json.at(document, "post") if isinstance(document, dict) else document
    return [found] if isinstance(found, dict) else json.items(found)[:100]


def _is_own(post: Any, asset: Asset) -> bool:  # noqa: ANN401 (any JSON value)
    names = {json.text(post, "id"), *(f"md5:{json.text(post, *path)}" for path in (("md5",), ("hash",)))}
    return not names.isdisjoint((*_names(asset), *location.names(asset.url, WORKS)))


def _said(post: Any, evidence: Evidence, site: str) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    pages = maker_page.addresses([json.text(post, "source")], site)
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
    return location.learnt(asset.work_keys, _SITES[_site(asset)]) or location.names(asset.url, WORKS)


def _belongs(post: Any, asset: Asset) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    """Teach whose file it is, for those who know nothing but its address."""
    number, md5, site = json.text(post, "id"), json.text(post, "md5"), _SITES[_site(asset)]
    if md5 and number in _names(asset):
        about, names = f"{site}:md5:{md5}", f"{site}:{number}"
        yield remark(Category.TRAIN, md5, "record of the post", "a file of the post", about=about, names=names)
