"""The beginning of an answer's content, read before any of it is delivered.

What many clients ask for at once is held in memory only as far as there is room.
"""

from __future__ import annotations

import asyncio

from aiohttp import ClientError, StreamReader

from consentcrawl.proxy.upstream.origin_pool import unreached

_LARGE = 1024 * 1024
"""Contents from here on are held in turn."""


class ContentPrefix:
    """The beginning of one answer; ``release`` it in the end. ``large`` limits how many large ones are held."""

    __slots__ = ("_holds_large", "_large")

    def __init__(self, large: asyncio.Semaphore) -> None:
        """Begin with nothing held."""
        self._large = large
        self._holds_large = False

    async def read(self, content: StreamReader, limit: int) -> bytes:
        """Read to the end, or to a little beyond ``limit`` bytes. Raises Unreached."""
        pieces, size = [], 0
        try:
            while size <= limit and not content.at_eof():
                if size > _LARGE and not self._holds_large:
                    await self._large.acquire()
                    self._holds_large = True
                pieces.append(await content.readany())
                size += len(pieces[-1])
        except (ClientError, OSError) as error:
            raise unreached(error) from error
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def release(self) -> None:
        """Make room for others."""
        if self._holds_large:
            self._large.release()
            self._holds_large = False
