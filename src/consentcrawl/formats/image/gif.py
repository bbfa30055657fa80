"""GIF89a: XMP and C2PA in application extensions, anywhere among the pictures."""

from __future__ import annotations

from consentcrawl.formats.image.finding import Finding

_BLOCKS = 200_000
_EXTENSION_COST = 3  # blocks, beside its own: no image has 50,000 extensions
_SCREEN = 13  # signature and logical screen descriptor
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_APPLICATION = b"\xff\x0b"
_XMP = b"XMP DataXMP"
_C2PA = b"C2PA_GIF\x01\0\0"
# XMP part 3 §1.1.2: the bytes that lead a decoder which takes the packet for sub-blocks to its end.
_MAGIC = bytes([1, *range(255, -1, -1), 0])


def read(found: Finding) -> None:
    """Go through the blocks to the trailer."""
    content, blocks = found.content, 0
    at = _SCREEN + _table(content, 10)
    while 0 <= at < len(content) and blocks < _BLOCKS:
        kind = content[at]
        if kind == _TRAILER:
            # Sub-blocks that are out of step may have swallowed a packet: its trailer leads to their end.
            found.stray_bytes = at + 1 < len(content) or (not found.xmp and _XMP in content)
            return
        if kind == _EXTENSION:
            at, count = _extension(at, found)
            blocks += _EXTENSION_COST
        elif kind == _IMAGE:
            at, count = _sub_blocks(content, at + 10 + _table(content, at + 9) + 1)
        else:
            found.give_up("malformed")
            return
        blocks += count
    found.give_up("image_limit" if blocks >= _BLOCKS else "truncated")


def _table(content: bytes, at: int) -> int:
    """Return the size in bytes of the colour table that the flags at ``at`` announce."""
    flags = content[at] if at < len(content) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _extension(at: int, found: Finding) -> tuple[int, int]:
    content = found.content
    data = at + 3 + len(_XMP)
    if content.startswith(_APPLICATION + _XMP, at + 1):
        return _xmp(data, found)
    end, count = _sub_blocks(content, at + 2)
    if content.startswith(_APPLICATION + _C2PA, at + 1):
        found.keep_span(data, max(0, (end if end >= 0 else len(content)) - data))
    return end, count


def _xmp(at: int, found: Finding) -> tuple[int, int]:
    """Keep a packet, which is written plainly up to the magic trailer, or (by some writers) in sub-blocks."""
    content = found.content
    magic = content.find(_MAGIC, at)
    if magic >= 0:
        found.keep_xmp(content[at:magic])
        return magic + len(_MAGIC), 1
    end, count = _sub_blocks(content, at)
    if content[at + 1 : at + 2] not in (b"<", b"\xef") or end < 0:
        found.give_up("malformed")
        return -1, count
    found.keep_xmp(_joined(content, at))
    return end, count


def _sub_blocks(content: bytes, at: int) -> tuple[int, int]:
    """Return where a run of sub-blocks ends, or -1 beyond the content or the limit, and how many there were."""
    end, count = len(content), 1
    while at < end and count <= _BLOCKS:
        size = content[at]
        at += size + 1
        if not size:
            return at, count
        count += 1
    return -1, count


def _joined(content: bytes, at: int) -> bytes:
    pieces = []
    while size := content[at]:
        pieces.append(content[at + 1 : at + 1 + size])
        at += size + 1
    return b"".join(pieces)
