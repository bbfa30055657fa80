"""Reading a ledger that somebody else may be writing: hashes out of tiles and entries, entries out of segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consentcrawl.ledger.entry import decode, urls_of
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.log_files import batches
from consentcrawl.ledger.tiles import WIDTH, Hashes, path_of, split
from consentcrawl.ledger.tree import complete_root, leaf_hashes


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is shown: its index, its record, and the URLs of its personal part (none once erased)."""

    index: int
    record: dict[str, Any]
    urls: tuple[str, ...]


def lines(directory: Path, start: int = 0, *, files: Files = OS_FILES) -> Iterator[Line]:
    """Every entry from ``start`` on, those not signed yet included; LedgerBroken where a sealed segment is damaged."""
    for batch in batches(files, directory, start):
        for index, (entry, personal) in enumerate(zip(batch.entries, batch.personal, strict=True), batch.first):
            if index >= start:
                record = decode(entry)
                yield Line(index, record, tuple(urls_of(personal)))


def tile_hashes(files: Files, directory: Path, size: int) -> Hashes:
    """The tree's hashes at ``size``: out of the tiles, or out of what lies below where a tile is not full."""
    tiles: dict[tuple[int, int], list[bytes]] = {}

    def tile(level: int, number: int) -> list[bytes]:
        if (level, number) not in tiles:
            tiles[level, number] = read(level, number)
        return tiles[level, number]

    def read(level: int, number: int) -> list[bytes]:
        width = min(WIDTH, size // WIDTH**level - number * WIDTH)
        try:
            return split(files.read(directory / path_of(level, number, width)))
        except FileNotFoundError:
            start = number * WIDTH
            if level == 0:
                return _leaves(files, directory, start, start + width)
            return [complete_root(tile(level - 1, n)) for n in range(start, start + width)]

    def hashes(level: int, start: int, count: int) -> list[bytes]:
        number, offset = divmod(start, WIDTH)
        return tile(level, number)[offset : offset + count]

    return hashes


def _leaves(files: Files, directory: Path, start: int, end: int) -> list[bytes]:
    leaves: list[bytes] = []
    for batch in batches(files, directory, start):
        if batch.first >= end:
            break
        leaves += leaf_hashes(batch.entries[max(0, start - batch.first) : end - batch.first])
    return leaves
