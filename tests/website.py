"""A real server on loopback for tests: pages given as a table, and everything it was asked kept."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

Fields = tuple[tuple[str, str], ...]


FILM_HEAD = b"\0\0\0\x18ftypisom\0\0\2\0isommp41"
"""How a film begins (ISO 14496-12 §4.3): content that is known to be no image."""


@dataclass
class Answer:
    """What is answered: a status, fields and content; ``slow`` waits that many seconds first."""

    content: bytes = b""
    status: int = 200
    fields: Fields = ()
    slow: float = 0.0


@dataclass
class Site:
    """A running site: its origin, the requests it saw (method and target), and how much content it sent of each."""

    origin: str
    asked: list[tuple[str, str]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    arrived: list[float] = field(default_factory=list)
    """When each request arrived, in seconds by ``time.monotonic``."""

    def count(self, target: str) -> int:
        """How often a target was asked for."""
        return sum(1 for _, seen in self.asked if seen == target)


def noise(side: int = 130) -> bytes:
    """Make a real JPEG of about 20 KB that says nothing about its use."""
    content = io.BytesIO()
    Image.effect_noise((side, side), 90).save(content, "JPEG", quality=95)
    return content.getvalue()


@contextmanager
def serving(pages: Mapping[str, Answer]) -> Iterator[Site]:  # noqa: C901 (one small server)
    """Serve ``pages`` on a free port of 127.0.0.1 until the block ends; what is not in the table is a 404."""
    site = Site("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.arrived.append(time.monotonic())
            site.asked.append((self.command, self.path))
            site.heads.append({name.lower(): value for name, value in self.headers.items()})
            answer = pages.get(self.path, Answer(b"nothing here", 404))
            if answer.slow:
                stopping.wait(answer.slow)
            content = self._part(answer)
            self.send_response(206 if content is not answer.content else answer.status)
            for name, value in answer.fields:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self._send(content)

        do_HEAD = do_POST = do_GET  # noqa: N815 (http.server's names)

        def _part(self, answer: Answer) -> bytes:
            asked = self.headers.get("Range", "")
            if not asked.startswith("bytes=") or answer.status != 200:
                return answer.content
            first, _, last = asked.removeprefix("bytes=").partition("-")
            part = answer.content[int(first) : int(last) + 1 if last else None]
            return part if part != answer.content else answer.content

        def _send(self, content: bytes) -> None:
            for start in range(0, len(content), 65_536):
                try:
                    self.wfile.write(content[start : start + 65_536])
                except OSError:
                    self.close_connection = True
                    return
                site.sent[self.path] = site.sent.get(self.path, 0) + len(content[start : start + 65_536])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: object) -> None:
            """A client that closes early is no fault here."""

    stopping = threading.Event()
    server = Server(("127.0.0.1", 0), Handler)
    site.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
