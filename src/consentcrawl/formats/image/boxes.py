"""The box formats (ISO 14496-12): AVIF and HEIF, JPEG XL (ISO 18181-2) and JPEG 2000 (ISO 15444-1 annex I)."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from consentcrawl.formats.image import items
from consentcrawl.formats.image.finding import STEPS, Finding

_HEAD = Struct(">I4s")
_LARGE = Struct(">Q")
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.2 appendix A.5
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # XMP part 3 §1.1.5
_UUID = 16

Box = tuple[bytes, int, int]
"""Type, and where its content starts and ends."""


def boxes(found: Finding, at: int, end: int) -> Iterator[Box]:
    """Return the boxes between two places; a box that reaches beyond the end is given short, and noted."""
    content = found.content
    for _ in range(STEPS):
        if at + _HEAD.size > end:
            if at < end:
                found.give_up("truncated")
            return
        size, kind = _HEAD.unpack_from(content, at)
        start = at + _HEAD.size
        if size == 1:
            size = _LARGE.unpack_from(content, start)[0] if start + _LARGE.size <= end else 0
            start += _LARGE.size
        stop = end if size == 0 else at + size
        if stop < start:
            found.give_up("malformed")
            return
        if stop > end:
            found.give_up("truncated")
        yield kind, start, min(stop, end)
        at = stop
    found.give_up("image_limit")


def read(found: Finding) -> None:
    """Go through the top-level boxes to the end of the content."""
    for kind, start, stop in boxes(found, 0, len(found.content)):
        reader = _BOXES.get(kind)
        if reader is not None:
            reader(found, start, stop)


def _uuid(found: Finding, start: int, stop: int) -> None:
    name = found.content[start : start + _UUID]
    if name == _XMP:
        found.keep_xmp(found.content[start + _UUID : stop])
    elif name == _C2PA:
        found.keep_span(start + _UUID, max(0, stop - start - _UUID))


def _meta(found: Finding, start: int, stop: int) -> None:
    """Read a ``meta`` box: version and flags, then boxes of which three tell where the items are."""
    parts = {kind: (begin, end) for kind, begin, end in boxes(found, start + 4, stop)}
    if b"iinf" in parts:
        items.read(found, parts)


def _xml(found: Finding, start: int, stop: int) -> None:
    found.keep_xmp(found.content[start:stop])


def _jumb(found: Finding, start: int, stop: int) -> None:
    found.keep_span(start, stop - start)


def _brob(found: Finding, start: int, stop: int) -> None:
    """Note a Brotli-compressed box (ISO 18181-2 §9.8) of a kind that matters: it is not unpacked."""
    if found.content[start : start + 4] in (b"xml ", b"jumb"):
        found.give_up("unsupported")
    if found.content[start : start + 4] == b"jumb":
        found.keep_span(start, stop - start)


_BOXES = {b"uuid": _uuid, b"meta": _meta, b"xml ": _xml, b"jumb": _jumb, b"brob": _brob}
