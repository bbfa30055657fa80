"""What benches of the proxy share: nginx with one picture, hey, ours and mitmproxy, each in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import shutil
import subprocess
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from getpass import getuser
from multiprocessing.connection import Connection
from pathlib import Path
from socket import create_connection, socket
from typing import Any

from cryptography.hazmat.primitives import serialization

from bench.origin import ROBOTS, image
from consentcrawl.config import Config
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.proxy import certificates
from consentcrawl.proxy.launch.process import tune
from consentcrawl.proxy.server import Proxy, ProxySettings
from consentcrawl.steward import Steward

CONNECTIONS = 64
SCHEMES = ("http", "https")
MITMPROXY = "mitmproxy==11.0.2"
HOST = "127.0.0.1"
_NEEDED = {"hey": "hey", "nginx": "nginx-light"}
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


def lacking() -> bool:
    """Return whether a program is missing, and print which Debian packages would bring it."""
    missing = [package for program, package in _NEEDED.items() if shutil.which(program) is None]
    if missing:
        print(f"left out: it needs the Debian packages {', '.join(missing)}")
    return bool(missing)


def loaded(scheme: str, proxy: int, origin: int, requests: int) -> float:
    """Ask through a proxy at 64 kept connections; gives the requests per second."""
    url = f"{scheme}://{HOST}:{origin}/img/0.jpg"
    words = ["hey", "-n", str(requests), "-c", str(CONNECTIONS), "-x", f"http://{HOST}:{proxy}", url]
    said = subprocess.run(words, check=True, capture_output=True, text=True, timeout=600).stdout  # noqa: S603 (ours)
    if set(re.findall(r"\[(\d+)\]\t\d+ responses", said)) != {"200"}:
        raise RuntimeError(said)
    return float(said.partition("Requests/sec:")[2].split()[0])


@contextmanager
def process_of(serve: Callable[..., None], *args: object) -> Iterator[Any]:
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
def nginx(directory: Path) -> Iterator[dict[str, int]]:
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


def serve_proxy(out: Connection, directory: Path, ledger: str) -> None:
    """Serve the proxy, with the ledger of that name if there is one; sends its port and its process."""
    config = Config(allow=("127.0.0.0/8",), contact="https://taker.example/", roots=str(directory / "roots.pem"))
    tune()

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


def mitmproxy(directory: Path) -> Path | None:
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
def mitmdump(program: Path, directory: Path) -> Iterator[tuple[int, int]]:
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


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int, what: str) -> float:
    """What /proc tells of a process's memory, in MB: VmRSS is what it has, VmHWM the most it had."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) / 1024
