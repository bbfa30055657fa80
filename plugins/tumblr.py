"""Tumblr: the page of a post on its blog, and of the post that a reblog began with; media addresses name neither."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import json
from consentcrawl.platforms import OK, Form, Works, lacking, maker_page, own_page, parameter, site_default, visit


def _post(blog: str, number: str) -> str:
    return f"{blog.lower()}/{number}"


def _page(post: str) -> str:
    blog, _, number = post.partition("/")
    return f"https://{blog}.tumblr.com/post/{number}"


def _number(post: str) -> str:
    return post.rpartition("/")[2]


_NO_BLOG = r"(?!(?:www|at|api|assets|static|data|media|[\w-]+\.media)\.)"
# Names of the site's own that stand where a blog does.
_PAGES = (
    "about|app|blog|dashboard|developers|explore|jobs|likes|login|logo|policy|press|register|search|security|tagged"
    "|tips"
)
_WORKS = Works(
    "tumblr",
    forms=(
        Form(rf"{_NO_BLOG}([\w-]+)\.tumblr\.com/(?:post|image|private)/(\d+)(?:/.*)?", _post),
        Form(rf"(?:www\.|at\.)?tumblr\.com/(?!(?:{_PAGES})/)@?([\w-]+)/(\d+)(?:/.*)?", _post),
        Form(r"(?:www\.)?tumblr\.com/(?:dashboard/)?blog/(?:view/)?([\w-]+)/(\d+)(?:/.*)?", _post),
        Form(r"api\.tumblr\.com/v2/blog/([\w-]+)(?:\.tumblr\.com)?/posts", _post, parameter("id")),
    ),
    look_up=_page,
    default=site_default.beside(__file__),
    unnamed=(Form(r"(?:[\w-]+\.media|data|media|static)\.tumblr\.com/(?:.+/)?(?!avatar_)[^/]+"),),
    short=_number,
    # A blog may have a domain of its own, which its pages then name.
    own_forms=(Form(r"[^/]+/(?:post/|image/)?(?:[\w-]+/)?(\d{5,})(?:/.*)?"),),
)
# Filled in from the taker's configuration; the page speaks as well, so nothing waits for this.
_API = "https://api.tumblr.com/v2/blog/{}/posts?id={}&reblog_info=true&api_key={{tumblr.api_key}}"

SPEC = Spec(
    "Tumblr post page",
    "2024-02",
    "https://www.tumblr.com/docs/en/api/v2",
    (Gate.LOOKUP,),
    "pages",
    hosts=("tumblr.com",),
    keys=_WORKS.keys,
    # What the robots.txt beside the work's page says is the maker's choice, or their host's for them.
    makers_from=0,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the post and for what it was reblogged from."""
    pages = _WORKS.needs(asset, purpose)
    records = [Need(Gate.LOOKUP, _API.format(*post.split("/")), polite=True) for post in _WORKS.of(asset)]
    return [*pages, *records] if pages else []


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the page, or go on to where a reblog began, or read that."""
    if evidence.need.url.startswith("https://api.tumblr.com/"):
        yield from _root(evidence, asset)
    elif evidence.need in needs(asset, purpose):
        yield from own_page.read(_WORKS, evidence, asset, purpose)
    else:
        yield from maker_page.read(evidence, purpose)


def _root(evidence: Evidence, asset: Asset) -> Iterator[Said]:
    document, gave_up = evidence.parsed(json.parse)
    numbers = {_number(post) for post in _WORKS.of(asset)}
    posts = json.items(document, "response", "posts")[:20]
    mine = [post for post in posts if (json.text(post, "id_string") or json.text(post, "id")) in numbers]
    for post in mine:
        given = json.text(post, "reblogged_root_url") or json.text(post, "reblogged_from_url")
        yield from map(visit, maker_page.source_pages([given], ()))
    own = evidence.status == OK and bool(mine)
    yield from lacking(evidence, own=own, gave_up=gave_up, holds=False)
