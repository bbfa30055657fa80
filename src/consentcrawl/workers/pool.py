"""Worker processes with limits, for native readers of strangers' bytes.

Whatever happens to a worker happens to the one document it was reading; the next one finds a fresh worker.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from threading import BoundedSemaphore

_LENGTH = Struct(">I")
_PIECE = 256 * 1024
_ANSWER_LIMIT = 4 * 1024 * 1024
# What a reader needs of the environment; keys and passwords of the taker are not among it.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "TZ")
# glibc gives the heap's end back to the system after each document and takes it anew for the next: a third of the time.
_STEADY_HEAP = {
    "MALLOC_TOP_PAD_": str(32 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 1024 * 1024),
    "MALLOC_MMAP_THRESHOLD_": str(256 * 1024 * 1024),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost: ``seconds`` by the clock, ``cpu_seconds`` of work, ``memory`` of the worker in bytes.

    ``start_seconds`` is how long a worker may take to be ready; a worker is replaced after ``documents``.
    """

    seconds: float = 5.0
    cpu_seconds: int = 2
    memory: int = 768 * 1024 * 1024
    start_seconds: float = 30.0
    documents: int = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answered, or why it did not: ``timeout`` or ``reader_failed``."""

    content: bytes = b""
    gap: str = ""


TIMED_OUT = Answer(gap="timeout")
FAILED = Answer(gap="reader_failed")


class Workers:
    """Processes that run ``program``, at most ``most`` at once. Safe for threads; after a fork, make others.

    They are started when they are needed. The program gets its limits as arguments, and on file descriptor 0 a socket
    (``manifest.py`` has the protocol). Every worker dies with its parent.
    """

    def __init__(self, program: Path, *, most: int | None = None, limits: Limits | None = None) -> None:
        """Keep workers for ``program``: as many as there are processors, if not told otherwise."""
        self.program, self.limits = program, limits or Limits()
        self._owner = os.getpid()
        self._turns = BoundedSemaphore(most or os.cpu_count() or 1)
        self._idle: list[_Worker] = []

    def ask(self, *parts: bytes) -> Answer:
        """Have the parts of one document read. Blocks for a turn and for the answer; never raises for what they are."""
        with self._turns:
            worker = self._ready()
            if worker is None:
                return FAILED
            try:
                answer = worker.ask(parts, self.limits.seconds)
            except BaseException:
                worker.end()
                raise
            if answer.gap or worker.documents >= self.limits.documents:
                worker.end()
            else:
                self._idle.append(worker)
            return answer

    def shut(self) -> None:
        """End the workers that are idle."""
        while self._idle and os.getpid() == self._owner:
            self._idle.pop().end()

    def _ready(self) -> _Worker | None:
        """Return an idle worker that lives, or start one; None where none can be had."""
        while True:
            try:
                worker = self._idle.pop()
            except IndexError:
                return self._start()
            if worker.process.poll() is None:
                return worker
            worker.end()

    def _start(self) -> _Worker | None:
        limits = self.limits
        command = [sys.executable, "-S", "-P", "-W", "ignore", str(self.program), str(limits.memory)]
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603 (our own program)
                    [*command, str(limits.cpu_seconds)],
                    env=_environment(os.environ),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    process_group=0,  # Ctrl-C is for the parent to act upon
                )
            except OSError:
                ours.close()
                return None
        worker = _Worker(process, ours)
        if worker.hear(time.monotonic() + limits.start_seconds).gap:
            worker.end()
            return None
        return worker


class _Worker:
    """One process, and our end of the socket to it."""

    __slots__ = ("_link", "documents", "process")

    def __init__(self, process: subprocess.Popen[bytes], link: socket.socket) -> None:
        self.process, self._link, self.documents = process, link, 0

    def ask(self, parts: tuple[bytes, ...], seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        self.documents += 1
        self._link.settimeout(seconds)
        try:
            self._link.sendall(b"".join([*(_LENGTH.pack(len(part)) for part in parts), *parts]))
        except TimeoutError:
            return TIMED_OUT
        except OSError:
            return self._died()
        return self.hear(deadline)

    def hear(self, deadline: float) -> Answer:
        """Return the worker's answer, or why there is none by ``deadline``."""
        try:
            (size,) = _LENGTH.unpack(self._take(_LENGTH.size, deadline))
            return Answer(self._take(size, deadline)) if size <= _ANSWER_LIMIT else FAILED
        except TimeoutError:
            return TIMED_OUT
        except (OSError, EOFError):
            return self._died()

    def end(self) -> None:
        """Kill the process and let go of it."""
        self._link.close()
        self.process.kill()
        self.process.wait()

    def _died(self) -> Answer:
        self.end()
        return TIMED_OUT if self.process.returncode == -_CPU_LIMIT else FAILED

    def _take(self, size: int, deadline: float) -> bytes:
        pieces = []
        while size:
            self._link.settimeout(max(0.001, deadline - time.monotonic()))
            piece = self._link.recv(min(size, _PIECE))
            if not piece:
                raise EOFError
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


_CPU_LIMIT = getattr(signal, "SIGXCPU", 0)


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Let the worker find the modules that we find, and know nothing else."""
    passed = {name: ours[name] for name in _PASSED_ON if name in ours}
    return passed | _STEADY_HEAP | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
