"""A real HTTPS server on loopback for tests: any host name, pages given as a table, an authority of its own."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from consentcrawl.config import Config
from consentcrawl.net.guard import ConnectTo
from consentcrawl.proxy.authority import Authority
from tests.website import Answer


@dataclass
class Secure:
    """A running site: its port, the file with its root, and what it was asked for (method, host, target)."""

    port: int
    roots: Path
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def config(self) -> Config:
        """Settings under which every host name on port 443 leads here."""
        return Config(connect_to=(ConnectTo.parse(self.leads_here),), roots=str(self.roots))

    @property
    def leads_here(self) -> str:
        """The same as an option."""
        return f":443:127.0.0.1:{self.port}"


@contextmanager
def serving_securely(pages: Mapping[str, Answer], folder: Path) -> Iterator[Secure]:
    """Serve ``pages`` under every name until the block ends; keys and certificates go into ``folder``."""
    authority = Authority.open(folder / "origin")
    (folder / "origin.pem").write_bytes(authority.certificate_pem)
    site = Secure(0, folder / "origin.pem")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.command, self.headers.get("Host", ""), self.path))
            answer = pages.get(self.path, Answer(b"nothing here", 404))
            self.send_response(answer.status)
            for name, value in (*answer.fields, ("Content-Length", str(len(answer.content)))):
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        do_HEAD = do_GET  # noqa: N815 (http.server's name)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that closes early is no fault here."""

    def named(link: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        link.context = authority.context_for(name or "127.0.0.1")

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = named
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
