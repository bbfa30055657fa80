"""The way to the live page: its own host name through the proxy, and a listener of its own on loopback."""

from __future__ import annotations

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from consentcrawl.proxy import live
from consentcrawl.proxy.watch import Watch
from consentcrawl.proxy.wire import Wire

PAGE_HOST = "consentcrawl.local"
_OWN_HOSTS = frozenset({PAGE_HOST, "localhost", "127.0.0.1", "::1"})
_MISDIRECTED = 421


class Page:
    """Serves the live page of ``watch``."""

    def __init__(self, watch: Watch) -> None:
        """Serve nothing yet."""
        self._watch = watch
        self.server = web.Server(self._respond, access_log=None)

    def take(self, wire: Wire, raw: bytes) -> None:
        """Go on with a connection on which the page was asked for; ``raw`` is the head that was read."""
        transport, rest = wire.detach()
        handler: RequestHandler = self.server()
        transport.set_protocol(handler)
        handler.connection_made(transport)
        handler.data_received(raw + b"\r\n\r\n" + rest)
        transport.resume_reading()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        # Another name that leads to this address is somebody else's page asking (DNS rebinding).
        if request.url.host not in _OWN_HOSTS:
            return web.Response(status=_MISDIRECTED, text="not the live page\n")
        response: web.StreamResponse = await live.respond(request, self._watch)
        if not response.prepared:
            # The next request on a proxy's connection may be about anything.
            response.force_close()
        return response
