"""The elements that are kept of a page: their values at once, the tag as it stood and its line when asked for.

Lines are counted once for as long as they are asked for in order.
"""

from __future__ import annotations

import builtins
from typing import NamedTuple

from consentcrawl.formats.html.references import resolve

_QUOTE_LIMIT = 300  # characters of a tag as it stood


class Source:
    """A page whose values are in ``codec``."""

    __slots__ = ("_at", "codec", "page")

    def __init__(self, page: bytes, codec: str) -> None:
        """Begin to count lines at the first."""
        self.page, self.codec = page, codec
        self._at = (0, 1)

    def value(self, attributes: dict[bytes, bytes], name: bytes) -> str:
        """Return an attribute, trimmed, its character references resolved; empty when it is not there."""
        value = attributes.get(name)
        if not value:
            return ""
        text = value.decode(self.codec, "replace")
        if "\0" in text:  # §13.2.5.36 to 38: NUL becomes U+FFFD
            text = text.replace("\0", "\ufffd")
        return resolve(text, attribute=True).strip()

    def where(self, start: int) -> str:
        """Return the line on which ``start`` is."""
        counted, line = self._at
        if start < counted:
            counted, line = 0, 1
        line += self.page.count(b"\n", counted, start)
        self._at = (start, line)  # in one step: threads share what was read
        return f"line {line}"

    def quote(self, start: int, end: int) -> str:
        """Return the page from ``start`` to ``end``, cut to 300 characters."""
        return self.text(start, end)[:_QUOTE_LIMIT]

    def text(self, start: int, end: int) -> str:
        """Return the page from ``start`` to ``end``."""
        return self.page[start:end].decode(self.codec, "replace")


class Meta(NamedTuple):
    """One <meta>: ``name``, ``http_equiv`` and ``property`` (or ``itemprop``) are in lower case, ``content`` is not.

    ``where`` is for a person (``line 12``), ``text`` is the tag as it stood, cut to 300 characters.
    """

    name: str
    content: str
    http_equiv: str
    property: str
    start: int
    end: int
    source: Source

    @builtins.property
    def where(self) -> str:
        """The line it stands on."""
        return self.source.where(self.start)

    @builtins.property
    def text(self) -> str:
        """The tag as it stood."""
        return self.source.quote(self.start, self.end)


class Link(NamedTuple):
    """One <link>, or one <a rel=license>; ``rel`` and ``type`` are in lower case, ``href`` is as it stood."""

    rel: frozenset[str]
    href: str
    type: str
    start: int
    end: int
    source: Source

    @property
    def where(self) -> str:
        """The line it stands on."""
        return self.source.where(self.start)

    @property
    def text(self) -> str:
        """The tag as it stood, cut to 300 characters."""
        return self.source.quote(self.start, self.end)


class Image(NamedTuple):
    """One address that <img> or <source> may show (src, or one of srcset), as it stood: relative to the page's base."""

    src: str
    start: int
    end: int
    source: Source

    @property
    def where(self) -> str:
        """The line it stands on."""
        return self.source.where(self.start)


class Script(NamedTuple):
    """One <script> that holds data: JSON-LD, an RSL licence, or the state of a platform's page; where its text lies."""

    type: str
    id: str
    start: int
    end: int
    source: Source

    @property
    def where(self) -> str:
        """The line it stands on."""
        return self.source.where(self.start)

    @property
    def text(self) -> str:
        """The text between its tags."""
        return self.source.text(self.start, self.end)
