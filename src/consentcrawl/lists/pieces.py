"""Reads pieces of a file by their place, for any number of threads.

A piece comes whole or is an error. The file is not mapped: one that is cut while it is mapped ends the process.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock

from consentcrawl.lists.layout import BadList

_AT_ONCE = hasattr(os, "pread")


class Pieces:
    """One open file. Where the system cannot read by place (Windows), threads take turns."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises OSError."""
        self._file, self._turn = path.open("rb", buffering=0), Lock()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def size(self) -> int:
        """How many bytes the file has."""
        return os.fstat(self._file.fileno()).st_size

    def at(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes. Raises BadList where there are fewer."""
        piece = self.some(start, length)
        if len(piece) != length:
            msg = "it was cut short, or cannot be read"
            raise BadList(msg)
        return piece

    def some(self, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes. Raises BadList where none can be read."""
        try:
            if _AT_ONCE:
                return os.pread(self._file.fileno(), length, start)
            with self._turn:
                self._file.seek(start)
                return self._file.read(length)
        except (OSError, ValueError) as error:
            msg = f"it cannot be read: {error}"
            raise BadList(msg) from error
