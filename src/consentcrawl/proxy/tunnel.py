"""What a CONNECT opens: TLS that ends here, or plain HTTP, and nothing else.

The first byte says what is spoken, and what is neither is not passed on. A client that takes only the origin's own
certificate is refused, or let through on the verdict about the origin alone, and the log says which.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl

from consentcrawl.core import Gate, Verdict, host_of
from consentcrawl.errors import withholds
from consentcrawl.ledger.recording.durable import durable
from consentcrawl.net.guard import host_and_port
from consentcrawl.net.unreached import TLS, Unreached
from consentcrawl.proxy import relay, target
from consentcrawl.proxy.engine import LOG, Engine
from consentcrawl.proxy.faults import BadRequest, Fault
from consentcrawl.proxy.heads import Head
from consentcrawl.proxy.page import PAGE_HOST
from consentcrawl.proxy.refusal import withholding
from consentcrawl.proxy.reply import Reply
from consentcrawl.proxy.wire import Wire, wake

_OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
_TLS_HANDSHAKE = 0x16  # RFC 8446 §5.1
_BLIND_PORT = 443
_PINNED_KEPT = 10_000


async def opened(engine: Engine, wire: Wire, head: Head) -> str | None:
    """Answer a CONNECT; give the origin that HTTP is now spoken about over ``wire``, or None when it is at its end.

    Raises BadRequest.
    """
    authority = target.authority_of(head)
    origin = target.origin("https", authority)
    reason = engine.upstream.refuses(origin)
    if reason and host_of(origin) != PAGE_HOST:
        verdict = await engine.not_asked(f"{origin}/", reason, "not dialled")
        await _refuse(engine, wire, head, verdict)
        return None
    wire.pause()
    if wire.waiting:
        raise BadRequest(Fault.EARLY)  # RFC 9110 §9.3.6
    if authority in engine.pinned:
        await _blind(engine, wire, head, origin)
        return None
    await wire.write(_OPEN)
    return await _inside(engine, wire, authority)


async def _inside(engine: Engine, wire: Wire, authority: str) -> str | None:
    """Find out what is spoken."""
    origin = target.origin("https", authority)
    first = await _first_byte(wire, engine.settings.limits.head)
    if not first:
        return None
    if first[0] == _TLS_HANDSHAKE:
        return origin if await _secured(engine, wire, authority, origin) else None
    if first.isalpha() and first.isupper():
        wire.resume()
        return target.origin("http", authority)
    LOG.warning("%s: neither TLS nor HTTP in a tunnel, refused", authority)
    await engine.not_asked(f"{origin}/", "unsupported", "neither TLS nor HTTP in a tunnel")
    return None


async def _secured(engine: Engine, wire: Wire, authority: str, origin: str) -> bool:
    """End TLS here, as the origin."""
    context = engine.authority.context_for(host_and_port(f"{origin}/")[0])
    loop, seconds = asyncio.get_running_loop(), engine.settings.limits.head
    try:
        wire.transport = await loop.start_tls(  # type: ignore[assignment]  # None only when closed meanwhile
            wire.transport, wire, context, server_side=True, ssl_handshake_timeout=seconds
        )
    except OSError as error:  # ssl.SSLError and TimeoutError are such
        error.__traceback__ = None  # asyncio's frames in it hold the error, and with it the whole connection
        if isinstance(error, ssl.SSLError):
            await _not_trusted(engine, authority, origin, error)
        else:
            LOG.info("%s: no handshake in a tunnel: %s", authority, error)
        return False
    return wire.transport is not None


async def _not_trusted(engine: Engine, authority: str, origin: str, error: ssl.SSLError) -> None:
    """Log a client that does not take our certificate, and what becomes of its next try."""
    blind = engine.settings.tunnel == "origin-only"
    if blind and len(engine.pinned) < _PINNED_KEPT:
        engine.pinned.add(authority)
    what = "its next tunnel is let through on the origin alone" if blind else "refused"
    LOG.warning("%s: the client does not take our certificate (%s): %s", authority, error.reason, what)
    await engine.not_asked(f"{origin}/", TLS, f"the client does not take our certificate: {what}")


async def _blind(engine: Engine, wire: Wire, head: Head, origin: str) -> None:
    """Let a tunnel through unseen where the origin as a whole may be taken."""
    url = f"{origin}/"
    host, port = host_and_port(url)
    verdict = (
        await _of_origin(engine, url)
        if port == _BLIND_PORT
        else await engine.not_asked(url, "address", "only port 443 is let through unseen")
    )
    if withholds(verdict):
        await _refuse(engine, wire, head, verdict)
        return
    LOG.warning("%s: let through unseen, on the origin alone (%s)", origin, verdict.outcome)
    await wire.write(_OPEN)
    first = await _first_byte(wire, engine.settings.limits.head)
    if first and first[0] == _TLS_HANDSHAKE:
        try:
            await relay.through(wire, await engine.upstream.endpoints(host, port), engine.settings.limits)
        except Unreached as error:
            LOG.warning("%s: %s", origin, error)


async def _of_origin(engine: Engine, url: str) -> Verdict:
    """Return the verdict about an origin as a whole: what can be known without asking for an asset."""
    engine.heed_switch()
    inquiry = engine.steward.open(url, reach=Gate.LOOKUP)
    await engine.steward.look_up_async(inquiry)
    verdict, entry = engine.steward.end(inquiry)
    if entry is not None:
        await durable(entry)
    return verdict


async def _refuse(engine: Engine, wire: Wire, head: Head, verdict: Verdict) -> None:
    number = engine.watch.began(head.method, verdict.url)
    reply = Reply(wire, head)
    reply.keeps = False
    await reply.whole(withholding(verdict))
    engine.watch.ended(number, verdict=verdict, status=reply.status, size=reply.size, seconds=0.0, waited=0.0)


async def _first_byte(wire: Wire, seconds: float) -> bytes:
    """Look at the first byte and leave it in the socket: a stream cannot be given bytes back before TLS begins."""
    loop = asyncio.get_running_loop()
    come: asyncio.Future[None] = loop.create_future()
    with socket.socket(fileno=os.dup(wire.transport.get_extra_info("socket").fileno())) as looking:
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
