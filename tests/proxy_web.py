"""A loopback web for tests of the proxy: one origin over HTTP and HTTPS with a throw-away authority, and a proxy."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization

import consentcrawl
from consentcrawl.ledger.recording import Record
from consentcrawl.net.guard import ConnectTo
from consentcrawl.proxy import certificates
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.server import Proxy, ProxySettings
from tests.kept import Kept
from tests.website import FILM_HEAD, Answer, noise

HOST = "art.test"
IMAGE = noise()
JPEG = (("Content-Type", "image/jpeg"),)
ROBOTS = b"User-agent: *\nDisallow: /closed/\nContent-Usage: /reserved/ train-ai=n\n"
PAGES = {
    "/robots.txt": Answer(ROBOTS, fields=(("Content-Type", "text/plain"),)),
    "/free.jpg": Answer(IMAGE, fields=JPEG),
    "/noai.jpg": Answer(IMAGE, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/closed/a.jpg": Answer(IMAGE, fields=JPEG),
    "/reserved/a.jpg": Answer(IMAGE, fields=JPEG),
    "/big.bin": Answer(FILM_HEAD + b"\x55" * 3_000_000, fields=(("Content-Type", "video/mp4"),)),
    "/hop": Answer(status=302, fields=(("Location", "/noai.jpg"),)),
    "/gone.jpg": Answer(b"none", 404),
    "/busy.jpg": Answer(status=429, fields=(("Retry-After", "120"),)),
    "/page.html": Answer(
        b'<meta name="robots" content="noai"><img src="/free.jpg">', fields=(("Content-Type", "text/html"),)
    ),
}


@dataclass
class Origin:
    """A running origin: what it was asked, head by head as it came, and how many connections were made."""

    pages: dict[str, Answer]
    raw: list[bytes] = field(default_factory=list)
    connections: int = 0
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Method and target of each request."""
        lines = [head.split(b"\r\n", 1)[0].decode("latin-1").split(" ") for head in self.raw]
        return [(line[0], line[1]) for line in lines]

    def count(self, target: str) -> int:
        """How often a target was asked for."""
        return sum(1 for _, seen in self.asked if seen == target)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.raw.append(head)
                method, target = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")[:2]
                if length := [n for n in head.lower().split(b"\r\n") if n.startswith(b"content-length:")]:
                    await reader.readexactly(int(length[0].split(b":")[1]))
                answer = self.pages.get(target) or self.pages.get(target.partition("?")[0], Answer(b"none", 404))
                await asyncio.sleep(answer.slow)
                if answer.status == 0:  # the bytes as they are
                    writer.write(answer.content)
                    await writer.drain()
                    break
                writer.write(_answered(answer, head, method))
                await writer.drain()
        writer.close()


def _answered(answer: Answer, head: bytes, method: str) -> bytes:
    content, status = answer.content, answer.status
    if (asked := head.partition(b"Range: bytes=")[2].partition(b"\r\n")[0]) and status == 200:
        first, _, last = asked.decode().partition("-")
        content, status = content[int(first) : int(last) + 1], 206
    if b"\r\nIf-None-Match:" in head and status == 200:
        content, status = b"", 304
    lines = "".join(f"{name}: {value}\r\n" for name, value in answer.fields)
    length = "" if status == 304 else f"Content-Length: {len(content)}\r\n"
    whole = f"HTTP/1.1 {status} said\r\n{lines}{length}\r\n".encode()
    return whole if method == "HEAD" else whole + content


@dataclass
class Web:
    """The origin, the proxy in front of it, and what a client must know of it."""

    origin: Origin
    port: int
    directory: Path
    bundle: Path
    kept: Kept
    activity: Activity
    steward: consentcrawl.Steward
    proxy: Proxy
    run: Callable[[object], object]

    @property
    def url(self) -> str:
        """The proxy's own."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """The variables that lead usual clients through the proxy."""
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), self.url)
        trust = {name: str(self.bundle) for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")}
        return {**proxies, **trust, "NO_PROXY": "", "no_proxy": "", "NODE_EXTRA_CA_CERTS": str(self.bundle)}

    def say(self, raw: bytes, *, seconds: float = 5.0) -> bytes:
        """Send bytes on a connection of their own, and give all that comes back until it is closed."""
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=seconds)) as link:
            link.sendall(raw)
            pieces = []
            with suppress(OSError):
                while piece := link.recv(65_536):
                    pieces.append(piece)
            return b"".join(pieces)

    def get(self, target: str, *lines: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Ask for one URL on a connection of its own: status, fields (lower case), content."""
        host = target.split("/", 3)[2]
        head = "\r\n".join((f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""))
        answer = self.say(head.encode(), seconds=10)
        top, _, content = answer.partition(b"\r\n\r\n")
        first, *fields = top.decode("latin-1").split("\r\n")
        named = {name.lower(): value for name, _, value in (line.partition(": ") for line in fields)}
        return int(first.split(" ")[1]), named, content


