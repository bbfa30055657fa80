"""Contents of aiohttp that were looked at and are given on: read once more from the beginning, and counted.

The caller reads the same bytes, by the same methods, as if none had been read before.
"""

from __future__ import annotations

import asyncio
import warnings
from functools import partial
from typing import Any
from weakref import ref

import aiohttp
from aiohttp import ClientResponse
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import AsyncStreamIterator, ChunkTupleAsyncStreamIterator

from consentcrawl.drivers.shared.contents import HandedOut


def whole(content: bytes) -> aiohttp.StreamReader:
    """Return a stream that has come to its end with ``content``, still to be read."""
    loop = asyncio.get_running_loop()
    stream = aiohttp.StreamReader(BaseProtocol(loop), len(content) + 1, loop=loop)
    stream.feed_data(content)
    stream.feed_eof()
    return stream


def put_back(response: ClientResponse, start: bytes) -> None:
    """Let the caller read ``start`` once more, and what follows it."""
    if response.content.at_eof():
        response.content = whole(start)
        return
    with warnings.catch_warnings():
        # The one way to put bytes back into a stream that goes on; aiohttp advises against it and has no other.
        warnings.simplefilter("ignore", DeprecationWarning)
        response.content.unread_data(start)


def count(response: ClientResponse, handed: HandedOut) -> None:
    """Count what the caller reads, and tell at the end of the content, or when the response is closed."""
    response.content = _Counted(response.content, handed)  # type: ignore[assignment]
    known = ref(response)  # and not itself: a circle would keep the content until the collector comes
    for name in ("close", "release"):
        setattr(response, name, partial(_ended, known, name, handed))


def _ended(known: ref[ClientResponse], name: str, handed: HandedOut) -> Any:  # noqa: ANN401 (the response's own)
    response = known()
    result = None if response is None else getattr(type(response), name)(response)
    handed.end()
    return result


class _Counted:
    """A stream that counts what is read of another; everything but reading goes to that one."""

    def __init__(self, stream: aiohttp.StreamReader, handed: HandedOut) -> None:
        self._stream, self._handed = stream, handed

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (the stream's own)
        return getattr(self._stream, name)

    def __del__(self) -> None:
        self._handed.end()  # the response was neither read to its end nor closed

    def __aiter__(self) -> AsyncStreamIterator[bytes]:
        return AsyncStreamIterator(self.readline)

    def iter_chunked(self, n: int) -> AsyncStreamIterator[bytes]:
        return AsyncStreamIterator(lambda: self.read(n))

    def iter_any(self) -> AsyncStreamIterator[bytes]:
        return AsyncStreamIterator(self.readany)

    def iter_chunks(self) -> ChunkTupleAsyncStreamIterator:
        return ChunkTupleAsyncStreamIterator(self)  # type: ignore[arg-type]

    async def read(self, n: int = -1) -> bytes:
        return self._add(await self._stream.read(n))

    async def readany(self) -> bytes:
        return self._add(await self._stream.readany())

    async def readline(self, **more: Any) -> bytes:  # noqa: ANN401 (StreamReader's own)
        return self._add(await self._stream.readline(**more))

    async def readuntil(self, separator: bytes = b"\n", **more: Any) -> bytes:  # noqa: ANN401 (StreamReader's own)
        return self._add(await self._stream.readuntil(separator, **more))

    async def readexactly(self, n: int) -> bytes:
        return self._add(await self._stream.readexactly(n))

    async def readchunk(self) -> tuple[bytes, bool]:
        piece, ended = await self._stream.readchunk()
        return self._add(piece), ended

    def read_nowait(self, n: int = -1) -> bytes:
        return self._add(self._stream.read_nowait(n))

    def _add(self, piece: bytes) -> bytes:
        self._handed.add(piece)
        if self._stream.at_eof():
            self._handed.end()
        return piece
