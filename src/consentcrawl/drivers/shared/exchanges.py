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
from consentcrawl.download import Download
from consentcrawl.drivers.shared.contents import HandedOut, told
from consentcrawl.drivers.shared.heads import gap_of
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.withheld import STATUS, fields_of, problem
from consentcrawl.formats.url import BadUrl

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
        download = self._opened(request)
        if isinstance(download, Verdict):
            return self._end(download, request) if errors.withholds(download) else send(request)
        if errors.withholds(verdict := download.before()):
            return self._end(verdict, request)
        response = send(request)
        try:
            verdict = self._judge(download, response, bodiless=request.method == "HEAD")
        except BaseException:
            response.stream.close()
            raise
        if errors.withholds(verdict):
            response.stream.close()
            return self._end(verdict, request)
        return response

    async def answer_async(self, request: Any, send: Callable[[Any], Awaitable[Any]]) -> Any:  # noqa: ANN401 (as above)
        """Send the request if its asset may be taken, as ``answer``."""
        download = self._opened(request)
        if isinstance(download, Verdict):
            return self._end(download, request) if errors.withholds(download) else await send(request)
        if errors.withholds(verdict := await download.before_async()):
            return self._end(verdict, request)
        response = await send(request)
        try:
            verdict = await self._judge_async(download, response, bodiless=request.method == "HEAD")
        except BaseException:
            await response.stream.aclose()
            raise
        if errors.withholds(verdict):
            await response.stream.aclose()
            return self._end(verdict, request)
        return response

    def _opened(self, request: Any) -> Download | Verdict:  # noqa: ANN401 (the library's own)
        """Open the inquiry about what goes over the wire, and let nothing else go."""
        wire, steward = str(request.url), self.held.steward
        if "@" in wire:
            wire = _USERINFO("//", wire, 1)
        fields = _fields_told(request)
        try:
            download = Download(steward, wire, referer=fields.get(b"referer", ""), host=fields.get(b"host", ""))
        except BadUrl as error:
            return steward.unreadable(wire, error)
        if download.url != wire:
            request.url = self._library.URL(download.url)
        return download

    def _judge(self, download: Download, response: Any, *, bodiless: bool) -> Verdict:  # noqa: ANN401 (as above)
        fields = _fields(response)
        gap = gap_of(response.status_code, fields)
        verdict = download.head(response.status_code, fields, gap=gap, bodiless=bodiless)
        sent, pieces = response.stream, list[bytes]()
        rest = iter(sent)
        if verdict is None and download.partial:
            verdict = download.start()
        elif verdict is None:
            try:
                ended = _read(rest, pieces, download.looked_at)
            except self._library.TransportError:
                download.ended()
                raise
            start, whole, gap = told(download, b"".join(pieces), ended=ended)
            verdict = download.body(start, whole=whole, gap=gap)
        response.stream = self._stream(pieces, rest, sent, HandedOut(download) if download.recorded else None)
        return verdict

    async def _judge_async(self, download: Download, response: Any, *, bodiless: bool) -> Verdict:  # noqa: ANN401 (as above)
        fields = _fields(response)
        gap = gap_of(response.status_code, fields)
        verdict = await download.head_async(response.status_code, fields, gap=gap, bodiless=bodiless)
        sent, pieces = response.stream, list[bytes]()
        rest = aiter(sent)
        if verdict is None and download.partial:
            verdict = await download.start_async()
        elif verdict is None:
            try:
                ended = await _read_async(rest, pieces, download.looked_at)
            except self._library.TransportError:
                await download.ended_async()
                raise
            start, whole, gap = told(download, b"".join(pieces), ended=ended)
            verdict = await download.body_async(start, whole=whole, gap=gap)
        response.stream = self._async_stream(pieces, rest, sent, HandedOut(download) if download.recorded else None)
        return verdict

    def _end(self, verdict: Verdict, request: Any) -> Any:  # noqa: ANN401 (the library's own)
        if self._refusal == "raise":
            error = errors.withheld_by(verdict, *self._raised)
            error.request = request  # type: ignore[attr-defined]
            raise error
        content = problem(verdict)
        return self._library.Response(STATUS, headers=fields_of(verdict, content), content=content, request=request)


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


def _read(rest: Iterator[bytes], pieces: list[bytes], limit: int) -> bool:
    """Read to the end, or to a little beyond ``limit`` bytes; tell whether it was the end."""
    for piece in rest:
        pieces.append(piece)
        limit -= len(piece)
        if limit < 0:
            return False
    return True


async def _read_async(rest: AsyncIterator[bytes], pieces: list[bytes], limit: int) -> bool:
    """Read as ``_read`` does."""
    async for piece in rest:
        pieces.append(piece)
        limit -= len(piece)
        if limit < 0:
            return False
    return True
