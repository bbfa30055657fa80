"""A connection that is gone takes everything with it: what waited for the collector would pile up for thousands."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.proxy_web import HOST, Web, until, web

ASKED = 10


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_ours_a_connection_that_is_gone_leaves_nothing_to_the_collector(tmp_path: Path, scheme: str) -> None:
    with web(tmp_path) as site:
        asyncio.run(_asked(site, scheme))  # what is made once
        until(lambda: not site.proxy.busy)
        with _garbage() as left:
            asyncio.run(_asked(site, scheme))
            until(lambda: not site.proxy.busy)
    assert {kind for kind in left if kind.startswith(("consentcrawl", "asyncio.sslproto", "_asyncio"))} == set()


async def _asked(site: Web, scheme: str) -> None:
    """Ask on connections that break off afterwards."""
    for _ in range(ASKED):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        if scheme == "https":
            writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            trusted = ssl.create_default_context(cafile=str(site.bundle))
            await writer.start_tls(trusted, server_hostname=HOST)
        writer.write(f"GET {scheme}://{HOST}/free.jpg HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()


@contextmanager
def _garbage() -> Iterator[set[str]]:
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
