"""What is embedded in an image: XMP, IPTC-IIM and C2PA manifests, found without decoding a pixel.

No length is trusted, every read lies within the content, and what was not read is a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from consentcrawl.formats import xml
from consentcrawl.formats.image import boxes, gif, jpeg, png, psd, svg, tiff, unread, webp
from consentcrawl.formats.image.finding import Finding, Reader, Span, scan

_BRANDS = {
    b"avif": "avif",
    b"avis": "avif",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"), "heif"),
}
_JXL = b"\0\0\0\x0cJXL \r\n\x87\n"
_JXL_PIXELS = b"\xff\x0a"
_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_SVG_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Embedded:
    """What an image carries.

    ``format`` is empty when the content is no image of a known kind; then ``gave_up`` tells whether it could be one.
    ``xmp`` are packets as they stand (extended XMP of a JPEG is put together), ``iptc`` blocks of IPTC-IIM, ``c2pa``
    where the parts of a manifest store lie. ``gave_up`` is a reason code: ``truncated``, ``malformed``,
    ``unsupported``, ``doctype``, ``image_limit``, ``body_ratio``.
    """

    format: str = ""
    xmp: tuple[bytes, ...] = ()
    iptc: tuple[bytes, ...] = ()
    c2pa: tuple[Span, ...] = ()
    gave_up: str = ""

    @property
    def whole(self) -> bool:
        """Return whether everything that can hold metadata was read."""
        return not self.gave_up


NO_IMAGE = Embedded()


def find(content: bytes) -> Embedded:
    """Find what is embedded in an image; never raises, and costs no more than the limits in ``finding`` allow."""
    name, reader = kind_of(content)
    if reader is None:
        return Embedded(name) if name else NO_IMAGE
    found = Finding(content)
    reader(found)
    if (found.gave_up or found.stray_bytes) and not found.xmp:
        scan(found)
    if not (found.xmp or found.iptc or found.c2pa or found.gave_up):
        return _bare(name)
    return Embedded(name, tuple(found.xmp), tuple(found.iptc), tuple(found.c2pa), found.gave_up)


@cache
def _bare(name: str) -> Embedded:
    """An image of this kind in which nothing is embedded."""
    return Embedded(name)


_SIGNATURES: dict[bytes, tuple[tuple[bytes, ...], str, Reader]] = {
    b"\xff\xd8": ((b"\xff\xd8",), "jpeg", jpeg.read),
    b"\x89P": ((png.SIGNATURE,), "png", png.read),
    b"GI": ((b"GIF8",), "gif", gif.read),
    b"RI": ((b"RIFF",), "webp", webp.read),
    b"8B": (psd.SIGNATURES, "psd", psd.read),
    b"II": ((b"II*\0", b"II+\0"), "tiff", tiff.read),
    b"MM": ((b"MM\0*", b"MM\0+"), "tiff", tiff.read),
}


def kind_of(content: bytes) -> tuple[str, Reader | None]:
    """Return the name of an image format by the first bytes, or an empty one; and what reads the content, if needed."""
    known = _SIGNATURES.get(content[:2])
    if known is not None:
        signatures, name, reader = known
        other = name == "webp" and content[8:12] != b"WEBP"
        return (name, reader) if content.startswith(signatures) and not other else unread.kind_of(content)
    if content[:1] == b"\0":
        return _boxed(content)
    if content.startswith(_JXL_PIXELS):
        return "jxl", None
    return ("svg", svg.read) if _is_svg(content) else unread.kind_of(content)


def _boxed(content: bytes) -> tuple[str, Reader | None]:
    if content.startswith(_JXL):
        return "jxl", boxes.read
    if content.startswith(_JP2):
        return "jp2", boxes.read
    if content[4:8] != b"ftyp":
        return unread.kind_of(content)
    size = min(int.from_bytes(content[:4], "big"), 256)
    brands = [content[8:12], *(content[n : n + 4] for n in range(16, size, 4))]
    name = next((_BRANDS[brand] for brand in brands if brand in _BRANDS), "")
    return (name, boxes.read) if name else unread.kind_of(content)


def _is_svg(content: bytes) -> bool:
    """Return whether the root element is SVG's; in UTF-16 too."""
    head = xml.plain(content[:_SVG_HEAD])
    text = head.encode() if isinstance(head, str) else head
    return text[:1] == b"<" and svg.root_of(text) >= 0
