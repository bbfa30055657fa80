"""Pages: what their meta, link, script and image tags say, found by reading tags in order; no tree is made.

Any bytes give a page; what is found in a page is still found when more bytes follow.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from consentcrawl.formats import _charset, _srcset, _tags
from consentcrawl.formats._licenses import may_name_license
from consentcrawl.formats._references import resolve
from consentcrawl.formats._said import Image, Link, Meta, Script, Source
from consentcrawl.formats._sniff import is_page, looks_html
from consentcrawl.formats._tags import Token

__all__ = [
    "DATA_TYPES",
    "KEPT_LIMIT",
    "LIMIT",
    "Image",
    "Link",
    "Meta",
    "Page",
    "Script",
    "is_page",
    "looks_html",
    "parse",
]

LIMIT = 1024 * 1024
"""The most bytes of a page that are read; longer pages give up with ``html_limit``."""
KEPT_LIMIT = 10_000
"""The most metas, links and scripts that are kept of a page, together."""

_META = b"<meta"

DATA_TYPES = frozenset({"application/ld+json", "application/rsl+xml", "application/json"})
"""The types of script whose text is data; others are kept only with an id or where they fill ``window.__…``."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says in its tags, in order.

    ``gave_up`` is a reason code: ``html_limit`` when not everything was read, ``truncated`` when the page ends within
    a <meta>, ``encoding`` when the character set is not known (then what is in ASCII was read), or empty.
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
    read; a page of exactly that many counts as cut, since a reader with the same limit cut it.
    """
    reading = _charset.read(content[:LIMIT], content_type)
    source = Source(reading.page, reading.codec)
    notes = _Notes(source)
    notes.take_all()
    return Page(
        metas=tuple(notes.metas),
        links=tuple(notes.links),
        scripts=tuple(notes.scripts),
        base=notes.base,
        title=notes.title,
        charset=reading.name,
        gave_up="html_limit" if not notes.ended or len(content) >= LIMIT else notes.cut or reading.gap,
        head_whole=not notes.in_head,
        starts_as_html=looks_html(content),
        _images=functools.cache(lambda: tuple(_shown(source))),
    )


class _Notes:
    """What was found so far in one page."""

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

    def take_all(self) -> None:
        """Read the page to its end, or until enough is kept."""
        page = self.source.page
        net = _tags.SIGNS_AND_ANCHORS if may_name_license(page) else _tags.SIGNS
        for token in _tags.tokens(page, net):
            if self.in_head:
                self.in_head = not _tags.body_begins(page, token)
            take = _TAKES.get(token.name)
            if take is not None:
                take(self, token)
            if self.kept >= KEPT_LIMIT:
                return
            self.ended = not token.name
            if self.ended and page[token.start : token.start + len(_META)].lower() == _META:
                self.cut = "truncated"


def _take_meta(notes: _Notes, token: Token) -> None:
    value, said = notes.source.value, token.attributes
    named = value(said, b"property") or value(said, b"itemprop")
    http_equiv = value(said, b"http-equiv").lower()
    notes.kept += 1
    notes.metas.append(
        Meta(
            value(said, b"name").lower(), value(said, b"content"), http_equiv, named.lower(), *token.span, notes.source
        )
    )


def _take_link(notes: _Notes, token: Token) -> None:
    value, said = notes.source.value, token.attributes
    rel = frozenset(value(said, b"rel").lower().split())
    if token.name == b"a" and "license" not in rel:
        return
    notes.kept += 1
    notes.links.append(Link(rel, value(said, b"href"), value(said, b"type").lower(), *token.span, notes.source))


def _take_script(notes: _Notes, token: Token) -> None:
    source = notes.source
    kind = source.value(token.attributes, b"type").lower().partition(";")[0].strip()
    name = source.value(token.attributes, b"id")
    if kind in DATA_TYPES or name or source.page.find(b"window.__", token.end, token.raw_end) >= 0:
        notes.kept += 1
        notes.scripts.append(Script(kind, name, token.end, token.raw_end, source))


def _take_base(notes: _Notes, token: Token) -> None:
    # §4.2.3: the first base that has a href.
    notes.base = notes.base or notes.source.value(token.attributes, b"href")


def _take_title(notes: _Notes, token: Token) -> None:
    notes.title = notes.title or " ".join(resolve(notes.source.text(token.end, token.raw_end), attribute=False).split())


_TAKES: dict[bytes, Callable[[_Notes, Token], None]] = {
    b"meta": _take_meta,
    b"link": _take_link,
    b"a": _take_link,
    b"script": _take_script,
    b"base": _take_base,
    b"title": _take_title,
}


def _shown(source: Source) -> Iterator[Image]:
    for token in _tags.tokens(source.page, _tags.PICTURES):
        value, said = source.value, token.attributes
        for address in _srcset.addresses(value(said, b"src"), value(said, b"srcset")):
            yield Image(address, *token.span, source)
