"""Flickr: the licence of a photo, as a note; no choice about AI is published."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from consentcrawl.core import Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, remark
from consentcrawl.formats import json
from consentcrawl.platforms import OK, Form, addresses, lacking, parameter, site_default

_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_BASE58 = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_SITE = r"(?:[\w-]+\.)?flickr\.com"
_CDN = r"(?:[\w-]+\.)*(?:static)?flickr\.com"


def _decimal(short: str) -> str:
    """Base 58 as flic.kr has it; no more digits than an id ever has."""
    number = 0
    for character in short[:16]:
        number = number * 58 + _BASE58.index(character)
    return str(number)


_SHORT = "[1-9a-km-zA-HJ-NP-Z]{1,16}"
_DEFAULT = site_default.of(_DATA)
_FORMS = (
    Form(rf"{_SITE}/photos?/(?!tags/|search/)[^/]+/(\d+)(?:/.*)?"),
    Form(r"embedr\.flickr\.com/photos/(\d+)"),
    Form(rf"{_SITE}/(?:photo(?:_\w+)?|video_download)\.gne", query=parameter("id")),
    Form(rf"{_SITE}/photo\.gne", _decimal, parameter("short", _SHORT)),
    Form(rf"{_SITE}/apps/video/[^/]+\.swf", query=parameter("photo_id")),
    Form(rf"(?:www\.)?flic\.kr/p/({_SHORT})", _decimal),
    Form(r"api\.flickr\.com/services/rest", query=parameter("photo_id")),
    Form(rf"{_CDN}/video/(\d+)/.+"),
    Form(rf"{_CDN}/(?:\d+/)*(\d{{2,}})_[0-9a-f]+(?:_\w+)?\.\w+"),
)
# Filled in from the taker's configuration; the key in the site's own pages was given to no taker.
_API = (
    "https://api.flickr.com/services/rest/?method=flickr.photos.getInfo&format=json&nojsoncallback=1"
    "&api_key={flickr.api_key}&photo_id="
)


def _keys(asset: Asset) -> Iterable[str]:
    """Return the photo of a page, a short link or a file."""
    return [f"flickr:{name}" for name in addresses.names(asset.url, _FORMS)]


SPEC = Spec(
    "Flickr photo licence",
    "2026-08",
    "https://www.flickr.com/services/api/",
    (Gate.LOOKUP,),
    "a JSON document",
    hosts=("flickr.com", "staticflickr.com", "flic.kr"),
    keys=_keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (as the protocol has it)
    """Ask for the photo's record; it carries no choice, so nothing waits for it."""
    for name in addresses.names(asset.url, _FORMS):
        yield Need(Gate.LOOKUP, _API + name, polite=True)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:  # noqa: ARG001 (as the protocol has it)
    """Note the licence where the answer is about the asset's own photo."""
    yield _DEFAULT
    document, gave_up = evidence.parsed(json.parse)
    own = evidence.status == OK and json.text(document, "photo", "id") in addresses.names(asset.url, _FORMS)
    licence = json.text(document, "photo", "license")
    if own and licence:
        # Numbers above 10 came later: an unknown one is noted as it is.
        name = _DATA["licences"].get(licence, "a licence that is not in the list")
        yield remark(Category.TRAIN, f"license {licence}", "record of the photo", f"{name}: a licence is no consent")
    yield from lacking(evidence, own=own, gave_up=gave_up, holds=False)
