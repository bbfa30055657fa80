"""What the container walkers fill: packets, spans, and why one gave up.

No walker copies, keeps or counts more than is allowed here.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

PACKET_LIMIT = 2 * 1024 * 1024
TOTAL_LIMIT = 4 * 1024 * 1024
PACKETS = 8
READ_LIMIT = 16 * 1024 * 1024
STEPS = 50_000

Span = tuple[int, int]
"""Offset and length within the content, in bytes."""


@dataclass(slots=True)
class Finding:
    """What one walk through a container has come upon so far."""

    content: bytes
    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)
    c2pa: list[Span] = field(default_factory=list)
    gave_up: str = ""
    strayed: bool = False
    """Bytes that are no part of the structure were stepped over: a packet may stand in them."""
    kept: int = 0
    cut_out: int = 0
    unpacked: int = 0

    def give_up(self, reason: str) -> None:
        """Note why something could not be read; the first reason stands."""
        self.gave_up = self.gave_up or reason

    def keep_xmp(self, packet: bytes) -> None:
        """Keep one XMP packet; the same packet twice is one."""
        if packet not in self.xmp and self._affords(self.xmp, packet):
            self.xmp.append(packet)

    def keep_iptc(self, block: bytes) -> None:
        """Keep one block of IPTC-IIM data sets."""
        if self._affords(self.iptc, block):
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
        self.cut_out += min(length, len(self.content))
        if self.cut_out > READ_LIMIT:  # many entries may name the same bytes
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

    def _affords(self, kept: list[bytes], part: bytes) -> bool:
        self.kept += len(part)
        if len(kept) < PACKETS and len(part) <= PACKET_LIMIT and self.kept <= TOTAL_LIMIT:
            return True
        self.give_up("image_limit")
        return False
