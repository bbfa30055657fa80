"""Bytes carried both ways unseen, for a tunnel that was let through on its origin alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from consentcrawl.net.connect import Deadline, Endpoint, dial
from consentcrawl.net.unreached import CONNECT, Unreached
from consentcrawl.proxy.settings import Limits
from consentcrawl.proxy.wire import Wire

_PIECE = 64 * 1024


async def through(wire: Wire, endpoints: Sequence[Endpoint], limits: Limits) -> None:
    """Dial one of the vetted endpoints and carry bytes until either side ends or the time is over. Raises Unreached."""
    link = await asyncio.to_thread(dial, endpoints, Deadline.after(limits.connect))
    link.settimeout(0)
    try:
        reader, writer = await asyncio.open_connection(sock=link)
    except OSError as error:
        link.close()
        raise Unreached(CONNECT, error) from error
    wire.resume()
    ways = [asyncio.ensure_future(way) for way in (_up(wire, writer), _down(reader, wire))]
    try:
        await asyncio.wait(ways, timeout=limits.total, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        writer.close()


async def _up(wire: Wire, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while True:
            writer.write(await wire.content(_PIECE))
            await writer.drain()


async def _down(reader: asyncio.StreamReader, wire: Wire) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(_PIECE):
            await wire.write(piece)
