"""What the readers of containers fill: packets, spans, and why one gave up; no more is copied or kept than its limits.

Where a structure cannot be followed to its end, ``scan`` looks for XMP that lies in the content uncompressed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

PACKET_LIMIT = 2 * 1024 * 1024
TOTAL_LIMIT = 4 * 1024 * 1024
PACKETS = 8
READ_LIMIT = 16 * 1024 * 1024
STEPS = 50_000

_START = re.compile(rb"<([\w.-]{1,32}:(?:xmpmeta|RDF))(?=[\s>])")

XMP_NAMESPACE = b"://ns.adobe.com/xap/1.0/\0"
XMP_HEADERS = (b"http" + XMP_NAMESPACE, b"XMP\0" + XMP_NAMESPACE)
"""XMP part 3 §1.1.3, and as a picture agency writes it."""
XMP_HEADER = len(XMP_HEADERS[0])

Span = tuple[int, int]
"""Offset and length within the content, in bytes."""


@dataclass(slots=True)
class Finding:
    """What was found of one image so far, and what it cost."""

    content: bytes
    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    c2pa: list[Span] = field(default_factory=list)
    gave_up: str = ""
    stray_bytes: bool = False
    """Bytes that are no part of the structure were stepped over: a packet may stand in them."""
    kept: int = 0
    copied: int = 0
    unpacked: int = 0

    def give_up(self, reason: str) -> None:
        """Note why something could not be read; the first reason stands."""
        self.gave_up = self.gave_up or reason

    def keep_xmp(self, packet: bytes) -> None:
        """Keep one XMP packet, without the header that stands before it in APP1; the same packet twice is one."""
        packet = packet[XMP_HEADER:] if packet.startswith(XMP_HEADERS) else packet
        if packet not in self.xmp and self._may_keep(self.xmp, packet):
            self.xmp.append(packet)

    def keep_iptc(self, block: bytes) -> None:
        """Keep one block of IPTC-IIM data sets."""
        if self._may_keep(self.iptc, block):
            self.iptc.append(block)

    def keep_span(self, offset: int, length: int) -> None:
        """Keep the place of one part of a C2PA manifest store."""
        if len(self.c2pa) >= STEPS:
            self.give_up("image_limit")
        else:
            self.c2pa.append((offset, length))

    def cut(self, offset: int, length: int) -> bytes:
        """Return a part of the content; what lies outside of it is missing, and noted."""
        if offset + length > len(self.content):
            self.give_up("truncated")
        self.copied += min(length, len(self.content))
        if self.copied > READ_LIMIT:  # many entries may name the same bytes
            self.give_up("image_limit")
            return b""
        return self.content[offset : offset + length]

    def unpack(self, packed: bytes) -> bytes:
        """Undo zlib's compression, within what one image may unpack to."""
        left = TOTAL_LIMIT - self.unpacked
        opened = zlib.decompressobj()
        try:
            plain = opened.decompress(packed, max(1, left))
        except zlib.error:
            self.give_up("malformed")
            return b""
        self.unpacked += len(plain)
        if not opened.eof:
            self.give_up("body_ratio" if len(plain) >= left else "malformed")
        return plain

    def _may_keep(self, kept: list[bytes], part: bytes) -> bool:
        self.kept += len(part)
        if len(kept) < PACKETS and len(part) <= PACKET_LIMIT and self.kept <= TOTAL_LIMIT:
            return True
        self.give_up("image_limit")
        return False


Reader = Callable[[Finding], None]


def scan(found: Finding) -> None:
    """Keep what looks like a packet, whole or cut off; the reader's reason for giving up stands."""
    at = 0
    for _ in range(PACKETS):
        start = _START.search(found.content, at)
        if start is None:
            return
        end = found.content.find(b"</" + start[1], start.end())
        at = end + len(start[1]) + 3 if end >= 0 else len(found.content)
        found.keep_xmp(found.content[start.start() : min(at, start.start() + PACKET_LIMIT)])
