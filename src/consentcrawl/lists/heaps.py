"""Sorts the index of a list that is larger than memory: a heap on disk for each leading byte, one sorted at a time.

Of entries that say the same the first is kept, and the others are counted.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from consentcrawl.lists import keys, layout

_HEAPS = 256
_KEPT = 64 * 1024


class Heaps:
    """Index entries, spilled to one file for each leading byte of their key."""

    def __init__(self, scratch: Path) -> None:
        """Spill into ``scratch``."""
        self.count = self.repeated = 0
        self._scratch = scratch
        self._kept = [bytearray() for _ in range(_HEAPS)]

    def add(self, entry: bytes) -> None:
        """Take one entry."""
        self.count += 1
        heap = self._kept[entry[0]]
        heap += entry
        if len(heap) >= _KEPT:
            self._spill(entry[0])

    def sorted(self) -> Iterator[list[bytes]]:
        """Return the entries in order, a heap at a time."""
        for first in range(_HEAPS):
            self._spill(first)
            path = self._file(first)
            raw = path.read_bytes()
            path.unlink()
            yield list(self._distinct(sorted(raw[n : n + layout.ENTRY] for n in range(0, len(raw), layout.ENTRY))))

    def _distinct(self, entries: list[bytes]) -> Iterator[bytes]:
        before = b""
        for entry in entries:
            if entry[: layout.SAME] != before:
                before = entry[: layout.SAME]
                yield entry
            else:
                tag, offset = layout.tag_and_offset(entry)
                self.repeated += bool(offset) and tag < keys.REPEATED

    def _spill(self, first: int) -> None:
        with self._file(first).open("ab") as file:
            file.write(self._kept[first])
        self._kept[first].clear()

    def _file(self, first: int) -> Path:
        return self._scratch / f"heap-{first}"


def write_index(file: IO[bytes], start: int, heaps: Heaps) -> tuple[int, int, int]:
    """Write filter, fan-out and index from ``start`` on; give the size of each."""
    filter_bits, slot_bits = layout.bits(heaps.count)
    marks, slots = bytearray(1 << (filter_bits - 3)), array("Q", bytes(8 << slot_bits))
    file.seek(start + len(marks) + 8 * len(slots))
    kept = 0
    for entries in heaps.sorted():
        kept += len(entries)
        for entry in entries:
            top = int.from_bytes(entry[:8])
            bit = top >> (64 - filter_bits)
            marks[bit >> 3] |= 1 << (bit & 7)
            slots[top >> (64 - slot_bits)] += 1
        file.write(b"".join(entries))
    _sum_up(slots)
    file.seek(start)
    file.write(marks)
    file.write(slots.tobytes())
    return len(marks), 8 * len(slots), kept * layout.ENTRY


def _sum_up(slots: array[int]) -> None:
    """Turn how many entries a slot has into where they end."""
    end = 0
    for n, count in enumerate(slots):
        end += count
        slots[n] = end
    little(slots)


def little(slots: array[int]) -> None:
    """Turn numbers from this machine's order of bytes into that of the file, or back."""
    if sys.byteorder == "big":
        slots.byteswap()
