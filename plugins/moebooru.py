"""yande.re and Konachan: whether the maker is banned at their own wish, and where the work comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consentcrawl.core import Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, disallow, remark
from consentcrawl.formats import answer, html, json, location, maker_page
from consentcrawl.formats.location import Form

SPEC = Spec("Moebooru post", "2026-08", "https://yande.re/help/api", (Gate.LOOKUP,), "a JSON document and pages")
HOSTS = ("yande.re", "konachan.com", "konachan.net")

# What a post leads to is the maker's own place.
MAKERS = 1
_AI = (Category.TRAIN, Category.AI_USE)
_SITE = r"(?:[\w-]+\.)?(?:yande\.re|konachan\.(?:com|net))"
_MD5 = r"([0-9a-f]{32})"
WORKS = (
    Form(rf"{_SITE}/post/show/(\d+)(?:/.*)?"),
    Form(rf"{_SITE}/post(?:\.\w+)?", query=r"[?&]tags=id(?::|%3A)(\d+)"),
    Form(rf"{_SITE}/(?:image|jpeg|sample)/[0-9a-f]{{32}}/(?:yande\.re |Konachan\.com - )?(\d+)[ .].*"),
    Form(rf"{_SITE}/(?:[\w-]+/)*{_MD5}(?:/.*|\.\w+)", "md5:{}".format),
)
_SITES = {"yandere": "https://yande.re", "konachan": "https://konachan.com"}


def keys(asset: Asset) -> Iterable[str]:
    """Give the post, or the MD5 of a file that does not tell it."""
    return [f"{_site(asset)}:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the post as JSON."""
    if purpose.heeds.isdisjoint(_AI):
        return
    for name in _names(asset):
        tag = name if name.startswith("md5:") else f"id:{name}"
        yield Need(Gate.LOOKUP, f"{_SITES[_site(asset)]}/post.json?tags={tag}", polite=True, holds=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the asset's own post and go on to its source; or read that source."""
    if evidence.need.url not in {need.url for need in needs(asset, purpose)}:
        yield from _maker(evidence, purpose)
        return
    document, gave_up = evidence.parsed(json.parse)
    mine = [post for post in _posts(document) if evidence.status == answer.OK and _is_own(post, asset)]
    for post in mine[:1]:
        yield from _belongs(post, asset)
        yield from _said(post, evidence, asset.host)
    if reason := answer.reason(evidence.status, evidence.gap, own=bool(mine), gave_up=gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _site(asset: Asset) -> str:
    return "yandere" if location.below(asset.host, ["yande.re"]) else "konachan"


def _posts(document: Any) -> list[Any]:  # noqa: ANN401 (any JSON value)
    return json.items(document)[:100]


def _is_own(post: Any, asset: Asset) -> bool:  # noqa: ANN401 (any JSON value)
    names = {json.text(post, "id"), *(f"md5:{json.text(post, *path)}" for path in (("md5",),))}
    return not names.isdisjoint((*_names(asset), *location.names(asset.url, WORKS)))


def _said(post: Any, evidence: Evidence, host: str) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    if "banned_artist" in json.text(post, "tags").split():
        yield from (disallow(category, "banned_artist", "tags of the post") for category in _AI)
    pages = maker_page.addresses(
        [json.text(post, "source")], next(site for site in HOSTS if location.below(host, [site]))
    )
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
    return location.learnt(asset.work_keys, _site(asset)) or location.names(asset.url, WORKS)


def _belongs(post: Any, asset: Asset) -> Iterator[Said]:  # noqa: ANN401 (any JSON value)
    """Teach whose file it is, for those who know nothing but its address."""
    number, md5, site = json.text(post, "id"), json.text(post, "md5"), _site(asset)
    if md5 and number in _names(asset):
        about, names = f"{site}:md5:{md5}", f"{site}:{number}"
        yield remark(Category.TRAIN, md5, "record of the post", "a file of the post", about=about, names=names)
