"""SmugMug: the page of an image, found through its record, and the AI tags that its owner put there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats import json
from consentcrawl.platforms import OK, Form, Works, ai_tags, lacking, maker_page, site_default, visit

_MOST = 50
_LIMIT = 2 * 1024 * 1024
# Filled in from the taker's configuration.
_API = "https://api.smugmug.com/api/v2/image/{}?APIKey={{smugmug.api_key}}&_accept=application%2Fjson"
_DEFAULT = site_default.beside(__file__)
_WORKS = Works(
    "smugmug",
    forms=(
        Form(r"[\w-]+\.smugmug\.com/(?:[^/]+/)*?i-([A-Za-z0-9]+)(?:/.*)?"),
        Form(r"(?:api|www)\.smugmug\.com/api/v2/image/([A-Za-z0-9]+)(?:-\d+)?"),
    ),
    look_up=lambda image: _API.format(f"{image}-0"),
    default=_DEFAULT,
)


def _bulk(needs: Sequence[Need]) -> Iterator[tuple[Need, Sequence[Need]]]:
    """Join look-ups of up to fifty images; each comes with those that its answer answers."""
    before, after = _API.split("{}", maxsplit=1)[0], _API.format("")
    for start in range(0, len(needs), _MOST):
        parts = needs[start : start + _MOST]
        images = ",".join(need.url.removeprefix(before).partition("?")[0] for need in parts)
        yield Need(Gate.LOOKUP, after.replace("/image/", f"/image/{images}", 1), limit=_LIMIT, polite=True), parts


SPEC = Spec(
    "SmugMug image page",
    "2",
    "https://api.smugmug.com/api/v2/doc",
    (Gate.LOOKUP,),
    "a JSON document for 50, and a page",
    hosts=("smugmug.com",),
    keys=_WORKS.keys,
    bulk=_bulk,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the image's record, which names its page; no setting about AI is known, so nothing waits for it."""
    if not ai_tags.concern(purpose):
        return []
    return [Need(Gate.LOOKUP, record, polite=True) for record in _WORKS.look_ups(asset)]


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the record and go on to the page; or read that page."""
    if evidence.need.url in _WORKS.look_ups(asset):
        yield from _record(evidence, asset)
        return
    yield from maker_page.read(evidence, purpose)


def _record(evidence: Evidence, asset: Asset) -> Iterator[Said]:
    yield _DEFAULT
    document, gave_up = evidence.parsed(json.parse)
    mine = [image for image in _images(document) if json.text(image, "ImageKey") in _WORKS.of(asset)]
    own = evidence.status == OK and bool(mine)
    yield from map(visit, maker_page.source_pages([json.text(mine[0], "WebUri")], ()) if own else ())
    yield from lacking(evidence, own=own, gave_up=gave_up, holds=False)


def _images(document: Any) -> list[Any]:  # noqa: ANN401 (any JSON value)
    """One image stands alone, several in a list."""
    found = json.at(document, "Response", "Image")
    return json.items(found)[:_MOST] if isinstance(found, list) else [found]
