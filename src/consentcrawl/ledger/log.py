"""The ledger as its writer holds it: records go in, and their index comes back once they are durable.

What was handed in without an error is written, and what was acknowledged is never lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger import records
from consentcrawl.ledger.clock import SYSTEM_CLOCK, Clock
from consentcrawl.ledger.commit import Committer
from consentcrawl.ledger.entry import BadEntry, Part, decode, encode
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.pending import Made
from consentcrawl.ledger.recovery import Opened, lock, reopen
from consentcrawl.ledger.recovery import create as make

SEGMENT_BYTES = 4 * 1024 * 1024
"""Of a segment that is written to; packing it holds as much in memory."""
_JUMP_SECONDS = 300.0


class Ledger:
    """An open ledger. One process writes it; any number of its threads may append."""

    def __init__(  # noqa: PLR0913 (as ``open``)
        self,
        directory: Path,
        handle: int,
        *,
        files: Files,
        clock: Clock,
        segment_bytes: int,
        sync_documents: Callable[[], None],
    ) -> None:
        """Read the newest head and the tail behind it; use ``Ledger.open``. ``handle`` is that of the lock."""
        self.directory, self.files, self._clock, self._lock = directory, files, clock, handle
        self._drift = clock.wall() - clock.monotonic()
        self._opened = reopen(files, directory)
        _living.add(self)
        self._committer = Committer(
            files, directory, self._opened, segment_bytes=segment_bytes, clock_jump=self._clock_jump,
            sync_documents=sync_documents,
        )  # fmt: skip

    @classmethod
    def open(  # noqa: PLR0913 (each has a default)
        cls,
        directory: Path,
        *,
        create: bool = True,
        origin: str = "",
        after: str = "",
        run: Mapping[str, Any] | None = None,
        files: Files = OS_FILES,
        clock: Clock = SYSTEM_CLOCK,
        segment_bytes: int = SEGMENT_BYTES,
        sync_documents: Callable[[], None] = lambda: None,
    ) -> Self:
        """Open the ledger in ``directory`` for writing, and begin a run.

        Raises LedgerBroken when it is damaged, when another process writes it, or when its key is open to others.
        ``sync_documents`` is called before entries are written, and makes durable what they name. What ``run`` says
        (version, command ...) is kept in the ``run-start`` entry. ``origin`` names a new ledger; the last checkpoint of
        the ledger that it goes on from (``after``) becomes its entry 0.
        """
        handle = lock(files, directory, create=create)
        try:
            if create:
                make(files, directory, origin)
            ledger = cls(
                directory, handle, files=files, clock=clock, segment_bytes=segment_bytes, sync_documents=sync_documents
            )
        except BaseException:
            files.close(handle)
            raise
        try:
            ledger._begin(after, run or {})
        except BaseException:
            ledger.close()
            raise
        return ledger

    def __enter__(self) -> Self:
        """The ledger itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def submit(self, entries: Iterable[Part] | Made) -> Future[int]:
        """Hand in entries that become durable together; the future gives the index of the first, or LedgerBroken.

        Instead of entries a function may be given, which makes them in the writer's own time and must not fail. Raises
        LedgerBroken when nothing is acknowledged any more, BadEntry when there are no entries.
        """
        if callable(entries):
            return self._committer.put(entries)
        ready = list(entries)
        if not ready:
            msg = "no entries"
            raise BadEntry(msg)
        return self._committer.put(ready)

    def append(self, record: Mapping[str, Any], urls: Sequence[str] = ()) -> int:
        """Write one record, wait until it is durable, and return its index.

        ``urls`` is the personal part: it lies beside the entry, which only commits to it, and can be erased. Raises
        BadEntry for a record that is not plain, LedgerBroken as ``submit``.
        """
        return self.submit([records.with_personal(record, urls)]).result()

    @property
    def checkpoint(self) -> str:
        """The newest signed head: kept elsewhere, it finds a later rewrite by the key's holder."""
        return self._committer.note

    @property
    def failure(self) -> LedgerBroken | None:
        """Why nothing is acknowledged any more, or None."""
        return self._committer.failure

    def sign(self) -> str:
        """Sign a head over everything that is durable now, and return it."""
        self._committer.sign()
        return self.checkpoint

    def change_key(self) -> str:
        """Go on with a fresh key: the old one and the new one sign the same head, which is returned."""
        self._committer.change_key()
        return self.checkpoint

    def seal(self) -> None:
        """Pack everything written so far, as closing does."""
        self._committer.seal()

    def close(self) -> None:
        """End the run: the last entry, the last head, everything packed. Does nothing the second time."""
        if self._lock < 0:
            return
        handle, self._lock = self._lock, -1
        with ExitStack() as stack:
            stack.callback(self.files.close, handle)
            stack.callback(self._committer.close)
            if not self._committer.broken:
                self.append({"kind": "run-stop", "at": self.now()})

    def now(self) -> int:
        """The time of day in whole milliseconds, as entries have it."""
        return records.milliseconds(self._clock.wall())

    def _forked(self) -> None:
        """Let go of the lock, which would outlive this ledger in a process that was forked off."""
        handle, self._lock = self._lock, -1
        if handle >= 0:
            self.files.close(handle)

    def _begin(self, after: str, run: Mapping[str, Any]) -> None:
        at, opened = self.now(), self._opened
        if after and opened.end == 0:
            self.append({"kind": "head", "at": at, "checkpoint": after})
        if opened.cut:
            self.append({"kind": "recovered-tail", "at": at, "bytes": opened.cut})
        last = _time_of(opened, at)
        if last - at > _JUMP_SECONDS * 1000:
            self.append({"kind": "clock-jump", "at": at, "by": at - last})
        self.append({"kind": "run-start", "at": at, **run})

    def _clock_jump(self) -> list[Part]:
        """The entry that tells of a wall clock that moved against the other by more than five minutes, if it did."""
        drift = self._clock.wall() - self._clock.monotonic()
        by = drift - self._drift
        if abs(by) <= _JUMP_SECONDS:
            return []
        self._drift = drift
        return [(encode({"kind": "clock-jump", "at": self.now(), "by": records.milliseconds(by)}), b"")]


_living: WeakSet[Ledger] = WeakSet()


def _let_go() -> None:
    for ledger in list(_living):
        ledger._forked()  # noqa: SLF001 (of this module)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


def _time_of(opened: Opened, otherwise: int) -> int:
    """When the last entry was written, in milliseconds."""
    at = decode(opened.newest).get("at") if opened.newest else None
    return at if isinstance(at, int) else otherwise
