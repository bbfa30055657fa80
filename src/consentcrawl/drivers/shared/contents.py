"""Contents of answers on their way to a caller: a beginning that was looked at, what follows it, and what was given.

The caller gets the bytes as they were sent; only a copy is unpacked, and only as much as is looked at.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

from consentcrawl.download import Download


class HandedOut:
    """What a caller was given of one download; tells the ledger how much it was, once, when it has ended."""

    __slots__ = ("_digest", "_download", "_ended", "_size")

    def __init__(self, download: Download) -> None:
        """Begin with nothing."""
        self._download, self._digest, self._size, self._ended = download, hashlib.sha256(), 0, False

    def add(self, piece: bytes) -> None:
        """Count a piece."""
        self._digest.update(piece)
        self._size += len(piece)

    def end(self) -> None:
        """Tell the ledger; a second end is none."""
        if not self._ended:
            self._ended = True
            self._download.delivered(self._size, self._digest.hexdigest())


class Resumed(io.RawIOBase):
    """A file that gives bytes already read, then those that ``more`` reads; ``shut`` is called when it is closed."""

    def __init__(
        self, start: bytes, more: Callable[[int], bytes], shut: Callable[[], None], handed: HandedOut | None = None
    ) -> None:
        """``more`` is told how many bytes are wanted at the most, and gives none at the end."""
        self._start, self._at, self._more, self._shut, self._handed = memoryview(start), 0, more, shut, handed

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Return at most as many bytes as fit."""
        wanted = len(buffer)
        piece: bytes | memoryview = self._start[self._at : self._at + wanted]
        self._at += len(piece)
        if not piece:
            piece = self._more(wanted)
        buffer[: len(piece)] = piece
        if self._handed is not None:
            self._handed.add(bytes(piece))
        return len(piece)

    def close(self) -> None:
        """Close what it reads from."""
        if not self.closed:
            super().close()
            self._shut()
            if self._handed is not None:
                self._handed.end()
