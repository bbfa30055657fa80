"""The data of a page: JSON-LD (W3C JSON-LD 1.1), attributes, and the addresses of its images.

It is read for what a page names (its images, its licences) and never for a permission.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import Any

from consentcrawl.formats import json
from consentcrawl.formats.html.page import Page

PROPERTIES = 2_000
"""The most JSON-LD properties that are kept of one script."""
TAGS = 256
"""The most tags whose attributes are read."""
ATTRIBUTES = 128
"""The most attributes of one tag that are read."""

_JSON_LD = "application/ld+json"
# The Open Graph protocol, and the cards of X: what stands for the page when it is shared.
_PREVIEWS = frozenset(
    {"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "thumbnailurl", "image"}
)
# schema.org: the file of a media object, a smaller copy of it, and an image of anything.
_NAMED = frozenset({"contentUrl", "thumbnailUrl", "image"})
_ADDRESS = "url"
_IMAGES = ("ImageObject", "Photograph")

_TAG_NAME = re.compile(r"<[A-Za-z][^\s/>]{0,64}")
_TAG_ATTRIBUTE = re.compile(
    r"""[\s/]*+([^\s/>=]{1,128})\s*+(?:=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]*+)))?""",
)


@dataclass(frozen=True, slots=True)
class Property:
    """One text: the property's name, its value, and the type of the object that has it."""

    name: str
    value: str
    of: str


def json_ld(page: Page) -> list[str]:
    """Return the scripts of a page that hold JSON-LD, as they stand."""
    return [script.text for script in page.scripts if script.type == _JSON_LD]


def properties(script: str) -> tuple[Property, ...]:
    """Return every text of a script, in order; what is no JSON has none. Never raises."""
    return tuple(islice(_texts(json.parse(script)[0]), PROPERTIES))


def _texts(value: Any, name: str = "", of: str = "") -> Iterator[Property]:  # noqa: ANN401 (any JSON value)
    """Walk through a value, which ``json.parse`` has bounded in depth; a list belongs to its property."""
    if isinstance(value, str):
        yield Property(name, value.strip(), of)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, name, of)
    elif isinstance(value, dict):
        kind = value.get("@type")
        inner = kind if isinstance(kind, str) else " ".join(filter(_is_text, kind)) if isinstance(kind, list) else ""
        for key, each in value.items():
            # {"license": {"@id": …}} is the address of the property around it (JSON-LD 1.1 §3.3).
            yield from _texts(each, name if key in ("@id", "@value") else key, of if key == "@id" else inner)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def image_addresses(page: Page) -> Iterator[str]:
    """Return the addresses as they stood, relative to the page's base; some are given more than once."""
    for image in page.images:
        yield image.src
    for meta in page.metas:
        if meta.content and (meta.property in _PREVIEWS or meta.name in _PREVIEWS):
            yield meta.content
    for link in page.links:
        if "image_src" in link.rel:
            yield link.href
    for script in json_ld(page):
        yield from _of_data(script)


def _of_data(script: str) -> Iterator[str]:
    for each in properties(script):
        if each.name in _NAMED or (each.name == _ADDRESS and any(kind in each.of for kind in _IMAGES)):
            yield each.value


def tags_with(text: str, attribute: str) -> tuple[list[dict[str, str]], bool]:
    """Return the attributes of each tag with ``attribute`` (lower case here), and whether more such tags follow unread.

    Names are in lower case, values unescaped; of an attribute that is repeated the first counts.
    """
    found: list[dict[str, str]] = []
    position, named = 0, re.compile(re.escape(attribute), re.IGNORECASE | re.ASCII)
    for _ in range(TAGS):
        match = named.search(text, position)
        if match is None:
            return found, False
        position = match.start()
        start = text.rfind("<", 0, position)
        tag, end = _tag(text, start) if start >= 0 else ({}, position)
        if attribute in tag:
            found.append(tag)
        position = max(end, position + len(attribute))
    return found, named.search(text, position) is not None


def _tag(text: str, start: int) -> tuple[dict[str, str], int]:
    read: dict[str, str] = {}
    name = _TAG_NAME.match(text, start)
    position = name.end() if name else start
    for _ in range(ATTRIBUTES if name else 0):
        match = _TAG_ATTRIBUTE.match(text, position)
        if match is None:
            break
        position = match.end()
        read.setdefault(match[1].lower(), unescape(next((g for g in match.groups()[1:] if g is not None), "")))
    return read, position
