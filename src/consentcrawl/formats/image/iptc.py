"""Photoshop's image resources, where JPEG and TIFF keep IPTC-IIM (4.2), and the texts about rights in its data sets."""

from __future__ import annotations

from struct import Struct

from consentcrawl.formats.image.finding import STEPS, Finding

_IPTC = 0x0404
_XMP = 0x0424

_SIGNATURES = frozenset({b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa"})  # Photoshop, and programs of others

_HEAD = Struct(">4sHB")  # signature, resource, length of its name
_SIZE = Struct(">I")

_DATA_SET = Struct(">BBBH")  # marker 0x1C, record, data set, length
_DATA_SET_MARK = b"\x1c"
_MARKER = _DATA_SET_MARK[0]
_EXTENDED = 0x8000  # the length is that of a length: never needed for a text
_DATA_SETS = 1_000
_RIGHTS = {(2, 40): "Special Instructions", (2, 116): "Copyright Notice"}


def read(block: bytes, found: Finding) -> None:
    """Go through the resources of one block and keep what is IPTC or XMP; a block may be bare IPTC-IIM."""
    at = 0
    if block[:1] == _DATA_SET_MARK:
        found.keep_iptc(block)
        return
    for _ in range(STEPS):
        if at + _HEAD.size > len(block):
            return
        signature, resource, name = _HEAD.unpack_from(block, at)
        # The name is padded so that with its length byte it is even.
        size_at = at + 6 + (name + 2) // 2 * 2
        if signature not in _SIGNATURES or size_at + 4 > len(block):
            _end(block, at, found)
            return
        size = _SIZE.unpack_from(block, size_at)[0]
        data = block[size_at + 4 : size_at + 4 + size]
        if len(data) < size:
            found.give_up("truncated")
        _keep(resource, data, found)
        at = size_at + 4 + size + size % 2
    found.give_up("image_limit")


def _keep(resource: int, data: bytes, found: Finding) -> None:
    if resource == _IPTC:
        found.keep_iptc(data)
    elif resource == _XMP:
        found.keep_xmp(data)


def _end(block: bytes, at: int, found: Finding) -> None:
    """Note a block that goes on with something else than a resource; zero bytes are padding."""
    if block[at:].strip(b"\0"):
        found.give_up("malformed")


def iim_texts(block: bytes) -> list[tuple[str, str]]:
    """Return name and text of each data set about rights; never raises, and stops where the block makes no sense."""
    texts, at = [], 0
    for _ in range(_DATA_SETS):
        if at + _DATA_SET.size > len(block):
            break
        marker, record, number, length = _DATA_SET.unpack_from(block, at)
        if marker != _MARKER or length & _EXTENDED:
            break
        at += _DATA_SET.size
        name = _RIGHTS.get((record, number))
        text = block[at : at + length].decode("utf-8", "replace").strip()
        if name and text:
            texts.append((name, text))
        at += length
    return texts
