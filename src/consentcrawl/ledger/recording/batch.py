"""The ledger of a batch run: its verdicts are rows of Parquet segments, of which the ledger has one entry each.

A row is durable in a journal before its future comes. The segment is written when the journal is full, and at the end.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Self

from consentcrawl.config import Config
from consentcrawl.core import Evidence, Ground, Verdict
from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.entry import Part
from consentcrawl.ledger.evidence.keeper import EvidenceKeeper
from consentcrawl.ledger.journal import SEGMENTS, SUFFIX, Journal
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.pending import Pending, PendingQueue
from consentcrawl.ledger.recording import Ended
from consentcrawl.ledger.recording.opening import handed_in, opened
from consentcrawl.ledger.records import verdict_entry
from consentcrawl.ledger.sealing import seal_journal

ROWS, BYTES, SECONDS = 1_000_000, 256 * 1024 * 1024, 600.0
"""A segment is written at so many rows, at so many bytes of journal, and at the latest after so many seconds."""


class BatchRecord:
    """An open ledger that verdict rows of a batch run go to. Safe for threads."""

    def __init__(
        self, ledger: Ledger, keeper: EvidenceKeeper, *, rows: int = ROWS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write to ``ledger``, with documents by ``keeper``; use ``BatchRecord.open``."""
        self.ledger, self._keeper, self._most, self._clock = ledger, keeper, rows, clock
        self._process, self._closed = os.getpid(), False
        self._queue = PendingQueue(ledger.directory)
        self._journal: Journal | None = None
        self._since, self._handed_in = 0.0, 0
        self._sealing = ThreadPoolExecutor(1, "consentcrawl-segments")
        self._sealed: list[Future[None]] = []
        self._thread = threading.Thread(target=self._work, name="consentcrawl-journal", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, directory: str | Path, config: Config | None = None, *, command: str = "", rows: int = ROWS) -> Self:
        """Open the ledger in ``directory``, as ``LedgerRecord.open``; a segment is written every ``rows`` rows."""
        return cls(*opened(directory, config, command=command), rows=rows)

    def record_verdict(
        self, verdict: Verdict, evidence: Sequence[Evidence], learnt: Sequence[Ground] = ()
    ) -> Future[int]:
        """Hand in a verdict and what it rests on; the future gives its number in this run once its row is durable.

        Blocks for a verdict without evidence, whose caller does not wait for the future.
        """
        number = self.record_verdicts([(verdict, tuple(evidence), learnt)])
        if not evidence:
            number.exception()
        return number

    def record_verdicts(self, verdicts: Sequence[tuple[Verdict, Sequence[Evidence], Sequence[Ground]]]) -> Future[int]:
        """Hand in verdicts that become durable together, each as for ``record_verdict``; the number of the first."""

        def rows() -> list[Part]:
            return [
                verdict_entry(verdict, self._keeper.keep(verdict, evidence, learnt))
                for verdict, evidence, learnt in verdicts
            ]

        return handed_in(self.ledger.directory, self._process, lambda: self._queue.put(rows))

    def record_outcomes(self, outcomes: Sequence[Ended]) -> Future[int]:
        """Refuse: a dry run delivers nothing. Raises LedgerBroken by the future."""
        future: Future[int] = Future()
        future.set_exception(LedgerBroken(f"a dry run delivered {', '.join(verdict.url for verdict, *_ in outcomes)}"))
        return future

    def close(self) -> None:
        """Write the last segment, end the run, give everything back.

        Raises LedgerBroken when a row was not written. OSError, when a segment was not: its journal stays, and the next
        opening of the ledger writes it.
        """
        if self._closed or self._process != os.getpid():
            return
        self._closed = True
        self._queue.close()
        self._thread.join()
        self._roll()
        self._sealing.shutdown()
        try:
            self.ledger.close()
        finally:
            with suppress(OSError):  # what a row names is durable already
                self._keeper.close()
        if self._queue.failure is not None:
            raise self._queue.refusal()
        for sealed in self._sealed:
            sealed.result()

    def _work(self) -> None:
        for group in iter(self._queue.take, []):
            try:
                self._write(group)
            except Exception as error:  # noqa: BLE001 (whatever it was)
                self._queue.fail(error, group)
                break
            for pending in group:
                pending.index.set_result(self._handed_in)
                self._handed_in += len(pending.parts)
        self._queue.end()

    def _write(self, group: list[Pending]) -> None:
        """Make a group durable, after the documents that it names."""
        parts = list(chain.from_iterable(pending.parts for pending in group))
        self._keeper.sync()
        if self._journal is None:
            name = f"{self.ledger.now():013}-{secrets.token_hex(4)}{SUFFIX}"
            self._journal, self._since = (
                Journal(self.ledger.files, self.ledger.directory / SEGMENTS / name),
                self._clock(),
            )
        self._journal.write(parts)
        if self._full(self._journal):
            self._roll()

    def _full(self, journal: Journal) -> bool:
        return journal.rows >= self._most or journal.size >= BYTES or self._clock() - self._since >= SECONDS

    def _roll(self) -> None:
        """Be done with the journal; its segment is written beside what goes on."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()
            self._sealed.append(self._sealing.submit(seal_journal, self.ledger, journal.path))
