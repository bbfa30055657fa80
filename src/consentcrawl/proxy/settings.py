"""How the proxy is set up, and what of it would not be safe.

Nothing in a request changes a setting.
"""

from __future__ import annotations

import hmac
import ipaddress
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from consentcrawl.errors import BadPolicy

SAFE_METHODS = frozenset({"GET", "HEAD"})
_NEVER_PASSED = frozenset({"CONNECT", "TRACE"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, and numbers, that one client or origin may take up."""

    connections: int = 1_000
    idle: float = 75.0
    """Seconds for which a connection may rest between two requests."""
    head: float = 15.0
    """Seconds from the first byte of a head to its last; the same for the handshake in a tunnel."""
    connect: float = 20.0
    silence: float = 60.0
    """Seconds for which an origin may send nothing."""
    beginning: float = 300.0
    """Seconds for the beginning of an answer, which is held until it has been judged."""
    room: float = 30.0
    """Seconds for which such a beginning waits until there is memory for it."""
    total: float = 1_800.0
    """Seconds for one request, from its head to the last byte of the answer."""


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """``port`` 0 is a free one. ``auth`` is USER:PASSWORD. ``authority`` is where the certificate authority is kept.

    ``probe`` asks with HEAD first. ``tunnel`` says what becomes of clients that insist on the origin's own certificate:
    ``refuse``, or ``origin-only``: let through where the origin as a whole may be taken. Raises BadPolicy for a bind
    beyond loopback without ``auth``, and for a method that is never passed on.
    """

    port: int = 8080
    listen: str = "127.0.0.1"
    auth: str = ""
    ui: tuple[str, int] | None = None
    authority: Path = user_data_path("consentcrawl") / "authority"
    methods: frozenset[str] = SAFE_METHODS
    probe: bool = False
    tunnel: str = "refuse"
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Refuse what would not be safe."""
        if not self.auth and not _loopback(self.listen):
            msg = f"listening on {self.listen!r} lets others in: that needs credentials too (--auth USER:PASSWORD)"
            raise BadPolicy(msg)
        if self.auth and not all(self.auth.partition(":")):
            msg = "credentials are USER:PASSWORD"
            raise BadPolicy(msg)
        if self.ui is not None and not _loopback(self.ui[0]):
            msg = f"the live page is served on loopback only, not on {self.ui[0]!r}"
            raise BadPolicy(msg)
        if never := self.methods & _NEVER_PASSED:
            msg = f"{', '.join(sorted(never))} is never passed on"
            raise BadPolicy(msg)
        if self.tunnel not in ("refuse", "origin-only"):
            msg = f"tunnel = {self.tunnel!r}: it is refuse or origin-only"
            raise BadPolicy(msg)

    def admits(self, proxy_authorization: str) -> bool:
        """Return whether credentials (RFC 7617) are the right ones, or none are needed; takes as long either way."""
        if not self.auth:
            return True
        scheme, _, said = proxy_authorization.partition(" ")
        try:
            given = b64decode(said.strip(), validate=True) if scheme.lower() == "basic" else b""
        except ValueError:
            given = b""
        return hmac.compare_digest(given, self.auth.encode())


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
