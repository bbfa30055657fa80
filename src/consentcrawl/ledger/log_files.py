"""Where entries lie: the live segments that are written to, and the sealed ones, packed for good.

Entries and their personal parts lie together while live and apart once sealed; only the personal side of a sealed
segment is ever rewritten.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from operator import attrgetter
from pathlib import Path

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.files import Files, write_whole
from consentcrawl.ledger.frames import Batch, batch_of, bundle, frame, frame_size, frames_in, unbundle

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LOG = "log"
PERSONAL = "personal"
BUNDLE = 256  # entries packed together, as many as a tile has
_LEVEL = 3
_PIECE = 256 * 1024  # of a live segment, read at once: whole sectors
_LIVE = re.compile(r"([0-9]{12})\.seg")
_SEALED = re.compile(r"([0-9]{12})-([0-9]{12})\.zst")
_LARGEST_BUNDLE = BUNDLE * (2 + 0xFFFF)


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of entries: the index of its first, and of the first after it where it is sealed."""

    first: int
    end: int | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.first:012}.seg" if self.end is None else f"{self.first:012}-{self.end:012}.zst"


def segments(files: Files, directory: Path) -> list[Segment]:
    """Every segment in order; LedgerBroken when one is missing. A live file that was already sealed is passed over."""
    names = files.names(directory / LOG)
    sealed = [Segment(int(m[1]), int(m[2])) for m in map(_SEALED.fullmatch, names) if m]
    done = {segment.first for segment in sealed}
    live = [Segment(int(m[1])) for m in map(_LIVE.fullmatch, names) if m and int(m[1]) not in done]
    expected = 0
    for segment in sealed:
        if segment.first != expected or segment.end is None or segment.end <= segment.first:
            raise LedgerBroken(_message(segment, f"entries {expected} and after are missing"))
        expected = segment.end
    if live and live[0].first != expected:
        raise LedgerBroken(_message(live[0], f"entries {expected} and after are missing"))
    return sealed + live


def leftovers(files: Files, directory: Path) -> list[Path]:
    """Live files whose sealed form is complete, and drafts: what a crash left behind."""
    names = files.names(directory / LOG)
    sealed = {m[1] for m in map(_SEALED.fullmatch, names) if m}
    live = [m for m in map(_LIVE.fullmatch, names) if m and m[1] in sealed]
    drafts = [
        directory / folder / name
        for folder in ("", LOG, PERSONAL)
        for name in files.names(directory / folder)
        if name.endswith(".draft")
    ]
    return [directory / LOG / m[0] for m in live] + drafts


def live_batches(frames: Iterable[tuple[int, bytes]], first: int) -> Iterator[tuple[int, Batch]]:
    """Where each batch of a live segment ends, and the batch, up to the first that is not whole or not next."""
    for end, payload in frames:
        try:
            batch = batch_of(payload)
        except ValueError:
            return
        if batch.first != first:
            return
        first += len(batch.entries)
        yield end, batch


def sealed_batches(files: Files, directory: Path, segment: Segment, start: int = 0) -> Iterator[Batch]:
    """The bundles of a sealed segment with entries at or after ``start``; LedgerBroken at the first damaged one."""
    skipped = max(0, start - segment.first) // BUNDLE
    entries = _unpacked(files, directory / LOG / segment.name, skipped)
    personal = _unpacked(files, directory / PERSONAL / segment.name, skipped)
    first = segment.first + skipped * BUNDLE
    for ours, theirs in zip_longest(entries, personal):
        if ours is None or theirs is None or len(ours) != len(theirs):
            raise LedgerBroken(_message(segment, "not one personal part for each entry"))
        yield Batch(first, ours, theirs)
        first += len(ours)
    if first != segment.end:
        raise LedgerBroken(_message(segment, f"ends at entry {first}"))


