"""The proxy's own certificate authority: a key that only its owner can read, and short-lived leaves.

A key that others could have read is not used. To trust this authority is to trust this machine's user.
"""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import stat
import tempfile
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from consentcrawl.errors import BadPolicy
from consentcrawl.proxy import certificates

_FILE = "authority.pem"
"""The key and the certificate, in one file so that they always belong together."""
_KEPT = 1_000
_LEFT = timedelta(days=1)


class Authority:
    """Issues a leaf for each host it is asked for. ``certificate_pem`` is what clients are told to trust.

    ``spki_sha256`` (base64) is that of the one key all leaves of this process share, for Chromium's
    ``--ignore-certificate-errors-spki-list``.
    """

    __slots__ = ("_certificate", "_contexts", "_directory", "_key", "_leaf_key", "certificate_pem", "spki_sha256")

    def __init__(self, directory: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        """Use ``open``."""
        self._directory, self._key, self._certificate = directory, key, certificate
        self._leaf_key = certificates.new_key()
        self._contexts: OrderedDict[str, tuple[datetime, ssl.SSLContext]] = OrderedDict()
        self.certificate_pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.spki_sha256 = base64.b64encode(hashlib.sha256(certificates.spki(self._leaf_key)).digest()).decode()

    @classmethod
    def open(cls, directory: Path) -> Authority:
        """Use the authority kept in ``directory``, or make one there.

        Raises BadPolicy when others could have read the key, when it has expired, and when it cannot be read; OSError.
        """
        file = _place(directory)
        if not file.exists():
            _make(file)
        _check(file, 0o600)
        content = file.read_bytes()
        try:
            key = serialization.load_pem_private_key(content, None)
            certificate = x509.load_pem_x509_certificate(content)
        except ValueError as error:
            msg = f"{file}: {error}"
            raise BadPolicy(msg) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            msg = f"{file}: the key is not that of the certificate"
            raise BadPolicy(msg)
        if certificate.not_valid_after_utc - _LEFT < datetime.now(UTC):
            msg = f"{file}: the authority has expired; `consentcrawl proxy ca rotate` makes a new one"
            raise BadPolicy(msg)
        return cls(directory, key, certificate)

    @classmethod
    def rotate(cls, directory: Path) -> Authority:
        """Make a new key and certificate; who trusted the old one must be told. Raises as ``open``."""
        _make(_place(directory))
        return cls.open(directory)

    @property
    def expires(self) -> datetime:
        """When the authority ends."""
        return self._certificate.not_valid_after_utc

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as browsers show it."""
        digest = hashlib.sha256(self._certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
        return ":".join(digest[n : n + 2] for n in range(0, len(digest), 2))

    def context_for(self, host: str) -> ssl.SSLContext:
        """Return the TLS context of a server called ``host``, a canonical name or address (IPv6 without brackets)."""
        now = datetime.now(UTC)
        until, context = self._contexts.get(host, (now, None))
        if context is None or until - _LEFT < now:
            leaf = certificates.leaf(host, self._leaf_key, self._certificate, self._key, now)
            until, context = leaf.not_valid_after_utc, self._context(leaf)
            self._contexts[host] = until, context
            if len(self._contexts) > _KEPT:
                self._contexts.popitem(last=False)
        self._contexts.move_to_end(host)
        return context

    def _context(self, leaf: x509.Certificate) -> ssl.SSLContext:
        """Load a leaf; OpenSSL reads it from a file, which is gone again at once."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.NamedTemporaryFile(dir=self._directory, suffix=".pem") as file:  # for its owner only
            file.write(certificates.pem(self._leaf_key) + leaf.public_bytes(serialization.Encoding.PEM))
            file.flush()
            context.load_cert_chain(file.name)
        return context


def _place(directory: Path) -> Path:
    """Make the directory, or see that it is the user's alone."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check(directory, 0o700)
    return directory / _FILE


def _make(file: Path) -> None:
    """Write a new key and certificate; no other user can read them at any moment, whatever the umask."""
    key = certificates.new_key()
    certificate = certificates.root(key, datetime.now(UTC)).public_bytes(serialization.Encoding.PEM)
    descriptor, fresh = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(descriptor, "wb") as out:
        out.write(certificates.pem(key) + certificate)
    Path(fresh).replace(file)


def _check(path: Path, widest: int) -> None:
    """Refuse what others could read or write, or another user owns."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or stat.S_IMODE(found.st_mode) & ~widest or found.st_uid != os.geteuid():
        msg = f"{path}: must be yours alone (mode {widest:o}, no link): others could have read the key"
        raise BadPolicy(msg)
