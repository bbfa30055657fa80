"""TLS of policy files: verified always, by the name that was asked.

A connection whose certificate does not do is closed before anything is sent.
"""

from __future__ import annotations

import socket
import ssl
from functools import cache
from pathlib import Path

import certifi

from consentcrawl.errors import BadPolicy
from consentcrawl.net.connect import Deadline
from consentcrawl.net.unreached import CONNECT, TIMEOUT, TLS, Unreached


def context(roots: str | None = None) -> ssl.SSLContext:
    """Trust certifi's roots, and those in ``roots``, a PEM file or a directory. Raises BadPolicy."""
    if not roots:
        return _usual()
    made = _usual.__wrapped__()
    kind = "capath" if Path(roots).is_dir() else "cafile"
    try:
        made.load_verify_locations(**{kind: roots})
    except OSError as error:  # ssl.SSLError among them
        msg = f"roots: {roots}: {error}"
        raise BadPolicy(msg) from None
    return made


@cache
def _usual() -> ssl.SSLContext:
    """Return what every reader without roots of its own shares: to read certifi's takes 20 ms."""
    made = ssl.create_default_context(cafile=certifi.where())
    made.set_alpn_protocols(["http/1.1"])
    return made


def secured(link: socket.socket, made: ssl.SSLContext, host: str, deadline: Deadline) -> ssl.SSLSocket:
    """Shake hands over ``link``, which is closed when that fails. Raises Unreached: tls, connect, timeout."""
    try:
        link.settimeout(deadline.left())
        # RFC 9112 §9.8: an end without its mark cuts content, so it must be seen
        return made.wrap_socket(link, server_hostname=host, suppress_ragged_eofs=False)
    except (OSError, ValueError) as error:  # ValueError: a name that no certificate can have
        link.close()
        raise Unreached(_fault(error), error) from None


def _fault(error: Exception) -> str:
    """Tell a slow server and a broken connection from a certificate that does not do."""
    if isinstance(error, Unreached):
        return error.reason
    if isinstance(error, TimeoutError):
        return TIMEOUT
    return CONNECT if isinstance(error, ConnectionError) else TLS
