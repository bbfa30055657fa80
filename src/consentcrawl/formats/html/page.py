"""Pages: their meta, link, script and image tags in order; no tree is made.

Any bytes give a page; what is found in a page is still found when more bytes follow.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from consentcrawl.formats.html import xhtml
from consentcrawl.formats.html.elements import Image, Link, Meta, Script, Source
from consentcrawl.formats.html.references import resolve
from consentcrawl.formats.html.remainder import could_matter
from consentcrawl.formats.html.sniffing import Decoded, decode, looks_html
from consentcrawl.formats.html.tokenizer import IMAGES, METADATA, METADATA_AND_ANCHORS, Token, body_begins, tokens

LIMIT = 1024 * 1024
"""The most bytes of a page that are read; longer ones give up with ``html_limit`` where the rest could matter."""
KEPT_LIMIT = 10_000
"""The most metas, links and scripts that are kept of a page, together."""

T = TypeVar("T")

_META = b"<meta"
# Whether a page names a licence in a rel, before its many anchors are read for it.
_REL = re.compile(rb"""[rR][eE][lL][ \t\n\f\r]*+=[ \t\n\f\r]*+["']?+[^"'>]*+\Z""")
_LICENSE = b"icense"
_REL_LIMIT = 200  # bytes from the attribute's name to the token
_ADDRESS = re.compile(r"[\s,]*+(\S++)")
_DESCRIPTORS = re.compile(r"(?:[^,(]++|\([^)]*+\)?)*+")  # a comma in parentheses ends nothing

DATA_TYPES = frozenset({"application/ld+json", "application/rsl+xml", "application/json"})
"""The types of script whose text is data; others are kept only with an id or where they fill ``window.__…``."""


@dataclass(frozen=True, slots=True)
class Page:
    """The tags of a page that are read, in order.

    ``gave_up`` is a reason code: ``html_limit`` when not everything was read, ``truncated`` when the page ends within
    a <meta>, ``encoding`` when the character set is not known (then what is in ASCII was read), in XML syntax
    ``doctype``, ``malformed`` and ``xml_limit`` where that could hide something, or empty.
    ``head_whole``: the reading came as far as the body, so a page that was cut has lost none of its head. Nothing in a
    <template> or a comment is the page's (HTML §4.12.3).
    """

    metas: tuple[Meta, ...]
    links: tuple[Link, ...]
    scripts: tuple[Script, ...]
    base: str
    title: str
    charset: str
    gave_up: str
    head_whole: bool
    starts_as_html: bool
    _images: Callable[[], tuple[Image, ...]] = field(repr=False, compare=False)

    @property
    def images(self) -> tuple[Image, ...]:
        """Every address of an image, in order; read when first asked for, of at most 50,000 tags."""
        return self._images()


def parse(content: bytes, content_type: str = "") -> Page:
    """Read a page; never raises.

    ``content_type`` is the field as received: its charset wins over the page's own. At most ``LIMIT`` bytes are
    read; a page of exactly that many counts as cut, since a reader with the same limit cut it, and the rest of a longer
    one is searched for what could matter.
    """
    decoded = decode(content[:LIMIT], content_type)
    source = Source(decoded.page, decoded.codec)
    reading = _Reading(source)
    reading.read_all()
    xml = xhtml.is_xml(content_type)
    gap = reading.read_xml() if xml else ""
    cut = reading.cut if len(content) <= LIMIT else ""
    return Page(
        metas=tuple(reading.metas),
        links=tuple(reading.links),
        scripts=tuple(reading.scripts),
        base=reading.base,
        title=reading.title,
        charset=decoded.name,
        gave_up="html_limit" if not reading.ended or _is_cut(content, decoded) else cut or gap or decoded.gap,
        head_whole=not reading.in_head,
        starts_as_html=looks_html(content),
        _images=functools.cache(lambda: tuple(_images(source, xml=xml))),
    )


def _is_cut(content: bytes, decoded: Decoded) -> bool:
    """Return whether a page has more bytes than are read, and they could matter."""
    if len(content) <= LIMIT:
        return len(content) == LIMIT
    return not decoded.as_it_was or could_matter(content, LIMIT)


class _Reading:
    """What was read so far of one page."""

    __slots__ = ("base", "cut", "ended", "in_head", "kept", "links", "metas", "scripts", "source", "title")

    def __init__(self, source: Source) -> None:
        """Begin with ``source``."""
        self.source = source
        self.metas: list[Meta] = []
        self.links: list[Link] = []
        self.scripts: list[Script] = []
        self.base = self.title = self.cut = ""
        self.in_head = True
        self.ended = False
        self.kept = 0

    def read_xml(self) -> str:
        """Read the page by XML syntax as well, and put that first; the reason code of what that reading could miss.

        A page that is not well-formed is read by tags, of which one that closes itself begins nothing.
        """
        elements = xhtml.read(self.source.page, self.source.codec)
        first = _Reading(Source(elements.page, "utf-8") if elements.read else self.source)
        if elements.read:
            for token in elements.tokens[:KEPT_LIMIT]:
                _TAKES[token.name](first, token)
        else:
            first.read_all(xml=True)
        self.metas = _merged(first.metas, self.metas, lambda meta: meta[:4])
        self.links = _merged(first.links, self.links, lambda link: link[:3])
        self.scripts = _merged(first.scripts, self.scripts, lambda script: script.text)
        self.base, self.title = first.base or self.base, first.title or self.title
        self.cut = self.cut or first.cut
        return elements.gave_up

    def read_all(self, *, xml: bool = False) -> None:
        """Read the page to its end, or until enough is kept."""
        page = self.source.page
        wanted = METADATA_AND_ANCHORS if _may_name_license(page) else METADATA
        for token in tokens(page, wanted, xml=xml):
            if self.in_head:
                self.in_head = not body_begins(page, token)
            take = _TAKES.get(token.name)
            if take is not None:
                take(self, token)
            if self.kept >= KEPT_LIMIT:
                return
            self.ended = not token.name
            if self.ended and page[token.start : token.start + len(_META)].lower() == _META:
                self.cut = "truncated"


def _merged(first: list[T], again: list[T], key: Callable[[T], object]) -> list[T]:
    """Return what was read first, and behind it what only the second reading has."""
    known = {key(each) for each in first}
    return [*first, *(each for each in again if key(each) not in known)]


def _take_meta(reading: _Reading, token: Token) -> None:
    value, attributes = reading.source.value, token.attributes
    named = value(attributes, b"property") or value(attributes, b"itemprop")
    http_equiv = value(attributes, b"http-equiv").lower()
    reading.kept += 1
    reading.metas.append(
        Meta(
            value(attributes, b"name").lower(),
            value(attributes, b"content"),
            http_equiv,
            named.lower(),
            *token.span,
            reading.source,
        )
    )


def _take_link(reading: _Reading, token: Token) -> None:
    value, attributes = reading.source.value, token.attributes
    rel = frozenset(value(attributes, b"rel").lower().split())
    if token.name == b"a" and "license" not in rel:
        return
    reading.kept += 1
    reading.links.append(
        Link(rel, value(attributes, b"href"), value(attributes, b"type").lower(), *token.span, reading.source)
    )


def _take_script(reading: _Reading, token: Token) -> None:
    source = reading.source
    kind = source.value(token.attributes, b"type").lower().partition(";")[0].strip()
    name = source.value(token.attributes, b"id")
    if kind in DATA_TYPES or name or source.page.find(b"window.__", token.end, token.raw_end) >= 0:
        reading.kept += 1
        reading.scripts.append(Script(kind, name, token.end, token.raw_end, source))


def _take_base(reading: _Reading, token: Token) -> None:
    # §4.2.3: the first base that has a href.
    reading.base = reading.base or reading.source.value(token.attributes, b"href")


def _take_title(reading: _Reading, token: Token) -> None:
    reading.title = reading.title or " ".join(
        resolve(reading.source.text(token.end, token.raw_end), attribute=False).split()
    )


_TAKES: dict[bytes, Callable[[_Reading, Token], None]] = {
    b"meta": _take_meta,
    b"link": _take_link,
    b"a": _take_link,
    b"script": _take_script,
    b"base": _take_base,
    b"title": _take_title,
}


def _images(source: Source, *, xml: bool) -> Iterator[Image]:
    for token in tokens(source.page, IMAGES, xml=xml):
        value, attributes = source.value, token.attributes
        for address in _addresses(value(attributes, b"src"), value(attributes, b"srcset")):
            yield Image(address, *token.span, source)


def _may_name_license(page: bytes) -> bool:
    """Return whether a rel of the page may be ``license`` and its anchors must be read; ours: in this case only."""
    at = page.find(_LICENSE)
    while at >= 0:
        if _REL.search(page, max(0, at - _REL_LIMIT), at):
            return True
        at = page.find(_LICENSE, at + 1)
    return False


def _addresses(src: str, srcset: str) -> list[str]:
    """Return ``src`` and the addresses of ``srcset``, without the empty ones and ``data:`` URLs."""
    return [address for address in (src, *_candidates(srcset)) if address and address[:5].lower() != "data:"]


def _candidates(srcset: str) -> Iterator[str]:
    """Yield the addresses of a srcset (HTML §4.8.4.3.10, "parse a srcset attribute")."""
    position = 0
    while (match := _ADDRESS.match(srcset, position)) is not None:
        address, position = match[1], match.end()
        yield address.rstrip(",")
        if not address.endswith(",") and (descriptors := _DESCRIPTORS.match(srcset, position)):
            position = descriptors.end()
