"""The proxy: listens, answers each client, and ends in order.

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
from consentcrawl.proxy.client import request_head, request_target
from consentcrawl.proxy.client.connection import ClientConnection
from consentcrawl.proxy.client.refusal import problem
from consentcrawl.proxy.client.reply import Reply
from consentcrawl.proxy.client.request_head import BadRequest, Fault, RequestHead
from consentcrawl.proxy.client.tunnel import open_tunnel
from consentcrawl.proxy.engine import LOG, Engine
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.live.site import PAGE_HOST, LivePage
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.proxy.transaction import Transaction
from consentcrawl.steward import Steward

__all__ = ["Proxy", "ProxySettings"]

_BACKLOG = 512
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_UNREAD = RequestHead("GET", "", NO_FIELDS, 0, keeps=False, chunks=False)


class Proxy:
    """One proxy of one steward, which stays the caller's to shut. ``activity`` counts its requests.

    Raises BadPolicy and OSError where the certificate authority is not as it must be.
    """

    def __init__(
        self, steward: Steward, settings: ProxySettings | None = None, activity: Activity | None = None
    ) -> None:
        """Open the certificate authority."""
        self.settings, self.activity = settings or ProxySettings(), activity or Activity()
        self._engine = Engine(steward, self.settings, self.activity)
        self.authority = self._engine.authority
        self._page = LivePage(self.activity)
        self._servers: list[asyncio.Server] = []
        self._connections: set[ClientConnection] = set()

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def start(self) -> int:
        """Listen; gives the port. Raises OSError where that is not possible."""
        await self._engine.upstream.start()
        loop, settings = asyncio.get_running_loop(), self.settings
        server = await loop.create_server(self._new_connection, settings.listen, settings.port, backlog=_BACKLOG)
        self._add(server)
        if settings.ui is not None:
            self._add(await loop.create_server(self._page.server, *settings.ui))
        return int(server.sockets[0].getsockname()[1])

    async def serve_socket(self, listening: socket.socket) -> None:
        """Listen on a socket made elsewhere, such as inside another network namespace; it is closed at the end."""
        await self._engine.upstream.start()
        self._servers.append(await asyncio.get_running_loop().create_server(self._new_connection, sock=listening))

    async def stop(self) -> None:
        """Stop listening, end what is under way, and let go of connections."""
        for server in self._servers:
            server.close()
        tasks = [connection.task for connection in self._connections if connection.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        await self._page.server.shutdown(1)
        await self._engine.stop()

    def _add(self, server: asyncio.Server) -> None:
        self._servers.append(server)
        self._engine.upstream.own.update(s.getsockname()[:2] for s in server.sockets)

    def _new_connection(self) -> ClientConnection:
        return ClientConnection(self._connected)

    def _connected(self, connection: ClientConnection) -> asyncio.Task[None] | None:
        """Serve a new client, unless there are too many already."""
        if len(self._connections) >= self.settings.limits.connections:
            connection.transport.write(_TOO_MANY)
            connection.transport.close()
            return None
        self._connections.add(connection)
        return asyncio.get_running_loop().create_task(self._serve_client(connection))

    async def _serve_client(self, connection: ClientConnection) -> None:
        async with self._closing(connection):
            origin = ""
            while (raw := await connection.head(self.settings.limits.idle, self.settings.limits.head)) is not None:
                head = request_head.read(raw)
                if not origin and not self.settings.admits(head.fields.first("proxy-authorization")):
                    if not await self._challenge(connection, head):
                        return
                elif head.method == "CONNECT":
                    if origin:
                        raise BadRequest(Fault.NESTED)
                    inner = await open_tunnel(self._engine, connection, head)
                    if inner is None:
                        return
                    origin = inner
                elif _asks_page(url := request_target.url_of(head, origin)):
                    self._page.take(*connection.detach(raw))
                    return
                else:
                    transaction = Transaction(self._engine, connection, head, url)
                    await transaction.run()
                    if not transaction.reply.keeps:
                        return

    @asynccontextmanager
    async def _closing(self, connection: ClientConnection) -> AsyncIterator[None]:
        """Close the connection in the end, after an answer to what was no request."""
        try:
            yield
        except BadRequest as error:
            await _answer_bad_request(connection, error)
        except (ConnectionError, TimeoutError, LedgerBroken) as error:
            LOG.debug("a connection ended: %s", error)
        finally:
            self._connections.discard(connection)
            connection.close()

    async def _challenge(self, connection: ClientConnection, head: RequestHead) -> bool:
        """Ask for credentials (RFC 9110 §15.5.8); return whether the connection goes on."""
        reply = Reply(connection, head)
        reply.keeps = reply.keeps and not head.length
        realm = ("Proxy-Authenticate", 'Basic realm="consentcrawl", charset="UTF-8"')
        await reply.whole(problem(407, "credentials needed", "this proxy needs a user name and a password", realm))
        return reply.keeps


async def _answer_bad_request(connection: ClientConnection, error: BadRequest) -> None:
    LOG.info("a request was refused: %s", error.fault.detail)
    reply = Reply(connection, _UNREAD)
    try:
        await reply.whole(problem(error.fault.status, "bad request", error.fault.detail))
    except ConnectionError:
        return


def _asks_page(url: str) -> bool:
    try:
        return PAGE_HOST in url.lower() and host_of(canonical(url)) == PAGE_HOST
    except BadUrl:
        return False
