"""Contents of urllib3 that were looked at and are given on: read once more from the beginning, and counted.

The caller reads the same bytes, by the same methods, as if none had been read before.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from typing import Any

from urllib3.response import HTTPResponse

from consentcrawl.drivers.shared.contents import HandedOut


def again(raw: HTTPResponse, start: bytes, handed: HandedOut | None = None) -> HTTPResponse:
    """Return a response that reads ``start`` once more and then goes on where ``raw`` is."""
    headers = raw.headers.copy()
    headers.discard("transfer-encoding")  # http.client has undone the chunks
    kind = HTTPResponse if handed is None else _Counted
    response = kind(
        body=_Resumed(start, raw),
        headers=headers,
        status=raw.status,
        version=raw.version,
        reason=raw.reason,
        preload_content=False,
        decode_content=raw.decode_content,
        original_response=raw._original_response,  # noqa: SLF001 (requests takes cookies from it)
        request_method=getattr(raw, "_request_method", None),
        enforce_content_length=False,
    )
    if isinstance(response, _Counted):
        response.handed = handed
    return response


class _Counted(HTTPResponse):
    """A response that counts what the caller reads of it, and says so at the end of the content, or when closed."""

    handed: HandedOut | None = None

    def read(self, amt: int | None = None, *more: Any, **named: Any) -> bytes:  # noqa: ANN401 (HTTPResponse's own)
        return self._count(super().read(amt, *more, **named), amt)

    def read1(self, amt: int | None = None, *more: Any, **named: Any) -> bytes:  # noqa: ANN401 (HTTPResponse's own)
        return self._count(super().read1(amt, *more, **named), amt or 1)

    def stream(self, *more: Any, **named: Any) -> Generator[bytes, None, None]:  # noqa: ANN401 (HTTPResponse's own)
        yield from super().stream(*more, **named)
        if self.handed is not None:
            self.handed.end()

    def close(self) -> None:
        super().close()
        if self.handed is not None:
            self.handed.end()

    def _count(self, piece: bytes, wanted: int | None) -> bytes:
        if self.handed is not None:
            self.handed.add(piece or b"")
            if wanted is None or wanted < 0 or (wanted and not piece):
                self.handed.end()
        return piece


class _Resumed(io.RawIOBase):
    """A file that gives bytes already read, then those still to come, undecoded."""

    def __init__(self, start: bytes, rest: HTTPResponse) -> None:
        self._start, self._rest = io.BytesIO(start), rest

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        size = -1 if size is None else size
        first = self._start.read(size)
        if len(first) == size:
            return first
        return first + self._rest.read(None if size < 0 else size - len(first), decode_content=False)

    def close(self) -> None:
        self._rest.close()
        self._rest.release_conn()
        super().close()
