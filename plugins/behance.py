"""Behance: the page of a project, found from the name of any of its files; its licence is a note."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from consentcrawl.core import Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, disallow, remark
from consentcrawl.formats import ai_tags, answer, html, json, location, own_page, site_default
from consentcrawl.formats.location import Form

SPEC = Spec("Behance project page", "2024", "https://www.behance.net/misc/terms", (Gate.LOOKUP,), "a page")
HOSTS = ("behance.net",)

DEFAULT = site_default.words(tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")))
# What the robots.txt beside the work's page says is the maker's choice, or their host's for them.
MAKERS = 0
_AI = (Category.TRAIN, Category.AI_USE)

# Six hexadecimal digits, then the project in decimal; the six may be decimal too, so they are counted.
WORKS = (
    Form(r"(?:www\.)?behance\.net/gallery/(\d+)(?:/.*)?"),
    Form(r"[\w-]+\.behance\.net/(?:v1/rendition/)?(?:project_modules|projects)/[^/]+/[0-9a-f]{6}(\d+)\..+"),
)
_STATE = "beconfig-store_state"


def keys(asset: Asset) -> Iterable[str]:
    """Give the work of a page or a file."""
    return [f"behance:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        yield Need(Gate.LOOKUP, f"https://www.behance.net/gallery/{work}/x", limit=html.LIMIT, polite=True, holds=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the page where it is that of the asset's own work."""
    yield remark(Category.TRAIN, *DEFAULT)
    page = evidence.parsed(html.parse, evidence.content_type)
    own = evidence.status == answer.OK and own_page.is_of(page, evidence.url, WORKS, _works(asset))
    if own:
        for category, quote, where in ai_tags.found(page, evidence.fields.lines("x-robots-tag"), purpose.token):
            yield disallow(Category(category), quote, where)
        yield from _licence(page)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _works(asset: Asset) -> tuple[str, ...]:
    return location.names(asset.url, WORKS)


def _licence(page: html.Page) -> Iterator[Said]:
    for script in page.scripts:
        if script.id == _STATE:
            state, _ = json.parse(script.text)
            if words := json.text(state, "project", "project", "license", "license"):
                yield remark(Category.TRAIN, words, f"{_STATE} of the work's page", "a licence is no consent")
