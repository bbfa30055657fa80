"""Weasyl: the page of a submission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.formats import ai_tags, answer, html, location, own_page
from consentcrawl.formats.location import Form

SPEC = Spec("Weasyl submission page", "2024", "https://www.weasyl.com/policy/tos", (Gate.LOOKUP,), "a page")
HOSTS = ("weasyl.com",)

_AI = (Category.TRAIN, Category.AI_USE)

WORKS = (
    Form(r"(?:www\.)?weasyl\.com/(?:~[^/]+/submissions?|submission|view)/(\d+)(?:/.*)?"),
    Form(r"(?:www\.)?weasyl\.com/api/submissions/(\d+)/view"),
    Form(r"cdn\.weasyl\.com/~[^/]+/submissions/(\d+)/.+"),
)


def keys(asset: Asset) -> Iterable[str]:
    """Give the work of a page or a file."""
    return [f"weasyl:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    if purpose.heeds.isdisjoint(_AI):
        return
    works = _works(asset)
    for work in works:
        yield Need(Gate.LOOKUP, f"https://www.weasyl.com/submission/{work}", limit=html.LIMIT, polite=True, holds=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the page where it is that of the asset's own work."""
    page = evidence.parsed(html.parse, evidence.content_type)
    own = evidence.status == answer.OK and own_page.is_of(page, evidence.url, WORKS, _works(asset))
    if own:
        for category, quote, where in ai_tags.found(page, evidence.fields.lines("x-robots-tag"), purpose.token):
            yield disallow(Category(category), quote, where)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)


def _works(asset: Asset) -> tuple[str, ...]:
    return location.names(asset.url, WORKS)
