"""A server on loopback that answers with scripted bytes and keeps what it saw: for what no decent server would send."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = bytes | Callable[[], Iterable[bytes]]
"""What is sent back: bytes, or pieces that may take their time."""

RESET = b"\0reset"
"""An answer, or its last piece: the connection is reset instead of closed."""
_LONGEST_WAIT = 5.0


def response(status: int = 200, body: bytes = b"", *fields: str) -> bytes:
    """A well-formed answer with a Content-Length."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def dripping(start: bytes, drip: bytes, pause: float = 0.02) -> Callable[[], Iterator[bytes]]:
    """Send ``start`` at once and then ``drip`` again and again, for ever."""

    def pieces() -> Iterator[bytes]:
        yield start
        while True:
            time.sleep(pause)
            yield drip

    return pieces


def silent(start: bytes = b"") -> Callable[[], Iterator[bytes]]:
    """Send ``start`` and then nothing, with the connection open."""
    return dripping(start, b"", 0.05)


class RawServer:
    """Listens on a free loopback port; a context manager.

    ``answers`` is one answer for every request, or a mapping from request target to answer (404 for any other).
    ``seen`` holds the raw requests, ``connections`` counts every accepted connection, also those that said nothing.
    """

    def __init__(
        self, answers: Answer | Mapping[str, Answer], tls: ssl.SSLContext | None = None, *, at_once: bool = False
    ) -> None:
        """Bind, but do not listen to anybody yet. With ``at_once`` the first bytes of a request are answered."""
        self._answers, self._tls, self._at_once = answers, tls, at_once
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self.seen: list[bytes] = []
        self.connections = 0

    def __enter__(self) -> Self:
        """Start to answer."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop listening; answers under way end at their next piece."""
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def targets(self) -> list[str]:
        """The targets of the requests seen, in order."""
        return [request.split(b" ", 2)[1].decode("latin-1") for request in self.seen]

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._stopped.is_set():
                link, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        link.settimeout(_LONGEST_WAIT)
        try:
            with suppress(OSError), self._secured(link) as secured:
                request = secured.recv(65536) if self._at_once else _request(secured)
                self.seen.append(request)
                self._answer(request, secured)
        finally:
            link.close()

    def _secured(self, link: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(link, server_side=True) if self._tls else link

    def _answer(self, request: bytes, link: socket.socket) -> None:
        answer = self._answers
        if isinstance(answer, Mapping):
            answer = answer.get(request.split(b" ", 2)[1].decode("latin-1"), response(404))
        for piece in (answer,) if isinstance(answer, bytes) else answer():
            if self._stopped.is_set():
                return
            if piece.endswith(RESET):
                link.sendall(piece.removesuffix(RESET))
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
            link.sendall(piece)
        if isinstance(link, ssl.SSLSocket) and b"ragged" not in request:
            link.unwrap()


def _request(link: socket.socket) -> bytes:
    """One request: its head, and as much content as its Content-Length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = link.recv(65536)
        if not piece:
            raise ConnectionError
        data += piece
    head, _, content = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(content) < int(lengths[0]):
        content += link.recv(65536)
    return head + b"\r\n\r\n" + content


def certificate(directory: Path, *names: str, days: int = 1) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for names and addresses: its PEM file, and a server's context that uses it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(list(map(_general_name, names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    roots, whole = directory / f"{names[0]}{days}.pem", directory / f"{names[0]}{days}.key"
    roots.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    formats = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    whole.write_bytes(key.private_bytes(serialization.Encoding.PEM, *formats) + roots.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    return roots, context


def _general_name(name: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
