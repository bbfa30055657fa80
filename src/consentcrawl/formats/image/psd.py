"""Photoshop documents (Adobe Photoshop File Formats, 2019): XMP and IPTC-IIM in the image resources."""

from __future__ import annotations

from struct import Struct

from consentcrawl.formats.image import iptc
from consentcrawl.formats.image.finding import Finding

SIGNATURES = (b"8BPS\0\1", b"8BPS\0\2")  # PSD and PSB

_HEAD = 26
_SIZE = Struct(">I")


def read(found: Finding) -> None:
    """Step over header and colour table, and read the resources; layers and pixels are not read."""
    at = _HEAD
    for keep in (False, True):
        if at + _SIZE.size > len(found.content):
            found.give_up("truncated")
            return
        size = _SIZE.unpack_from(found.content, at)[0]
        at += _SIZE.size
        if keep:
            iptc.read(found.cut(at, size), found)
        at += size
