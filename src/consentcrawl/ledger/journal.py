"""The journal of a batch segment: rows as entries, durable in groups, until the segment and its entry are written.

A journal that a killed run left behind is made into its segment by the next opening of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from consentcrawl.ledger.entry import Part
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.frames import Batch, batch_payload, frame
from consentcrawl.ledger.log_files import live_batches, read_frames

SEGMENTS = "segments"
"""Where the batch segments of a ledger and their journals lie, below its directory."""
SUFFIX = ".journal"
_ROOM = 8 * 1024 * 1024


class Journal:
    """A journal that is being written. Every method raises OSError when it fails."""

    def __init__(self, files: Files, path: Path) -> None:
        """Make the file; its name is durable on return."""
        self.path, self.rows, self.size = path, 0, 0
        self._files, self._room = files, 0
        files.make_directory(path.parent)
        files.sync_directory(path.parent.parent)
        self._handle = files.open(path)
        files.sync_directory(path.parent)

    def write(self, parts: Sequence[Part]) -> None:
        """Write rows behind those that are there, durable on return: one write, one fdatasync."""
        data = frame(batch_payload(Batch(self.rows, [part[0] for part in parts], [part[1] for part in parts])))
        if self.size + len(data) > self._room:
            self._room = self.size + max(_ROOM, len(data))
            self._files.allocate(self._handle, self._room)
        self._files.write(self._handle, data, self.size)
        self._files.sync(self._handle)
        self.size += len(data)
        self.rows += len(parts)

    def close(self) -> None:
        """Give the file back."""
        self._files.close(self._handle)


def journals(directory: Path) -> list[Path]:
    """The journals in a ledger: that of a run that goes on, or of runs that were killed."""
    return [directory / SEGMENTS / name for name in OS_FILES.names(directory / SEGMENTS) if name.endswith(SUFFIX)]


def journal_rows(path: Path, files: Files = OS_FILES) -> Iterator[Part]:
    """The rows of a journal, up to one that a crash tore."""
    for _, batch in live_batches(read_frames(files, path), 0):
        yield from zip(batch.entries, batch.personal, strict=True)
