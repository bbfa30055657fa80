"""What is handed in and not yet durable: a queue that gives the writer all that came while it was busy.

A group commit waits for nobody; the group is whoever came during the commit before.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from consentcrawl.errors import LedgerBroken

Part = tuple[bytes, bytes]
"""An entry, and the personal part beside it (or nothing)."""

Made = Callable[[], Part]
"""Makes an entry when it is written, in the writer's own time; it must not fail."""

_MOST_BYTES = 1024 * 1024
_USUAL_BYTES = 1024  # of an entry that is not made yet


class Waiting:
    """Entries that become durable together, and the index to be told of the first."""

    __slots__ = ("_made", "_parts", "index")

    def __init__(self, parts: list[Part] | Made) -> None:
        """Wait; it cannot be cancelled, since it may be written already."""
        self._parts: list[Part] = parts if isinstance(parts, list) else []
        self._made: Made | None = None if isinstance(parts, list) else parts
        self.index: Future[int] = Future()
        self.index.set_running_or_notify_cancel()

    @property
    def parts(self) -> list[Part]:
        """The entries, each with its personal part."""
        if self._made is not None:
            self._parts, self._made = [self._made()], None
        return self._parts

    @property
    def size(self) -> int:
        """Bytes to be written, about."""
        return sum(len(entry) + len(beside) for entry, beside in self._parts) or _USUAL_BYTES


class Queue:
    """First in, first out; closed once and for all, and broken when a write failed."""

    __slots__ = ("_closed", "_directory", "_ready", "_waiting", "failure")

    def __init__(self, directory: Path) -> None:
        """Begin empty; ``directory`` is what a refusal speaks of."""
        self._directory = directory
        self._waiting: deque[Waiting] = deque()
        self._ready = threading.Condition(threading.Lock())
        self._closed = False
        self.failure: Exception | None = None

    def put(self, waiting: Waiting) -> Future[int]:
        """Queue up; LedgerBroken when the queue is closed."""
        with self._ready:
            if self._closed:
                raise self.refusal()
            self._waiting.append(waiting)
            if len(self._waiting) == 1:
                self._ready.notify()
            return waiting.index

    def take(self) -> list[Waiting]:
        """Wait for the next group: all that wait, up to about a megabyte; empty when closed and nobody waits."""
        with self._ready:
            while not self._waiting and not self._closed:
                self._ready.wait()
            group: list[Waiting] = []
            room = _MOST_BYTES
            while self._waiting and room > 0:
                group.append(self._waiting.popleft())
                room -= group[-1].size
            return group

    def close(self) -> None:
        """Let nobody in any more; who waits is still served."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()

    def fail(self, error: Exception, group: list[Waiting]) -> None:
        """Tell everybody, now and later, that nothing more is acknowledged.

        An fsync that failed may succeed the second time and still have lost the bytes: only reading again tells.
        """
        self.failure = self.failure or error
        self.close()
        with self._ready:
            group = group + list(self._waiting)
            self._waiting.clear()
        for waiting in group:
            waiting.index.set_exception(self.refusal())

    def refusal(self) -> LedgerBroken:
        """What is raised once nothing is acknowledged any more."""
        why = f"nothing more is acknowledged after {self.failure!r}" if self.failure else "the ledger is closed"
        broken = LedgerBroken(f"{self._directory}: {why}")
        broken.__cause__ = self.failure
        return broken
