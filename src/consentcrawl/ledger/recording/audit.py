"""Verifying all of a ledger: its log, the batch segments that entries name, and the documents that verdicts rest on.

Nothing that an entry names is taken on trust; each is read again and compared with its digest or root.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger import index
from consentcrawl.ledger.entry import BadEntry, decode
from consentcrawl.ledger.erasures import SegmentErasures
from consentcrawl.ledger.evidence import EvidenceStore, NoEvidence
from consentcrawl.ledger.frames import Batch
from consentcrawl.ledger.journal import journal_rows, journals
from consentcrawl.ledger.recording.stored import EVIDENCE, segment_file
from consentcrawl.ledger.report import Report
from consentcrawl.ledger.segments import check_segment, column
from consentcrawl.ledger.verify import verify

# Found in the bytes: inside a JSON string a quotation mark is always escaped, so this can only be a key.
_EVIDENCE = b',"evidence":['
_HEX = re.compile("[0-9a-f]{64}")
_SEGMENT, _ERASURE = b'"kind":"segment"', b'"kind":"erasure"'


@dataclass(slots=True)
class Audit:
    """What was read besides the log, and the report on all of it."""

    report: Report
    segments: int = 0
    rows: int = 0
    documents: int = 0
    journal_rows: int = 0
    index_is_fresh: bool = True


def audit(directory: Path, *, witness: bytes | None = None, key: str | None = None) -> Audit:
    """Read everything again; ``witness`` and ``key`` as for ``ledger.verify.verify``. Raises nothing.

    The index is not read: it is made anew from the entries, where there is one.
    """
    named: set[bytes] = set()
    found: list[tuple[int, bytes]] = []

    def on_batch(batch: Batch) -> None:
        for number, entry in enumerate(batch.entries, batch.first):
            at = entry.find(_EVIDENCE)
            if at >= 0:
                named.add(entry[at : entry.find(b"]", at)])
            elif _SEGMENT in entry or _ERASURE in entry:
                found.append((number, entry))

    result = Audit(verify(directory, witness=witness, key=key, on_batch=on_batch))
    digests = set(_HEX.findall(b" ".join(named).decode("utf-8", "replace")))
    digests |= _segments(result, directory, found)
    _documents(result, directory, digests - _erased(found))
    result.journal_rows = sum(1 for path in journals(directory) for _ in journal_rows(path))
    result.index_is_fresh = _index_is_fresh(directory)
    return result


def _segments(result: Audit, directory: Path, entries: list[tuple[int, bytes]]) -> set[str]:
    """Check the segments among these entries, and return the digests that their rows name."""
    erasures = SegmentErasures()
    named = []
    for number, entry in entries:
        try:
            record = decode(entry)
            erasures.note(record)
            if index.inner(record)["kind"] == "segment":
                named.append((number, record))
        except (BadEntry, KeyError, TypeError) as error:
            result.report.find(f"entry {number} is not a segment or an erasure: {error!r}")
    digests = set()
    for number, record in named:
        segment = index.inner(record)
        try:
            path = segment_file(directory, segment)
            wrong = check_segment(path, segment, erasures.of(number, record))
            digests |= _digests_in(path)
        except (LedgerBroken, KeyError, TypeError) as error:
            wrong = (f"the segment of entry {number}: {error}",)
        result.segments += not wrong
        result.rows += 0 if wrong else segment["rows"]
        for each in wrong:
            result.report.find(each)
    return digests


def _erased(entries: list[tuple[int, bytes]]) -> set[str]:
    """The digests of documents that entries say were erased."""
    digests: set[str] = set()
    for _, entry in entries:
        with suppress(BadEntry, KeyError, TypeError):
            record = index.inner(decode(entry))
            digests.update(record["documents"] if record["kind"] == "erasure" else ())
    return digests


def _digests_in(path: Path) -> set[str]:
    """The digests that rows name, in a column of lists or of lists written as JSON."""
    return {digest for cell in column(path, "evidence") if cell for digest in _HEX.findall(str(cell))}


def _documents(result: Audit, directory: Path, digests: set[str]) -> None:
    """Read what every digest leads to: a document, or a list of look-ups with the documents that it names."""
    store = EvidenceStore(directory / EVIDENCE)
    read = set()
    for digest in sorted(digests):
        try:
            read |= {digest, *(looked_up.digest for looked_up, document in store.behind([digest]) if document)}
        except (NoEvidence, OSError, ValueError) as error:
            result.report.find(f"what a verdict rests on, {digest}, is missing or damaged: {error}")
    result.documents = len(read)


def _index_is_fresh(directory: Path) -> bool:
    """Make the index anew where there is one; return whether what is there came from the entries that were read."""
    try:
        if (directory / index.INDEX_FILE).exists():
            index.rebuild(directory)
    except (LedgerBroken, BadEntry, sqlite3.Error, OSError, ValueError, KeyError):
        return False
    return True
