"""Danbooru: whether a post was banned at its maker's wish, and where the work comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, disallow, remark
from consentcrawl.formats import answer, html, location, maker_page, tag_attributes
from consentcrawl.formats.location import Form

SPEC = Spec("Danbooru post page", "2026-08", "https://danbooru.donmai.us/wiki_pages/help:api", (Gate.LOOKUP,), "pages")
HOSTS = ("donmai.us", "donmai.moe")

# What a post leads to is the maker's own place.
MAKERS = 1
_AI = (Category.TRAIN, Category.AI_USE)
_SITE = r"[\w-]+\.donmai\.(?:us|moe)"
WORKS = (
    Form(rf"{_SITE}/posts/(\d+)(?:\.\w+)?"),
    Form(rf"{_SITE}/post/show/(\d+)(?:/.*)?"),
    Form(rf"{_SITE}/posts(?:\.\w+)?", "md5:{}".format, r"[?&]md5=([0-9a-f]{32})(?=&|$)"),
    Form(rf"{_SITE}/(?:[\w-]+/)*(?:[^/]*[_-])?([0-9a-f]{{32}})\.\w+", "md5:{}".format),
)
_FILES = ("data-file-url", "data-large-file-url")
_POST = "https://danbooru.donmai.us/posts"


def keys(asset: Asset) -> Iterable[str]:
    """Give the post of a page, or the MD5 of a file."""
    return [f"danbooru:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the post: robots.txt leaves pages open and closes everything that ends in ``.json``."""
    if purpose.heeds.isdisjoint(_AI):
        return
    for name in _names(asset):
        md5 = name.removeprefix("md5:")
        url = f"{_POST}/{name}" if md5 == name else f"{_POST}?md5={md5}"
        yield Need(Gate.LOOKUP, url, limit=html.LIMIT, polite=True, holds=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read every post on the page, and go on to the source of the asset's own; or read that source."""
    if not location.names(evidence.need.url, WORKS):
        yield from _maker(evidence, purpose)
        return
    posts, more = tag_attributes.carrying(evidence.content.decode(errors="replace"), "data-flags")
    mine = [post for post in posts if evidence.status == answer.OK and _is_own(post, evidence, asset)]
    for post in posts:
        yield from _banned(post, None if post in mine else f"danbooru:{post.get('data-id', '')}")
    for post in mine[:1]:
        yield from _belongs(post, evidence)
        yield from _sources(post, evidence)
    gave_up = "html_limit" if more else ""
    if reason := answer.reason(evidence.status, evidence.gap, own=bool(mine), gave_up=gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _is_own(post: dict[str, str], evidence: Evidence, asset: Asset) -> bool:
    """An MD5 is looked up by a redirect to its post; a post that is shown has it in the address of its file, too."""
    number = post.get("data-id", "")
    names = (*_names(asset), *location.names(asset.url, WORKS))
    if number in names or (number in location.names(evidence.url, WORKS) and evidence.url != evidence.need.url):
        return True
    wanted = [name.removeprefix("md5:") for name in names if name.startswith("md5:")]
    return any(md5 in value for md5 in wanted for name, value in post.items() if name != "data-tags")


def _banned(post: dict[str, str], about: str | None) -> Iterator[Said]:
    if "banned" in post["data-flags"].split():
        quote = f'data-flags="{post["data-flags"]}"'
        note = "a ban records that the maker asked for the work to be taken down"
        yield from (disallow(c, quote, "container of the post", note=note, about=about) for c in _AI)


def _sources(post: dict[str, str], evidence: Evidence) -> Iterator[Said]:
    given = post.get("data-normalized-source") or post.get("data-source", "")
    pages = maker_page.addresses([given], "donmai.us")
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
    """The post, where its page taught that it has the file; else what the address tells."""
    return location.learnt(asset.work_keys, "danbooru") or location.names(asset.url, WORKS)


def _belongs(post: dict[str, str], evidence: Evidence) -> Iterator[Said]:
    """Teach whose files these are, for those who know nothing but their address."""
    number = post.get("data-id", "")
    files = {name for part in _FILES for name in location.names(post.get(part), WORKS) if name.startswith("md5:")}
    if number in location.names(evidence.need.url, WORKS):
        for name in sorted(files):
            about, names = f"danbooru:{name}", f"danbooru:{number}"
            yield remark(Category.TRAIN, name, "container of the post", "a file of the post", about=about, names=names)
