"""From a host name to a connected socket, under one deadline.

Nothing here waits past the deadline, and a name is looked up once.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from consentcrawl.net.unreached import CONNECT, DNS, TIMEOUT, Unreached

Endpoint = tuple[str, int]
"""A literal address and a port: what a socket is connected to."""

_MOST_TRIED = 6


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock after which nothing is waited for."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The moment that lies ``seconds`` ahead."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left, more than zero. Raises Unreached("timeout") when there are none."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise Unreached(TIMEOUT)
        return left


def lookup(host: str, port: int, deadline: Deadline) -> list[str]:
    """Every address of a host name, in the system's order. Raises Unreached: dns, timeout.

    The system's resolver knows no time limit, so it is asked in a thread that is left behind when it is late.
    """
    found: list[str] = []
    failed: list[Exception] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=ask, daemon=True, name="consentcrawl-lookup")
    thread.start()
    thread.join(deadline.left())
    if thread.is_alive():
        raise Unreached(TIMEOUT, f"looking up {host}")
    if not found:
        raise Unreached(DNS, failed[0] if failed else host)
    return found


def dial(endpoints: Sequence[Endpoint], deadline: Deadline) -> socket.socket:
    """Connect to the first endpoint that answers; each has its share of what time is left.

    Raises Unreached: connect, timeout.
    """
    tried = endpoints[:_MOST_TRIED]
    last = Unreached(CONNECT, "no address")
    for rest, endpoint in zip(range(len(tried), 0, -1), tried, strict=True):
        try:
            return _connected(endpoint, deadline.left() / rest)
        except TimeoutError as error:
            last = Unreached(TIMEOUT, error)
        except Unreached:
            raise
        except OSError as error:
            last = Unreached(CONNECT, error)
    raise last


def _connected(endpoint: Endpoint, seconds: float) -> socket.socket:
    """One connected socket, or the system's own error."""
    link = socket.socket(socket.AF_INET6 if ":" in endpoint[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        link.settimeout(seconds)
        link.connect(endpoint)
        with suppress(OSError):  # not every link is TCP's
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        link.close()
        raise
    return link
