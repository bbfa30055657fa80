"""The beginning of an answer's content: read within the budget, and delivered before the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from aiohttp import ClientError

from consentcrawl.download import Content
from consentcrawl.net.unreached import TIMEOUT, Unreached
from consentcrawl.proxy.upstream.origin_pool import unreached
from consentcrawl.proxy.upstream.origin_request import OriginResponse
from consentcrawl.proxy.upstream.prefix_budget import PrefixBudget, Reservation

_PIECE = 64 * 1024
"""Bytes that are sent at once."""
_UNRESERVED = 256 * 1024
"""Contents up to here take no part in the budget."""


class ContentPrefix:
    """The beginning of one answer; ``release`` it in the end.

    Only this holds the content, so that nothing which outlives a request (a traceback, say) keeps it.
    """

    __slots__ = ("_budget", "_pieces", "_reservation", "complete")

    def __init__(self, budget: PrefixBudget) -> None:
        """Begin with nothing held."""
        self._budget = budget
        self._pieces: list[bytes] = []
        self._reservation: Reservation | None = None
        self.complete = False
        """The beginning is all there is."""

    @property
    def content(self) -> Content:
        """Return what is judged of it."""
        return Content(self._pieces[0] if self._pieces else b"", ended=self.complete and len(self._pieces) <= 1)

    @property
    def size(self) -> int:
        """Bytes held."""
        return sum(map(len, self._pieces))

    async def read(self, response: OriginResponse, limit: int, *, origin: str, client: str, seconds: float) -> None:
        """Read to the end, or to a little beyond ``limit`` bytes. Raises Unreached.

        What takes part in the budget must come within ``seconds``.
        """
        content, size, loop = response.content, 0, asyncio.get_running_loop()
        deadline: asyncio.TimerHandle | None = None
        try:
            while size <= limit and not content.at_eof():
                if size > _UNRESERVED and self._reservation is None:
                    deadline = loop.call_later(seconds, _end_reading, response)
                    expected = min(limit, response.length or limit)
                    self._reservation = Reservation(origin, client, expected, lambda: _end_reading(response))
                    await self._budget.reserve(self._reservation)
                piece = await content.readany()
                self._pieces.append(piece)
                size += len(piece)
                if self._reservation is not None:
                    self._reservation.progress(len(piece), loop.time())
        except (ClientError, OSError) as error:
            raise unreached(error) from error
        finally:
            if deadline is not None:
                deadline.cancel()
        self.complete = content.at_eof()
        if self._reservation is not None:
            self._reservation.end = None
        if size > limit or len(self._pieces) > 1:
            joined = b"".join(self._pieces)
            self._pieces = [joined] if size <= limit else [joined[:limit], joined[limit:]]

    def pieces(self, end: Callable[[], object]) -> Iterator[bytes]:
        """Yield what is held piece by piece as it is sent; ``end`` ends a client that takes it too slowly."""
        time = asyncio.get_running_loop().time
        if self._reservation is not None:
            self._reservation.end = end
            self._reservation.progress(len(self._pieces[0]), time())
        for held in self._pieces:
            for start in range(0, len(held), _PIECE):
                yield held[start : start + _PIECE]
                if self._reservation is not None:
                    self._reservation.progress(_PIECE, time())

    def release(self) -> None:
        """Hold nothing any more."""
        self._pieces = []
        if self._reservation is not None:
            self._budget.release(self._reservation)
            self._reservation = None


def _end_reading(response: OriginResponse) -> None:
    response.content.set_exception(Unreached(TIMEOUT, "the beginning of the answer came too slowly"))
