"""A program in a network of its own (Linux), in which nothing can be reached but the proxy.

Where such a network cannot be made, nothing is run.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from consentcrawl.proxy.codes import NotRun

INSIDE = Path(__file__).with_name("inside.py")
_LONGEST = 4_096


def command(words: Sequence[str], port: int, ours: int) -> list[str]:
    """Return the command that isolates itself, listens on ``port`` and then becomes ``words``.

    ``ours`` is its descriptor of a socket pair: the listener comes out of it, and one byte lets the program start.
    """
    return [sys.executable, "-I", "-S", str(INSIDE), str(ours), str(port), *words]


def listener(link: socket.socket) -> socket.socket:
    """Receive the listener from inside. Raises NotRun."""
    said, descriptors, _, _ = socket.recv_fds(link, _LONGEST, 1)
    if not descriptors:
        msg = f"no network of its own for the program: {said.decode('utf-8', 'replace') or 'it ended early'}"
        raise NotRun(msg)
    return socket.socket(fileno=descriptors[0])
