"""Sealing: the rows of a journal become a batch segment, of which the ledger gets one entry."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pyarrow as pa

from consentcrawl.ledger.entry import decode, urls_of
from consentcrawl.ledger.journal import journal_rows, journals
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.log_files import batches
from consentcrawl.ledger.segment_rows import PERSONAL, SCHEMA, as_row
from consentcrawl.ledger.segments import write_segment

_TOGETHER = 4096  # rows made into Arrow columns at once


def seal_journal(ledger: Ledger, path: Path) -> None:
    """Write the segment of a journal, then its entry, and remove the journal. Raises OSError, LedgerBroken."""
    rows = journal_rows(path, ledger.files)
    packed = []
    while some := list(islice(rows, _TOGETHER)):
        values = [as_row(decode(entry), urls_of(personal)) for entry, personal in some]
        packed.append(pa.RecordBatch.from_pylist(values, SCHEMA))
    if packed:
        table = pa.Table.from_batches(packed, SCHEMA)
        segment = write_segment(table, path.with_suffix(".parquet"), personal=PERSONAL)
        ledger.append(segment.as_record(ledger.now()))
    ledger.files.remove(path)
    ledger.files.sync_directory(path.parent)


def recover(ledger: Ledger) -> None:
    """Seal every journal that was left behind. The ledger must be open: that no other process has it is relied on."""
    for path in journals(ledger.directory):
        if _is_sealed(ledger, path.with_suffix(".parquet")):
            ledger.files.remove(path)
        else:
            seal_journal(ledger, path)


def _is_sealed(ledger: Ledger, segment: Path) -> bool:
    """Return whether an entry names the segment: then only the journal was still to be removed."""
    name = f'"file":"{segment.name}"'.encode()
    return segment.exists() and any(
        name in entry for batch in batches(ledger.files, ledger.directory) for entry in batch.entries
    )
