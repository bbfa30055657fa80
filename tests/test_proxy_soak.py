"""Many clients at once, some hostile, and the end of the process at any moment: the ledger has each request once."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from consentcrawl.ledger.verify import verify
from consentcrawl.proxy.authority import Authority
from consentcrawl.record import told as ledger_rows
from consentcrawl.record.live import LedgerRecord
from tests.proxy_web import HOST, IMAGE, looping, serving, until, web
from tests.test_proxy_heads import CASES

CLIENTS = 200
WORKS = (("/free.jpg", 200), ("/noai.jpg", 451), ("/closed/a.jpg", 451), ("/gone.jpg", 404), ("/free.jpg", 200))
HOSTILE = [raw for raw, status in CASES.values() if status in (400, 411, 431)]


@dataclass
class Load:
    """What clients asked through the proxy on ``port``, and what came back; every fourth asks inside TLS."""

    port: int
    trusted: ssl.SSLContext
    numbers: Iterator[int] = field(default_factory=count)
    asked: set[str] = field(default_factory=set)
    got: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    async def run(self, seconds: float) -> None:
        """Ask from all clients for a while."""
        end = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(*(self._client(n, end) for n in range(CLIENTS)))

    async def _client(self, client: int, end: float) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while asyncio.get_running_loop().time() < end:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    if client % 4 == 0:
                        writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
                        await reader.readuntil(b"\r\n\r\n")
                        await writer.start_tls(self.trusted, server_hostname=HOST)
                    await self._talk("https" if client % 4 == 0 else "http", reader, writer, end)
                finally:
                    writer.transport.abort()  # no farewell inside TLS that nobody waits for

    async def _talk(self, scheme: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, end: float) -> None:
        for number in self.numbers:
            if asyncio.get_running_loop().time() > end:
                return
            if number % 20 == 0:  # 5 %
                writer.write(HOSTILE[number % len(HOSTILE)])
                await reader.read(100)
                return
            target, expected = WORKS[number % len(WORKS)]
            url = f"{scheme}://{HOST}{target}?{number}"
            self.asked.add(url)
            writer.write(f"GET {url} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.findall(rb"\r\nContent-Length: ([0-9]+)", head)[0])
            content = await reader.readexactly(length)
            status = int(head.split(b" ", 2)[1])
            if status != expected or (content == IMAGE) is not (status == 200):
                self.wrong.append(f"{url}: {status}")
            self.got[url] = status


def soak(directory: Path, seconds: float, warming: float, *, weighed: bool) -> None:
    """Load a proxy; what it holds after ``warming`` seconds it holds at the end, ``weighed`` in memory as well."""
    record = LedgerRecord.open(directory / "ledger")
    with web(directory, record=record) as site:
        trusted = ssl.create_default_context(cafile=str(site.bundle))
        with looping() as run:
            run(Load(site.port, trusted).run(warming))
        site.get(f"http://{HOST}/free.jpg")
        until(lambda: not site.proxy.busy)
        before, memory = _descriptors(), _memory()
        load = Load(site.port, trusted, count(1_000_000))
        with looping() as run:
            run(load.run(seconds))
        until(lambda: not site.proxy.busy)
        gc.collect()
        assert not load.wrong, load.wrong[:5]
        assert len(load.got) == len(load.asked) > CLIENTS
        # Connections to the origin may be kept for the next request; both of their ends are in this process.
        assert _descriptors() - before <= 2 * CLIENTS
        assert not weighed or _memory() - memory <= max(20.0, memory * 0.05)
        assert not site.origin.count("/closed/a.jpg")
    assert _descriptors() < before
    told = Counter(each.urls[0] for each in ledger_rows.told(directory / "ledger") if each.kind == "verdict")
    assert {url: n for url, n in told.items() if url in load.asked} == dict.fromkeys(load.asked, 1)
    assert verify(directory / "ledger").holds


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _memory() -> float:
    """Resident memory in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
def test_g10_every_request_is_in_the_ledger_once(tmp_path: Path) -> None:
    soak(tmp_path, 2.5, 0.5, weighed=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_g10_five_minutes_leave_nothing_behind(tmp_path: Path) -> None:
    soak(tmp_path, 270, 30, weighed=True)


def test_g7_killed_at_any_moment_nothing_undecided_was_delivered(tmp_path: Path) -> None:
    with serving(tmp_path) as (origin, roots):
        settings = tmp_path / "consentcrawl.toml"
        maps = ", ".join(f'"{HOST}:{at}:127.0.0.1:{origin.ports[name]}"' for name, at in (("http", 80), ("https", 443)))
        settings.write_text(f'[network]\nroots = "{roots}"\nconnect_to = [{maps}]\n')
        kept = ["--config", str(settings), "--ledger", str(tmp_path / "ledger"), "--authority", str(tmp_path / "ca")]
        command = [sys.executable, "-m", "consentcrawl", "proxy", "--port", "0", *kept]
        for answers in (20, 500):
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as proxy:
                port = _port(proxy)
                trusted = ssl.create_default_context(cadata=Authority.open(tmp_path / "ca").certificate_pem.decode())
                load = Load(port, trusted, count(answers * 1_000_000))
                with looping() as run:
                    run(_until_killed(load, proxy, answers))
            _nothing_undecided(tmp_path / "ledger", load)


def _port(proxy: subprocess.Popen[str]) -> int:
    assert proxy.stderr is not None
    for line in proxy.stderr:
        if found := re.search(r"proxy: http://127\.0\.0\.1:([0-9]+)", line):
            return int(found[1])
    raise AssertionError


async def _until_killed(load: Load, proxy: subprocess.Popen[str], answers: int) -> None:
    asking = asyncio.create_task(load.run(30))
    while len(load.got) < answers:  # noqa: ASYNC110 (a plain counter)
        await asyncio.sleep(0.01)
    os.kill(proxy.pid, signal.SIGKILL)
    await asyncio.sleep(0.2)
    asking.cancel()
    await asyncio.wait([asking])


def _nothing_undecided(directory: Path, load: Load) -> None:
    LedgerRecord.open(directory).close()  # what was never acknowledged is cut off
    assert verify(directory).holds
    outcomes = {each.urls[0]: each.record["outcome"] for each in ledger_rows.told(directory) if each.kind == "verdict"}
    assert not load.wrong
    assert load.got
    for url, status in load.got.items():
        assert outcomes[url] == ("refuse" if status == 451 else "permit")
