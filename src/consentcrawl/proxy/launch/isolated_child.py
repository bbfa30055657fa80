"""Run as a file, with the standard library alone: isolates itself, hands out a listener, and becomes the program.

It becomes the program only once it is in a network of its own and was told to.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000  # clone(2)
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1  # netdevice(7)
_NAME_AND_FLAGS = "16sh14x"  # struct ifreq
_LOOPBACK, _BACKLOG = "127.0.0.1", 512
_NOT_ISOLATED, _NOT_EXECUTABLE, _NOT_FOUND = 125, 126, 127


def main(link: socket.socket, port: int, words: list[str]) -> int:
    """Isolate, hand over, wait, become the program; give the exit code where that fails."""
    try:
        _isolate(os.getuid(), os.getgid())
        _bring_up("lo")
        listening = _listen(port)
    except OSError as error:
        link.sendall(f"{error} (user namespaces may be turned off)".encode())
        return _NOT_ISOLATED
    socket.send_fds(link, [b"here"], [listening.fileno()])
    listening.close()
    if not link.recv(1):
        return _NOT_ISOLATED
    link.close()
    return _become(words)


def _isolate(user: int, group: int) -> None:
    """Enter a user and a network namespace of one's own, as the same user (user_namespaces(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{user} {user} 1")
    (own / "gid_map").write_text(f"{group} {group} 1")


def _bring_up(interface: str) -> None:
    """Turn a network interface on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack(_NAME_AND_FLAGS, interface.encode(), 0)
        _, flags = struct.unpack(_NAME_AND_FLAGS, fcntl.ioctl(any_socket, _GET_FLAGS, asked))
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack(_NAME_AND_FLAGS, interface.encode(), flags | _UP))


def _listen(port: int) -> socket.socket:
    listening = socket.create_server((_LOOPBACK, port), backlog=_BACKLOG)
    listening.setblocking(False)  # noqa: FBT003 (socket's own shape)
    return listening


def _become(words: list[str]) -> int:
    try:
        os.execvp(words[0], words)  # noqa: S606 (the user's own command)
    except FileNotFoundError as error:
        code, said = _NOT_FOUND, error.strerror
    except OSError as error:
        code, said = _NOT_EXECUTABLE, error.strerror
    sys.stderr.write(f"consentcrawl: {words[0]}: {said}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3:]))
