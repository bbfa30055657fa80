"""The walk from the first entry to the last: the tree is built again and compared with every head and tile on the way.

Every byte below the newest head is read, and every hash is worked out from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from consentcrawl.ledger.checkpoint import Checkpoint
from consentcrawl.ledger.entry import BadEntry, commitment, commitment_in, decode
from consentcrawl.ledger.files import Files
from consentcrawl.ledger.frames import Batch, frames_in, torn_tail
from consentcrawl.ledger.log_files import LOG, Segment, live_batches, sealed_batches, segments
from consentcrawl.ledger.report import Report
from consentcrawl.ledger.tiles import WIDTH, partial_at, path_of
from consentcrawl.ledger.tree import Frontier, complete_root, leaf_hashes
from consentcrawl.ledger.tree_heads import TreeHead

_ERASURE = b'"kind":"erasure"'


class Walk:
    """From entry to entry, growing the tree and comparing it with every head and tile on the way."""

    __slots__ = ("_erased", "_files", "_gone", "_levels", "_report", "_tree", "_wanted")

    def __init__(self, report: Report, files: Files, asked: Sequence[Checkpoint], heads: Sequence[TreeHead]) -> None:
        """Begin before the first entry; ``asked`` are the checkpoints that the entries must give."""
        self._report, self._files = report, files
        self._tree = Frontier()
        self._levels: list[list[bytes]] = [[]]
        self._gone: set[int] = set()
        self._erased: set[int] = set()
        self._wanted = sorted({(head.size, head.root) for head in asked if head.size}, reverse=True)
        if any(head.frontier.root() != head.checkpoint.root for head in heads):
            report.find("a kept frontier is not that of its head")

    def run(self, on_batch: Callable[[Batch], None]) -> None:
        """Read everything; ``on_batch`` is given every batch."""
        for batch in self._batches():
            self._grow(leaf_hashes(batch.entries))
            self._compare_personal(batch)
            on_batch(batch)
        self._end()

    def _batches(self) -> Iterator[Batch]:
        found = segments(self._files, self._report.directory)
        for segment, after in zip(found, [*found[1:], None], strict=False):
            if segment.end is not None:
                yield from sealed_batches(self._files, self._report.directory, segment)
            else:
                yield from self._live(segment, after)

    def _live(self, segment: Segment, after: Segment | None) -> Iterator[Batch]:
        data = self._files.read(self._report.directory / LOG / segment.name)
        end, index = 0, segment.first
        for end, batch in live_batches(frames_in(data), segment.first):  # noqa: B007 (used below)
            index += len(batch.entries)
            yield batch
        try:
            self._report.torn += torn_tail(data[end:], index)
        except ValueError as error:
            self._report.find(f"{LOG}/{segment.name}: {error}")
        if after is not None and after.first != index:
            self._report.find(f"{LOG}/{segment.name}: entries from {index} on are missing")

    def _grow(self, leaves: list[bytes]) -> None:
        """Append the leaves, stopping at every size that a head speaks of."""
        at = 0
        while self._wanted and self._wanted[-1][0] <= self._tree.size + len(leaves) - at:
            size, root = self._wanted.pop()
            step = size - self._tree.size
            self._tree.extend(leaves[at : at + step])
            at += step
            if self._tree.root() != root:
                self._report.find(f"the entries do not give the head of {size} entries")
        self._tree.extend(leaves[at:])
        self._compare_tiles(leaves)

    def _compare_tiles(self, leaves: list[bytes]) -> None:
        """Compare every tile that these leaves fill, on every level, with the file of it."""
        level, added = 0, leaves
        while added:
            if level == len(self._levels):
                self._levels.append([])
            row = self._levels[level] + added
            start = self._tree.size // WIDTH**level - len(row)
            full = len(row) - len(row) % WIDTH
            added = []
            for at in range(0, full, WIDTH):
                self._compare_tile(level, (start + at) // WIDTH, row[at : at + WIDTH])
                added.append(complete_root(row[at : at + WIDTH]))
            self._levels[level] = row[full:]
            level += 1

    def _compare_tile(self, level: int, number: int, hashes: list[bytes]) -> None:
        if (number + 1) * WIDTH ** (level + 1) > self._report.size:
            return  # not under a head yet, so not written yet
        name = path_of(level, number)
        try:
            same = self._files.read(self._report.directory / name) == b"".join(hashes)
        except FileNotFoundError:
            same = False
        if not same:
            self._report.find(f"{name} is missing or not what the entries give")

    def _compare_personal(self, batch: Batch) -> None:
        """Compare every personal part with the commitment in its entry."""
        for index, (entry, personal) in enumerate(zip(batch.entries, batch.personal, strict=True), batch.first):
            said = commitment_in(entry)
            if said and not personal:
                self._gone.add(index)
            elif said != (commitment(personal) if personal else ""):
                self._report.find(f"the personal part of entry {index} is not the one it commits to")
            if _ERASURE in entry:
                self._note_erasure(entry)

    def _note_erasure(self, entry: bytes) -> None:
        try:
            record = decode(entry)
        except BadEntry as error:
            self._report.find(error)
            return
        if record.get("kind") == "erasure":
            self._erased.update(record["entries"])

    def _end(self) -> None:
        """Report what a head or an entry promised and the log does not have."""
        for size, _ in reversed(self._wanted):
            self._report.find(f"a head speaks of {size} entries; there are {self._tree.size}")
        for index in sorted(self._gone - self._erased):
            self._report.find(f"the personal part of entry {index} is gone, and no entry says that it was erased")
        self._report.erased = len(self._gone & self._erased)
        self._report.unsigned = max(0, self._tree.size - self._report.size)
        if self._tree.size == self._report.size:
            self._compare_partial_tiles()

    def _compare_partial_tiles(self) -> None:
        for level, number, width in partial_at(self._report.size):
            name = path_of(level, number, width)
            try:
                tile = self._files.read(self._report.directory / name)
            except FileNotFoundError:
                continue  # written at close only
            if tile != b"".join(self._levels[level]):
                self._report.find(f"{name} is not what the entries give")
