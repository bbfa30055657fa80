"""Waiting for the ledger on an event loop: many entries become durable together, and wake the loop once.

Who stops waiting takes nothing back.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

_here = threading.local()


async def durable(entry: Future[T]) -> T:
    """Wait until an entry is durable, and give its index. Raises LedgerBroken."""
    if not entry.done():
        await _bell().heard(entry)
    return entry.result()


class _Bell:
    """Wakes one loop for all entries that have become durable since it last looked."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waking: deque[asyncio.Future[None]] = deque()
        self._rung = False

    def heard(self, entry: Future[Any]) -> asyncio.Future[None]:
        """Return what comes when the entry is durable, or cannot be written."""
        waiting: asyncio.Future[None] = self.loop.create_future()
        entry.add_done_callback(lambda _: self._ring(waiting))
        return waiting

    def _ring(self, waiting: asyncio.Future[None]) -> None:
        """Called by the thread that writes. Queued before looked at: a bell rung too often does no harm."""
        self._waking.append(waiting)
        if not self._rung:
            self._rung = True
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                self.loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._rung = False
        while self._waking:
            waiting = self._waking.popleft()
            if not waiting.done():
                waiting.set_result(None)


def _bell() -> _Bell:
    """Return the bell of the loop that runs here."""
    loop = asyncio.get_running_loop()
    bell: _Bell | None = getattr(_here, "bell", None)
    if bell is None or bell.loop is not loop:
        bell = _here.bell = _Bell(loop)
    return bell
