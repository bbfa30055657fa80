"""A server for the benches: one 20 KB image at any path, on loopback, in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import ClassVar

IMAGE_SIZE = 20_000
ROBOTS = b"""User-agent: *
Disallow: /private/
Disallow: /*.cgi$
Allow: /private/open/

User-agent: GPTBot
Disallow: /x/
"""


def image() -> bytes:
    """A JPEG in form: its segments are right, its pixels are nothing."""
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xda\0\x08\x01\x01\0\0\x3f\0"
    return head + b"\x55" * (IMAGE_SIZE - len(head) - 2) + b"\xff\xd9"


def answer(content: bytes, content_type: str, status: str = "200 OK") -> bytes:
    """One whole answer, as a usual server would give it."""
    fields = (
        f"HTTP/1.1 {status}\r\nServer: bench\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(content)}\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: keep-alive\r\n"
        'ETag: "6956d000-4e20"\r\nAccept-Ranges: bytes\r\nCache-Control: max-age=31536000\r\n\r\n'
    )
    return fields.encode() + content


class _Origin(asyncio.Protocol):
    answers: ClassVar[dict[bytes, bytes]] = {
        b"/robots.txt": answer(ROBOTS, "text/plain"),
        b"/.well-known/tdmrep.json": answer(b"none", "text/plain", "404 Not Found"),
    }
    picture = answer(image(), "image/jpeg")
    missing = answer(b"none", "text/plain", "404 Not Found")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while b"\r\n\r\n" in self.waiting:
            head, _, self.waiting = self.waiting.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1]
            known = self.picture if target.startswith(b"/img/") else self.answers.get(target, self.missing)
            self.transport.write(known)  # type: ignore[attr-defined]


def _serve(out: Connection) -> None:
    async def forever() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Origin, "127.0.0.1", 0, backlog=1024)
        out.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


@contextmanager
def origin() -> Iterator[str]:
    """Serve until the block ends; gives the origin."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{mine.recv()}"
    finally:
        process.terminate()
        process.join()
