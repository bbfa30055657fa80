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
from consentcrawl.ledger.entry import Part
from consentcrawl.ledger.files import Files
from consentcrawl.ledger.frames import Batch
from consentcrawl.ledger.key_files import load_public, save_key, save_public
from consentcrawl.ledger.log_files import seal
from consentcrawl.ledger.pending import Made, Pending, PendingQueue
from consentcrawl.ledger.recovery import Opened
from consentcrawl.ledger.tree import leaf_hashes
from consentcrawl.ledger.tree_heads import TreeHeadLog
from consentcrawl.ledger.writer import SegmentWriter

_HEAD_EVERY = 1.0  # seconds: a head costs three syncs and a rename
_MANY = 256  # entries are worth a head at once ...
_PATIENCE = 10  # ... and fewer are after so many seconds


class Committer:
    """Two threads: one makes batches durable and tells their index, one signs heads over them."""

    def __init__(  # noqa: PLR0913 (where, from where on, and what comes before each batch)
        self,
        files: Files,
        directory: Path,
        opened: Opened,
        *,
        segment_bytes: int,
        clock_jump: Callable[[], list[Part]],
        sync_documents: Callable[[], None],
    ) -> None:
        """Go on where the ledger was opened.

        Before each batch ``sync_documents`` makes durable what its entries name, and the entries that ``clock_jump``
        gives are written.
        """
        self._files, self._directory = files, directory
        self._clock_jump, self._sync_documents = clock_jump, sync_documents
        self._signer, self._frontier = opened.signer, opened.head.frontier.copy()
        self._size, self._unsigned = opened.end, opened.tail
        self._writer = SegmentWriter(files, directory, opened, segment_bytes)
        self._heads = TreeHeadLog(
            files, directory, opened.signer, head=opened.head, end=opened.heads_end, leaves=opened.leaves
        )
        self._queue = PendingQueue(directory)
        # Taken in this order: to write batches, to sign heads, to change what is not signed yet.
        self._writing, self._signing, self._edge = threading.Lock(), threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._commit_all, self._keep_heads)]
        for thread in self._threads:
            thread.start()

    @property
    def note(self) -> str:
        """The newest signed head."""
        return self._heads.note.decode()

    @property
    def broken(self) -> bool:
        """Return whether a write failed."""
        return self._queue.failure is not None

    @property
    def failure(self) -> LedgerBroken | None:
        """What is raised since a write failed, or None."""
        return self._queue.refusal() if self.broken else None

    def put(self, entries: list[Part] | Made) -> Future[int]:
        """Queue up; LedgerBroken when nothing is acknowledged any more."""
        return self._queue.put(entries)

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
        """Write what is pending, sign the last head, pack everything; does nothing the second time."""
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
            self._heads.close()

    def _commit_all(self) -> None:
        for group in iter(self._queue.take, []):
            try:
                with self._writing:
                    first = self._commit(group)
            except Exception as error:  # noqa: BLE001 (whatever it was)
                self._queue.fail(error, group)
                break
            for pending in group:
                pending.index.set_result(first)
                first += len(pending.parts)
        self._queue.end()

    def _commit(self, group: list[Pending]) -> int:
        """Make a group durable and return the index of its first entry."""
        before = self._clock_jump()
        parts = list(chain(before, *(pending.parts for pending in group)))
        self._sync_documents()
        first = self._size
        batch = Batch(first, [entry for entry, _ in parts], [personal for _, personal in parts])
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
            unsigned = self._size - self._heads.size
            idle = idle + 1 if unsigned else 0
            if unsigned >= _MANY or idle >= _PATIENCE:
                idle = 0
                with suppress(LedgerBroken):  # the next append raises it
                    self.sign()

    def _sign(self) -> None:
        with self._edge:
            leaves, self._unsigned = self._unsigned, []
        if leaves:
            self._frontier.extend(leaves)
            self._heads.keep(self._frontier.copy(), leaves)
        while self._writer.full and self._writer.full[0][1] <= self._heads.size:
            seal(self._files, self._directory, *self._writer.full.pop(0))

    def _seal(self) -> None:
        self._writer.finish(self._size)
        self._sign()

    def _finish(self) -> None:
        self._seal()
        self._heads.write_partial_tiles()

    def _change_key(self) -> None:
        self._sign()
        fresh = new_key(self._signer.name)
        # The list first: a head signed by an unlisted key would be damage, a key without a head is not.
        save_public(self._files, self._directory, [*load_public(self._files, self._directory), fresh.verifier])
        self._heads.change_key(fresh, self._frontier.copy())
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
