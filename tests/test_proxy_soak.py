"""Many clients at once, some hostile, and the end of the process at any moment: the ledger has each request once."""

from __future__ import annotations

import asyncio
import math
import os
import re
import signal
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from consentcrawl.ledger.recording import stored as ledger_rows
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.ledger.verify import verify
from consentcrawl.proxy.authority import Authority
from tests.proxy_web import HOST, IMAGE, Origin, looping, serving, until
from tests.test_proxy_heads import CASES

CLIENTS = 200
KEPT_OPEN = 3
"""RunFiles that are open from the first refusal on: a segment of the ledger, documents, and their digests."""
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

    async def run(self, seconds: float = math.inf, answers: float = math.inf) -> None:
        """Ask from all clients for a while, or until there are so many answers."""
        end = asyncio.get_running_loop().time() + seconds

        def over() -> bool:
            return len(self.got) >= answers or asyncio.get_running_loop().time() > end

        await asyncio.gather(*(self._client(n, over) for n in range(CLIENTS)))

    async def _client(self, client: int, over: Callable[[], bool]) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while not over():
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    if client % 4 == 0:
                        writer.write(f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode())
                        await reader.readuntil(b"\r\n\r\n")
                        await writer.start_tls(self.trusted, server_hostname=HOST)
                    await self._talk("https" if client % 4 == 0 else "http", reader, writer, over)
                finally:
                    writer.transport.abort()  # no farewell inside TLS that nobody waits for

    async def _talk(
        self, scheme: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, over: Callable[[], bool]
    ) -> None:
        for number in self.numbers:
            if over():
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


@dataclass(frozen=True)
class RunningProxy:
    """A proxy in a process of its own, with the authority its clients trust."""

    process: subprocess.Popen[str]
    port: int
    trusted: ssl.SSLContext

    def descriptors(self, *, sockets: bool) -> int:
        """How many sockets it has open, or how many files."""
        links = []
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                links.append(str(link.readlink()))
        return sum(link.startswith("socket:") is sockets for link in links)

    @property
    def memory(self) -> float:
        """Its resident memory in MB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


@contextmanager
def serves(directory: Path, origin: Origin, roots: Path) -> Iterator[RunningProxy]:
    """``consentcrawl proxy`` with a ledger, until it is killed or told to end."""
    settings = directory / "consentcrawl.toml"
    maps = ", ".join(f'"{HOST}:{at}:127.0.0.1:{origin.ports[name]}"' for name, at in (("http", 80), ("https", 443)))
    settings.write_text(f'[network]\nroots = "{roots}"\nconnect_to = [{maps}]\n')
    kept = ["--config", str(settings), "--ledger", str(directory / "ledger"), "--authority", str(directory / "ca")]
    command = [sys.executable, "-m", "consentcrawl", "proxy", "--port", "0", *kept]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            port = _port(process)
            authority = Authority.open(directory / "ca").certificate_pem.decode()
            yield RunningProxy(process, port, ssl.create_default_context(cadata=authority))
        finally:
            process.terminate()


def _port(proxy: subprocess.Popen[str]) -> int:
    assert proxy.stderr is not None
    for line in proxy.stderr:
        if found := re.search(r"proxy: http://127\.0\.0\.1:([0-9]+)", line):
            return int(found[1])
    raise AssertionError


def soak(directory: Path, warm: int, seconds: float) -> None:
    """Load a proxy; it ends with the descriptors it began with, and the memory it had after ``warm`` answers."""
    with serving(directory) as (origin, roots), serves(directory, origin, roots) as proxy:
        sockets, files = proxy.descriptors(sockets=True), proxy.descriptors(sockets=False)
        asyncio.run(Load(proxy.port, proxy.trusted).run(answers=warm))
        memory = proxy.memory
        load = Load(proxy.port, proxy.trusted, count(100_000_000))
        asyncio.run(load.run(seconds))
        sys.stdout.write(f"{len(load.got):,} requests; {memory:.1f} MB, then {proxy.memory:.1f} MB\n")
        assert not load.wrong, load.wrong[:5]
        assert len(load.got) == len(load.asked) > CLIENTS
        assert proxy.memory <= memory * 1.05
        # Connections to the origin are kept for a while, for the next request.
        until(lambda: proxy.descriptors(sockets=True) <= sockets, 60)
        assert proxy.descriptors(sockets=False) <= files + KEPT_OPEN
        assert not origin.count("/closed/a.jpg")
    rows = ledger_rows.stored_records(directory / "ledger")
    told = Counter(each.urls[0] for each in rows if each.kind == "verdict" and each.urls[0] in load.asked)
    assert told == dict.fromkeys(load.asked, 1)
    assert verify(directory / "ledger").holds


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
@pytest.mark.parametrize(
    ("warm", "seconds"),
    [
        pytest.param(10_000, 8, id="15 seconds"),  # in all, as the next two
        pytest.param(35_000, 270, id="5 minutes", marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
        pytest.param(200_000, 1620, id="half an hour", marks=[pytest.mark.slow, pytest.mark.timeout(3000)]),
    ],
)
def test_g10_clients_leave_nothing_behind(tmp_path: Path, warm: int, seconds: float) -> None:
    soak(tmp_path, warm, seconds)


def test_g7_killed_at_any_moment_nothing_undecided_was_delivered(tmp_path: Path) -> None:
    with serving(tmp_path) as (origin, roots):
        for answers in (20, 500):
            with serves(tmp_path, origin, roots) as proxy:
                load = Load(proxy.port, proxy.trusted, count(answers * 1_000_000))
                with looping() as run:
                    run(_until_killed(load, proxy.process, answers))
            _nothing_undecided(tmp_path / "ledger", load)


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
    outcomes = {
        each.urls[0]: each.record["outcome"] for each in ledger_rows.stored_records(directory) if each.kind == "verdict"
    }
    assert not load.wrong
    assert load.got
    for url, status in load.got.items():
        assert outcomes[url] == ("refuse" if status == 451 else "permit")
