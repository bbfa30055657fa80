"""One pool of connections to the origins, at addresses that the guard has vetted.

A socket is made only for an endpoint that the guard gave; a redirect is handed back, never followed.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.http import HttpProcessingError
from yarl import URL

from consentcrawl.config import Config
from consentcrawl.core import origin_of
from consentcrawl.net import tls
from consentcrawl.net.connect import Deadline, Endpoint
from consentcrawl.net.unreached import ADDRESS, BAD_HEAD, CONNECT, TIMEOUT, TLS, TRUNCATED, Unreached
from consentcrawl.proxy.settings import SAFE_METHODS
from consentcrawl.proxy.upstream.origin_request import OriginRequest, OriginResponse, send_request

_RESOLVING_AT_ONCE = 16
_ENDPOINTS_KEPT, _ORIGINS_KEPT, _KEYS_KEPT = 100_000, 10_000, 1_000

# What aiohttp raises, the narrower first, and the reason code it comes to.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientSSLError, TLS),
    (ssl.SSLError, TLS),
    (TimeoutError, TIMEOUT),
    (aiohttp.ClientPayloadError, TRUNCATED),
    (HttpProcessingError, BAD_HEAD),
    (aiohttp.ClientError, CONNECT),
    (OSError, CONNECT),
)


class Upstream:
    """Asks origins. ``own`` are the endpoints the proxy itself listens on, which are never request."""

    def __init__(self, config: Config, *, connect: float, silence: float) -> None:
        """Wait ``connect`` seconds for a connection and ``silence`` seconds between two bytes."""
        self._guard, self.own = config.guard(), set[Endpoint]()
        self.refuses = lru_cache(_ORIGINS_KEPT)(self._refuses)
        """Return the reason code why an origin may not be dialled, without asking DNS, or None."""
        self._tls, self._connect, self._silence = tls.context(config.roots), connect, silence
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect)
        self._pool_key = lru_cache(_KEYS_KEPT)(_pool_key)
        self._threads = ThreadPoolExecutor(_RESOLVING_AT_ONCE, thread_name_prefix="consentcrawl-resolve")
        self._pool: _GuardedConnector | None = None

    def _refuses(self, origin: str) -> str | None:
        return self._guard.refuses(f"{origin}/")

    async def start(self) -> None:
        """Open the pool, on the running loop; a second call does nothing."""
        if self._pool is None:
            self._pool = _GuardedConnector(self, ssl=self._tls, limit=0, use_dns_cache=False)

    async def stop(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, request: OriginRequest) -> OriginResponse:
        """Send one request and give the answer, its content still to come. Raises Unreached.

        A connection that the origin has closed meanwhile is no answer: what changes nothing there is asked once more
        (RFC 9112 §9.3.1).
        """
        repeatable = request.method in SAFE_METHODS and request.content is None
        try:
            try:
                return await self._once(request)
            except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
                if not repeatable or isinstance(error, aiohttp.ClientConnectorError):
                    raise
            return await self._once(request)
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
            raise unreached(error) from error

    async def _once(self, request: OriginRequest) -> OriginResponse:
        if self._pool is None:
            raise Unreached(CONNECT, "not started")
        key = self._pool_key(origin_of(request.url))
        connection = await self._pool.connect(key, [], self._timeout)
        # The pool keeps a connection on which more came than was asked for: it would be taken for the next answer.
        while connection.protocol is not None and connection.protocol.should_close:
            connection.close()
            connection = await self._pool.connect(key, [], self._timeout)
        return await send_request(connection, request, self._silence)

    async def endpoints(self, host: str, port: int) -> list[Endpoint]:
        """Resolve and vet. Raises Unreached: address, dns, timeout."""
        deadline = Deadline.after(self._connect)
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._guard.resolve, host, port, deadline)
        if not self.own.isdisjoint(found):
            raise Unreached(ADDRESS, "the proxy itself")
        return found


def _pool_key(origin: str) -> aiohttp.ClientRequest:
    """Return the key under which aiohttp's pool keeps the connections to an origin."""
    return aiohttp.ClientRequest("GET", URL(f"{origin}/", encoded=True), loop=asyncio.get_running_loop())


def unreached(error: BaseException) -> Unreached:
    """Return the reason code of what aiohttp or the system raised."""
    cause: BaseException | None = error
    while cause is not None:  # aiohttp wraps what its connector raises
        if isinstance(cause, Unreached):
            return cause
        cause = cause.__cause__
    reason = next((code for kind, code in _REASONS if isinstance(error, kind)), CONNECT)
    return Unreached(reason, error)


class _GuardedConnector(aiohttp.TCPConnector):
    """aiohttp's pool; every host, names and addresses alike, goes past the guard on its way to a socket."""

    def __init__(self, upstream: Upstream, **more: Any) -> None:  # noqa: ANN401 (TCPConnector's own)
        super().__init__(socket_factory=self._socket, **more)
        self._upstream = upstream
        self._vetted_endpoints: dict[Endpoint, None] = {}

    async def _resolve_host(self, host: str, port: int, traces: Sequence[Any] | None = None) -> list[ResolveResult]:
        del traces
        found = await self._upstream.endpoints(host.strip("[]").rstrip("."), port)
        if len(self._vetted_endpoints) > _ENDPOINTS_KEPT:
            self._vetted_endpoints.clear()
        self._vetted_endpoints.update(dict.fromkeys(found))
        return [_result(host, endpoint) for endpoint in found]

    def _socket(self, info: Any) -> socket.socket:  # noqa: ANN401 (getaddrinfo's tuple)
        """Make the socket for an endpoint the guard gave: should the way there ever change, nothing is dialled."""
        family, kind, protocol, _, address = info
        if tuple(address[:2]) not in self._vetted_endpoints:
            raise Unreached(ADDRESS, "not vetted")
        return socket.socket(family, kind, protocol)


def _result(host: str, endpoint: Endpoint) -> ResolveResult:
    address, port = endpoint
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
