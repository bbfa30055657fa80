"""Mastodon: the page of a status; media files do not tell it."""

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
from consentcrawl.formats import ai_tags, answer, html, location, own_page, site_default
from consentcrawl.formats.location import Form

_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
SPEC = Spec("Mastodon status page", "4.4", "https://docs.joinmastodon.org/", (Gate.LOOKUP,), "a page")
HOSTS: tuple[str, ...] = tuple(_DATA["hosts"])
DEFAULT = site_default.words(_DATA)

# What the robots.txt beside the work's page says is the maker's choice, or their host's for them.
MAKERS = 0
_AI = (Category.TRAIN, Category.AI_USE)

WORKS = (
    Form(r"([^/]+/@[\w.@-]+/\d+)(?:/.*)?"),
    Form(r"([^/]+/users/[\w.-]+/statuses/\d+)(?:/.*)?"),
)
FILES = (
    Form(
        r"[^/]+/(?:.+/)?media_attachments/files/((?:\d{3}/)+)(?:original|small)/[0-9a-f]+\.\w+",
        lambda digits: "media:" + location.number(*digits.split("/")),
    ),
)


def keys(asset: Asset) -> Iterable[str]:
    """Give the status of a page, or the number of a media file."""
    return [f"mastodon:{_number(name)}" for name in location.names(asset.url, (*WORKS, *FILES))]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        yield Need(Gate.LOOKUP, f"https://{work}", limit=html.LIMIT, polite=True, holds=True)
    if not works and location.fits(asset.url, FILES):
        yield ROBOTS_TXT


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the page where it is that of the asset's own work."""
    yield remark(Category.TRAIN, *DEFAULT)
    if evidence.need == ROBOTS_TXT:
        yield Gap(asset.url, "no_source", holds=True)
        return
    page = evidence.parsed(html.parse, evidence.content_type)
    named = {_number(name) for name in own_page.names(page, evidence.url, WORKS)}
    own = evidence.status == answer.OK and not named.isdisjoint(map(_number, _works(asset)))
    if own:
        for category, quote, where in ai_tags.found(page, evidence.fields.lines("x-robots-tag"), purpose.token):
            yield disallow(Category(category), quote, where)
        for file in own_page.files(page, evidence.url, "mastodon", FILES):
            for work in _works(asset):
                yield _belongs(file, work)
        yield from _unlisted(page)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _works(asset: Asset) -> tuple[str, ...]:
    known = location.names(asset.url, WORKS) or location.names(asset.page, WORKS)
    return known or tuple(name for name in location.learnt(asset.work_keys, "mastodon") if "/" in name)


def _number(work: str) -> str:
    """The status alone: names of users are written in more than one way."""
    return work.rpartition("/")[2]


def _unlisted(page: html.Page) -> Iterator[Said]:
    """A maker who keeps out of search engines has not spoken of AI; it counts where search tags count."""
    for meta in page.metas:
        if meta.name == "robots" and "noindex" in meta.content.lower():
            for category in _AI:
                yield disallow(category, meta.text, "meta robots of the work's page", under=("search_tags", "refuse"))


def _belongs(file: str, work: str) -> Said:
    """Teach whose file it is, for those who know nothing but its address."""
    return remark(
        Category.TRAIN, file, "picture of the work's page", "a file of the work", about=file, names=f"mastodon:{work}"
    )
