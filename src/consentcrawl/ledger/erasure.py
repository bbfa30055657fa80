"""Erasing what names a work: its URL goes, the entry and every proof of it stay.

An erasure is written down before anything is erased, so that a missing personal part always has its reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain
from typing import TypeVar

from consentcrawl.ledger.entry import urls_of
from consentcrawl.ledger.files import Files, write_whole
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.log_files import PERSONAL, Segment, packed, sealed_batches, segments
from consentcrawl.ledger.segments import SegmentReader

_MOST_INDICES = 4000  # in one entry

T = TypeVar("T")


def erase(ledger: Ledger, url: str) -> list[int]:
    """Erase every personal part that has ``url`` in it, and return the indices of their entries.

    The salts go with the URLs, so that trying does not show whether a URL was there. Everything written so
    far is sealed first. An index that was built before must be built again, and backups are the caller's affair.
    """
    ledger.seal()
    found = {
        segment: _naming(ledger.files, ledger, segment, url) for segment in segments(ledger.files, ledger.directory)
    }
    indices = sorted(chain.from_iterable(found.values()))
    at = ledger.now()
    for some in batched(indices):
        ledger.append({"kind": "erasure", "at": at, "entries": some})
    for segment, gone in found.items():
        if gone:
            _rewrite(ledger.files, ledger, segment, gone)
    return indices


def erase_rows(ledger: Ledger, entry: int, segment: SegmentReader, urls: Collection[str]) -> int:
    """Erase the personal columns of every row of a segment that names one of ``urls``; return how many rows those are.

    ``entry`` is the index of the segment's entry. The erasure names the rows and the SHA-256 of the file that is left.
    """
    rows = [number for number, _ in segment.naming(urls)]
    if not rows:
        return 0
    content = segment.without(rows)
    said = {"kind": "erasure", "at": ledger.now(), "entries": [], "segment": entry}
    for some in batched(rows):
        ledger.append({**said, "rows": some, "sha256": sha256(content).hexdigest()})
    write_whole(ledger.files, segment.path, content)
    return len(rows)


def batched(named: Sequence[T], most: int = _MOST_INDICES) -> Iterator[Sequence[T]]:
    """Yield as many at a time as an erasure names in one entry."""
    for start in range(0, len(named), most):
        yield named[start : start + most]


def _naming(files: Files, ledger: Ledger, segment: Segment, url: str) -> set[int]:
    """The entries of a sealed segment whose personal part has the URL."""
    if segment.end is None:
        return set()
    parts = _parts(files, ledger, segment)
    return {index for index, part in enumerate(parts, segment.first) if url in urls_of(part)}


def _rewrite(files: Files, ledger: Ledger, segment: Segment, gone: set[int]) -> None:
    """Put a file without these parts in the place of the one with them, in one step."""
    left = [b"" if index in gone else part for index, part in enumerate(_parts(files, ledger, segment), segment.first)]
    write_whole(files, ledger.directory / PERSONAL / segment.name, packed(left))


def _parts(files: Files, ledger: Ledger, segment: Segment) -> Iterable[bytes]:
    return chain.from_iterable(batch.personal for batch in sealed_batches(files, ledger.directory, segment))
