"""Fur Affinity: the page of a submission; the full file tells maker and second only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
from consentcrawl.formats import ai_tags, answer, html, location, own_page
from consentcrawl.formats.location import Form

SPEC = Spec("Fur Affinity submission page", "2022-09", "https://www.furaffinity.net/tos", (Gate.LOOKUP,), "a page")
HOSTS = ("furaffinity.net", "fxfuraffinity.net", "xfuraffinity.net", "vxfuraffinity.net", "fxraffinity.net")

_AI = (Category.TRAIN, Category.AI_USE)

WORKS = (
    Form(r"(?:www\.|sfw\.)?(?:(?:fx|x|vx)?furaffinity|fxraffinity)\.net/(?:view|full)/(\d+)(?:/.*)?"),
    Form(r"t\d*\.furaffinity\.net/(\d+)@\d+-\d+\.\w+"),
)
FILES = (Form(r"d\d*\.furaffinity\.net/art/([^/]+)/(?:[^/]+/)*(\d+)/\d+\..+", "user:{}|{}".format),)


def keys(asset: Asset) -> Iterable[str]:
    """Give the work of a page or a file."""
    return [f"furaffinity:{name}" for name in location.names(asset.url, (*WORKS, *FILES))]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        yield Need(Gate.LOOKUP, f"https://www.furaffinity.net/view/{work}/", limit=html.LIMIT, polite=True, holds=True)
    if not works and location.fits(asset.url, FILES):
        yield ROBOTS_TXT


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the page where it is that of the asset's own work."""
    if evidence.need == ROBOTS_TXT:
        yield Gap(asset.url, "no_source", holds=True)
        return
    page = evidence.parsed(html.parse, evidence.content_type)
    own = evidence.status == answer.OK and own_page.is_of(page, evidence.url, WORKS, _works(asset))
    if own:
        for category, quote, where in ai_tags.found(page, evidence.fields.lines("x-robots-tag"), purpose.token):
            yield disallow(Category(category), quote, where)
        for file in own_page.files(page, evidence.url, "furaffinity", FILES):
            for work in _works(asset):
                yield _belongs(file, work)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _works(asset: Asset) -> tuple[str, ...]:
    known = location.names(asset.url, WORKS) or location.names(asset.page, WORKS)
    return known or location.learnt(asset.work_keys, "furaffinity")


def _belongs(file: str, work: str) -> Said:
    """Teach whose file it is, for those who know nothing but its address."""
    return remark(
        Category.TRAIN,
        file,
        "picture of the work's page",
        "a file of the work",
        about=file,
        names=f"furaffinity:{work}",
    )
