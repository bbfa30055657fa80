"""The proxy: listens, talks to each client in turn, and ends when told.

On loopback unless there are credentials, and no more clients at once than the limit.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consentcrawl.core import NO_FIELDS, host_of
from consentcrawl.errors import LedgerBroken
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.proxy import heads, target, tunnel
from consentcrawl.proxy.engine import LOG, Engine
from consentcrawl.proxy.faults import BadRequest, Fault
from consentcrawl.proxy.heads import Head
from consentcrawl.proxy.page import PAGE_HOST, Page
from consentcrawl.proxy.passage import Passage
from consentcrawl.proxy.refusal import problem
from consentcrawl.proxy.reply import Reply
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.proxy.watch import Watch
from consentcrawl.proxy.wire import Wire
from consentcrawl.steward import Steward

__all__ = ["Proxy", "ProxySettings"]

_BACKLOG = 512
_CROWDED = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_UNREAD = Head("GET", "", NO_FIELDS, 0, keeps=False, chunks=False)


class Proxy:
    """One proxy of one steward, which stays the caller's to shut. ``watch`` is told of each request.

    Raises BadPolicy and OSError where the certificate authority is not as it must be.
    """

    def __init__(self, steward: Steward, settings: ProxySettings | None = None, watch: Watch | None = None) -> None:
        """Open the certificate authority."""
        self.settings, self.watch = settings or ProxySettings(), watch or Watch()
        self._engine = Engine(steward, self.settings, self.watch)
        self.authority = self._engine.authority
        self._page = Page(self.watch)
        self._servers: list[asyncio.Server] = []
        self._wires: set[Wire] = set()

    @property
    def busy(self) -> int:
        """How many clients are connected."""
        return len(self._wires)

    async def start(self) -> int:
        """Listen; gives the port. Raises OSError where that is not possible."""
        await self._engine.upstream.start()
        loop, settings = asyncio.get_running_loop(), self.settings
        server = await loop.create_server(self._wire, settings.listen, settings.port, backlog=_BACKLOG)
        self._serve(server)
        if settings.ui is not None:
            self._serve(await loop.create_server(self._page.server, *settings.ui))
        return int(server.sockets[0].getsockname()[1])

    async def serve_socket(self, listening: socket.socket) -> None:
        """Listen on a socket made elsewhere, such as inside another network namespace; it is closed at the end."""
        await self._engine.upstream.start()
        self._servers.append(await asyncio.get_running_loop().create_server(self._wire, sock=listening))

    async def stop(self) -> None:
        """Stop listening, end what is under way, and let go of connections."""
        for server in self._servers:
            server.close()
        tasks = [wire.task for wire in self._wires if wire.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        await self._page.server.shutdown(1)
        await self._engine.stop()

    def _serve(self, server: asyncio.Server) -> None:
        self._servers.append(server)
        self._engine.upstream.own.update(s.getsockname()[:2] for s in server.sockets)

    def _wire(self) -> Wire:
        return Wire(self._begun)

    def _begun(self, wire: Wire) -> asyncio.Task[None] | None:
        """Begin to talk, unless there are too many already."""
        if len(self._wires) >= self.settings.limits.connections:
            wire.transport.write(_CROWDED)
            wire.transport.close()
            return None
        self._wires.add(wire)
        return asyncio.get_running_loop().create_task(self._talk(wire))

    async def _talk(self, wire: Wire) -> None:
        async with self._ending(wire):
            origin = ""
            while (raw := await wire.head(self.settings.limits.idle, self.settings.limits.head)) is not None:
                head = heads.read(raw)
                if not origin and not self.settings.admits(head.fields.first("proxy-authorization")):
                    if not await self._challenge(wire, head):
                        return
                elif head.method == "CONNECT":
                    if origin:
                        raise BadRequest(Fault.NESTED)
                    inside = await tunnel.opened(self._engine, wire, head)
                    if inside is None:
                        return
                    origin = inside
                elif _asks_page(url := target.url_of(head, origin)):
                    self._page.take(wire, raw)
                    return
                else:
                    passage = Passage(self._engine, wire, head, url)
                    await passage.go()
                    if not passage.reply.keeps:
                        return

    @asynccontextmanager
    async def _ending(self, wire: Wire) -> AsyncIterator[None]:
        """Say what was wrong with a request, and close, whatever happens."""
        try:
            yield
        except BadRequest as error:
            await _complain(wire, error)
        except (ConnectionError, TimeoutError, LedgerBroken) as error:
            LOG.debug("a connection ended: %s", error)
        finally:
            self._wires.discard(wire)
            wire.close()

    async def _challenge(self, wire: Wire, head: Head) -> bool:
        """Ask for credentials (RFC 9110 §15.5.8); tells whether the connection goes on."""
        reply = Reply(wire, head)
        reply.keeps = reply.keeps and not head.length
        realm = ("Proxy-Authenticate", 'Basic realm="consentcrawl", charset="UTF-8"')
        await reply.whole(problem(407, "credentials needed", "this proxy is not open to everybody", realm))
        return reply.keeps


async def _complain(wire: Wire, error: BadRequest) -> None:
    LOG.info("a request was refused: %s", error.fault.detail)
    reply = Reply(wire, _UNREAD)
    try:
        await reply.whole(problem(error.fault.status, "bad request", error.fault.detail))
    except ConnectionError:
        return


def _asks_page(url: str) -> bool:
    try:
        return PAGE_HOST in url.lower() and host_of(canonical(url)) == PAGE_HOST
    except BadUrl:
        return False
