"""TIFF 6.0, BigTIFF and DNG: XMP in tag 700, IPTC in 33723, Photoshop resources in 34377, C2PA in 52545."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from consentcrawl.formats.image import iptc
from consentcrawl.formats.image.finding import Finding

_XMP, _IPTC, _PHOTOSHOP, _C2PA, _SUB_IFDS = 700, 33723, 34377, 52545, 330
_WANTED = {_XMP, _IPTC, _PHOTOSHOP, _C2PA, _SUB_IFDS}
_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # bytes of one value, by type

_EXIF = b"Exif\0\0"
_DIRECTORIES = 64
_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class _Layout:
    """How one kind of TIFF writes its numbers: offsets, count of entries, one entry."""

    offset: Struct
    count: Struct
    entry: Struct
    inline: int
    first: int


def _layout(order: str, *, big: bool) -> _Layout:
    if big:
        return _Layout(Struct(order + "Q"), Struct(order + "Q"), Struct(order + "HHQ8s"), 8, 8)
    return _Layout(Struct(order + "I"), Struct(order + "H"), Struct(order + "HHI4s"), 4, 4)


_LAYOUTS = {
    b"II*\0": _layout("<", big=False),
    b"MM\0*": _layout(">", big=False),
    b"II+\0\x08\0\0\0": _layout("<", big=True),
    b"MM\0+\0\x08\0\0": _layout(">", big=True),
}


def layout_of(content: bytes) -> _Layout | None:
    """How this TIFF writes its numbers, or None when it is none."""
    return _LAYOUTS.get(content[:4]) or _LAYOUTS.get(content[:8])


def read(found: Finding) -> None:
    """Go through every directory once, however they point at one another."""
    layout = layout_of(found.content)
    if layout is None:
        found.give_up("malformed")
        return
    visited: set[int] = set()
    pending, entries = [_number(found.content, layout.first, layout.offset)], 0
    while pending and entries <= _ENTRIES and len(visited) <= _DIRECTORIES:
        at = pending.pop()
        if at in visited:
            continue
        visited.add(at)
        count, further = _directory(at, layout, found, _ENTRIES - entries)
        entries += count
        pending += further
    if any(at not in visited for at in pending) or entries > _ENTRIES:
        found.give_up("image_limit")


def exif(content: bytes, start: int, stop: int, found: Finding) -> None:
    """Keep the XMP (tag 700) of the Exif block between two places; whatever else is odd in one is no gap."""
    start += len(_EXIF) if content.startswith(_EXIF, start) else 0
    layout = _LAYOUTS.get(content[start : start + 4])
    if layout is None:
        return
    at = start + _number(content, start + layout.first, layout.offset)
    table = content[at + 2 : min(stop, at + 2 + _number(content, at, layout.count) * layout.entry.size)]
    if layout.count.pack(_XMP) not in table:
        return
    block = Finding(content[start:stop])
    read(block)
    for packet in block.xmp:
        found.keep_xmp(packet)
    if block.gave_up and not block.xmp:
        found.give_up(block.gave_up)


def _number(content: bytes, at: int, number: Struct) -> int:
    """Read one number, or -1 beyond the end."""
    return int(number.unpack_from(content, at)[0]) if at + number.size <= len(content) else -1


def _directory(at: int, layout: _Layout, found: Finding, left: int) -> tuple[int, list[int]]:
    """Read one directory: how many entries it states, and where further ones lie."""
    count = _number(found.content, at, layout.count) if at > 0 else -1
    start = at + layout.count.size
    if count < 0 or start + min(count, left) * layout.entry.size > len(found.content):
        found.give_up("truncated")
        return 0, []
    further: list[int] = []
    table = found.content[start : start + min(count, left) * layout.entry.size]
    for tag, kind, values, field in layout.entry.iter_unpack(table):
        found.stray_bytes = found.stray_bytes or not 0 < kind < len(_SIZES)  # this is no directory
        if tag in _WANTED and len(further) <= _DIRECTORIES:
            size = _SIZES[kind] if kind < len(_SIZES) else 0
            further += _entry(tag, size * values, field, layout, found)
    after = _number(found.content, start + count * layout.entry.size, layout.offset) if count <= left else 0
    if after < 0:
        found.give_up("truncated")
    return count, [*further, after] if after > 0 else further


def _entry(tag: int, length: int, field: bytes, layout: _Layout, found: Finding) -> list[int]:
    """Keep the value of one entry; give the offsets of further directories if that is what it holds."""
    at = layout.offset.unpack(field)[0]
    if tag == _C2PA:
        found.keep_span(at, length)
    size = layout.offset.size
    inline = length <= layout.inline
    value = field[:length] if inline else found.cut(at, min(length, len(found.content) + 1))
    if tag == _SUB_IFDS:
        return [offset for (offset,) in layout.offset.iter_unpack(value[: len(value) // size * size]) if offset]
    keep = _KEEP.get(tag)
    if keep is not None and value:
        keep(value, found)
    return []


def _keep_xmp(value: bytes, found: Finding) -> None:
    found.keep_xmp(value)


def _keep_iptc(value: bytes, found: Finding) -> None:
    found.keep_iptc(value)


_KEEP = {_XMP: _keep_xmp, _IPTC: _keep_iptc, _PHOTOSHOP: iptc.read}
