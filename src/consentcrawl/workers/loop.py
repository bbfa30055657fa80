"""The loop of a worker process: documents in over a socket, one answer each, under limits.

On descriptor 0 is a socket. The worker first says that it is ready, by an empty answer; then, again and again, it takes
the lengths of the parts of one document in four bytes each, then the parts, and gives one answer, after its length.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from struct import Struct

_LENGTH = Struct(">I")
_STANDARD_STREAMS = 3
NO_FILES = ("RLIMIT_NOFILE", _STANDARD_STREAMS)
"""No descriptor is left for a file or a socket."""


def serve(read: Callable[..., bytes], parts: int, limits: Iterable[tuple[str, int]] = ()) -> None:
    """Answer documents of so many ``parts`` by ``read`` until the parent is gone.

    The arguments of the program are the memory of the process in bytes and the seconds of work for one document;
    ``limits`` are further ones, by their names in the module ``resource``.
    """
    memory, cpu_seconds = map(int, sys.argv[1:3])
    link = socket.socket(fileno=0)
    for name, most in (("RLIMIT_AS", memory), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0), *limits):
        _limit(name, most, last=True)
    link.sendall(_LENGTH.pack(0))
    while True:
        _limit("RLIMIT_CPU", int(time.process_time()) + 1 + cpu_seconds, last=False)
        sizes = [_LENGTH.unpack(_exactly(link, _LENGTH.size))[0] for _ in range(parts)]
        answer = read(*(_exactly(link, size) for size in sizes))
        link.sendall(_LENGTH.pack(len(answer)) + answer)


def _limit(name: str, most: int, *, last: bool) -> None:
    """Give up more than ``most``, for good with ``last``; on systems without limits the parent's clock remains."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 (not on Windows)

        kind = getattr(resource, name)
        resource.setrlimit(kind, (most, most if last else resource.getrlimit(kind)[1]))


def _exactly(link: socket.socket, size: int) -> bytes:
    taken, at = bytearray(size), 0
    with memoryview(taken) as view:
        while at < size:
            got = link.recv_into(view[at:])
            if not got:
                sys.exit()
            at += got
    return bytes(taken)
