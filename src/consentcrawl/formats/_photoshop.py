"""Photoshop's image resources: where JPEG and TIFF keep IPTC-IIM, and sometimes XMP."""

from __future__ import annotations

from struct import Struct

from consentcrawl.formats._found import STEPS, Finding

IPTC = 0x0404
XMP = 0x0424

_HEAD = Struct(">4sHB")  # signature, resource, length of its name
_SIZE = Struct(">I")


def walk(block: bytes, found: Finding) -> None:
    """Go through the resources of one block and keep what is IPTC or XMP."""
    at = 0
    for _ in range(STEPS):
        if at + _HEAD.size > len(block):
            return
        signature, resource, name = _HEAD.unpack_from(block, at)
        # The name is padded so that with its length byte it is even.
        size_at = at + 6 + (name + 2) // 2 * 2
        if signature != b"8BIM" or size_at + 4 > len(block):
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
    if resource == IPTC:
        found.keep_iptc(data)
    elif resource == XMP:
        found.keep_xmp(data)


def _end(block: bytes, at: int, found: Finding) -> None:
    """Note a block that goes on with something else than a resource; zero bytes are padding."""
    if block[at:].strip(b"\0"):
        found.give_up("malformed")
