"""A small web on loopback: many host names, one port, and a dead host.

It answers on 127.0.0.1 only, and is gone when the block ends.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from consentcrawl.cli.demo_sites import DEAD, WEB, Answer

Sites = Mapping[str, Mapping[str, Answer]]

_ADDRESS = "127.0.0.1"
_NOT_FOUND = Answer(b"nothing here", 404)


class _Site(BaseHTTPRequestHandler):
    """Answers by the Host field and the path."""

    server: _Server

    def do_GET(self) -> None:
        host = (self.headers.get("Host") or "").partition(":")[0]
        answer = self.server.sites.get(host, {}).get(self.path, _NOT_FOUND)
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.content)), **answer.fields}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        """Say nothing: the table is what is shown."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, sites: Sites) -> None:
        super().__init__((_ADDRESS, 0), _Site)
        self.sites = sites

    def handle_error(self, *_: object) -> None:
        """A client that needs the head only closes the connection after it; that is no fault."""


@contextmanager
def web(sites: Sites = WEB) -> Iterator[tuple[str, ...]]:
    """Serve ``sites`` (host, path, answer) on loopback; gives the ``--connect-to`` values that lead there.

    Connections to the host ``dead.example`` are refused.
    """
    with socket.socket() as closed, _Server(sites) as server:
        closed.bind((_ADDRESS, 0))  # bound, and never listening: a connection is refused
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        serving.start()
        try:
            yield f"{DEAD}:80:{_ADDRESS}:{closed.getsockname()[1]}", f":80:{_ADDRESS}:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()