def batches(files: Files, directory: Path, start: int = 0) -> Iterator[Batch]:
    """Every batch that has entries at or after ``start``, sealed and live; ends where the live tail is not whole."""
    for segment in segments(files, directory):
        if segment.end is None:
            data = files.read(directory / LOG / segment.name)
            found: Iterator[Batch] = (batch for _, batch in live_batches(frames_in(data), segment.first))
        elif segment.end <= start:
            continue
        else:
            found = sealed_batches(files, directory, segment, start)
        yield from (batch for batch in found if batch.first + len(batch.entries) > start)


def parts_at(files: Files, directory: Path, index: int) -> tuple[bytes, bytes]:
    """The entry at ``index`` and what lies beside it; IndexError when there is none."""
    for batch in batches(files, directory, index):
        at = index - batch.first
        return batch.entries[at], batch.personal[at]
    msg = f"the ledger has no entry {index}"
    raise IndexError(msg)


def seal(files: Files, directory: Path, live: Segment, end: int) -> None:
    """Pack a live segment that ends at entry ``end`` and that a head covers: the personal side first, the log last."""
    path = directory / LOG / live.name
    count = sum(len(batch.entries) for _, batch in live_batches(read_frames(files, path), live.first))
    if live.first + count != end:
        raise LedgerBroken(_message(live, f"ends at entry {live.first + count} instead of {end}"))
    if count:
        sealed = Segment(live.first, end)
        for folder, side in ((PERSONAL, attrgetter("personal")), (LOG, attrgetter("entries"))):
            # One bundle after the other: as objects the parts of a segment take several times its bytes.
            parts = chain.from_iterable(side(batch) for _, batch in live_batches(read_frames(files, path), live.first))
            write_whole(files, directory / folder / sealed.name, packed(parts))
    files.remove(path)
    files.sync_directory(directory / LOG)


def read_frames(files: Files, path: Path) -> Iterator[tuple[int, bytes]]:
    """``frames_in`` of a live segment, read piece by piece: read whole, each leaves its size behind in the heap."""
    at, room = 0, _PIECE
    while data := files.read(path, at, room):
        end = 0
        for end, payload in frames_in(data):
            yield at + end, payload
        if not end and frame_size(data) <= room:
            return
        at, room = at + end, max(_PIECE, 0 if end else frame_size(data))


def packed(parts: Iterable[bytes]) -> bytes:
    """Parts in compressed bundles of 256, each in a frame after its length."""
    parts_left = iter(parts)
    bundles = iter(lambda: bundle(list(islice(parts_left, BUNDLE))), b"")
    return b"".join(frame(len(raw).to_bytes(4, "big") + zstd.compress(raw, _LEVEL), padded=False) for raw in bundles)


def _unpacked(files: Files, path: Path, skipped: int) -> Iterator[list[bytes]]:
    """The bundles of one side of a sealed segment, without the first ``skipped``."""
    try:
        data = files.read(path)
    except FileNotFoundError as error:
        msg = f"{path} is missing"
        raise LedgerBroken(msg) from error
    end = 0
    for number, (end, payload) in enumerate(frames_in(data, padded=False)):  # noqa: B007 (used below)
        if number >= skipped:
            yield _unbundled(payload, path)
    if end < len(data):
        msg = f"{path} is damaged at byte {end}"
        raise LedgerBroken(msg)


def _unbundled(payload: bytes, path: Path) -> list[bytes]:
    length = int.from_bytes(payload[:4], "big")
    try:
        if length > _LARGEST_BUNDLE:
            msg = f"a bundle of {length} bytes"
            raise ValueError(msg)  # noqa: TRY301 (told as the rest)
        return unbundle(_whole(payload[4:], length))
    except (ValueError, zstd.ZstdError) as error:
        msg = f"{path}: {error}"
        raise LedgerBroken(msg) from error


def _whole(packed: bytes, length: int) -> bytes:
    unpacker = zstd.ZstdDecompressor()
    raw = unpacker.decompress(packed, length)
    if len(raw) != length or not unpacker.eof or unpacker.unused_data:
        msg = f"not one frame of {length} bytes"
        raise ValueError(msg)
    return raw


def _message(segment: Segment, what: str) -> str:
    return f"{LOG}/{segment.name}: {what}"
