"""The proxy beside mitmproxy: 20 KB images from nginx at 64 connections of hey, every signal on."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from getpass import getuser
from multiprocessing.connection import Connection
from pathlib import Path
from socket import create_connection, socket
from typing import Any

from cryptography.hazmat.primitives import serialization

from bench.origin import ROBOTS, image
from consentcrawl.config import Config
from consentcrawl.proxy import certificates
from consentcrawl.proxy.process import settle
from consentcrawl.proxy.server import Proxy, ProxySettings
from consentcrawl.record.live import LedgerRecord
from consentcrawl.steward import Steward

CONNECTIONS, REQUESTS, ROUNDS = 64, 6_400, 5  # hey gives each connection as many
SCHEMES = ("http", "https")
MITMPROXY = "mitmproxy==11.0.2"
HOST = "127.0.0.1"
NEEDED = {"hey": "hey", "nginx": "nginx-light"}
"""Programs, and the Debian packages that bring them."""
_CONTEXT = multiprocessing.get_context("spawn")
_NGINX = """
user {user}; worker_processes 1; daemon off; pid {at}/nginx.pid; error_log {at}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 1000000000;
    client_body_temp_path {at}/1; proxy_temp_path {at}/2; fastcgi_temp_path {at}/3;
    uwsgi_temp_path {at}/4; scgi_temp_path {at}/5;
    types {{ image/jpeg jpg; text/plain txt; }}
    server {{
        listen {host}:{http}; listen {host}:{https} ssl;
        ssl_certificate {certificate}; ssl_certificate_key {certificate};
        root {at}/www;
    }}
}}
"""


def main() -> dict[str, float]:
    """Print and give requests per second, CPU microseconds per request, and peak memory in MB, for both schemes."""
    figures: dict[str, float] = {}
    if missing := [package for program, package in NEEDED.items() if shutil.which(program) is None]:
        print(f"left out: it needs the Debian packages {', '.join(missing)}")
        return figures
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        directory = Path(place)
        ports = stack.enter_context(_origin(directory))
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
            rate = _loaded(scheme, port, ports[scheme])
            found[name, scheme] = (rate, (_cpu(pid) - before) / REQUESTS)
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


def _loaded(scheme: str, proxy: int, origin: int) -> float:
    """Ask through a proxy at 64 kept connections; gives the requests per second."""
    url = f"{scheme}://{HOST}:{origin}/img/0.jpg"
    words = ["hey", "-n", str(REQUESTS), "-c", str(CONNECTIONS), "-x", f"http://{HOST}:{proxy}", url]
    said = subprocess.run(words, check=True, capture_output=True, text=True, timeout=600).stdout  # noqa: S603 (ours)
    if set(re.findall(r"\[(\d+)\]\t\d+ responses", said)) != {"200"}:
        raise RuntimeError(said)
    return float(said.partition("Requests/sec:")[2].split()[0])


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


@contextmanager
def _origin(directory: Path) -> Iterator[dict[str, int]]:
    """Nginx with one image and a robots.txt, in the clear and with TLS; gives the ports by scheme."""
    ports = {scheme: _free_port() for scheme in SCHEMES}
    certificate = _certificates(directory)
    (directory / "www" / "img").mkdir(parents=True)
    (directory / "www" / "img" / "0.jpg").write_bytes(image())
    (directory / "www" / "robots.txt").write_bytes(ROBOTS)
    (directory / "nginx.conf").write_text(
        _NGINX.format(user=getuser(), at=directory, certificate=certificate, host=HOST, **ports)
    )
    process = subprocess.Popen(["nginx", "-c", str(directory / "nginx.conf")])  # noqa: S603, S607 (found before)
    try:
        _wait_for(ports["https"])
        yield ports
    finally:
        process.terminate()
        process.wait()


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
    port = _free_port()
    flags = ["-q", "--listen-host", HOST, "-p", str(port), "-s", str(addon), "--ssl-insecure"]
    flags += ["--set", f"confdir={directory / 'mitm'}", "--set", "connection_strategy=lazy"]
    process = subprocess.Popen([program, *flags])  # noqa: S603 (fixed words)
    try:
        _wait_for(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with closing(socket()) as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


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
