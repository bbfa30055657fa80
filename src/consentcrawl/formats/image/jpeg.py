"""JPEG (ITU-T T.81 annex B): XMP and Exif in APP1, extended XMP by GUID, JUMBF in APP11, IPTC in APP13."""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import Struct

from consentcrawl.formats.image import iptc, tiff
from consentcrawl.formats.image.finding import STEPS, TOTAL_LIMIT, XMP_HEADER, XMP_HEADERS, XMP_NAMESPACE, Finding

_EXIF = b"Exif\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_JUMBF = b"JP"

_MARKER = re.compile(rb"\xff[^\xff\0]")
_SOI_SIZE = 2
_SCAN = b"\xff\xda"
_U16 = Struct(">H")
_PART = Struct(">32sII")  # GUID, length of the whole, offset of this part (XMP part 3, §1.1.3.1)
_NEEDS_MORE = re.compile(rb"HasExtendedXMP\s*(?:=\s*[\"']|>)\s*([0-9A-Fa-f]*)")
_JUMBF_HEAD = Struct(">2sHII4s")  # identifier, instance, sequence (ISO 19566-5 annex D), then the box: length, type
_LONG = Struct(">Q")

_APP1, _APP11, _APP13, _SOS, _EOI = 0xE1, 0xEB, 0xED, 0xDA, 0xD9
_FILL = 0xFF
_PLAIN = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDD, 0xE0, 0xEE, 0xFE})  # SOF and DHT, DQT, DRI, JFIF, Adobe, COM
_BARE = {0x01, *range(0xD0, 0xD9)}  # TEM, RST and SOI carry no length

Parts = dict[bytes, list[tuple[int, int, bytes]]]


def read(found: Finding) -> None:
    """Go through the segments before the first scan; behind it look for XMP only."""
    content = found.content
    at = _past_plain(content, _SOI_SIZE)
    if content.startswith(_SCAN, at):
        _late(at, found)  # nothing of interest before the pixels, as in most images
        if found.xmp:
            _assemble({}, found)
    else:
        _walk(found, at)


def _walk(found: Finding, at: int) -> None:
    parts: Parts = {}
    resources: list[bytes] = []
    jumbf: dict[int, list[int]] = {}
    content = found.content
    for marker, start, stop in _segments(found, at):
        if marker == _APP1:
            _app1(content, start, stop, found, parts)
        elif marker == _APP11 and content.startswith(_JUMBF, start):
            found.keep_span(start, stop - start)
            _app11(content, start, stop, found, jumbf)
        elif marker == _APP13 and content.startswith(_PHOTOSHOP, start):
            resources.append(content[start + len(_PHOTOSHOP) : stop])
    if resources:
        iptc.read(b"".join(resources), found)
    if any(stated > there for stated, there in jumbf.values()):
        found.give_up("truncated")
    if parts or found.xmp:
        _assemble(parts, found)


def _segments(found: Finding, at: int) -> Iterator[tuple[int, int, int]]:
    """Return marker, start and end of each segment from ``at`` on; stray bytes are skipped, as decoders do."""
    content = found.content
    for _ in range(STEPS):
        at = _past_plain(content, at)
        marker = _MARKER.search(content, at)
        if marker is None:
            found.give_up("truncated")
            return
        found.stray_bytes = found.stray_bytes or content[at] != _FILL
        at, code = marker.end(), content[marker.end() - 1]
        if code in _BARE:
            continue
        if code in (_SOS, _EOI):
            _late(at, found)
            return
        length = _U16.unpack(content[at : at + 2])[0] if at + 2 <= len(content) else len(content)
        if length < 2 or at + length > len(content):  # noqa: PLR2004 (the length counts itself)
            found.give_up("malformed" if length < 2 else "truncated")  # noqa: PLR2004 (as above)
            return
        yield code, at + 2, at + length
        at += length
    found.give_up("image_limit")


def _past_plain(content: bytes, at: int) -> int:
    """Step over well-formed segments without metadata: tables, frames, thumbnails, comments."""
    end = len(content) - 4
    while at <= end and content[at] == _FILL and content[at + 1] in _PLAIN:
        length = content[at + 2] << 8 | content[at + 3]
        if length < 2 or at + 2 + length > len(content):  # noqa: PLR2004 (the length counts itself)
            break
        at += 2 + length
    return at


def _app1(content: bytes, start: int, stop: int, found: Finding, parts: Parts) -> None:
    if content.startswith(XMP_HEADERS, start):
        found.keep_xmp(content[start + XMP_HEADER : stop])
    elif content.startswith(_EXIF, start):
        tiff.exif(content, start, stop, found)
    elif content.startswith(_EXTENDED, start):
        head = start + len(_EXTENDED)
        if head + _PART.size > stop:
            found.give_up("malformed")
            return
        guid, total, offset = _PART.unpack_from(content, head)
        parts.setdefault(guid.upper(), []).append((offset, total, content[head + _PART.size : stop]))


def _app11(content: bytes, start: int, stop: int, found: Finding, jumbf: dict[int, list[int]]) -> None:
    """Add one part of a JUMBF box, whose head stands in every part, to the bytes that its instance states and has."""
    if start + _JUMBF_HEAD.size > stop:
        found.give_up("malformed")
        return
    _, instance, _, length, _ = _JUMBF_HEAD.unpack_from(content, start)
    head = _JUMBF_HEAD.size
    if length == 1 and start + head + _LONG.size <= stop:
        length, head = _LONG.unpack_from(content, start + head)[0], head + _LONG.size
    first = head - (_JUMBF_HEAD.size - 8)  # the head of the box counts once
    counted = jumbf.setdefault(instance, [length, first])
    counted[1] += stop - start - head


def _late(at: int, found: Finding) -> None:
    """Keep XMP that stands behind the first scan: between scans, or in a second image behind the first."""
    content = found.content
    at = content.find(XMP_NAMESPACE, at)
    while at >= 0 and not found.gave_up:
        start = at + len(XMP_NAMESPACE) - XMP_HEADER
        if content.startswith(XMP_HEADERS, start) and content[start - 4 : start - 2] == b"\xff\xe1":
            found.keep_xmp(content[start : start - 2 + _U16.unpack_from(content, start - 2)[0]])
        at = content.find(XMP_NAMESPACE, at + 1)


def _assemble(parts: Parts, found: Finding) -> None:
    """Put extended XMP together, each GUID for itself; a part that is missing is a gap."""
    wanted = {guid.upper() for packet in found.xmp for guid in _NEEDS_MORE.findall(packet)}
    if wanted - set(parts):
        found.give_up("malformed")
    for held in parts.values():
        _join(sorted(held, key=_by_offset), found)


def _by_offset(part: tuple[int, int, bytes]) -> int:
    return part[0]


def _join(held: list[tuple[int, int, bytes]], found: Finding) -> None:
    total, at, pieces = held[0][1], 0, []
    for offset, _, data in held:
        if offset == at and data:
            pieces.append(data)
            at += len(data)
    if total > TOTAL_LIMIT:
        found.give_up("image_limit")
    elif at != total or any(part[1] != total for part in held):
        found.give_up("malformed")
    if pieces:
        found.keep_xmp(b"".join(pieces))
