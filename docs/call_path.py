"""Print which functions of consentcrawl one warm ``session().get(url)`` calls, in order, against a server on loopback.

Run as ``python docs/call_path.py``. A call is a hop where caller and called stand in different files. Only the
caller's thread is followed, and a generator that goes on is no new call.
"""  # noqa: INP001 (not a package)

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

import consentcrawl
from consentcrawl.drivers.requests import session

PACKAGE = Path(str(consentcrawl.__file__)).parent
PLUGINS = "consentcrawl_plugins"
PIXEL = b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\1D\0;"
FILES = {"/robots.txt": b"User-agent: *\nDisallow: /private/\n", "/1.gif": PIXEL, "/2.gif": PIXEL, "/3.gif": PIXEL}
READING = ("core/", "formats/", "signals/")


class Site(BaseHTTPRequestHandler):
    """A robots.txt and two pictures."""

    def do_GET(self) -> None:
        """Answer with the file, or 404."""
        content = FILES.get(self.path, b"")
        self.send_response(200 if content else 404)
        self.send_header("Content-Type", "image/gif" if self.path.endswith(".gif") else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the file and function, how many callers of the package are above it, and the file of the nearest."""

    file: str
    function: str
    depth: int
    caller: str


def calls_of(program: Callable[[], object]) -> list[Call]:
    """Return the calls inside the package while ``program`` runs."""
    calls: list[Call] = []
    begun: dict[int, FrameType] = {}  # kept, so that no other frame gets the same id

    def follow(frame: FrameType, event: str, _: object) -> None:
        file = file_of(frame)
        if event != "call" or not file or frame.f_code.co_name.startswith("<") or id(frame) in begun:
            return
        begun[id(frame)] = frame
        callers = [own for caller in _above(frame) if (own := file_of(caller))]
        calls.append(Call(file, frame.f_code.co_qualname, len(callers), callers[0] if callers else ""))

    sys.setprofile(follow)
    try:
        program()
    finally:
        sys.setprofile(None)
    return calls


def file_of(frame: FrameType) -> str:
    """Return the file of a frame inside the package or among the plugins, or nothing for any other."""
    path = Path(frame.f_code.co_filename)
    if PACKAGE in path.parents:
        return str(path.relative_to(PACKAGE))
    return f"plugins/{path.name}" if frame.f_globals.get("__name__", "").startswith(f"{PLUGINS}.") else ""


def _above(frame: FrameType) -> Iterator[FrameType]:
    caller = frame.f_back
    while caller is not None:
        yield caller
        caller = caller.f_back


@contextmanager
def serving() -> Iterator[str]:
    """Serve the site on loopback; gives its origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def summary(calls: list[Call]) -> str:
    """Return how many calls, hops and files these are."""
    hops, files = sum(call.caller != call.file for call in calls), {call.file for call in calls}
    return f"{len(calls)} calls, {hops} hops from file to file, {len(files)} files"


def main() -> None:
    """Get three pictures of one origin, and print the path of the third."""
    with serving() as origin, session(config=consentcrawl.Config(allow=("127.0.0.0/8",))) as web:
        for name in ("1", "2"):
            web.get(f"{origin}/{name}.gif", timeout=10).raise_for_status()
        calls = calls_of(lambda: web.get(f"{origin}/3.gif", timeout=10))
    for call in calls:
        sys.stdout.write(f"{'  ' * call.depth}{call.file}  {call.function}\n")
    sys.stdout.write(f"all: {summary(calls)}\n")
    flow = [call for call in calls if not call.file.startswith(READING)]
    sys.stdout.write(f"without {', '.join(READING)}: {summary(flow)}\n")


if __name__ == "__main__":
    main()
