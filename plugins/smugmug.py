"""SmugMug: the page of an image, found through its record, and the AI tags that its owner put there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from consentcrawl.core import Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, remark
from consentcrawl.formats import json
from consentcrawl.platforms import ai_tags, answer, maker_page, site_default
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.works import Works

from . import say, visit

SPEC = Spec(
    "SmugMug image page",
    "2",
    "https://api.smugmug.com/api/v2/doc",
    (Gate.LOOKUP,),
    "a JSON document for 50, and a page",
)
HOSTS = ("smugmug.com",)
DEFAULT = site_default.beside(__file__)

_MOST = 50
_LIMIT = 2 * 1024 * 1024
# Filled in from the taker's configuration.
_API = "https://api.smugmug.com/api/v2/image/{}?APIKey={{smugmug.api_key}}&_accept=application%2Fjson"
WORKS = Works(
    "smugmug",
    forms=(
        Form(r"[\w-]+\.smugmug\.com/(?:[^/]+/)*?i-([A-Za-z0-9]+)(?:/.*)?"),
        Form(r"(?:api|www)\.smugmug\.com/api/v2/image/([A-Za-z0-9]+)(?:-\d+)?"),
    ),
    look_up=lambda image: _API.format(f"{image}-0"),
)


def keys(asset: Asset) -> Iterable[str]:
    """Return the image key of a page or a file."""
    return WORKS.keys(asset.url)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:
    """Ask for the image's record, which tells its page; no setting about AI is known, so nothing waits for it."""
    if purpose.heeds.isdisjoint(ai_tags.SPEAKS_OF):
        return []
    return [Need(Gate.LOOKUP, record, polite=True) for record in WORKS.look_ups(asset)]


def bulk(needs: Sequence[Need]) -> Iterator[tuple[Need, Sequence[Need]]]:
    """Join look-ups of up to fifty images; each comes with those that its answer answers."""
    before, after = _API.split("{}", maxsplit=1)[0], _API.format("")
    for start in range(0, len(needs), _MOST):
        parts = needs[start : start + _MOST]
        images = ",".join(need.url.removeprefix(before).partition("?")[0] for need in parts)
        yield Need(Gate.LOOKUP, after.replace("/image/", f"/image/{images}", 1), limit=_LIMIT, polite=True), parts


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:
    """Read the record and go on to the page; or read that page."""
    if evidence.need.url in WORKS.look_ups(asset):
        yield from _record(evidence, asset)
        return
    yield from say(maker_page.read(evidence, purpose.token), DEFAULT)


def _record(evidence: Evidence, asset: Asset) -> Iterator[Said]:
    yield remark(Category.TRAIN, *DEFAULT)
    document, gave_up = evidence.parsed(json.parse)
    mine = [image for image in _images(document) if json.text(image, "ImageKey") in WORKS.of(asset)]
    own = evidence.status == answer.OK and bool(mine)
    yield from map(visit, maker_page.source_pages([json.text(mine[0], "WebUri")], ()) if own else ())
    yield from (Gap(url, reason) for url, reason in answer.gaps(evidence, own=own, gave_up=gave_up))


def _images(document: Any) -> list[Any]:  # noqa: ANN401 (any JSON value)
    """One image stands alone, several in a list."""
    found = json.at(document, "Response", "Image")
    return json.items(found)[:_MOST] if isinstance(found, list) else [found]
