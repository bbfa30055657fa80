"""Reading a ledger that somebody else may be writing: hashes out of tiles and entries, entries out of segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.checkpoint import Checkpoint
from consentcrawl.ledger.entry import commitment, commitment_in, decode, urls_of
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.key_files import load_public
from consentcrawl.ledger.log_files import batches, parts_at
from consentcrawl.ledger.tiles import WIDTH, Hashes, node_from, path_of, split
from consentcrawl.ledger.tree import Frontier, complete_root, inclusion_path, leads_to, leaf_hash, leaf_hashes
from consentcrawl.ledger.tree_heads import newest_head


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as it is shown: its index, its record, and the URLs of its personal part (none once erased).

    ``signed`` is True when it was compared with a signed head.
    """

    index: int
    record: dict[str, Any]
    urls: tuple[str, ...]
    signed: bool = False


def lines(directory: Path, start: int = 0, *, files: Files = OS_FILES) -> Iterator[Line]:
    """Every entry from ``start`` on, those not signed yet included; LedgerBroken where a sealed segment is damaged."""
    for batch in batches(files, directory, start):
        for index, (entry, personal) in enumerate(zip(batch.entries, batch.personal, strict=True), batch.first):
            if index >= start:
                yield line_of(index, entry, personal)


def verified_lines(directory: Path, *, files: Files = OS_FILES) -> Iterator[Line]:
    """Every entry; LedgerBroken at the end when they do not give the newest head, so that all of it was checked."""
    head = _newest(files, directory)
    edge = Frontier()
    for batch in batches(files, directory):
        edge.extend(leaf_hashes(batch.entries[: head.size - edge.size]))
        for index, (entry, personal) in enumerate(zip(batch.entries, batch.personal, strict=True), batch.first):
            yield line_of(index, entry, personal, signed=index < head.size)
    if edge.size < head.size or edge.root() != head.root:
        msg = (
            f"{directory}: the entries are not those that were signed; `consentcrawl ledger verify` says what is wrong"
        )
        raise LedgerBroken(msg)


def line_of(index: int, entry: bytes, personal: bytes, *, signed: bool = False) -> Line:
    """One entry as it is shown; LedgerBroken when its personal part is not the one it commits to."""
    if personal and commitment(personal) != commitment_in(entry):
        msg = f"the personal part of entry {index} is not the one it commits to"
        raise LedgerBroken(msg)
    return Line(index, decode(entry), tuple(urls_of(personal)), signed)


def _newest(files: Files, directory: Path) -> Checkpoint:
    return newest_head(files, directory, load_public(files, directory))[0].checkpoint


class VerifiedEntries:
    """Reads entries by their index, and compares each with the newest signed head as it was when this was made."""

    def __init__(self, directory: Path, files: Files = OS_FILES) -> None:
        """Open the newest head; LedgerBroken when it is damaged or not signed by the ledger's keys."""
        self._files, self._directory = files, directory
        self._head = _newest(files, directory)
        self._node = node_from(tile_hashes(files, directory, self._head.size))

    def line(self, index: int) -> Line:
        """An entry; IndexError when there is none, LedgerBroken when another one was signed."""
        entry, personal = parts_at(self._files, self._directory, index)
        size = self._head.size
        if index < size:
            path = inclusion_path(index, size, self._node)
            if not leads_to(self._head.root, index, size, leaf_hash(entry), path):
                msg = f"{self._directory}: entry {index} is not the one that was signed"
                raise LedgerBroken(msg)
        return line_of(index, entry, personal, signed=index < size)


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
