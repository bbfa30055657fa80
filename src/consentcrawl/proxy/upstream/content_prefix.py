"""The beginning of an answer's content, read and judged before any of it is delivered.

What many clients ask for at once is held in memory only as far as there is room.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future

from aiohttp import ClientError, StreamReader

from consentcrawl.core import Verdict
from consentcrawl.download import Download
from consentcrawl.net.unpacking import unpacked
from consentcrawl.proxy.upstream.origin_pool import unreached

_SMALL = 64 * 1024
"""Plain contents up to here are judged on the event loop; others beside it."""
_LARGE = 1024 * 1024
"""Contents from here on are held in turn."""


class ContentPrefix:
    """The beginning of one answer; ``release`` it in the end. ``large`` limits how many large ones are held."""

    __slots__ = ("_holds_large", "_judging", "_large", "_threads")

    def __init__(self, large: asyncio.Semaphore, threads: Executor) -> None:
        """Begin with nothing held."""
        self._large, self._threads = large, threads
        self._judging: Future[Verdict] | None = None
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

    async def judge(self, download: Download, content: bytes, *, complete: bool) -> None:
        """Tell the download its content, or the beginning of it, with content codings undone."""
        codings = download.fields.lines("content-encoding")
        if not codings and len(content) <= _SMALL:
            limit = download.looked_at
            await download.body_async(content[:limit], whole=complete and len(content) <= limit)
            return
        self._judging = self._threads.submit(_judged, download, content, codings, complete=complete)
        await self.judged()
        self._judging.result()

    async def judged(self) -> None:
        """Wait for a judgement that is still under way, also when its request has ended."""
        if self._judging is not None:
            await asyncio.wait([asyncio.wrap_future(self._judging)])

    def release(self) -> None:
        """Make room for others."""
        if self._holds_large:
            self._large.release()
            self._holds_large = False


def _judged(download: Download, content: bytes, codings: list[str], *, complete: bool) -> Verdict:
    limit = download.looked_at
    whole, prefix, gap = complete and len(content) <= limit, content, ""
    if codings:
        prefix, gap = unpacked(content, codings, limit + 1, whole=whole)
        whole = whole and len(prefix) <= limit
    return download.body(prefix[:limit], whole=whole, gap=gap)
