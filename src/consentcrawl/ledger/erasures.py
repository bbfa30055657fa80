"""What entries say was erased from batch segments, also where segment and erasure were merged in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from consentcrawl.ledger.segments import Erased


class SegmentErasures:
    """The rows and files that erasures name, by origin (empty: this ledger) and index of the segment's entry."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: dict[tuple[str, int], set[int]] = {}
        self._digests: dict[tuple[str, int], set[str]] = {}

    def note(self, record: Mapping[str, Any]) -> None:
        """Take note of a record, if it is an erasure from a segment."""
        origin = ""
        while record["kind"] == "merged":
            origin, record = record["origin"], record["entry"]
        if record["kind"] == "erasure" and "segment" in record:
            entry = (origin, record["segment"])
            self._rows.setdefault(entry, set()).update(record["rows"])
            self._digests.setdefault(entry, set()).add(record["sha256"])

    def of(self, index: int, record: Mapping[str, Any]) -> Erased:
        """Return what was erased from the segment of the entry ``index``, here or in the ledger it was merged from."""
        entries = list(_entries(index, record))
        rows: set[int] = set().union(*(self._rows.get(entry, ()) for entry in entries))
        digests: set[str] = set().union(*(self._digests.get(entry, ()) for entry in entries))
        return Erased(rows, digests)


def _entries(index: int, record: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    yield "", index
    while record["kind"] == "merged":
        yield record["origin"], record["index"]
        record = record["entry"]
