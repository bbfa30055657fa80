"""Pages: what their meta, link, script and image tags say, found by reading tags in order; no tree is made.

Law: any bytes give a page; what is found in a page is still found when more bytes follow.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from consentcrawl.formats import _charset, _srcset, _tags
from consentcrawl.formats._licenses import may_name_license
from consentcrawl.formats._references import resolve
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
_QUOTE_LIMIT = 300  # characters of a tag as it stood

DATA_TYPES = frozenset({"application/ld+json", "application/rsl+xml", "application/json"})
"""The types of script whose text is data; others are kept only with an id or where they fill ``window.__…``."""


@dataclass(frozen=True, slots=True)
class Meta:
    """One <meta>: ``name``, ``http_equiv`` and ``property`` (or ``itemprop``) are in lower case, ``content`` is not.

    ``where`` is for a person (``line 12``), ``text`` is the tag as it stood, cut to 300 characters.
    """

    name: str
    content: str
    http_equiv: str
    property: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """One <link>, or one <a rel=license>; ``rel`` and ``type`` are in lower case, ``href`` is as it stood."""

    rel: frozenset[str]
    href: str
    type: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """One address that <img> or <source> may show (src, or one of srcset), as it stood: relative to the page's base."""

    src: str
    where: str


@dataclass(frozen=True, slots=True)
class Script:
    """One <script> that holds data: JSON-LD, an RSL licence, or the state of a platform's page."""

    type: str
    text: str
    where: str
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says in its tags, in order.

    ``gave_up`` is a reason code: ``html_limit`` when not everything was read, ``encoding`` when the character set is
    not known (then what is in ASCII was read), or empty. ``head_whole``: the reading came as far as the body, so a
    page that was cut has lost none of its head. Nothing in a <template> or a comment is the page's (HTML §4.12.3).
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
    notes = _Notes(reading.page, reading.codec)
    notes.take_all()
    return Page(
        metas=tuple(notes.metas),
        links=tuple(notes.links),
        scripts=tuple(notes.scripts),
        base=notes.base,
        title=notes.title,
        charset=reading.name,
        gave_up="html_limit" if not notes.ended or len(content) >= LIMIT else reading.gap,
        head_whole=not notes.in_head,
        starts_as_html=looks_html(content),
        _images=functools.cache(lambda: tuple(_shown(_Notes(reading.page, reading.codec)))),
    )


class _Notes:
    """What was found so far in one page."""

    __slots__ = (
        "_counted",
        "_line",
        "base",
        "codec",
        "ended",
        "in_head",
        "kept",
        "links",
        "metas",
        "page",
        "scripts",
        "title",
    )

    def __init__(self, page: bytes, codec: str) -> None:
        """Begin with ``page``, whose values are in ``codec``."""
        self.page, self.codec = page, codec
        self.metas: list[Meta] = []
        self.links: list[Link] = []
        self.scripts: list[Script] = []
        self.base = self.title = ""
        self.in_head = True
        self.ended = False
        self.kept = self._counted = 0
        self._line = 1

    def take_all(self) -> None:
        """Read the page to its end, or until enough is kept."""
        net = _tags.SIGNS_AND_ANCHORS if may_name_license(self.page) else _tags.SIGNS
        for token in _tags.tokens(self.page, net):
            if self.in_head:
                self.in_head = not _tags.body_begins(self.page, token)
            take = _TAKES.get(token.name)
            if take is not None:
                take(self, token)
            if self.kept >= KEPT_LIMIT:
                return
            self.ended = not token.name

    def where(self, token: Token) -> str:
        """The line ``token`` stands on; asked in order, so that lines are counted once."""
        self._line += self.page.count(b"\n", self._counted, token.start)
        self._counted = token.start
        return f"line {self._line}"

    def quote(self, token: Token) -> str:
        """The tag as it stood."""
        return self.page[token.start : token.end].decode(self.codec, "replace")[:_QUOTE_LIMIT]

    def raw(self, token: Token) -> str:
        """The raw text behind the tag."""
        return self.page[token.end : token.raw_end].decode(self.codec, "replace")

    def value(self, token: Token, name: bytes) -> str:
        """An attribute, trimmed, its character references resolved; empty when it is not there."""
        value = token.attributes.get(name)
        return _resolved(value, self.codec) if value else ""


def _resolved(value: bytes, codec: str) -> str:
    # §13.2.5.36 to 38: NUL becomes U+FFFD.
    return resolve(value.decode(codec, "replace").replace("\0", "\ufffd"), attribute=True).strip()


def _take_meta(notes: _Notes, token: Token) -> None:
    value = functools.partial(notes.value, token)
    notes.kept += 1
    notes.metas.append(
        Meta(
            name=value(b"name").lower(),
            content=value(b"content"),
            http_equiv=value(b"http-equiv").lower(),
            property=(value(b"property") or value(b"itemprop")).lower(),
            where=notes.where(token),
            text=notes.quote(token),
        )
    )


def _take_link(notes: _Notes, token: Token) -> None:
    value = functools.partial(notes.value, token)
    rel = frozenset(value(b"rel").lower().split())
    if token.name == b"a" and "license" not in rel:
        return
    notes.kept += 1
    notes.links.append(Link(rel, value(b"href"), value(b"type").lower(), notes.where(token), notes.quote(token)))


def _take_script(notes: _Notes, token: Token) -> None:
    kind = notes.value(token, b"type").lower().partition(";")[0].strip()
    name = notes.value(token, b"id")
    if kind in DATA_TYPES or name or notes.page.find(b"window.__", token.end, token.raw_end) >= 0:
        notes.kept += 1
        notes.scripts.append(Script(kind, notes.raw(token), notes.where(token), name))


def _take_base(notes: _Notes, token: Token) -> None:
    # §4.2.3: the first base that has a href.
    notes.base = notes.base or notes.value(token, b"href")


def _take_title(notes: _Notes, token: Token) -> None:
    notes.title = notes.title or " ".join(resolve(notes.raw(token), attribute=False).split())


_TAKES: dict[bytes, Callable[[_Notes, Token], None]] = {
    b"meta": _take_meta,
    b"link": _take_link,
    b"a": _take_link,
    b"script": _take_script,
    b"base": _take_base,
    b"title": _take_title,
}


def _shown(notes: _Notes) -> Iterator[Image]:
    for token in _tags.tokens(notes.page, _tags.PICTURES):
        addresses = _srcset.addresses(notes.value(token, b"src"), notes.value(token, b"srcset"))
        if addresses:
            where = notes.where(token)
            yield from (Image(address, where) for address in addresses)
