"""What a ledger holds, read back: from its entries, from entries merged in, and from the rows of batch segments.

The index only says where to look; what is returned was read from the ledger, and without an index all of it is read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger import index
from consentcrawl.ledger.journal import SEGMENTS
from consentcrawl.ledger.reading import Line, VerifiedEntries, verified_lines
from consentcrawl.ledger.recording.opening import EVIDENCE
from consentcrawl.ledger.segment_rows import as_entry
from consentcrawl.ledger.segments import SegmentReader

__all__ = [
    "EVIDENCE",
    "SEGMENTS",
    "StoredRecord",
    "about",
    "at",
    "fresh_index",
    "naming",
    "segment_file",
    "segment_lines",
    "segment_of",
    "stored_records",
]


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record, the index of its entry, and its URLs (none once erased).

    Of a row of a batch segment, ``row`` is its place there and ``segment`` what the entry says of the segment.
    ``signed`` is True when a signed head covers the entry; what a head covers was compared with it.
    """

    index: int
    record: Mapping[str, Any]
    urls: tuple[str, ...]
    row: int | None = None
    segment: Mapping[str, Any] | None = None
    signed: bool = False

    @property
    def kind(self) -> str:
        """The kind of record."""
        return str(self.record["kind"])

    @property
    def at(self) -> int:
        """When it was written, in milliseconds since the epoch."""
        return int(self.record.get("at", 0))

    @property
    def asked(self) -> str:
        """The URL that was asked about first, before any redirect; empty once erased."""
        return next(iter(self.hops), self.urls[0] if self.urls else "")

    @property
    def hops(self) -> list[str]:
        """The URLs that redirected, the first one first."""
        return [self.url(place) for place, _ in self.record.get("hops") or ()]

    def url(self, place: object) -> str:
        """The URL at a place of the personal part, or the one that is written out; empty once erased."""
        if isinstance(place, str):
            return place
        return self.urls[place] if isinstance(place, int) and place < len(self.urls) else ""


def stored_records(directory: Path) -> Iterator[StoredRecord]:
    """Every record, merged ones unwrapped, each segment followed by its rows; LedgerBroken at what is not as signed.

    Segments are checked before their rows are given, the entries by the time that all were given.
    """
    for line in verified_lines(directory):
        yield _stored(line)
        if index.inner(line.record)["kind"] == "segment":
            yield from _rows(directory, line)


def at(directory: Path, entry: int) -> StoredRecord:
    """The record of one entry; IndexError when there is none."""
    return _stored(VerifiedEntries(directory).line(entry))


def about(directory: Path, url: str) -> list[StoredRecord]:
    """Everything about one asset, newest first: its verdicts, also those it was redirected from, and its outcomes."""
    found = [each for each in naming(directory, url) if url in each.urls[:1] or url in each.hops]
    for line in segment_lines(directory):
        found += (each for each in _rows(directory, line, url) if url in each.urls[:1] or url in each.hops)
    return sorted(found, key=lambda each: (each.index, each.row or 0), reverse=True)


def naming(directory: Path, url: str) -> Iterator[StoredRecord]:
    """The entries whose personal part has the URL, oldest first: as asset, as redirect, or as a source."""
    found = _found(directory, url=url)
    everything = verified_lines(directory) if found is None else found
    yield from (_stored(line) for line in everything if url in line.urls)


def segment_lines(directory: Path) -> list[Line]:
    """The entries that name a batch segment."""
    found = _found(directory, kind="segment")
    everything = verified_lines(directory) if found is None else found
    return [line for line in everything if index.inner(line.record)["kind"] == "segment"]


def segment_file(directory: Path, record: Mapping[str, Any]) -> Path:
    """Where the segment of a record lies; raises LedgerBroken for a name that leads elsewhere."""
    name = str(record["file"])
    if Path(name).name != name:
        msg = f"a segment in another place than the ledger's: {name}"
        raise LedgerBroken(msg)
    return directory / SEGMENTS / name


def segment_of(directory: Path, line: Line) -> SegmentReader:
    """The segment that an entry names; LedgerBroken when it is not the one that was written."""
    record = index.inner(line.record)
    return SegmentReader(segment_file(directory, record), record)


def fresh_index(directory: Path) -> Path | None:
    """Bring the index up to date, making it anew when it is damaged; None where it cannot be written."""
    for work in (index.update, index.rebuild):
        try:
            work(directory)
        except (sqlite3.Error, OSError):
            continue
        return directory / index.INDEX_FILE
    return None


def _found(directory: Path, **conditions: str) -> list[Line] | None:
    """The entries that the index finds; None where there is no index to be had."""
    entries = VerifiedEntries(directory)
    for make in (fresh_index, _made_anew):
        try:
            if (path := make(directory)) is not None:
                if not _any(path, conditions.get("kind", "")):
                    return []
                return [entries.line(entry) for entry in index.find(directory, **conditions)]
        except (sqlite3.Error, IndexError, OSError):  # damaged, of a ledger that was longer, or not to be removed
            continue
    return None


def _any(path: Path, kind: str) -> bool:
    """Return whether there are entries of a kind at all: to look through all of them for none takes long."""
    with closing(sqlite3.connect(path)) as database:
        return not kind or database.execute("select 1 from sort where kind = ?", (kind,)).fetchone() is not None


def _made_anew(directory: Path) -> Path | None:
    (directory / index.INDEX_FILE).unlink(missing_ok=True)
    return fresh_index(directory)


def _stored(line: Line) -> StoredRecord:
    return StoredRecord(line.index, index.inner(line.record), line.urls, signed=line.signed)


def _rows(directory: Path, line: Line, url: str | None = None) -> Iterator[StoredRecord]:
    """The rows of a segment, or those that name one URL."""
    segment, reader = index.inner(line.record), segment_of(directory, line)
    for number, row in reader.rows() if url is None else reader.naming([url]):
        yield StoredRecord(line.index, *as_entry(row), number, segment, line.signed)
