"""Verifying all of a ledger: its log, the batch segments that entries name, and the documents that verdicts rest on.

Nothing that an entry names is taken on trust; each is read again and compared with its digest or root.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger import index
from consentcrawl.ledger.entry import BadEntry, decode
from consentcrawl.ledger.evidence import EvidenceStore, NoEvidence
from consentcrawl.ledger.frames import Batch
from consentcrawl.ledger.recording.stored import EVIDENCE, segment_file
from consentcrawl.ledger.report import Report
from consentcrawl.ledger.segments import check_segment
from consentcrawl.ledger.verify import verify

# Found in the bytes: inside a JSON string a quotation mark is always escaped, so this can only be a key.
_EVIDENCE = b',"evidence":['
_HEX = re.compile("[0-9a-f]{64}")
_SEGMENT = b'"kind":"segment"'


@dataclass(slots=True)
class Audit:
    """What was read besides the log, and the report on all of it."""

    report: Report
    segments: int = 0
    rows: int = 0
    documents: int = 0


def audit(directory: Path, *, witness: bytes | None = None, key: str | None = None) -> Audit:
    """Read everything again; ``witness`` and ``key`` as for ``ledger.verify.verify``. Raises nothing."""
    named: set[bytes] = set()
    segments: list[bytes] = []

    def on_batch(batch: Batch) -> None:
        for entry in batch.entries:
            at = entry.find(_EVIDENCE)
            if at >= 0:
                named.add(entry[at : entry.find(b"]", at)])
            elif _SEGMENT in entry:
                segments.append(entry)

    found = Audit(verify(directory, witness=witness, key=key, on_batch=on_batch))
    digests = set(_HEX.findall(b" ".join(named).decode("utf-8", "replace")))
    for entry in segments:
        digests |= _segment(found, directory, entry)
    _documents(found, directory, digests)
    return found


def _segment(found: Audit, directory: Path, entry: bytes) -> set[str]:
    """Check the segment that an entry names, if it is one's; give the digests that its rows name."""
    try:
        inner = index.inner(decode(entry))
        if inner["kind"] != "segment":
            return set()
        path = segment_file(directory, inner)
        wrong = check_segment(path, inner)
    except (LedgerBroken, BadEntry, KeyError, TypeError) as error:
        found.report.find(f"an entry that names a segment: {error}")
        return set()
    found.segments += 1
    if wrong:
        found.report.find("; ".join(wrong))
        return set()
    found.rows += inner["rows"]
    return _digests_in(path)


def _digests_in(path: Path) -> set[str]:
    """The digests that rows name, in a column of lists or of lists written as JSON."""
    if "evidence" not in pq.read_schema(path).names:
        return set()
    cells = pq.read_table(path, columns=["evidence"]).column(0)
    return {digest for cell in cells.to_pylist() if cell for digest in _HEX.findall(str(cell))}


def _documents(found: Audit, directory: Path, digests: set[str]) -> None:
    """Read what every digest leads to: a document, or a list of look-ups with the documents that it names."""
    store = EvidenceStore(directory / EVIDENCE)
    read = set()
    for digest in sorted(digests):
        try:
            read |= {digest, *(looked_up.digest for looked_up, document in store.behind([digest]) if document)}
        except (NoEvidence, OSError, ValueError):
            found.report.find(f"what a verdict rests on, {digest}, is missing or damaged")
    found.documents = len(read)