def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something that happens beside the test."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        time.sleep(0.02)
    raise TimeoutError


@contextmanager
def looping() -> Iterator[Callable[[object], object]]:
    """A running event loop in a thread; gives a function that runs a coroutine on it and waits."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(30)  # type: ignore[arg-type]
    finally:
        asyncio.run_coroutine_threadsafe(_quiet(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _quiet() -> None:
    """Let what was cancelled end."""
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=3)
    await asyncio.get_running_loop().shutdown_default_executor()


@contextmanager
def serving(directory: Path, pages: dict[str, Answer] | None = None) -> Iterator[tuple[Origin, Path]]:
    """An origin over both schemes; gives it and the PEM file of its authority."""
    origin = Origin(PAGES if pages is None else pages)
    roots, context = _throw_away(directory)

    async def start() -> list[asyncio.Server]:
        plain = await asyncio.start_server(origin.serve, "127.0.0.1", 0, backlog=512)
        secure = await asyncio.start_server(origin.serve, "127.0.0.1", 0, ssl=context, backlog=512)
        origin.ports |= {"http": _port(plain), "https": _port(secure)}
        return [plain, secure]

    async def stop(servers: list[asyncio.Server]) -> None:
        for server in servers:
            server.close()

    with looping() as run:
        servers = run(start())
        try:
            yield origin, roots
        finally:
            run(stop(servers))  # type: ignore[arg-type]


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _throw_away(directory: Path) -> tuple[Path, ssl.SSLContext]:
    directory.mkdir(exist_ok=True)
    now, key = datetime.now(UTC), certificates.new_key()
    root = certificates.root(key, now)
    leaf_key = certificates.new_key()
    leaf = certificates.leaf(HOST, leaf_key, root, key, now)
    roots, served = directory / "origin-roots.pem", directory / "origin.pem"
    roots.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    served.write_bytes(certificates.pem(leaf_key) + leaf.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(served)
    return roots, context


def config_for(origin: Origin, roots: Path) -> consentcrawl.Config:
    """Settings under which the origin is found as ``art.test`` at the usual ports; no network is opened."""
    maps = [f"{HOST}:{at}:127.0.0.1:{origin.ports[scheme]}" for scheme, at in (("http", 80), ("https", 443))]
    to = tuple(ConnectTo.parse(text) for text in maps)
    return consentcrawl.Config(connect_to=to, contact="https://taker.example/", roots=str(roots), pace="off")


@contextmanager
def web(
    directory: Path,
    pages: dict[str, Answer] | None = None,
    *,
    config: Callable[[consentcrawl.Config], consentcrawl.Config] = lambda config: config,
    record: Record | None = None,
    **settings: object,
) -> Iterator[Web]:
    """An origin and a proxy in front of it; ``settings`` are those of ProxySettings."""
    kept, activity = Kept(), Activity()
    with serving(directory, pages) as (origin, roots), looping() as run:
        steward = consentcrawl.Steward(config(config_for(origin, roots)), record=record or kept)
        chosen = replace(ProxySettings(port=0, authority=directory / "authority"), **settings)  # type: ignore[arg-type]
        proxy = _made(run, steward, chosen, activity)
        bundle = directory / "bundle.pem"
        bundle.write_bytes(proxy.authority.certificate_pem)
        port = run(proxy.start())
        try:
            yield Web(origin, int(str(port)), directory, bundle, kept, activity, steward, proxy, run)
        finally:
            run(proxy.stop())
            steward.close()


def _made(
    run: Callable[[object], object], steward: consentcrawl.Steward, settings: ProxySettings, activity: Activity
) -> Proxy:
    async def make() -> Proxy:
        return Proxy(steward, settings, activity)

    made = run(make())
    assert isinstance(made, Proxy)
    return made
