"""The proxy beside mitmproxy: 20 KB images at 64 connections, every signal on, own CPU and requests per second."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import ssl
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from socket import create_connection, socket
from typing import Any

from cryptography.hazmat.primitives import serialization

from bench.origin import _Origin
from consentcrawl.config import Config
from consentcrawl.proxy import certificates
from consentcrawl.proxy.process import settle
from consentcrawl.proxy.server import Proxy, ProxySettings
from consentcrawl.record.live import LedgerRecord
from consentcrawl.steward import Steward

CONNECTIONS, REQUESTS, ROUNDS = 64, 6_000, 5
SCHEMES = ("http", "https")
MITMPROXY = "mitmproxy==11.0.2"
HOST = "127.0.0.1"
_CONTEXT = multiprocessing.get_context("spawn")


def main() -> dict[str, float]:
    """Print and give requests per second, CPU microseconds per request, and peak memory in MB, for both schemes."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        directory = Path(place)
        ports = stack.enter_context(_process(_serve_origin, directory))
        engines = {
            "consentcrawl": _process(_serve_proxy, directory, "ledger"),
            "no ledger": _process(_serve_proxy, directory, ""),
        }
        if mitmdump := _mitmproxy(directory):
            engines["mitmproxy"] = _mitmdump(mitmdump, directory)
        running = {name: stack.enter_context(engine) for name, engine in engines.items()}
        rounds = [_round(running, ports) for _ in range(1 + ROUNDS)][1:]  # the first one warms up
        for name, (_, pid) in running.items():
            for scheme in SCHEMES:
                figures |= _told(name, scheme, [each[name, scheme] for each in rounds], _peak(pid))
    _compare(figures)
    return figures


def _round(running: dict[str, tuple[int, int]], ports: dict[str, int]) -> dict[tuple[str, str], tuple[float, float]]:
    """Load every engine in turn: its requests per second and its CPU seconds per request, by name and scheme."""
    found = {}
    for name, (port, pid) in running.items():
        for scheme in SCHEMES:
            before = _cpu(pid)
            seconds = _loaded(scheme, (port, ports[scheme]), REQUESTS)
            found[name, scheme] = (REQUESTS / seconds, (_cpu(pid) - before) / REQUESTS)
    return found


def _told(name: str, scheme: str, rounds: list[tuple[float, float]], peak: float) -> dict[str, float]:
    """Print and give the medians."""
    rate, cost = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"{name:13} {scheme:6} {rate:8.0f} requests/s   {cost * 1e6:7.0f} µs CPU/request   {peak:5.0f} MB at its peak"
    )
    of = f"{name} {scheme}"
    return {f"{of} requests/s": rate, f"{of} CPU µs": cost * 1e6, f"{of} peak MB": peak}


def _compare(figures: dict[str, float]) -> None:
    for scheme in SCHEMES:
        if peer := figures.get(f"mitmproxy {scheme} requests/s"):
            ratio = figures[f"consentcrawl {scheme} requests/s"] / peer
            figures[f"{scheme}: times mitmproxy's rate"] = ratio
            print(f"{scheme}: {ratio:.1f} times mitmproxy's rate")


def _loaded(scheme: str, at: tuple[int, int], requests: int) -> float:
    """Ask through the proxy from a process of its own; gives the seconds it took."""
    mine, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_ask, args=(theirs, scheme, at, requests))
    process.start()
    try:
        if not mine.poll(120):
            raise TimeoutError(scheme)
        return float(mine.recv())
    finally:
        process.terminate()
        process.join()


def _ask(out: Connection, scheme: str, at: tuple[int, int], requests: int) -> None:
    async def together() -> float:
        numbers = iter(range(requests))
        clients = [await _Client.connected(scheme, *at) for _ in range(CONNECTIONS)]
        start = time.perf_counter()
        await asyncio.gather(*(client.work(numbers) for client in clients))
        return time.perf_counter() - start

    out.send(asyncio.run(together()))


