"""WebP (RFC 9649 §2): RIFF chunks, of which those for XMP and C2PA come last."""

from __future__ import annotations

from struct import Struct

from consentcrawl.formats.image import tiff
from consentcrawl.formats.image.finding import STEPS, Finding

_HEAD = Struct("<4sI")
_FIRST = 12  # "RIFF", size, "WEBP"
_EXTENDED, _FLAGS, _HAS_XMP = b"VP8X\x0a\0\0\0", 20, 4  # RFC 9649 §2.7: the chunk that names the others


def read(found: Finding) -> None:
    """Go through the chunks; those that were added behind the stated end are read as well."""
    content, at, end = found.content, _FIRST, len(found.content)
    stated = _HEAD.unpack_from(content)[1] + 8
    for _ in range(STEPS):
        if at + _HEAD.size > end:
            break
        kind, length = _HEAD.unpack_from(content, at)
        start = at + _HEAD.size
        # Some writers fill the fourth byte of the name with zero.
        if kind in (b"XMP ", b"XMP\0"):
            found.keep_xmp(found.cut(start, length))
        elif kind == b"C2PA":
            found.keep_span(start, min(length, end - start))
        elif kind == b"EXIF":
            tiff.exif(content, start, min(start + length, end), found)
        elif at >= stated:
            break  # no chunk, whatever it is
        at = start + length + length % 2
    else:
        found.give_up("image_limit")
    promised = content.startswith(_EXTENDED, _FIRST) and any(flag & _HAS_XMP for flag in content[_FLAGS : _FLAGS + 1])
    found.stray_bytes = promised and not found.xmp
    if max(at, stated) > end + 1:  # a missing last byte of padding is forgiven
        found.give_up("truncated")
