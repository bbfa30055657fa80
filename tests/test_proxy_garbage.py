"""A connection that is gone takes everything with it: what waits for the collector would pile up for thousands."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import certifi
import pytest

from tests.proxy_web import HOST, Web, until, web
from tests.test_proxy_heads import CASES

Way = Callable[[Web], Coroutine[Any, Any, None]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

ASKED = 10
TUNNEL = f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode()


async def _plain(site: Web) -> None:
    _, writer = await _get(await _opened(site), "http")
    writer.transport.abort()


async def _secure(site: Web) -> None:
    reader, writer = await _opened(site, TUNNEL)
    await writer.start_tls(ssl.create_default_context(cafile=str(site.bundle)), server_hostname=HOST)
    await _get((reader, writer), "https")
    writer.transport.abort()


async def _handshake_broken_off(site: Web) -> None:
    _, writer = await _opened(site, TUNNEL)
    writer.write(b"\x16\x03\x01")
    await writer.drain()
    writer.close()


async def _certificate_not_taken(site: Web) -> None:
    _, writer = await _opened(site, TUNNEL)
    with pytest.raises(ssl.SSLError):
        await writer.start_tls(ssl.create_default_context(cafile=certifi.where()), server_hostname=HOST)
    writer.transport.abort()


async def _malformed(site: Web) -> None:
    for raw, _ in CASES.values():
        reader, writer = await _opened(site, raw)
        await reader.read()
        writer.close()


async def _malformed_in_secret(site: Web) -> None:
    for raw, _ in CASES.values():
        reader, writer = await _opened(site, TUNNEL)
        await writer.start_tls(ssl.create_default_context(cafile=str(site.bundle)), server_hostname=HOST)
        writer.write(raw)
        await reader.read(100)
        writer.transport.abort()


WAYS: dict[Way, tuple[str, ...]] = {
    _plain: ("consentcrawl", "asyncio.sslproto", "_asyncio"),
    _secure: ("consentcrawl", "asyncio.sslproto", "_asyncio"),
    _handshake_broken_off: ("consentcrawl", "asyncio.sslproto", "_asyncio"),
    _certificate_not_taken: ("consentcrawl",),  # the client's error holds its own frames
    _malformed: ("consentcrawl", "asyncio.sslproto", "_asyncio"),
    _malformed_in_secret: ("consentcrawl", "asyncio.sslproto", "_asyncio"),
}


@pytest.mark.parametrize("way", WAYS)
def test_ours_a_connection_that_is_gone_leaves_nothing_to_the_collector(tmp_path: Path, way: Way) -> None:
    with web(tmp_path) as site:
        asyncio.run(way(site))  # what is made once
        until(lambda: not site.proxy.clients)
        with garbage() as left:
            for _ in range(ASKED):
                asyncio.run(way(site))
            until(lambda: not site.proxy.clients)
    assert {kind for kind in left if kind.startswith(WAYS[way])} == set()


async def _opened(site: Web, said: bytes = b"") -> Streams:
    """Connect, and say something first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(said)
    if said == TUNNEL:
        await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def _get(streams: Streams, scheme: str) -> Streams:
    reader, writer = streams
    writer.write(f"GET {scheme}://{HOST}/free.jpg HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    return streams


@contextmanager
def garbage() -> Iterator[set[str]]:
    """Gather the kinds of what only the collector can take away."""
    kinds: set[str] = set()
    gc.collect()
    gc.disable()
    try:
        yield kinds
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        kinds |= {f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
