"""500px: whether a photo is offered for licensing, as a note; no choice about AI is published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from consentcrawl.core import Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, remark
from consentcrawl.formats import json
from consentcrawl.platforms import OK, Form, addresses, lacking, site_default

_DEFAULT = site_default.beside(__file__)
_FORMS = (
    Form(r"(?:www\.|web\.)?500px\.com/photo/(\d+)(?:/.*)?"),
    Form(r"drscdn\.500px\.org/photo/(\d+)/.+"),
    Form(r"p{1,2}cdn\.500px\.(?:net|org)/(\d+)/[0-9a-f]{40}/.+"),
)
_MOST = 50
_API = "https://api.500px.com/v1/photos?include_licensing=true&ids="


def _keys(asset: Asset) -> Iterable[str]:
    """Return the photo of a page or a file."""
    return [f"500px:{name}" for name in addresses.names(asset.url, _FORMS)]


def _bulk(needs: Sequence[Need]) -> Iterator[tuple[Need, Sequence[Need]]]:
    """Join look-ups of up to fifty photos; each comes with those that its answer answers."""
    for start in range(0, len(needs), _MOST):
        parts = needs[start : start + _MOST]
        numbers = "%2C".join(need.url.removeprefix(_API) for need in parts)
        yield Need(Gate.LOOKUP, _API + numbers, polite=True), parts


SPEC = Spec(
    "500px licensing",
    "2026-08",
    "https://500px.com/terms",
    (Gate.LOOKUP,),
    "a JSON document",
    hosts=("500px.com", "500px.org", "500px.net"),
    keys=_keys,
    bulk=_bulk,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (as the protocol has it)
    """Ask for the photo's record; it carries no choice, so nothing waits for it. The page is a shell for browsers."""
    for name in addresses.names(asset.url, _FORMS):
        yield Need(Gate.LOOKUP, _API + name, polite=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:  # noqa: ARG001 (as the protocol has it)
    """Note the licensing where the answer is about the asset's own photo."""
    yield _DEFAULT
    document, gave_up = evidence.parsed(json.parse)
    photos = json.at(document, "photos")
    found = [photo for name in addresses.names(asset.url, _FORMS) if isinstance(photo := json.at(photos, name), dict)]
    for photo in found:
        if words := json.text(photo, "licensing", "status") or json.text(photo, "license_type"):
            yield remark(Category.TRAIN, words, "record of the photo", "a licence is no consent")
    own = evidence.status == OK and bool(found)
    yield from lacking(evidence, own=own, gave_up=gave_up, holds=False)
