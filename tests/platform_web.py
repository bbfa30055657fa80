"""The platforms of the world on loopback: real host names, a throw-away certificate authority, pages from a table."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from consentcrawl import Config
from consentcrawl.net.guard import ConnectTo
from tests.website import Answer

NOTHING = Answer(b"nothing here", 404)
POLICY_FILES = ("/robots.txt", "/ai.txt", "/trust.txt", "/.well-known/")
"""Where sites say what holds for all that is on them; every other look-up is about a work or a maker."""

Answers = Callable[[str], Answer | None]


@dataclass
class PlatformWeb:
    """A running web: ``answers`` gives what lies at host and target; ``asked`` keeps what was asked for, in order."""

    directory: Path
    https: int
    http: int
    answers: Answers = lambda _: None
    asked: list[str] = field(default_factory=list)

    def show(self, pages: Mapping[str, Answer]) -> None:
        """Serve a table of host and target, and forget what was asked."""
        self.answers = dict(pages).get
        self.asked.clear()

    @property
    def look_ups(self) -> list[str]:
        """What was asked for, without policy files."""
        return [place for place in self.asked if not place.partition("/")[2].startswith(_POLICY_PATHS)]

    def config(self, **more: object) -> Config:
        """Settings under which every host name leads here."""
        sent = (f":443:127.0.0.1:{self.https}", f":80:127.0.0.1:{self.http}")
        connect_to = tuple(map(ConnectTo.parse, sent))
        return Config(connect_to=connect_to, roots=str(self.directory / "ca.pem"), **more)  # type: ignore[arg-type]


_POLICY_PATHS = tuple(path.removeprefix("/") for path in POLICY_FILES)


@contextmanager
def platforms(directory: Path) -> Iterator[PlatformWeb]:
    """Serve https and http on free ports of 127.0.0.1 until the block ends; certificates go to ``directory``."""
    authority = _Authority(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate("placeholder.example"))
    context.sni_callback = authority.choose
    web = PlatformWeb(directory, 0, 0)
    servers = [_server(web, context), _server(web, None)]
    web.https, web.http = (server.server_port for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield web
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


class _Authority:
    """A certificate authority that lives as long as a test, and a certificate for every name that is asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._key = directory, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made-up authority")])
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._making = threading.Lock()
        basic = x509.BasicConstraints(ca=True, path_length=0)
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        root = self._begun(self._name).add_extension(basic, critical=True).add_extension(usage, critical=True)
        signed = root.sign(self._key, hashes.SHA256())
        (directory / "ca.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Show the certificate of the name that the client asks for."""
        name = name or "placeholder.example"
        with self._making:
            if name not in self._contexts:
                made = self._contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                made.load_cert_chain(self.certificate(name))
        connection.context = self._contexts[name]

    def certificate(self, name: str) -> Path:
        """Make a certificate for ``name``; the one key serves all."""
        of_authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = (
            self._begun(x509.Name([]))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .add_extension(of_authority, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        path = self._directory / f"{name}.pem"
        key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(key + signed.public_bytes(serialization.Encoding.PEM))
        return path

    def _begun(self, subject: x509.Name) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(identifier, critical=False)
        )


def _server(web: PlatformWeb, context: ssl.SSLContext | None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            place = self.headers["Host"] + self.path
            web.asked.append(place)
            answer = web.answers(place) or NOTHING
            head = [f"HTTP/1.1 {answer.status} As given", *(f"{name}: {value}" for name, value in answer.fields)]
            head += [f"Content-Length: {len(answer.content)}", "Connection: close", "", ""]
            self.wfile.write("\r\n".join(head).encode("latin-1") + answer.content)
            self.close_connection = True

        do_POST = do_GET  # noqa: N815 (http.server's names)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def get_request(self) -> tuple[socket.socket, object]:
            """Leave the handshake to the first read, which is in the thread of the connection."""
            link, address = super().get_request()
            if context is not None:
                link = context.wrap_socket(link, server_side=True, do_handshake_on_connect=False)
            return link, address

        def handle_error(self, *_: object) -> None:
            """A client that closes early is no fault here."""

    return Server(("127.0.0.1", 0), Handler)
