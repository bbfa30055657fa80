"""The ledger and the evidence store as a steward sees them: verdicts and outcomes go in, each with what it rests on.

A document is durable before an entry names it, and an entry before its future comes; after a failed write nothing
more is acknowledged.
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Self

from consentcrawl.config import Config
from consentcrawl.core import Evidence, Ground, Verdict
from consentcrawl.ledger.entry import Part
from consentcrawl.ledger.evidence.keeper import EvidenceKeeper
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.pending import Made
from consentcrawl.ledger.recording import Delivered, Ended
from consentcrawl.ledger.recording.opening import handed_in, opened
from consentcrawl.ledger.records import outcome_entry, verdict_entry


class LedgerRecord:
    """An open ledger with its evidence. Safe for threads; one process writes it, and after a fork it refuses."""

    def __init__(self, ledger: Ledger, keeper: EvidenceKeeper) -> None:
        """Write to ``ledger``, with documents by ``keeper``, which it syncs; use ``LedgerRecord.open``."""
        self.ledger, self._keeper = ledger, keeper
        self._process, self._closed = os.getpid(), False
        atexit.register(self.close)

    @classmethod
    def open(
        cls, directory: str | Path, config: Config | None = None, *, command: str = "", files: Files = OS_FILES
    ) -> Self:
        """Open the ledger in ``directory``, made where there is none, and write who runs and under which policy.

        ``{process}`` in the directory's name gives each process a ledger of its own. ``command`` names the program.
        Raises LedgerBroken when the ledger is damaged or another process writes it.
        """
        return cls(*opened(directory, config, command=command, files=files))

    def record_verdict(
        self, verdict: Verdict, evidence: Sequence[Evidence], learnt: Sequence[Ground] = ()
    ) -> Future[int]:
        """Hand in a verdict and what it rests on; the future gives the entry's index once both are durable."""
        answers = tuple(evidence)
        return self._submit(lambda: [verdict_entry(verdict, self._keeper.keep(verdict, answers, learnt))])

    def record_outcomes(self, outcomes: Sequence[Ended]) -> Future[int]:
        """Hand in what became of downloads; the future gives the index of the first entry.

        May be called in a destructor: responses that were never closed end there.
        """
        at = time.time()
        return self._submit(lambda: [_outcome(at, *ended) for ended in outcomes])

    def close(self) -> None:
        """Write what is pending, end the run, give everything back; LedgerBroken when something could not be written.

        Does nothing the second time, and in a process that was forked off.
        """
        atexit.unregister(self.close)
        if self._closed or self._process != os.getpid():
            return
        self._closed = True
        try:
            self.ledger.close()
        finally:
            with suppress(OSError):  # what an entry names is durable already
                self._keeper.close()
        if self.ledger.failure is not None:
            raise self.ledger.failure

    def _submit(self, made: Made) -> Future[int]:
        return handed_in(self.ledger.directory, self._process, lambda: self.ledger.submit(made))


def _outcome(at: float, verdict: Verdict, index: int, delivered: Delivered) -> Part:
    return outcome_entry(
        verdict.url, at=at, verdict=index, status=delivered.status, size=delivered.size, digest=delivered.digest,
        file=delivered.file,
    )  # fmt: skip
