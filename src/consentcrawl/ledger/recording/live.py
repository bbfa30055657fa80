"""The ledger and the evidence store as a steward sees them: verdicts and outcomes go in, each with what it rests on.

A document is durable before an entry names it, and an entry before its future comes; after a failed write nothing
more is acknowledged.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Self

from consentcrawl.config import Config
from consentcrawl.core import Evidence, Ground, Verdict
from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.evidence.keeper import EvidenceKeeper
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.recording import Delivered, Ended
from consentcrawl.ledger.recording.opening import PROCESS, opened
from consentcrawl.ledger.records import outcome_entry, verdict_entry
from consentcrawl.ledger.waiting import Part

_AT_ONCE = 1000
_ONE_EACH = f"open one in each process, in a directory of its own ({PROCESS} in its name gives one)"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Entries that cannot be handed in at once: how they are made, the URL whose order they keep, and their future."""

    made: Callable[[], list[Part]]
    url: str
    index: Future[int]


class LedgerRecord:
    """An open ledger with its evidence. Safe for threads; one process writes it, and after a fork it refuses."""

    def __init__(self, ledger: Ledger, keeper: EvidenceKeeper) -> None:
        """Write to ``ledger``, with documents by ``keeper``; use ``LedgerRecord.open``."""
        self.ledger, self._keeper = ledger, keeper
        self._process = os.getpid()
        # A queue that may be put to from a destructor: responses that nobody closed end there.
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._behind: Counter[str] = Counter()
        self._changing = threading.Lock()
        self._closed = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="consentcrawl-ledger", daemon=True)
        self._thread.start()
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
        digests = None if verdict.url in self._behind else self._keeper.named(verdict, evidence, learnt)
        if digests is None or self._failure is not None or self._process != os.getpid():
            told = tuple(evidence)
            return self._later(lambda: [verdict_entry(verdict, self._keeper.keep(verdict, told, learnt))], verdict.url)
        try:
            return self.ledger.submit_verdict(verdict, digests)
        except LedgerBroken as broken:
            return _failed(broken)

    def record_outcomes(self, outcomes: Sequence[Ended]) -> Future[int]:
        """Hand in what became of downloads; the future gives the index of the first entry."""
        at = time.time()
        return self._later(lambda: [_outcome(at, *ended) for ended in outcomes], "")

    def close(self) -> None:
        """Write what waits, end the run, give everything back; LedgerBroken when something could not be written.

        Does nothing the second time, and in a process that was forked off.
        """
        with self._changing:
            if self._closed or self._process != os.getpid():
                return
            self._closed = True
        atexit.unregister(self.close)
        self._queue.put(None)
        self._thread.join()
        self._give_up(self._left())
        with ExitStack() as stack:
            stack.callback(self._close_ledger)
            stack.callback(self._close_evidence)

    def _later(self, made: Callable[[], list[Part]], url: str) -> Future[int]:
        """Queue up for the thread that may wait for disks."""
        if self._process != os.getpid():
            return _failed(LedgerBroken(f"{self.ledger.directory} was opened before a fork: {_ONE_EACH}"))
        waiting = _Waiting(made, url, Future())
        waiting.index.set_running_or_notify_cancel()  # it may be written already
        if url:
            with self._changing:
                self._behind[url] += 1
        self._queue.put(waiting)
        if self._closed and not self._thread.is_alive():
            self._give_up(self._left())
        return waiting.index

    def _work(self) -> None:
        last = False
        while not last:
            group, last = self._gathered()
            try:
                if self._failure is None and group:
                    self._write(group)
                else:
                    self._give_up(group)
            except Exception as error:  # noqa: BLE001 (whatever it was)
                self._failure = error
                self._give_up(group)

    def _gathered(self) -> tuple[list[_Waiting], bool]:
        """Wait for something to do, and take what else is there; the second is True at the end."""
        group: list[_Waiting] = []
        each = self._queue.get()
        try:
            while each is not None:
                group.append(each)
                if len(group) == _AT_ONCE:
                    return group, False
                each = self._queue.get_nowait()
        except Empty:
            return group, False
        return group, True

    def _left(self) -> list[_Waiting]:
        """Take what came after the end."""
        left: list[_Waiting] = []
        with suppress(Empty):
            while True:
                each = self._queue.get_nowait()
                left += [each] if each is not None else []
        return left

    def _write(self, group: list[_Waiting]) -> None:
        """Make the documents of a group durable, then hand its entries in together."""
        parts = [waiting.made() for waiting in group]
        self._keeper.sync()
        written = self.ledger.submit_encoded(list(chain.from_iterable(parts)))
        self._done(group)
        sizes = [len(each) for each in parts]
        written.add_done_callback(lambda first: _tell(group, sizes, first))

    def _done(self, group: list[_Waiting]) -> None:
        """From here on the next verdict about the same URLs comes after these, whichever way it goes."""
        if not (urls := [waiting.url for waiting in group if waiting.url]):
            return  # outcomes only: they come from destructors too, which must not wait for a lock
        with self._changing:
            for url in urls:
                self._behind[url] -= 1
                if not self._behind[url]:
                    del self._behind[url]

    def _give_up(self, group: list[_Waiting]) -> None:
        self._done(group)
        for waiting in group:
            waiting.index.set_exception(self._refusal())

    def _refusal(self) -> LedgerBroken:
        if isinstance(self._failure, LedgerBroken):
            return self._failure
        why = f"nothing more is acknowledged after {self._failure!r}" if self._failure else "the ledger is closed"
        broken = LedgerBroken(f"{self.ledger.directory}: {why}")
        broken.__cause__ = self._failure
        return broken

    def _close_evidence(self) -> None:
        try:
            self._keeper.close()
        except OSError as error:
            self._failure = self._failure or error

    def _close_ledger(self) -> None:
        self.ledger.close()
        self._failure = self._failure or self.ledger.failure
        if self._failure is not None:
            raise self._refusal()


def _outcome(at: float, verdict: Verdict, index: int, delivered: Delivered) -> Part:
    return outcome_entry(
        verdict.url, at=at, verdict=index, status=delivered.status, size=delivered.size, digest=delivered.digest,
        file=delivered.file,
    )  # fmt: skip


def _tell(group: list[_Waiting], sizes: list[int], written: Future[int]) -> None:
    error = written.exception()
    index = written.result() if error is None else 0
    for waiting, size in zip(group, sizes, strict=True):
        if error is None:
            waiting.index.set_result(index)
        else:
            waiting.index.set_exception(error)
        index += size


def _failed(error: LedgerBroken) -> Future[int]:
    future: Future[int] = Future()
    future.set_exception(error)
    return future
