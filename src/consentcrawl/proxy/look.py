"""A look at the beginning of an answer's content, before any of it is handed over.

What many clients ask for at once is held in memory only as far as there is room.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from aiohttp import ClientError, StreamReader

from consentcrawl.core import Verdict
from consentcrawl.download import Download
from consentcrawl.net.unpacking import unpacked
from consentcrawl.proxy.engine import Engine
from consentcrawl.proxy.upstream import unreached

_SMALL = 64 * 1024
"""Plain contents up to here are judged on the event loop; others beside it."""
_LARGE = 1024 * 1024
"""Contents from here on are held in turn."""


class Look:
    """The look at one answer; ``leave`` it in the end."""

    __slots__ = ("_engine", "_judging", "_roomy")

    def __init__(self, engine: Engine) -> None:
        """Begin with nothing held."""
        self._engine = engine
        self._judging: Future[Verdict] | None = None
        self._roomy = False

    async def beginning(self, content: StreamReader, limit: int) -> bytes:
        """Read to the end, or to a little beyond ``limit`` bytes. Raises Unreached."""
        pieces, size = [], 0
        try:
            while size <= limit and not content.at_eof():
                if size > _LARGE and not self._roomy:
                    await self._engine.room.acquire()
                    self._roomy = True
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
        self._judging = self._engine.threads.submit(_judged, download, content, codings, complete=complete)
        await asyncio.wait([asyncio.wrap_future(self._judging)])
        self._judging.result()

    async def over(self) -> None:
        """Wait for a judgement that nobody else waits for any more."""
        if self._judging is not None:
            await asyncio.wait([asyncio.wrap_future(self._judging)])

    def leave(self) -> None:
        """Make room for others."""
        if self._roomy:
            self._engine.room.release()
            self._roomy = False


def _judged(download: Download, content: bytes, codings: list[str], *, complete: bool) -> Verdict:
    limit = download.looked_at
    whole, looked_at, gap = complete and len(content) <= limit, content, ""
    if codings:
        looked_at, gap = unpacked(content, codings, limit + 1, whole=whole)
        whole = whole and len(looked_at) <= limit
    return download.body(looked_at[:limit], whole=whole, gap=gap)
