"""SmugMug: the page of an image, found through its record, and the AI tags that its owner put there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.formats import answer, html, json, location, maker_page
from consentcrawl.formats.location import Form

SPEC = Spec(
    "SmugMug image page", "2", "https://api.smugmug.com/api/v2/doc", (Gate.LOOKUP,), "a JSON document and a page"
)
HOSTS = ("smugmug.com",)

_AI = (Category.TRAIN, Category.AI_USE)
WORKS = (
    Form(r"[\w-]+\.smugmug\.com/(?:[^/]+/)*?i-([A-Za-z0-9]+)(?:/.*)?"),
    Form(r"api\.smugmug\.com/api/v2/image/([A-Za-z0-9]+)(?:-\d+)?"),
)
# Filled in from the taker's configuration; no setting about AI is known, so nothing waits for the record.
_API = "https://api.smugmug.com/api/v2/image/{}-0?APIKey={{smugmug.api_key}}&_accept=application%2Fjson"


def keys(asset: Asset) -> Iterable[str]:
    """Give the image key of a page or a file."""
    return [f"smugmug:{name}" for name in location.names(asset.url, WORKS)]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the image's record, which tells its page."""
    if not purpose.heeds.isdisjoint(_AI):
        for name in location.names(asset.url, WORKS):
            yield Need(Gate.LOOKUP, _API.format(name), polite=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the record and go on to the page; or read that page."""
    if evidence.need not in needs(asset, purpose):
        yield from _page(evidence, purpose)
        return
    document, gave_up = evidence.parsed(json.parse)
    image = json.at(document, "Response", "Image")
    own = evidence.status == answer.OK and json.text(image, "ImageKey") in location.names(asset.url, WORKS)
    pages = maker_page.addresses([json.text(image, "WebUri")], "") if own else ()
    yield from (Need(Gate.LOOKUP, page, limit=html.LIMIT, polite=True, holds=True) for page in pages[:1])
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=gave_up):
        yield Gap(evidence.url, reason)


def _page(evidence: Evidence, purpose: Purpose) -> Iterator[Said]:
    page, lines = evidence.parsed(html.parse, evidence.content_type), evidence.fields.lines("x-robots-tag")
    own, tags = maker_page.read(page, evidence.url, evidence.need.url, lines, purpose.token)
    own = own and evidence.status == answer.OK
    if own:
        yield from (disallow(Category(category), quote, where) for category, quote, where in tags)
    if reason := answer.reason(evidence.status, evidence.gap, own=own, gave_up=page.gave_up):
        yield Gap(evidence.url, reason, holds=True)
