"""Content codings of policy files: identity, or one gzip, unpacked piece by piece within bounds.

A prefix is never taken for the whole. The end-of-stream mark must have been seen, whatever the framing said.
"""

from __future__ import annotations

import zlib

from consentcrawl.net.unreached import BODY_LIMIT, BODY_RATIO, ENCODING, TRUNCATED, Unreached

MEMBERS = 64
"""RFC 1952 §2.2 lets members follow one another without end."""
RATIO = 200
"""Text shrinks to a twentieth, seldom to less than a hundredth; deflate can do 1,032."""
_RATIO_FROM = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Identity:
    """Content that was sent as it is."""

    def feed(self, data: bytes, most: int) -> bytes:
        """Return the data back, at most ``most`` bytes of it."""
        return data[:most]

    def end(self) -> None:
        """Take note of the end, which has no mark of its own."""


class Gunzip:
    """A bounded reader of gzip members."""

    __slots__ = ("_consumed", "_inner", "_members", "_unpacked")

    def __init__(self) -> None:
        """Wait for the first member."""
        self._inner = zlib.decompressobj(_GZIP)
        self._members, self._consumed, self._unpacked = 1, 0, 0

    def feed(self, data: bytes, most: int) -> bytes:
        """Unpack up to ``most`` bytes more. Raises Unreached: encoding, body_ratio, body_limit (members)."""
        pieces: list[bytes] = []
        while data and most > 0:
            self._next_member(data)
            try:
                piece = self._inner.decompress(data, most)
            except zlib.error as error:
                raise Unreached(ENCODING, error) from None
            pieces.append(piece)
            most -= len(piece)
            self._count(len(piece), len(data) - len(self._inner.unconsumed_tail))
            data = self._inner.unused_data.lstrip(b"\0") if self._inner.eof else self._inner.unconsumed_tail
        return b"".join(pieces)

    def end(self) -> None:
        """Check the end-of-stream mark. Raises Unreached("truncated")."""
        if not self._inner.eof:
            raise Unreached(TRUNCATED, "gzip without its end")

    def _next_member(self, data: bytes) -> None:
        """Open the next member when one has ended and bytes follow."""
        if self._inner.eof and data.strip(b"\0"):
            self._inner = zlib.decompressobj(_GZIP)
            self._members += 1
            if self._members > MEMBERS:
                raise Unreached(BODY_LIMIT, "too many gzip members")

    def _count(self, unpacked: int, consumed: int) -> None:
        """Keep the ratio of what came out to what was taken in."""
        self._unpacked += unpacked
        self._consumed += consumed
        if self._unpacked > max(_RATIO_FROM, self._consumed * RATIO):
            raise Unreached(BODY_RATIO, f"{self._consumed} bytes unpack to {self._unpacked} and more")


def decoder_of(codings: list[str]) -> Identity | Gunzip:
    """Choose by the lines of the Content-Encoding field. Raises Unreached("encoding"): unknown, or a chain."""
    named = [coding.strip().lower() for line in codings for coding in line.split(",")]
    named = [coding for coding in named if coding not in ("", "identity")]
    if not named:
        return Identity()
    if named[0] in ("gzip", "x-gzip") and len(named) == 1:  # RFC 9110 §8.4.1.3
        return Gunzip()
    raise Unreached(ENCODING, ", ".join(named))
