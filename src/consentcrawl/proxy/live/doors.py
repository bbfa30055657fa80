"""Who may see the live page, and who may change something.

A page of another site learns and changes nothing, under whatever name it reaches this address (DNS rebinding), and
the switches need the token that was printed at the start.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

HOST = "consentcrawl.local"
_OWN_NAMES = frozenset({HOST, "127.0.0.1", "localhost", "[::1]"})

FIELDS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # no-referrer would make the Origin field of a form "null"
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def is_own(host: str) -> bool:
    """Return whether a Host field names this page, by one of the names that nobody else can own."""
    name = host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]
    return name.lower() in _OWN_NAMES


def comes_from_page(fields: Mapping[str, str], host: str) -> bool:
    """Return whether a form was sent by the page itself, or by no browser at all."""
    origin, site = fields.get("Origin"), fields.get("Sec-Fetch-Site", "same-origin")
    return site == "same-origin" and origin in (None, f"http://{host}", f"https://{host}")


def knows(token: str, said: str) -> bool:
    """Compare tokens in the same time, however much of them is right."""
    return hmac.compare_digest(token.encode(), said.encode("utf-8", "replace"))
