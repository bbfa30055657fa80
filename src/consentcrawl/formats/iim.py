"""IPTC-IIM 4.2 data sets: the rights texts of the time before XMP."""

from __future__ import annotations

from struct import Struct

_HEAD = Struct(">BBBH")  # marker 0x1C, record, data set, length
_MARKER = 0x1C
_EXTENDED = 0x8000  # the length is that of a length: never needed for a text
_SETS = 1_000

RIGHTS = {(2, 40): "Special Instructions", (2, 116): "Copyright Notice"}


def read(block: bytes) -> list[tuple[str, str]]:
    """Return name and text of each data set about rights; never raises, and stops where the block makes no sense."""
    texts, at = [], 0
    for _ in range(_SETS):
        if at + _HEAD.size > len(block):
            break
        marker, record, number, length = _HEAD.unpack_from(block, at)
        if marker != _MARKER or length & _EXTENDED:
            break
        at += _HEAD.size
        name = RIGHTS.get((record, number))
        text = block[at : at + length].decode("utf-8", "replace").strip()
        if name and text:
            texts.append((name, text))
        at += length
    return texts
