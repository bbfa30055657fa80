"""PNG (W3C PNG third edition §11.3): XMP in text chunks before or behind the pixels, C2PA in caBX."""

from __future__ import annotations

import re
from struct import Struct

from consentcrawl.formats.image import iptc, tiff
from consentcrawl.formats.image.finding import STEPS, XMP_HEADERS, Finding

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_HEAD = Struct(">I4s")
_CRC = 4
_XMP_KEYWORD = b"xml:com.adobe.xmp"
_RAW_PROFILE = b"raw profile type "
_SNIFF = re.compile(rb"<x:xmpmeta|<rdf:RDF|rslstandard\.org/rsl|DMI-PROHIBITED")
_SNIFFED = 64 * 1024


def read(found: Finding) -> None:
    """Go through the chunks to IEND; a bad CRC is no reason not to read one."""
    content, at, end = found.content, len(SIGNATURE), len(found.content)
    for _ in range(STEPS):
        if at + _HEAD.size > end:
            found.give_up("truncated")
            return
        length, kind = _HEAD.unpack_from(content, at)
        start = at + _HEAD.size
        reader = _CHUNKS.get(kind)
        if reader is not None:
            reader(found.cut(start, length), found)
        elif kind == b"caBX":
            found.keep_span(start, min(length, end - start))
        elif kind == b"eXIf":
            tiff.exif(content, start, min(start + length, end), found)
        elif kind == b"IEND":
            return
        at = start + length + _CRC
    found.give_up("image_limit")


def _itxt(data: bytes, found: Finding) -> None:
    """Read an iTXt chunk: keyword, compression flag and method, language, translated keyword, text."""
    keyword, _, rest = data.partition(b"\0")
    packed, tail = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    keyword = keyword.lower()
    named = keyword == _XMP_KEYWORD or keyword.startswith(_RAW_PROFILE)
    if not named and (packed or not _SNIFF.search(data[:_SNIFFED])):
        return
    if len(tail) < 3:  # noqa: PLR2004 (language, keyword, text)
        found.give_up("malformed")
        return
    _profile(keyword, found.unpack(tail[2]) if packed else tail[2], found)


def _text(data: bytes, found: Finding) -> None:
    keyword, _, text = data.partition(b"\0")
    _profile(keyword.lower(), text, found)


def _ztxt(data: bytes, found: Finding) -> None:
    """Read a zTXt chunk: keyword, compression method, compressed text. Only what may hold XMP is unpacked."""
    keyword, _, rest = data.partition(b"\0")
    if keyword.lower() == _XMP_KEYWORD or keyword.lower().startswith(_RAW_PROFILE):
        _profile(keyword.lower(), found.unpack(rest[1:]), found)


def _profile(keyword: bytes, text: bytes, found: Finding) -> None:
    if keyword == _XMP_KEYWORD or _SNIFF.search(text[:_SNIFFED]):
        _keep(text, found)
    elif keyword.startswith(_RAW_PROFILE):
        reader = _PROFILES.get(keyword.removeprefix(_RAW_PROFILE).strip())
        if reader is not None:
            reader(_unhex(text, found), found)


def _unhex(text: bytes, found: Finding) -> bytes:
    """Undo ImageMagick's way of keeping a profile: a name, a length in bytes and hexadecimal lines."""
    lines = text.strip().split(b"\n", 2)
    try:
        size, profile = int(lines[1]), bytes.fromhex(lines[2].decode("ascii"))
    except (IndexError, ValueError):
        found.give_up("malformed")
        return b""
    if not 0 <= size <= len(profile):
        found.give_up("truncated")
    return profile[: max(size, 0)]


def _app1(profile: bytes, found: Finding) -> None:
    """Keep the XMP of a profile that is a JPEG segment; the same name is used for Exif."""
    if profile.startswith(XMP_HEADERS):
        found.keep_xmp(profile)
    else:
        tiff.exif(profile, 0, len(profile), found)


def _keep(packet: bytes, found: Finding) -> None:
    if packet:
        found.keep_xmp(packet)


_CHUNKS = {b"iTXt": _itxt, b"tEXt": _text, b"zTXt": _ztxt}
_PROFILES = {
    b"xmp": _keep,
    b"app1": _app1,
    b"exif": _app1,
    b"iptc": iptc.read,
    b"8bim": iptc.read,
}
