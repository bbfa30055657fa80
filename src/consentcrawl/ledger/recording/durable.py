"""Waiting for the ledger on an event loop: entries that become durable together wake the loop once.

A task that stops waiting takes nothing back.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

_local = threading.local()


async def durable(entry: Future[T]) -> T:
    """Wait until an entry is durable, and return its index. Raises LedgerBroken."""
    if not entry.done():
        await _waker().wakened_by(entry)
    return entry.result()


class _Waker:
    """Wakes one loop for all entries that have become durable since it last ran."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._ready: deque[asyncio.Future[None]] = deque()
        self._scheduled = False

    def wakened_by(self, entry: Future[Any]) -> asyncio.Future[None]:
        """Return a future that is done when the entry is durable, or cannot be written."""
        pending: asyncio.Future[None] = self.loop.create_future()
        entry.add_done_callback(lambda _: self._schedule(pending))
        return pending

    def _schedule(self, pending: asyncio.Future[None]) -> None:
        """Called by the thread that writes. Queued first: to wake the loop once too often does no harm."""
        self._ready.append(pending)
        if not self._scheduled:
            self._scheduled = True
            with suppress(RuntimeError):  # the loop has ended, and no task is left
                self.loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._scheduled = False
        while self._ready:
            pending = self._ready.popleft()
            if not pending.done():
                pending.set_result(None)


def _waker() -> _Waker:
    """Return the waker of the loop that runs in this thread."""
    loop = asyncio.get_running_loop()
    waker: _Waker | None = getattr(_local, "waker", None)
    if waker is None or waker.loop is not loop:
        waker = _local.waker = _Waker(loop)
    return waker
