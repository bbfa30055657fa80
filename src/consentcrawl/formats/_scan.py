"""The last resort for an image whose structure cannot be followed to its end: XMP that lies in it uncompressed."""

from __future__ import annotations

import re

from consentcrawl.formats._found import PACKET_LIMIT, PACKETS, Finding

_START = re.compile(rb"<([\w.-]{1,32}:(?:xmpmeta|RDF))(?=[\s>])")


def scan(found: Finding) -> None:
    """Keep what looks like a packet, whole or cut off; the walker's reason for giving up stands."""
    at = 0
    for _ in range(PACKETS):
        start = _START.search(found.content, at)
        if start is None:
            return
        end = found.content.find(b"</" + start[1], start.end())
        at = end + len(start[1]) + 3 if end >= 0 else len(found.content)
        found.keep_xmp(found.content[start.start() : min(at, start.start() + PACKET_LIMIT)])
