"""Runs a program so that whatever it fetches goes through a proxy of its own.

The program runs while the proxy serves and at no other time; how it ends is how the run ends.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from types import FrameType

from consentcrawl.errors import ConsentError
from consentcrawl.proxy.launch.background import RunningProxy, serving
from consentcrawl.proxy.launch.environment import RunFiles, variables
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.steward import Steward

PROXY_FAILED, NOT_EXECUTABLE, NOT_FOUND, BY_SIGNAL = 125, 126, 127, 128
"""Exit codes other than the program's own, as env(1), timeout(1) and the shells have them."""


ISOLATED_CHILD = Path(__file__).with_name("isolated_child.py")
_LONGEST_MESSAGE = 4_096
_PASSED_ON = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGBREAK")
    if hasattr(signal, name)
)
_OF_THE_KEYBOARD = (signal.SIGINT, getattr(signal, "SIGQUIT", None))


class NotRun(ConsentError):
    """The program was not run; ``code`` is what the run exits with."""

    def __init__(self, said: str, code: int = PROXY_FAILED) -> None:
        """Say why."""
        super().__init__(said)
        self.code = code


def run(  # noqa: PLR0913 (two have defaults)
    words: Sequence[str],
    steward: Steward,
    settings: ProxySettings,
    activity: Activity,
    *,
    isolated: bool = False,
    base: Mapping[str, str] = os.environ,
) -> int:
    """Run ``words`` and give the exit code: its own, or 128 and the signal that ended it. Blocks.

    ``isolated`` lets it reach nothing but the proxy. The certificate authority is made for this run and forgotten.
    Raises NotRun where the program cannot be run, BadPolicy and OSError where the proxy cannot.
    """
    with TemporaryDirectory(prefix="consentcrawl-") as folder:
        place = Path(folder)
        settings = replace(settings, port=0, authority=place / "authority")
        with serving(steward, settings, activity) as served:
            proxy = f"http://127.0.0.1:{served.port}"
            files = RunFiles.write(place, served.authority.certificate_pem, proxy, base)
            said = variables(proxy, files, served.authority.spki_sha256, base)
            return _waited_for(_isolated(words, said, served) if isolated else _started(words, said))


def _started(words: Sequence[str], said: Mapping[str, str]) -> Popen[bytes]:
    try:
        return Popen(words, env=said)  # noqa: S603 (the user's own command)
    except OSError as error:
        code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        msg = f"{words[0]}: {error.strerror}"
        raise NotRun(msg, code) from error


def _isolated(words: Sequence[str], said: Mapping[str, str], served: RunningProxy) -> Popen[bytes]:
    """Start the program in a network of its own, in which the proxy listens."""
    if sys.platform != "linux":
        msg = f"no network of its own for the program: {sys.platform} has no network namespaces"
        raise NotRun(msg)
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            number = theirs.fileno()
            child = Popen(isolated_command(words, served.port, number), env=said, pass_fds=[number])  # noqa: S603 (ours)
        try:
            served.serve_socket(receive_listener(ours))
            ours.sendall(b"!")
        except BaseException:
            ours.close()  # then it ends without having become the program
            child.wait()
            raise
    return child


def _waited_for(child: Popen[bytes]) -> int:
    """Wait for the program, passing on what this process is sent."""
    with _passing_on(child):
        code = child.wait()
    return code if code >= 0 else BY_SIGNAL - code


@contextmanager
def _passing_on(child: Popen[bytes]) -> Iterator[None]:
    def pass_on(number: int, _: FrameType | None) -> None:
        # Ctrl-C on a terminal goes to the whole foreground group: the program has it already.
        if number not in _OF_THE_KEYBOARD or not _in_foreground():
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    """Return whether this process belongs to whom the terminal's keys are meant for."""
    try:
        with Path("/dev/tty").open("rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def isolated_command(words: Sequence[str], port: int, ours: int) -> list[str]:
    """Return the command that isolates itself, listens on ``port`` and then becomes ``words``.

    ``ours`` is its descriptor of a socket pair: the listener comes out of it, and one byte lets the program start.
    """
    return [sys.executable, "-I", "-S", str(ISOLATED_CHILD), str(ours), str(port), *words]


def receive_listener(link: socket.socket) -> socket.socket:
    """Receive the listener from inside. Raises NotRun."""
    said, descriptors, _, _ = socket.recv_fds(link, _LONGEST_MESSAGE, 1)
    if not descriptors:
        msg = f"no network of its own for the program: {said.decode('utf-8', 'replace') or 'it ended early'}"
        raise NotRun(msg)
    return socket.socket(fileno=descriptors[0])
