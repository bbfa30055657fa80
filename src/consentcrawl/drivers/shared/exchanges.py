"""What becomes of one request of httpx or httpx2: the inquiry about it, and the content of its answer.

The content is handed over as it was sent, and not before its beginning was looked at.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import ModuleType
from typing import Any, Literal

from consentcrawl import errors
from consentcrawl.core import Fields, Verdict
from consentcrawl.download import Content, Download, Head, run, run_async
from consentcrawl.drivers.shared.contents import HandedOut
from consentcrawl.drivers.shared.heads import gap_of
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.withheld import STATUS, fields_of, problem

Raised = tuple[type[errors.Refused], type[errors.Undetermined]]
Refusal = Literal["raise", "response"]

_TOLD = frozenset({b"referer", b"host"})
_USERINFO = re.compile(r"//[^/?#@\\]*@").sub


class Asking:
    """What is done about each request of a client; ``send`` is how its transport would have sent it."""

    def __init__(self, library: ModuleType, raised: Raised, held: Held, refusal: Refusal) -> None:
        """Ask the steward that is held; ``raised`` are the errors for what is withheld."""
        self._library, self._raised, self.held, self._refusal = library, raised, held, refusal
        self._stream = type("_Stream", (_Stream, library.SyncByteStream), {})
        self._async_stream = type("_AsyncStream", (_AsyncStream, library.AsyncByteStream), {})

    def answer(self, request: Any, send: Callable[[Any], Any]) -> Any:  # noqa: ANN401 (the library's own)
        """Send the request if its asset may be taken. Raises what withholds it, and whatever the library raises."""
        download = self._download(request)
        exchange = _Exchange(self._library, request, send)
        try:
            verdict = run(download, exchange)
        except BaseException:
            exchange.close()
            raise
        if errors.withholds(verdict):
            exchange.close()
            return self._end(verdict, request)
        response = exchange.response
        if response is None:  # a refusal is only noted
            response = exchange.sent(download.url)
        handed = HandedOut(download) if download.recorded else None
        response.stream = self._stream(exchange.pieces, exchange.rest, response.stream, handed)
        return response

    async def answer_async(self, request: Any, send: Callable[[Any], Awaitable[Any]]) -> Any:  # noqa: ANN401 (as above)
        """Send the request if its asset may be taken, as ``answer``."""
        download = self._download(request)
        exchange = _AsyncExchange(self._library, request, send)
        try:
            verdict = await run_async(download, exchange)
        except BaseException:
            await exchange.close()
            raise
        if errors.withholds(verdict):
            await exchange.close()
            return self._end(verdict, request)
        response = exchange.response
        if response is None:  # a refusal is only noted
            response = await exchange.sent(download.url)
        handed = HandedOut(download) if download.recorded else None
        response.stream = self._async_stream(exchange.pieces, exchange.rest, response.stream, handed)
        return response

    def _download(self, request: Any) -> Download:  # noqa: ANN401 (the library's own)
        """Open the inquiry about what goes over the wire."""
        wire = str(request.url)
        if "@" in wire:
            wire = _USERINFO("//", wire, 1)
        fields = _fields_told(request)
        return Download(self.held.steward, wire, referer=fields.get(b"referer", ""), host=fields.get(b"host", ""))

    def _end(self, verdict: Verdict, request: Any) -> Any:  # noqa: ANN401 (the library's own)
        if self._refusal == "raise":
            error = errors.withheld_by(verdict, *self._raised)
            error.request = request  # type: ignore[attr-defined]
            raise error
        content = problem(verdict)
        return self._library.Response(STATUS, headers=fields_of(verdict, content), content=content, request=request)


class _Exchange:
    """One request of a client, and its answer: ``pieces`` of the content were read, ``rest`` is still to come."""

    def __init__(self, library: ModuleType, request: Any, send: Callable[[Any], Any]) -> None:  # noqa: ANN401 (the library's own)
        self._library, self._request, self._send = library, request, send
        self.response: Any = None
        self.pieces: list[bytes] = []
        self.rest: Iterator[bytes] = iter(())

    def sent(self, url: str) -> Any:  # noqa: ANN401 (the library's own)
        if url != str(self._request.url):
            self._request.url = self._library.URL(url)
        self.response = self._send(self._request)
        self.rest = iter(self.response.stream)
        return self.response

    def send(self, url: str) -> Head:
        return _head(self.sent(url), self._request)

    def read(self, limit: int) -> Content:
        """Read to the end, or to a little beyond ``limit`` bytes."""
        for piece in self.rest:
            self.pieces.append(piece)
            limit -= len(piece)
            if limit < 0:
                return Content(b"".join(self.pieces), ended=False)
        return Content(b"".join(self.pieces), ended=True)

    def close(self) -> None:
        if self.response is not None:
            self.response.stream.close()


class _AsyncExchange:
    """As ``_Exchange``, for tasks."""

    def __init__(self, library: ModuleType, request: Any, send: Callable[[Any], Awaitable[Any]]) -> None:  # noqa: ANN401 (the library's own)
        self._library, self._request, self._send = library, request, send
        self.response: Any = None
        self.pieces: list[bytes] = []
        self.rest: AsyncIterator[bytes]

    async def sent(self, url: str) -> Any:  # noqa: ANN401 (the library's own)
        if url != str(self._request.url):
            self._request.url = self._library.URL(url)
        self.response = await self._send(self._request)
        self.rest = aiter(self.response.stream)
        return self.response

    async def send(self, url: str) -> Head:
        return _head(await self.sent(url), self._request)

    async def read(self, limit: int) -> Content:
        async for piece in self.rest:
            self.pieces.append(piece)
            limit -= len(piece)
            if limit < 0:
                return Content(b"".join(self.pieces), ended=False)
        return Content(b"".join(self.pieces), ended=True)

    async def close(self) -> None:
        if self.response is not None:
            await self.response.stream.aclose()


def _head(response: Any, request: Any) -> Head:  # noqa: ANN401 (the library's own)
    fields = _fields(response)
    gap = gap_of(response.status_code, fields)
    return Head(response.status_code, fields, gap, bodiless=request.method == "HEAD")


class _Stream:
    """A content whose beginning was read: gives that once more, and then what follows."""

    def __init__(self, pieces: list[bytes], rest: Iterator[bytes], sent: Any, handed: HandedOut | None) -> None:  # noqa: ANN401 (the library's own)
        self._pieces, self._rest, self._sent, self._handed = pieces, rest, sent, handed

    def __iter__(self) -> Iterator[bytes]:
        for pieces in (self._pieces, self._rest):
            for piece in pieces:
                if self._handed is not None:
                    self._handed.add(piece)
                yield piece

    def close(self) -> None:
        self._sent.close()
        if self._handed is not None:
            self._handed.end()


class _AsyncStream:
    """As ``_Stream``, for tasks."""

    def __init__(self, pieces: list[bytes], rest: AsyncIterator[bytes], sent: Any, handed: HandedOut | None) -> None:  # noqa: ANN401 (the library's own)
        self._pieces, self._rest, self._sent, self._handed = pieces, rest, sent, handed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield self._counted(piece)
        async for piece in self._rest:
            yield self._counted(piece)

    async def aclose(self) -> None:
        await self._sent.aclose()
        if self._handed is not None:
            self._handed.end()

    def _counted(self, piece: bytes) -> bytes:
        if self._handed is not None:
            self._handed.add(piece)
        return piece


def _fields_told(request: Any) -> dict[bytes, str]:  # noqa: ANN401 (the library's own)
    """Return Referer and Host; asking ``headers`` for what is not there would cost a tenth of the driver's time."""
    lowered = ((name.lower(), value) for name, value in request.headers.raw)
    return {name: value.decode("latin-1") for name, value in lowered if name in _TOLD}


def _fields(response: Any) -> Fields:  # noqa: ANN401 (the library's own)
    """Return every line of the head for itself."""
    return Fields([(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw])
