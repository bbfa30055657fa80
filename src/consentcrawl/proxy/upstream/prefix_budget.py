"""The memory that the beginnings of answers may take up: all together, those of one origin, those of one client."""

from __future__ import annotations

import asyncio
import ctypes
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from consentcrawl.net.unreached import TIMEOUT, Unreached

_MIB = 1024 * 1024
TOTAL = 256 * _MIB
"""Bytes of all beginnings together: 16 of the longest."""
ORIGIN_SHARE, CLIENT_SHARE = TOTAL // 2, TOTAL // 4 * 3
SMALL = 4 * _MIB
"""A quarter of every bound is kept for beginnings up to this size."""
TRIMMED_AFTER, _TRIM_SECONDS = 64 * _MIB, 1.0
"""When none are held, after this many bytes were, free memory is given back to the system."""
CRAWLING_BYTES, CRAWLING_SECONDS = 32 * 1024, 0.5
"""A transfer that moves fewer bytes than this in that time crawls, and ends when its room is needed."""


@dataclass(eq=False, slots=True)
class Reservation:
    """The room of one beginning of ``size`` bytes.

    ``end`` ends its transfer, and with it the reservation; None while that must not happen.
    """

    origin: str
    client: str
    size: int
    end: Callable[[], object] | None = None
    _moved: int = 0
    _progressed: float = 0.0

    def progress(self, size: int, now: float) -> None:
        """Note that ``size`` further bytes have come or gone; ``now`` is in seconds."""
        self._moved += size
        if self._moved >= CRAWLING_BYTES:
            self._moved, self._progressed = 0, now

    def crawls(self, now: float) -> bool:
        """Return whether its transfer crawls and may be ended."""
        return self.end is not None and now - self._progressed >= CRAWLING_SECONDS


class PrefixBudget:
    """Grants reservations, the smallest first. It belongs to one event loop."""

    def __init__(self, patience: float) -> None:
        """Let a beginning wait for room for at most ``patience`` seconds."""
        self._patience = patience
        self._held: dict[Reservation, None] = {}
        self._sums: Counter[tuple[str, str]] = Counter()
        self._waiting: dict[Reservation, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._released = 0

    @property
    def held(self) -> int:
        """Bytes reserved now."""
        return self._sums["", ""]

    async def reserve(self, reservation: Reservation) -> None:
        """Wait for room. Raises Unreached (timeout) when there is none for too long; ``release`` it in any case."""
        loop = asyncio.get_running_loop()
        reservation.progress(CRAWLING_BYTES, loop.time())
        if not self._full(reservation):
            self._hold(reservation)
            return
        granted = self._waiting[reservation] = loop.create_future()
        self._watch()
        await asyncio.wait([granted], timeout=self._patience)
        if not granted.done():
            raise Unreached(TIMEOUT, "no memory for the beginning of this answer")

    def release(self, reservation: Reservation) -> None:
        """Give room back; what has none is left alone."""
        reservation.end = None
        self._waiting.pop(reservation, None)
        if reservation not in self._held:
            return
        del self._held[reservation]
        for bound in _bounds(reservation):
            self._sums[bound] -= reservation.size
            if not self._sums[bound]:
                del self._sums[bound]
        self._released += reservation.size
        if self._released >= TRIMMED_AFTER and not self._held:
            self._released = 0
            asyncio.get_running_loop().call_later(_TRIM_SECONDS, self._trim)
        self._grant()

    def _trim(self) -> None:
        """Give memory that is free back to the system: the C library keeps it, however much that is."""
        if _malloc_trim is not None and not self._held:
            asyncio.get_running_loop().run_in_executor(None, _malloc_trim, 0)

    def _hold(self, reservation: Reservation) -> None:
        self._held[reservation] = None
        for bound in _bounds(reservation):
            self._sums[bound] += reservation.size

    def _full(self, reservation: Reservation) -> list[tuple[str, str]]:
        """Return the bounds that leave no room for a reservation."""
        part = 1.0 if reservation.size <= SMALL else 0.75
        bounds = _bounds(reservation).items()
        return [bound for bound, most in bounds if self._sums[bound] + reservation.size > most * part]

    def _grant(self) -> None:
        for reservation in sorted(self._waiting, key=_size):
            if not self._full(reservation):
                self._hold(reservation)
                reservation.progress(CRAWLING_BYTES, asyncio.get_running_loop().time())
                self._waiting.pop(reservation).set_result(None)

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CRAWLING_SECONDS / 2, self._end_crawling)

    def _end_crawling(self) -> None:
        """End one transfer that crawls in a reservation that another waits for."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        crawling = [reservation for reservation in self._held if reservation.crawls(now)]
        for waiting in sorted(self._waiting, key=_size) if crawling else ():
            full = set(self._full(waiting))
            ended = max(crawling, key=lambda reservation: len(full & _bounds(reservation).keys()))
            if (end := ended.end) is not None and full & _bounds(ended).keys():
                ended.end = None
                end()
                break
        if self._waiting:
            self._watch()


def _find_malloc_trim() -> Callable[[int], object] | None:
    """Return malloc_trim(3) where the C library has it (glibc)."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None


_malloc_trim = _find_malloc_trim()


def _bounds(reservation: Reservation) -> dict[tuple[str, str], int]:
    """Return the sums that a reservation adds to, and how much each may be."""
    return {
        ("", ""): TOTAL,
        ("origin", reservation.origin): ORIGIN_SHARE,
        ("client", reservation.client): CLIENT_SHARE,
    }


def _size(reservation: Reservation) -> int:
    return reservation.size
