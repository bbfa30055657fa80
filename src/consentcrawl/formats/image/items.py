"""The items of a HEIF file (ISO 14496-12 §8.11): which of them is XMP (``iinf``), and where it lies (``iloc``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from consentcrawl.formats.image.finding import Finding

_ITEMS = 10_000
_EXTENTS = 10_000
_FILE, _IDAT = 0, 1

Parts = dict[bytes, tuple[int, int]]


@dataclass(slots=True)
class _Reader:
    """Numbers in order out of a part of the content; beyond its end they are zero and ``short`` is set."""

    content: bytes
    at: int
    end: int
    short: bool = False

    def number(self, size: int) -> int:
        data = self.take(size)
        return int.from_bytes(data, "big")

    def take(self, size: int) -> bytes:
        self.short = self.short or self.at + size > self.end
        data = self.content[self.at : min(self.at + size, self.end)]
        self.at += size
        return data

    def word(self) -> bytes:
        """Read up to a zero byte."""
        stop = self.content.find(b"\0", self.at, self.end)
        stop = self.end if stop < 0 else stop
        word = self.content[self.at : stop]
        self.at = stop + 1
        return word


def read(found: Finding, parts: Parts) -> None:
    """Keep every item that is XMP."""
    wanted = set(_xmp_items(found, *parts[b"iinf"]))
    if not wanted:
        return
    if b"iloc" not in parts:
        found.give_up("malformed")
        return
    idat = parts.get(b"idat", (0, 0))[0]
    for item, method, extents in _locations(found, *parts[b"iloc"]):
        if item in wanted:
            wanted.discard(item)
            _keep(found, method, extents, idat)
    if wanted:
        found.give_up("malformed")


def _xmp_items(found: Finding, start: int, stop: int) -> Iterator[int]:
    """Return the identifiers of the items whose media type is XMP's."""
    table = _Reader(found.content, start, stop)
    left = table.number(2 if table.number(4) >> 24 == 0 else 4)
    for _ in range(min(left, _ITEMS)):
        size = table.number(4)
        entry = _Reader(found.content, table.at, min(table.at + max(size - 4, 0), stop))
        if table.short or size < 8:  # noqa: PLR2004 (a box is not shorter)
            found.give_up("malformed")
            return
        table.at = entry.end
        yield from _xmp_item(found, entry)
    if left > _ITEMS:
        found.give_up("image_limit")


def _xmp_item(found: Finding, entry: _Reader) -> Iterator[int]:
    """Read one ``infe`` box: version, identifier, protection, type, name, media type, content coding."""
    entry.take(4)
    version = entry.number(4) >> 24
    item = entry.number(4 if version > 2 else 2)  # noqa: PLR2004 (as the standard has it)
    entry.take(2)
    kind = entry.take(4) if version > 1 else b"mime"
    if kind != b"mime":
        return
    entry.word()
    media_type, coding = entry.word().strip().lower(), entry.word()
    if not media_type.startswith(b"application/rdf+xml"):
        return
    if coding:
        found.give_up("unsupported")
        return
    yield item


def _locations(found: Finding, start: int, stop: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Return identifier, construction method and extents of each item of an ``iloc`` box."""
    table = _Reader(found.content, start, stop)
    version = table.number(4) >> 24
    sizes = table.number(2)
    offset, length, base, index = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15 if version else 0
    wide = 4 if version > 1 else 2
    left, spare = table.number(wide), _EXTENTS
    for _ in range(min(left, _ITEMS)):
        item, method = table.number(wide), table.number(2) & 15 if version else _FILE
        table.take(2)
        origin, count = table.number(base), table.number(2)
        extents = []
        for _ in range(min(count, spare)):
            table.take(index)
            extents.append((origin + table.number(offset), table.number(length)))
        spare -= count
        if table.short or spare < 0:
            found.give_up("malformed" if table.short else "image_limit")
            return
        yield item, method, extents
    if left > _ITEMS:
        found.give_up("image_limit")


def _keep(found: Finding, method: int, extents: list[tuple[int, int]], idat: int) -> None:
    """Put an item together out of the file or the ``idat`` box; an extent of length 0 goes to the end."""
    if method not in (_FILE, _IDAT):
        found.give_up("unsupported")
        return
    origin = idat if method == _IDAT else 0
    whole = len(found.content)
    pieces = [found.cut(origin + at, length or max(0, whole - origin - at)) for at, length in extents]
    found.keep_xmp(b"".join(pieces))