class _Client:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, origin: int, before: str) -> None:
        self.reader, self.writer, self.origin, self.before = reader, writer, origin, before

    @classmethod
    async def connected(cls, scheme: str, port: int, origin: int) -> _Client:
        reader, writer = await asyncio.open_connection(HOST, port)
        if scheme == "http":
            return cls(reader, writer, origin, f"http://{HOST}:{origin}")
        writer.write(f"CONNECT {HOST}:{origin} HTTP/1.1\r\nHost: {HOST}:{origin}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await writer.start_tls(context, server_hostname=HOST)
        return cls(reader, writer, origin, "")

    async def work(self, numbers: Iterator[int]) -> None:
        fields = f"Host: {HOST}:{self.origin}\r\nUser-Agent: bench\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n"
        for number in numbers:
            self.writer.write(f"GET {self.before}/img/{number}.jpg HTTP/1.1\r\n{fields}".encode())
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith(b"http/1.1 200"):
                raise RuntimeError(head)
            length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await self.reader.readexactly(int(length))
        self.writer.close()


@contextmanager
def _process(serve: Callable[..., None], *args: object) -> Iterator[Any]:
    """A server in a process of its own, which sends what must be known of it when it is ready."""
    mine, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=serve, args=(theirs, *args), daemon=True)
    process.start()
    try:
        if not mine.poll(60):
            raise TimeoutError(serve.__name__)
        yield mine.recv()
    finally:
        process.terminate()
        process.join()


def _serve_origin(out: Connection, directory: Path) -> None:
    async def forever() -> None:
        loop = asyncio.get_running_loop()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificates(directory))
        plain = await loop.create_server(_Origin, HOST, 0, backlog=1024)
        secure = await loop.create_server(_Origin, HOST, 0, ssl=context, backlog=1024)
        out.send({"http": plain.sockets[0].getsockname()[1], "https": secure.sockets[0].getsockname()[1]})
        await secure.serve_forever()

    asyncio.run(forever())


def _serve_proxy(out: Connection, directory: Path, ledger: str) -> None:
    config = Config(allow=("127.0.0.0/8",), contact="https://taker.example/", roots=str(directory / "roots.pem"))

    settle()

    async def forever() -> None:
        steward = Steward(config, record=LedgerRecord.open(directory / ledger) if ledger else None)
        proxy = Proxy(steward, ProxySettings(port=0, authority=directory / "authority"))
        out.send((await proxy.start(), os.getpid()))
        await asyncio.Event().wait()

    asyncio.run(forever())


def _certificates(directory: Path) -> Path:
    """Write a throw-away authority and a leaf of it."""
    now, key, leaf_key = datetime.now(UTC), certificates.new_key(), certificates.new_key()
    root = certificates.root(key, now)
    leaf = certificates.leaf(HOST, leaf_key, root, key, now)
    (directory / "roots.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    served = directory / "origin.pem"
    served.write_bytes(certificates.pem(leaf_key) + leaf.public_bytes(serialization.Encoding.PEM))
    return served


def _mitmproxy(directory: Path) -> Path | None:
    """Install mitmproxy in an environment of its own: beside our dependencies it would hold them back."""
    place = directory / "mitmproxy"
    install = [str(place / "bin" / "pip"), "install", "--quiet", MITMPROXY]
    try:
        venv.create(place, with_pip=True)
        subprocess.run(install, check=True, capture_output=True, timeout=300)  # noqa: S603 (fixed words)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"mitmproxy is left out: {error}")
        return None
    return place / "bin" / "mitmdump"


@contextmanager
def _mitmdump(program: Path, directory: Path) -> Iterator[tuple[int, int]]:
    """Mitmproxy with an add-on that only sends it to our origin."""
    addon = directory / "addon.py"
    addon.write_text("def request(flow):\n    pass\n")
    with closing(socket()) as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    flags = ["-q", "--listen-host", HOST, "-p", str(port), "-s", str(addon), "--ssl-insecure"]
    flags += ["--set", f"confdir={directory / 'mitm'}", "--set", "connection_strategy=lazy"]
    process = subprocess.Popen([program, *flags])  # noqa: S603 (fixed words)
    try:
        _wait_for(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(port)


def _cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> float:
    """The most memory a process had, in MB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
