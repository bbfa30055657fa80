"""What a CONNECT opens: TLS that ends here, or plain HTTP, and nothing else.

The first byte says what is spoken, and what is neither is not passed on. A client that takes only the origin's own
certificate is refused, or let through on the verdict about the origin alone, and the log says which.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress

from consentcrawl.core import Gate, Verdict, host_of
from consentcrawl.errors import withholds
from consentcrawl.ledger.recording.durable import durable
from consentcrawl.net.connect import Deadline, Endpoint, dial
from consentcrawl.net.guard import host_and_port
from consentcrawl.net.unreached import CONNECT, TLS, Unreached
from consentcrawl.proxy.client import request_target
from consentcrawl.proxy.client.connection import ClientConnection, wake
from consentcrawl.proxy.client.refusal import refusal_response
from consentcrawl.proxy.client.reply import Reply
from consentcrawl.proxy.client.request_head import BadRequest, Fault, RequestHead
from consentcrawl.proxy.engine import LOG, Engine, Pin
from consentcrawl.proxy.live.site import PAGE_HOST
from consentcrawl.proxy.settings import Limits

_OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
_TLS_HANDSHAKE = 0x16  # RFC 8446 §5.1
_BLIND_PORT = 443
_PINNED_KEPT, _PINNED_SECONDS = 10_000, 60.0
_RELAY_SIZE = 64 * 1024


async def open_tunnel(engine: Engine, connection: ClientConnection, head: RequestHead) -> str | None:
    """Answer a CONNECT; return the origin that requests on ``connection`` are now for, or None when it ends.

    Raises BadRequest.
    """
    authority = request_target.authority_of(head)
    origin = request_target.origin("https", authority)
    reason = engine.upstream.refuses(origin)
    if reason and host_of(origin) != PAGE_HOST:
        verdict = await engine.without_lookup(f"{origin}/", reason, "not dialled")
        await _refuse(engine, connection, head, verdict)
        return None
    connection.pause()
    if connection.has_input:
        raise BadRequest(Fault.EARLY)  # RFC 9110 §9.3.6
    if engine.pinned.get(_pin(connection, head, origin), 0.0) > time.monotonic():
        await _pass_through(engine, connection, head, origin)
        return None
    await connection.write(_OPEN)
    return await _detect_protocol(engine, connection, head, origin)


async def _detect_protocol(engine: Engine, connection: ClientConnection, head: RequestHead, origin: str) -> str | None:
    """Find out what is spoken."""
    first = await _first_byte(connection, engine.settings.limits.head)
    if not first:
        return None
    if first[0] == _TLS_HANDSHAKE:
        return origin if await _start_tls(engine, connection, head, origin) else None
    if first.isalpha() and first.isupper():
        connection.resume()
        return request_target.origin("http", head.target)
    LOG.warning("%s: neither TLS nor HTTP in a tunnel, refused", head.target)
    await engine.without_lookup(f"{origin}/", "unsupported", "neither TLS nor HTTP in a tunnel")
    return None


async def _start_tls(engine: Engine, connection: ClientConnection, head: RequestHead, origin: str) -> bool:
    """End TLS here, as the origin."""
    context = engine.authority.context_for(host_and_port(f"{origin}/")[0])
    loop, seconds = asyncio.get_running_loop(), engine.settings.limits.head
    try:
        connection.transport = await loop.start_tls(  # type: ignore[assignment]  # None only when closed meanwhile
            connection.transport, connection, context, server_side=True, ssl_handshake_timeout=seconds
        )
    except OSError as error:  # ssl.SSLError and TimeoutError are such
        error.__traceback__ = None  # asyncio's frames in it hold the error, and with it the whole connection
        if isinstance(error, ssl.SSLError):
            await _certificate_rejected(engine, connection, head, origin, error)
        else:
            LOG.info("%s: no handshake in a tunnel: %s", head.target, error)
        return False
    return connection.transport is not None


async def _certificate_rejected(
    engine: Engine, connection: ClientConnection, head: RequestHead, origin: str, error: ssl.SSLError
) -> None:
    """Log a client that does not take our certificate, and what becomes of its next try."""
    blind = engine.settings.tunnel == "origin-only"
    if blind:
        now = time.monotonic()
        if len(engine.pinned) >= _PINNED_KEPT:
            engine.pinned = {pin: until for pin, until in engine.pinned.items() if until > now}
        if len(engine.pinned) < _PINNED_KEPT:
            engine.pinned[_pin(connection, head, origin)] = now + _PINNED_SECONDS
    what = f"for {_PINNED_SECONDS:.0f} seconds it is let through on the origin alone" if blind else "refused"
    LOG.warning("%s: the client does not take our certificate (%s): %s", head.target, error.reason, what)
    await engine.without_lookup(f"{origin}/", TLS, f"the client does not take our certificate: {what}")


def _pin(connection: ClientConnection, head: RequestHead, origin: str) -> Pin:
    """Return what a client that pins a certificate is known by: another program must not be taken for it."""
    fields = head.fields
    return origin, connection.client, fields.first("proxy-authorization"), fields.first("user-agent")


async def _pass_through(engine: Engine, connection: ClientConnection, head: RequestHead, origin: str) -> None:
    """Let a tunnel through unseen where the origin as a whole may be taken."""
    url = f"{origin}/"
    host, port = host_and_port(url)
    verdict = (
        await _of_origin(engine, url)
        if port == _BLIND_PORT
        else await engine.without_lookup(url, "address", "only port 443 is let through unseen")
    )
    if withholds(verdict):
        await _refuse(engine, connection, head, verdict)
        return
    LOG.warning("%s: let through unseen, on the origin alone (%s)", origin, verdict.outcome)
    await connection.write(_OPEN)
    first = await _first_byte(connection, engine.settings.limits.head)
    if first and first[0] == _TLS_HANDSHAKE:
        try:
            await _relay(connection, await engine.upstream.endpoints(host, port), engine.settings.limits)
        except Unreached as error:
            LOG.warning("%s: %s", origin, error)


async def _of_origin(engine: Engine, url: str) -> Verdict:
    """Return the verdict about an origin as a whole: what can be known without asking for an asset."""
    inquiry = engine.steward.open(url, reach=Gate.LOOKUP, policy=engine.policy)
    await engine.steward.look_up_async(inquiry)
    verdict, entry = engine.steward.finish(inquiry)
    if entry is not None:
        await durable(entry)
    return verdict


async def _refuse(engine: Engine, connection: ClientConnection, head: RequestHead, verdict: Verdict) -> None:
    number = engine.activity.started(head.method, verdict.url)
    reply = Reply(connection, head)
    reply.keeps = False
    await reply.whole(refusal_response(verdict))
    engine.activity.ended(
        number, verdict=verdict, status=reply.status, size=reply.size, seconds=0.0, decision_seconds=0.0
    )


async def _first_byte(connection: ClientConnection, seconds: float) -> bytes:
    """Peek at the first byte: a stream cannot be given bytes back before TLS begins."""
    loop = asyncio.get_running_loop()
    come: asyncio.Future[None] = loop.create_future()
    with socket.socket(fileno=os.dup(connection.transport.get_extra_info("socket").fileno())) as looking:
        looking.settimeout(0)
        loop.add_reader(looking, wake, come)
        try:
            async with asyncio.timeout(seconds):
                await come
            return looking.recv(1, socket.MSG_PEEK)
        except (OSError, TimeoutError):
            return b""
        finally:
            loop.remove_reader(looking)


async def _relay(connection: ClientConnection, endpoints: Sequence[Endpoint], limits: Limits) -> None:
    """Dial one of the vetted endpoints and carry bytes until either side ends or the time is over. Raises Unreached."""
    link = await asyncio.to_thread(dial, endpoints, Deadline.after(limits.connect))
    link.settimeout(0)
    try:
        reader, writer = await asyncio.open_connection(sock=link)
    except OSError as error:
        link.close()
        raise Unreached(CONNECT, error) from error
    connection.resume()
    ways = [asyncio.ensure_future(way) for way in (_up(connection, writer), _down(reader, connection))]
    try:
        await asyncio.wait(ways, timeout=limits.total, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        writer.close()


async def _up(connection: ClientConnection, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while True:
            writer.write(await connection.content(_RELAY_SIZE))
            await writer.drain()


async def _down(reader: asyncio.StreamReader, connection: ClientConnection) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(_RELAY_SIZE):
            await connection.write(piece)
