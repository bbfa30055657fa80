"""Behance: the page of a project, found from the name of any of its files; its licence is a note."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, remark
from consentcrawl.formats import html, json
from consentcrawl.platforms import Form, Works, own_page, site_default

_WORKS = Works(
    "behance",
    # Six hexadecimal digits, then the project in decimal; the six may be decimal too, so they are counted.
    forms=(
        Form(r"(?:www\.)?behance\.net/gallery/(\d+)(?:/.*)?"),
        Form(r"[\w-]+\.behance\.net/(?:v1/rendition/)?(?:project_modules|projects)/[^/]+/[0-9a-f]{6}(\d+)\..+"),
    ),
    look_up="https://www.behance.net/gallery/{}/x".format,
    default=site_default.beside(__file__),
)
_STATE = "beconfig-store_state"

SPEC = Spec(
    "Behance project page",
    "2024",
    "https://www.behance.net/misc/terms",
    (Gate.LOOKUP,),
    "a page",
    hosts=("behance.net",),
    keys=_WORKS.keys,
    # What the robots.txt beside the work's page says is the maker's choice, or their host's for them.
    makers_from=0,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the page of the work."""
    return _WORKS.needs(asset, purpose)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the AI tags of the work's own page, and which files it shows."""
    yield from own_page.read(_WORKS, evidence, asset, purpose)
    if own_page.is_own(_WORKS, evidence, asset):
        yield from _licence(evidence)


def _licence(evidence: Evidence) -> Iterator[Said]:
    for script in evidence.parsed(html.parse, evidence.content_type).scripts:
        if script.id == _STATE:
            state, _ = json.parse(script.text)
            if words := json.text(state, "project", "project", "license", "license"):
                yield remark(Category.TRAIN, words, f"{_STATE} of the work's page", "a licence is no consent")
