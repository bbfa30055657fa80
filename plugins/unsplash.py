"""Unsplash: the page of a photo; files do not tell whose they are, and training is left to licences of the site."""

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

SPEC = Spec("Unsplash photo page", "2024", "https://unsplash.com/license", (Gate.LOOKUP,), "a page")
HOSTS = ("unsplash.com",)

DEFAULT = site_default.words(tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")))
_AI = (Category.TRAIN, Category.AI_USE)

# The id is the last eleven characters of the last segment, hyphens and all.
WORKS = (
    Form(r"(?:www\.)?unsplash\.com/(?:[a-z]{2}(?:-[a-z]{2})?/)?(?:photos|fotos)/(?:[^/]+-)?([\w-]{11})(?:/download)?"),
)
_UNTOLD = (Form(r"(?:images|plus)\.unsplash\.com/.+"),)


def keys(asset: Asset) -> Iterable[str]:
    """Give the work of a page or a file."""
    return [f"unsplash:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        yield Need(Gate.LOOKUP, f"https://unsplash.com/photos/{work}", limit=html.LIMIT, polite=True, holds=True)
    if not works and location.fits(asset.url, _UNTOLD):
        yield ROBOTS_TXT


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the page where it is that of the asset's own work."""
    yield remark(Category.TRAIN, *DEFAULT)
    if evidence.need == ROBOTS_TXT:
        yield Gap(asset.url, "no_source", holds=False)
        return
    page = evidence.parsed(html.parse, evidence.content_type)
    own = evidence.status == answer.OK and own_page.is_of(page, evidence.url, WORKS, _works(asset))
    if own:
        for category, quote, where in ai_tags.found(page, evidence.fields.lines("x-robots-tag"), purpose.token):
            yield disallow(Category(category), quote, where)
        for file in own_page.files(page, evidence.url, "unsplash"):
            for work in _works(asset):
                yield _belongs(file, work)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _works(asset: Asset) -> tuple[str, ...]:
    known = location.names(asset.url, WORKS) or location.names(asset.page, WORKS)
    return known or location.learnt(asset.work_keys, "unsplash")


def _belongs(file: str, work: str) -> Said:
    """Teach whose file it is, for those who know nothing but its address."""
    return remark(
        Category.TRAIN, file, "picture of the work's page", "a file of the work", about=file, names=f"unsplash:{work}"
    )
