"""The ledger of a batch run: its verdicts are rows of Parquet segments, of which the ledger has one entry each.

A dry run hands nothing out, so a row may wait for its segment; its documents are durable before that is written.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from consentcrawl.config import Config
from consentcrawl.core import Evidence, Ground, Verdict
from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.evidence.keeper import EvidenceKeeper
from consentcrawl.ledger.files import OS_FILES
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.recording import Ended
from consentcrawl.ledger.recording.opening import opened
from consentcrawl.ledger.records import verdict_record
from consentcrawl.ledger.segment_rows import PERSONAL, SCHEMA, as_row
from consentcrawl.ledger.segments import SEGMENTS, write_segment

ROWS, BYTES, SECONDS = 1_000_000, 256 * 1024 * 1024, 600.0
"""A segment is written at so many rows, at so many bytes in memory, and at the latest after so many seconds."""
_TOGETHER = 4096


class BatchRecord:
    """An open ledger that verdict rows of a batch run go to. Safe for threads; blocks, so not for event loops."""

    def __init__(
        self, ledger: Ledger, keeper: EvidenceKeeper, *, rows: int = ROWS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write to ``ledger``, with documents by ``keeper``; use ``BatchRecord.open``."""
        self.ledger, self._keeper, self._most, self._clock = ledger, keeper, rows, clock
        self._process, self._changing = os.getpid(), threading.Lock()
        self._rows: list[dict[str, Any]] = []
        self._batches: list[pa.RecordBatch] = []
        self._count = self._since = 0.0
        self._handed_in = 0
        self._failure: Exception | None = None
        self._closed = False

    @classmethod
    def open(cls, directory: str | Path, config: Config | None = None, *, command: str = "", rows: int = ROWS) -> Self:
        """Open the ledger in ``directory``, as ``LedgerRecord.open``; a segment is written every ``rows`` rows."""
        return cls(*opened(directory, config, command=command), rows=rows)

    def record_verdict(
        self, verdict: Verdict, evidence: Sequence[Evidence], learnt: Sequence[Ground] = ()
    ) -> Future[int]:
        """Take a verdict and what it rests on; the future gives its number in this run, at once.

        The row is durable when its segment is written: at the latest by ``close``. LedgerBroken after a failed write.
        """
        index: Future[int] = Future()
        with self._changing:
            try:
                self._take(verdict, evidence, learnt)
            except (OSError, LedgerBroken) as error:
                self._failure = self._failure or error
                index.set_exception(self._refusal())
            else:
                index.set_result(self._handed_in)
                self._handed_in += 1
        return index

    def record_outcomes(self, outcomes: Sequence[Ended]) -> Future[int]:
        """Refuse: a dry run delivers nothing. Raises LedgerBroken by the future."""
        future: Future[int] = Future()
        future.set_exception(LedgerBroken(f"a dry run delivered {', '.join(verdict.url for verdict, *_ in outcomes)}"))
        return future

    def close(self) -> None:
        """Write the last segment, end the run, give everything back; LedgerBroken when something was not written."""
        with self._changing:
            if self._closed or self._process != os.getpid():
                return
            self._closed = True
            with ExitStack() as stack:
                stack.callback(self.ledger.close)
                stack.callback(self._keeper.close)
                try:
                    self._write()
                except OSError as error:
                    self._failure = error
            if self._failure is not None:
                raise self._refusal()

    def _take(self, verdict: Verdict, evidence: Sequence[Evidence], learnt: Sequence[Ground]) -> None:
        if self._closed or self._failure is not None or self._process != os.getpid():
            raise self._refusal()
        digests = self._keeper.keep(verdict, evidence, learnt)
        self._since = self._since if self._count else self._clock()
        self._rows.append(as_row(*verdict_record(verdict, digests)))
        self._count += 1
        if len(self._rows) == _TOGETHER:
            self._pack()
        if self._full():
            self._write()

    def _full(self) -> bool:
        size = sum(batch.nbytes for batch in self._batches) if not self._rows else 0
        return self._count >= self._most or size >= BYTES or self._clock() - self._since >= SECONDS

    def _pack(self) -> None:
        """Keep rows the way Arrow does, in a tenth of the memory."""
        if self._rows:
            self._batches.append(pa.RecordBatch.from_pylist(self._rows, schema=SCHEMA))
            self._rows = []

    def _write(self) -> None:
        """Make the documents durable, then the segment, then its entry."""
        self._pack()
        if not self._batches or self._failure is not None:
            return
        self._keeper.sync()
        folder = self.ledger.directory / SEGMENTS
        OS_FILES.make_directory(folder)
        OS_FILES.sync_directory(self.ledger.directory)
        name = f"{self.ledger.now():013}-{secrets.token_hex(4)}.parquet"
        table = pa.Table.from_batches(self._batches, schema=SCHEMA)
        segment = write_segment(table, folder / name, personal=PERSONAL)
        self.ledger.append(segment.as_record(self.ledger.now()))
        self._batches, self._count = [], 0

    def _refusal(self) -> LedgerBroken:
        if isinstance(self._failure, LedgerBroken):
            return self._failure
        why = f"nothing more is acknowledged after {self._failure!r}" if self._failure else "the ledger is closed"
        broken = LedgerBroken(f"{self.ledger.directory}: {why}")
        broken.__cause__ = self._failure
        return broken
