"""The group commit, and the heads that are signed over what was committed.

No index is given for an entry that a power cut could lose, and after a failed write none is given any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from itertools import chain
from pathlib import Path

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.checkpoint import new_key
from consentcrawl.ledger.files import Files
from consentcrawl.ledger.frames import Batch
from consentcrawl.ledger.heads import HeadKeeper
from consentcrawl.ledger.keys import load_public, save_key, save_public
from consentcrawl.ledger.recovery import Opened
from consentcrawl.ledger.store import seal
from consentcrawl.ledger.tree import leaf_hashes
from consentcrawl.ledger.waiting import Made, Part, Queue, Waiting
from consentcrawl.ledger.writer import SegmentWriter

_HEAD_EVERY = 1.0  # seconds: a head costs three syncs and a rename
_MANY = 256  # entries are worth a head at once ...
_PATIENCE = 10  # ... and fewer are after so many seconds


class Committer:
    """Two threads: one makes batches durable and tells their index, one signs heads over them."""

    def __init__(
        self, files: Files, directory: Path, opened: Opened, segment_bytes: int, before: Callable[[], list[Part]]
    ) -> None:
        """Go on where the ledger was opened; ``before`` gives what has to be written before the next batch."""
        self._files, self._directory, self._before = files, directory, before
        self._signer, self._frontier = opened.signer, opened.head.frontier.copy()
        self._size, self._unsigned = opened.end, opened.tail
        self._writer = SegmentWriter(files, directory, opened, segment_bytes)
        self._keeper = HeadKeeper(
            files, directory, opened.signer, head=opened.head, end=opened.heads_end, leaves=opened.leaves
        )
        self._queue = Queue(directory)
        # Taken in this order: who writes batches, who signs heads, who touches what is not signed yet.
        self._writing, self._signing, self._edge = threading.Lock(), threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._commit_all, self._keep_heads)]
        for thread in self._threads:
            thread.start()

    @property
    def note(self) -> str:
        """The newest signed head."""
        return self._keeper.note.decode()

    @property
    def broken(self) -> bool:
        """Return whether a write failed."""
        return self._queue.failure is not None

    @property
    def failure(self) -> LedgerBroken | None:
        """What is raised since a write failed, or None."""
        return self._queue.refusal() if self.broken else None

    def put(self, parts: list[Part] | Made) -> Future[int]:
        """Queue up; LedgerBroken when nothing is acknowledged any more."""
        return self._queue.put(Waiting(parts))

    def sign(self) -> None:
        """Sign a head over everything that is durable now, and pack the segments that it covers."""
        with self._signing:
            self._or_fail(self._sign)

    def seal(self) -> None:
        """Pack everything written so far."""
        with self._writing, self._signing:
            self._or_fail(self._seal)

    def change_key(self) -> None:
        """Sign the same head with the old key and a fresh one, and go on with the fresh one."""
        with self._writing, self._signing:
            self._or_fail(self._change_key)

    def close(self) -> None:
        """Serve who waits, sign the last head, pack everything; does nothing the second time."""
        if self._stop.is_set():
            return
        self._queue.close()
        self._stop.set()
        for thread in self._threads:
            thread.join()
        try:
            if not self.broken:
                self._or_fail(self._finish)
        finally:
            self._writer.close()
            self._keeper.close()

    def _commit_all(self) -> None:
        for group in iter(self._queue.take, []):
            try:
                with self._writing:
                    first = self._commit(group)
            except Exception as error:  # noqa: BLE001 (whatever it was)
                self._queue.fail(error, group)
                return
            for waiting in group:
                waiting.index.set_result(first)
                first += len(waiting.parts)

    def _commit(self, group: list[Waiting]) -> int:
        """Make a group durable and return the index of its first entry."""
        before = self._before()
        parts = list(chain(before, *(waiting.parts for waiting in group)))
        first = self._size
        batch = Batch(first, [entry for entry, _ in parts], [beside for _, beside in parts])
        self._writer.write(batch)
        leaves = leaf_hashes(batch.entries)
        with self._edge:
            self._unsigned += leaves
            self._size += len(leaves)
        if self._queue.failure:
            raise self._queue.failure
        return first + len(before)

    def _keep_heads(self) -> None:
        idle = 0
        while not self._stop.wait(_HEAD_EVERY) and not self.broken:
            waiting = self._size - self._keeper.size
            idle = idle + 1 if waiting else 0
            if waiting >= _MANY or idle >= _PATIENCE:
                idle = 0
                with suppress(LedgerBroken):  # whoever appends next is told
                    self.sign()

    def _sign(self) -> None:
        with self._edge:
            leaves, self._unsigned = self._unsigned, []
        if leaves:
            self._frontier.extend(leaves)
            self._keeper.keep(self._frontier.copy(), leaves)
        while self._writer.full and self._writer.full[0][1] <= self._keeper.size:
            seal(self._files, self._directory, *self._writer.full.pop(0))

    def _seal(self) -> None:
        self._writer.finish(self._size)
        self._sign()

    def _finish(self) -> None:
        self._seal()
        self._keeper.write_partial_tiles()

    def _change_key(self) -> None:
        self._sign()
        fresh = new_key(self._signer.name)
        # The list first: a head signed by a key that nobody knows would be damage, a key without a head is not.
        save_public(self._files, self._directory, [*load_public(self._files, self._directory), fresh.verifier])
        self._keeper.change_key(fresh, self._frontier.copy())
        save_key(self._files, self._directory, fresh)
        self._signer = fresh

    def _or_fail(self, work: Callable[[], None]) -> None:
        """Do what writes; when it fails, nothing more is acknowledged."""
        if self.broken:
            raise self._queue.refusal()
        try:
            work()
        except Exception as error:
            self._queue.fail(error, [])
            raise self._queue.refusal() from error
