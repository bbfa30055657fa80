"""The writer: batches go into the live segment, each durable when ``write`` returns.

A batch is begun only when the one before it is durable.
"""

from __future__ import annotations

from pathlib import Path

from consentcrawl.ledger.files import Files
from consentcrawl.ledger.frames import Batch, batch_payload, frame
from consentcrawl.ledger.log_files import LOG, Segment
from consentcrawl.ledger.recovery import Opened


class SegmentWriter:
    """Writes batches one after the other; ``full`` are the segments it is done with, each with the index after it."""

    __slots__ = ("_at", "_directory", "_files", "_handle", "_live", "_room", "_segment_bytes", "full")

    def __init__(self, files: Files, directory: Path, opened: Opened, segment_bytes: int) -> None:
        """Go on where the ledger was opened."""
        self._files, self._directory, self._segment_bytes = files, directory, segment_bytes
        self._handle, self._at, self._room = -1, opened.at, 0
        self._live = opened.live
        # A segment that was left ends where the one after it begins.
        after = [*opened.full[1:], *([opened.live] if opened.live else [])]
        self.full = [(left, then.first) for left, then in zip(opened.full, after, strict=False)]
        if opened.live:
            self._open(opened.live, segment_bytes)

    def write(self, batch: Batch) -> None:
        """Write a batch and make it durable: one write, one fdatasync."""
        data = frame(batch_payload(batch))
        if self._at + len(data) > self._room:
            self._roll(batch.first, len(data))
        self._files.write(self._handle, data, self._at)
        self._files.sync(self._handle)
        self._at += len(data)

    def finish(self, end: int) -> None:
        """Be done with the live segment, which ends at entry ``end``."""
        self.close()
        self.full += [(self._live, end)] if self._live else []
        self._live, self._room = None, 0

    def close(self) -> None:
        """Return the file back."""
        if self._handle >= 0:
            self._files.close(self._handle)
        self._handle = -1

    def _roll(self, first: int, needed: int) -> None:
        """Begin a new segment; its name and its room are durable before anything is in it."""
        self.finish(first)
        self._live, self._at = Segment(first), 0
        self._open(self._live, max(self._segment_bytes, needed))
        self._files.sync_directory(self._directory / LOG)

    def _open(self, live: Segment, room: int) -> None:
        self._handle = self._files.open(self._directory / LOG / live.name)
        self._files.allocate(self._handle, room)
        self._files.sync(self._handle)
        self._room = room
