"""What was handed in and is not yet durable: a queue that gives the writer everything that came while it was busy.

Group commit: a group is what came during the commit before, and no entry waits for others to come.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.entry import Part

Made = Callable[[], list[Part]]
"""Makes entries when they are written, in the writer's thread."""

_MOST_BYTES = 1024 * 1024
_USUAL_BYTES = 1024  # of entries that are not made yet


class Pending:
    """Entries that become durable together, and the future of the first one's index."""

    __slots__ = ("_made", "_parts", "index")

    def __init__(self, entries: list[Part] | Made) -> None:
        """Begin to wait; this cannot be cancelled, since the entries may be written already."""
        self._parts: list[Part] = entries if isinstance(entries, list) else []
        self._made: Made | None = None if isinstance(entries, list) else entries
        self.index: Future[int] = Future()
        self.index.set_running_or_notify_cancel()

    @property
    def parts(self) -> list[Part]:
        """The entries, each with its personal part."""
        if self._made is not None:
            self._parts, self._made = self._made(), None
        return self._parts

    @property
    def size(self) -> int:
        """Bytes to be written, about."""
        return sum(len(entry) + len(personal) for entry, personal in self._parts) or _USUAL_BYTES


class PendingQueue:
    """First in, first out; closed once and for all, and broken when a write failed.

    ``put`` may be called in a destructor: it takes no lock that the same thread could be holding.
    """

    __slots__ = ("_closed", "_directory", "_ended", "_queue", "failure")

    def __init__(self, directory: Path) -> None:
        """Begin empty; ``directory`` is named in refusals."""
        self._directory = directory
        self._queue: SimpleQueue[Pending | None] = SimpleQueue()
        self._closed = self._ended = False
        self.failure: Exception | None = None

    def put(self, entries: list[Part] | Made) -> Future[int]:
        """Queue up; LedgerBroken when the queue is closed."""
        if self._closed:
            raise self.refusal()
        pending = Pending(entries)
        self._queue.put(pending)
        if self._ended:  # meanwhile: the writer takes no more
            self.end()
        return pending.index

    def take(self) -> list[Pending]:
        """Wait for the next group: all that is pending, up to about a megabyte; empty when the queue has ended."""
        group: list[Pending] = []
        room = _MOST_BYTES
        with suppress(Empty):
            while room > 0 and not self._ended:
                pending = self._queue.get(block=not group)
                self._ended = pending is None
                group += [pending] if pending is not None else []
                room -= pending.size if pending is not None else 0
        return group

    def close(self) -> None:
        """Refuse what comes from now on; what is pending is still written."""
        self._closed = True
        self._queue.put(None)

    def fail(self, error: Exception, group: list[Pending]) -> None:
        """Refuse everything, now and later: nothing more is acknowledged.

        An fsync that failed may succeed the second time and still have lost the bytes: only reading again tells.
        """
        self.failure = self.failure or error
        self.close()
        for pending in group:
            pending.index.set_exception(self.refusal())

    def end(self) -> None:
        """Refuse what is pending still; called when the writer takes no more."""
        self._ended = True
        with suppress(Empty):
            while True:
                pending = self._queue.get(block=False)
                if pending is not None:
                    pending.index.set_exception(self.refusal())

    def refusal(self) -> LedgerBroken:
        """Return what is raised once nothing is acknowledged any more."""
        why = f"nothing more is acknowledged after {self.failure!r}" if self.failure else "the ledger is closed"
        broken = LedgerBroken(f"{self._directory}: {why}")
        broken.__cause__ = self.failure
        return broken
