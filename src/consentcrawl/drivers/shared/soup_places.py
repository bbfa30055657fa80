"""Where a soup names images, videos and sounds, and how each of those places is written without some of them.

A place that is written anew names no address that may not stay; what is not an address stays as it stood.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup, Tag

from consentcrawl.formats.json import parse

Keeps = Callable[[str], bool]
"""Tells whether an address, as it stands, may stay."""

_HOLDERS = {
    "img": ("src",), "amp-img": ("src",), "amp-anim": ("src",), "image": ("src", "href", "xlink:href"),
    "feimage": ("href", "xlink:href"), "source": ("src",), "input": ("src",), "video": ("src", "poster"),
    "audio": ("src",), "embed": ("src",), "object": ("data",), "link": ("href",), "a": ("href",), "area": ("href",),
    "meta": ("content",), "body": ("background",), "table": ("background",), "tr": ("background",),
    "td": ("background",), "th": ("background",),
}  # fmt: skip
_NOTHING_WITHOUT = frozenset(
    {"img", "amp-img", "amp-anim", "image", "feimage", "source", "input", "embed", "object", "link", "meta"}
)
_LATE = frozenset({"img", "amp-img", "image", "source", "video", "audio"})
"""Tags that loaders fill in later, from an attribute with a name of theirs that ends in ``src``."""
_CARD = r"(?:og|twitter):(?:image|video|audio)(?::(?:url|secure_url|src|stream))?"
_names_media = re.compile(rf"{_CARD}|image|thumbnail(?:url)?|contenturl|msapplication-tileimage").fullmatch
_LINKS = frozenset({"image_src", "icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon"})
_PRELOADED = frozenset({"image", "video", "audio"})
_ENDING = r"\.(?:jpe?g|jfif|png|webp|gif|avif|hei[cf]|jxl|svg|tiff?|bmp|mp4|webm|mov|mp3|ogg|wav|flac)(?:[?#].*)?\Z"
_is_media_file = re.compile(_ENDING, re.IGNORECASE | re.DOTALL).search
_is_lazy = re.compile(
    r"data-.*(?:src|original|image|img|bg|background|poster|photo|thumb|full|large|zoom|hi-?res|retina)"
).match
_is_rooted = re.compile(r"(?:https?:)?/", re.IGNORECASE).match
_CANDIDATE = re.compile(r"[\s,]*+(\S++)")
_DESCRIPTORS = re.compile(r"(?:[^,(]++|\([^)]*+\)?)*+")  # a comma in parentheses ends nothing
_CSS_URL = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"'\s]*))\s*\)""", re.IGNORECASE)
_IN_TEXT = re.compile(r"https?:(?:\\?/){2}[^\s\"'<>]+", re.IGNORECASE)
_MEDIA_KEYS = frozenset({"image", "thumbnail", "thumbnailurl", "contenturl", "logo", "photo", "primaryimageofpage"})
_is_media_type = re.compile(r"(?:Image|Video|Audio|Media)Object|Photograph|VisualArtwork").search
_GONE = object()


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """An attribute of a tag that holds addresses, or the text of the tag where ``attribute`` is empty."""

    tag: Tag
    attribute: str
    _rewritten: Callable[[str, Keeps], str]

    @property
    def value(self) -> str:
        """What stands there."""
        return str(self.tag.get(self.attribute) or "") if self.attribute else self.tag.get_text()

    @property
    def addresses(self) -> list[str]:
        """Every address that stands there, each once, as it stands."""
        found: dict[str, None] = {}
        self._rewritten(self.value, lambda address: found.setdefault(address) is None)
        return list(found)

    def drop(self, gone: Iterable[str]) -> None:
        """Write it anew without these addresses."""
        dropped = frozenset(gone)
        value = self._rewritten(self.value, lambda address: address not in dropped)
        if not self.attribute:
            self.tag.string = value
        elif value:
            self.tag[self.attribute] = value
        else:
            del self.tag[self.attribute]


def places(soup: BeautifulSoup) -> Iterator[Place]:
    """Return every place, in the order of the page."""
    for tag in soup.find_all():
        if tag.name == "script":
            if str(tag.get("type", "")).lower().partition(";")[0].strip() == "application/ld+json":
                yield Place(tag, "", _in_json)
            continue
        for attribute, value in tag.attrs.items():
            if value and (rewritten := _how(tag, attribute.lower(), str(value))):
                yield Place(tag, attribute, rewritten)


