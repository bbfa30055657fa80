"""An answer on its way to the client: framed anew, counted, and hashed for the ledger.

An answer that broke off never looks whole.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from consentcrawl.proxy.client.connection import ClientConnection
from consentcrawl.proxy.client.refusal import LocalResponse
from consentcrawl.proxy.client.request_head import RequestHead
from consentcrawl.proxy.upstream.origin_fields import Lines

_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}
_CODING = {True: b"Transfer-Encoding: chunked\r\n", False: b""}
_NO_LENGTH = frozenset({204, 304})  # RFC 9110 §8.6; of a 304 it may be sent, and helps nobody


class Reply:
    """What one request is answered with. ``keeps`` says whether the connection goes on afterwards."""

    __slots__ = ("_chunked", "_connection", "_hash", "_head", "keeps", "size", "status")

    def __init__(self, connection: ClientConnection, head: RequestHead, *, hashed: bool = False) -> None:
        """Answer ``head`` over ``connection``."""
        self._connection, self._head, self._chunked = connection, head, False
        self._hash = hashlib.sha256() if hashed else None
        self.keeps = head.keeps
        self.status = self.size = 0

    @property
    def begun(self) -> bool:
        """Something was sent."""
        return self.status != 0

    @property
    def digest(self) -> str:
        """SHA-256 of the content sent so far, in hex."""
        return self._hash.hexdigest() if self._hash is not None else ""

    def hash_content(self) -> None:
        """Keep a hash of the content from its beginning."""
        self._hash = hashlib.sha256()

    async def begin(self, status: int, lines: Lines, start: bytes, *, length: int | None) -> None:
        """Send the head and the beginning of the content; ``length`` is None where it is not known."""
        bodiless = self._head.method == "HEAD" or status in _NO_LENGTH
        # RFC 9112 §6.1, §7: HTTP/1.0 token_matches no chunks, and the end of the connection is the end of the content
        self._chunked = length is None and not bodiless and self._head.chunks
        self.keeps = self.keeps and (length is not None or bodiless or self._chunked)
        framing = _CODING[self._chunked]
        if length is not None and status not in _NO_LENGTH:
            framing = b"Content-Length: %d\r\n" % length
        self.status = status
        fields = b"".join(b"%b: %b\r\n" % line for line in lines)
        end = b"\r\n" if self.keeps else b"Connection: close\r\n\r\n"
        begun = b"HTTP/1.1 %d %b\r\n%b%b%b" % (status, _PHRASES.get(status, b""), fields, framing, end)
        await self._connection.write(begun + self._piece(b"" if bodiless else start))

    async def more(self, piece: bytes) -> None:
        """Send a further piece of the content."""
        await self._connection.write(self._piece(piece))

    async def end(self) -> None:
        """Send the mark of the end, where there is one."""
        if self._chunked:
            await self._connection.write(b"0\r\n\r\n")

    async def whole(self, response: LocalResponse) -> None:
        """Send a response made by the proxy."""
        lines = [(name.encode(), value.encode("ascii", "backslashreplace")) for name, value in response.fields]
        await self.begin(response.status, lines, response.content, length=len(response.content))

    def _piece(self, content: bytes) -> bytes:
        self.size += len(content)
        if self._hash is not None:
            self._hash.update(content)
        return b"%x\r\n%b\r\n" % (len(content), content) if self._chunked and content else content
