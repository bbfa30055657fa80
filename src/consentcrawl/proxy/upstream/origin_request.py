"""One request to an origin and the answer to it, over a connection of aiohttp's pool, framed by aiohttp's parser.

What is sent is the method, URL and fields that were read, and nothing that a library adds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from aiohttp import ClientConnectionError, StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage, StreamWriter

from consentcrawl.core import Fields

_HEAD_LIMIT = 64 * 1024
_INTERIM = frozenset(range(100, 200)) - {101}  # RFC 9110 §15.2; after 101 another protocol follows


@dataclass(frozen=True, slots=True)
class OriginRequest:
    """A request for a canonical URL; ``fields`` are its field lines as they are sent, without Host."""

    method: str
    url: str
    fields: bytes
    content: AsyncIterable[bytes] | None = None

    @property
    def head(self) -> bytes:
        """The head as it is sent (RFC 9112 §3)."""
        authority, _, path = self.url.partition("://")[2].partition("/")
        said = (self.method.encode(), path.encode(), authority.encode(), self.fields)
        return b"%b /%b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % said


class OriginResponse:
    """An answer: its status, its fields as they came in ``lines``, and its content; ``close`` it in the end."""

    __slots__ = ("_connection", "_sending", "content", "fields", "lines", "status")

    def __init__(
        self,
        connection: Connection,
        message: RawResponseMessage,
        content: StreamReader,
        sending: asyncio.Task[None] | None,
    ) -> None:
        """Let the connection go back to the pool once the content has come."""
        self._connection, self._sending = connection, sending
        self.status, self.lines = message.code, message.raw_headers
        self.fields = Fields(message.headers.items())
        self.content = content
        content.on_eof(partial(_give_back, connection, sending))  # not self: the content would hold itself

    @property
    def length(self) -> int | None:
        """The length the origin gives, where that is what frames its answer."""
        if self.fields.lines("transfer-encoding") or not (lengths := self.fields.lines("content-length")):
            return None
        return int(lengths[0])

    def close(self) -> None:
        """Give the connection back to the pool, or end it where something is still to go or to come on it."""
        _give_back(self._connection, self._sending)


def _give_back(connection: Connection, sending: asyncio.Task[None] | None) -> None:
    if sending is None or sending.done():
        connection.release()
    else:
        sending.cancel()
        connection.close()


async def send_request(connection: Connection, request: OriginRequest, silence: float) -> OriginResponse:
    """Send a request and wait for the head of its answer, no longer than ``silence`` seconds for each piece.

    Raises ClientError, OSError, HttpProcessingError; then the connection is at its end.
    """
    sending: asyncio.Task[None] | None = None
    try:
        protocol = _ready(connection, request, silence)
        if request.content is not None:
            sending = asyncio.create_task(_send_content(connection, protocol, request.content))
        message, content = await protocol.read()
        while message.code in _INTERIM:
            message, content = await protocol.read()
        return OriginResponse(connection, message, content, sending)
    except BaseException:
        if sending is not None:
            sending.cancel()
        connection.close()
        raise


def _ready(connection: Connection, request: OriginRequest, silence: float) -> ResponseHandler:
    """Send the head, and have the answer parsed when it comes."""
    protocol = connection.protocol
    if protocol is None or protocol.transport is None:
        raise ClientConnectionError
    protocol.set_response_params(
        skip_payload=request.method == "HEAD", read_until_eof=True, auto_decompress=False, read_timeout=silence,
        max_line_size=_HEAD_LIMIT, max_field_size=_HEAD_LIMIT,
    )  # fmt: skip
    protocol.transport.write(request.head)
    protocol.start_timeout()
    return protocol


async def _send_content(connection: Connection, protocol: ResponseHandler, content: AsyncIterable[bytes]) -> None:
    """Send content as it comes; where it breaks off, so does the connection."""
    writer = StreamWriter(protocol, asyncio.get_running_loop())
    with suppress(ConnectionError, ClientConnectionError):
        try:
            async for piece in content:
                await writer.write(piece)
                protocol.start_timeout()
        except BaseException:
            connection.close()  # else the next request on it would be taken for the rest of this one
            raise
