"""WorldCosplay: the page of a photo; files do not tell whose they are, and no choice is published."""

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

SPEC = Spec("WorldCosplay photo page", "2024", "https://worldcosplay.net/about/terms", (Gate.LOOKUP,), "a page")
HOSTS = ("worldcosplay.net",)

DEFAULT = site_default.words(tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")))
_AI = (Category.TRAIN, Category.AI_USE)

WORKS = (Form(r"(?:www\.)?worldcosplay\.net/(?:[a-z]{2}(?:-[a-z]{2,4})?/)?photo/(\d+)(?:/.*)?"),)
FILES = (Form(r"image\d*\.worldcosplay\.net/(?:[^/]+/)+([0-9a-f]{40})(?:-[\w-]+)?\.\w+", "hash:{}".format),)


def keys(asset: Asset) -> Iterable[str]:
    """Give the work of a page or a file."""
    return [f"worldcosplay:{name}" for name in location.names(asset.url, (*WORKS, *FILES))]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        yield Need(Gate.LOOKUP, f"https://worldcosplay.net/photo/{work}", limit=html.LIMIT, polite=True, holds=True)
    if not works and location.fits(asset.url, FILES):
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
        for file in own_page.files(page, evidence.url, "worldcosplay", FILES):
            for work in _works(asset):
                yield _belongs(file, work)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _works(asset: Asset) -> tuple[str, ...]:
    known = location.names(asset.url, WORKS) or location.names(asset.page, WORKS)
    return known or location.learnt(asset.work_keys, "worldcosplay")


def _belongs(file: str, work: str) -> Said:
    """Teach whose file it is, for those who know nothing but its address."""
    return remark(
        Category.TRAIN,
        file,
        "picture of the work's page",
        "a file of the work",
        about=file,
        names=f"worldcosplay:{work}",
    )
