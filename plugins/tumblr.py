"""Tumblr: the page of a post on its blog, and of the post that a reblog began with; media files tell neither."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

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
from consentcrawl.formats import ai_tags, answer, html, json, location, maker_page, own_page, site_default
from consentcrawl.formats.html import Page
from consentcrawl.formats.location import Form

SPEC = Spec("Tumblr post page", "2024-02", "https://www.tumblr.com/docs/en/api/v2", (Gate.LOOKUP,), "pages")
HOSTS = ("tumblr.com",)

DEFAULT = site_default.words(tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")))
# What the robots.txt beside the work's page says is the maker's choice, or their host's for them.
MAKERS = 0
_AI = (Category.TRAIN, Category.AI_USE)


def _post(blog: str, number: str) -> str:
    return f"{blog.lower()}/{number}"


_NO_BLOG = r"(?!(?:www|at|api|assets|static|data|media|[\w-]+\.media)\.)"
WORKS = (
    Form(rf"{_NO_BLOG}([\w-]+)\.tumblr\.com/(?:post|image)/(\d+)(?:/.*)?", _post),
    Form(r"(?:www\.|at\.)?tumblr\.com/(?:blog/(?:view/)?)?([\w-]+)/(\d+)(?:/.*)?", _post),
    Form(r"api\.tumblr\.com/v2/blog/([\w-]+)(?:\.tumblr\.com)?/posts", _post, r"[?&]id=(\d+)(?=&|$)"),
)
_UNTOLD = (Form(r"(?:[\w-]+\.media|data|media|static)\.tumblr\.com/(?:.+/)?(?!avatar_)[^/]+"),)
# A blog may have a domain of its own, which its pages then name.
_NUMBER = (Form(r"[^/]+/(?:post/|image/)?(?:[\w-]+/)?(\d{5,})(?:/.*)?"),)
# Filled in from the taker's configuration; the page speaks as well, so nothing waits for this.
_API = "https://api.tumblr.com/v2/blog/{}/posts?id={}&reblog_info=true&api_key={{tumblr.api_key}}"


def keys(asset: Asset) -> Iterable[str]:
    """Give the post of a page; files tell none."""
    return [f"tumblr:{_number(name)}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the post and for what it was reblogged from."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        blog, _, number = work.partition("/")
        yield _page(f"https://{blog}.tumblr.com/post/{number}")
        yield Need(Gate.LOOKUP, _API.format(blog, number), polite=True)
    if not works and location.fits(asset.url, _UNTOLD):
        yield ROBOTS_TXT


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the page, or go on to where a reblog began."""
    yield remark(Category.TRAIN, *DEFAULT)
    if evidence.need == ROBOTS_TXT:
        yield Gap(asset.url, "no_source", holds=True)
    elif evidence.need.url.startswith("https://api.tumblr.com/"):
        yield from _root(evidence, asset)
    else:
        page = evidence.parsed(html.parse, evidence.content_type)
        own = evidence.status == answer.OK and _is_own(page, evidence, asset)
        if own:
            for category, quote, where in ai_tags.found(page, evidence.fields.lines("x-robots-tag"), purpose.token):
                yield disallow(Category(category), quote, where)
            for file in own_page.files(page, evidence.url, "tumblr"):
                for work in _works(asset):
                    yield _belongs(file, work)
        if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
            yield Gap(evidence.url, reason, holds=True)


def _works(asset: Asset) -> tuple[str, ...]:
    known = location.names(asset.url, WORKS) or location.names(asset.page, WORKS)
    return known or tuple(name for name in location.learnt(asset.work_keys, "tumblr") if "/" in name)


def _number(work: str) -> str:
    return work.rpartition("/")[2]


def _page(url: str) -> Need:
    return Need(Gate.LOOKUP, url, limit=html.LIMIT, polite=True, holds=True)


def _is_own(page: Page, evidence: Evidence, asset: Asset) -> bool:
    """A page that was asked for as the root of a reblog answers for that; every other is the post's own."""
    numbers = location.names(evidence.need.url, _NUMBER)
    if own_page.is_of(page, evidence.url, _NUMBER, numbers):
        return True
    asked = {need.url for need in needs(asset, Purpose("", "", frozenset(_AI)))}
    return evidence.need.url not in asked and own_page.answers(page, evidence.url, evidence.need.url)


def _root(evidence: Evidence, asset: Asset) -> Iterator[Said]:
    document, gave_up = evidence.parsed(json.parse)
    numbers = [_number(work) for work in _works(asset)]
    posts = json.items(document, "response", "posts")[:20]
    mine = [post for post in posts if (json.text(post, "id_string") or json.text(post, "id")) in numbers]
    for post in mine:
        given = json.text(post, "reblogged_root_url") or json.text(post, "reblogged_from_url")
        yield from map(_page, maker_page.addresses([given], ""))
    own = evidence.status == answer.OK and bool(mine)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=gave_up):
        yield Gap(evidence.url, reason)


def _belongs(file: str, work: str) -> Said:
    """Teach whose file it is, for those who know nothing but its address."""
    return remark(
        Category.TRAIN, file, "picture of the work's page", "a file of the work", about=file, names=f"tumblr:{work}"
    )