def sweep(touched: Iterable[Tag]) -> None:
    """Drop the tags that show nothing any more."""
    for tag in touched:
        if tag.decomposed or tag.name not in _NOTHING_WITHOUT or _shows(tag):
            continue
        picture = tag.find_parent("picture")
        if tag.find() is None:
            tag.decompose()
        else:  # what is shown instead of it, or what a parser that takes it for no void element put inside
            tag.unwrap()
        if picture is not None and picture.find(["img", "source"]) is None:
            picture.decompose()


def _shows(tag: Tag) -> bool:
    return any(value and _how(tag, name.lower(), str(value)) for name, value in tag.attrs.items())


def _how(tag: Tag, attribute: str, value: str) -> Callable[[str, Keeps], str] | None:
    """Tell how the addresses in an attribute are written, or None where it holds none."""
    if attribute.endswith("srcset"):  # imagesrcset and data-srcset too
        return _in_set
    if (attribute == "style" or attribute.startswith("data-")) and _CSS_URL.search(value):
        return _in_style
    if attribute in _HOLDERS.get(tag.name.lower(), ()):
        return _alone if _is_of_media(tag, value) else None
    if attribute.endswith("src") and tag.name in _LATE:
        return _alone
    lazy = attribute.startswith("data-") and (_is_media_file(value) or (_is_lazy(attribute) and _is_rooted(value)))
    return _alone if lazy else None


def _is_of_media(tag: Tag, value: str) -> bool:
    """Return whether the one address of a tag is that of an image, a video or a sound."""
    if tag.name in ("a", "area"):
        return _is_media_file(value) is not None
    if tag.name == "input":
        return str(tag.get("type", "")).lower() == "image"
    named = [str(tag.get(key, "")).lower() for key in ("name", "property", "itemprop")]
    if tag.name == "meta":
        return any(map(_names_media, named))
    if tag.name == "link":
        relations = {str(relation).lower() for relation in tag.get_attribute_list("rel")}
        preloads = str(tag.get("as", "")).lower() in _PRELOADED
        return bool(relations & _LINKS) or preloads or any(map(_names_media, named))
    return True


def _alone(value: str, keeps: Keeps) -> str:
    return value if keeps(value.strip()) else ""


def _in_set(value: str, keeps: Keeps) -> str:
    """Write a srcset anew (HTML §4.8.4.3.10, "parse a srcset attribute")."""
    kept, position = [], 0
    while (match := _CANDIDATE.match(value, position)) is not None:
        address, descriptors, position = match[1].rstrip(","), "", match.end()
        if not match[1].endswith(",") and (follows := _DESCRIPTORS.match(value, position)):
            descriptors, position = follows[0].strip(), follows.end()
        if address and keeps(address):
            kept.append(f"{address} {descriptors}".strip())
    return ", ".join(kept)


def _in_style(value: str, keeps: Keeps) -> str:
    def written(match: re.Match[str]) -> str:
        address = next(filter(None, match.groups()), "")
        return match[0] if not address or keeps(address) else "none"

    return _CSS_URL.sub(written, value)


def _in_json(text: str, keeps: Keeps) -> str:
    """Write JSON-LD anew; what is no JSON goes whole where an address in it may not stay."""
    value, gave_up = parse(text)
    if gave_up:
        stay = [keeps(address.replace("\\", "")) for address in _IN_TEXT.findall(text)]
        return text if all(stay) else ""
    left = _left(value, keeps, media=False)
    if left == value:
        return text
    return "" if left is _GONE else json.dumps(left, ensure_ascii=False).replace("</", "<\\/")


def _left(value: Any, keeps: Keeps, *, media: bool) -> Any:  # noqa: ANN401 (any JSON value)
    """Return what is left of a value; ``media`` tells that it is, or lists, the address or description of a work."""
    if isinstance(value, str):
        return value if not media or keeps(value) else _GONE
    if isinstance(value, list):
        return [left for one in value if (left := _left(one, keeps, media=media)) is not _GONE]
    if not isinstance(value, dict):
        return value
    described = media or _is_media_type(str(value.get("@type", ""))) is not None
    keys = _MEDIA_KEYS | {"url", "@id"} if described else _MEDIA_KEYS
    parts = {key: _left(part, keeps, media=key.lower() in keys) for key, part in value.items()}
    left = {key: part for key, part in parts.items() if part is not _GONE}
    return left if len(left) == len(value) or not described else _GONE
