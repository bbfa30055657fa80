"""Which requests may see the live page, and which may turn its switches.

A page of another site learns and changes nothing, under whatever name it reaches this address (DNS rebinding), and
the switches need the token that was printed at the start.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping

PAGE_HOST = "consentcrawl.local"
OWN_NAMES: frozenset[str | None] = frozenset({PAGE_HOST, "127.0.0.1", "localhost", "[::1]"})
"""The names of this page, which belong to no other site."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~-]*)(?::([0-9]{0,5}))?").fullmatch
_LAST_PORT = 65_535

SECURITY_FIELDS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # no-referrer would make the Origin field of a form "null"
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def name_of_host(host: str) -> str | None:
    """Return the name in a Host field, in lower case; None for one that is malformed (RFC 9110 §7.2)."""
    match = _HOST(host)
    if match is None or int(match[2] or 0) > _LAST_PORT:
        return None
    return match[1].lower()


def same_origin(fields: Mapping[str, str], host: str) -> bool:
    """Return whether a form was sent by the page itself, or by a program that is no browser."""
    origin, site = fields.get("Origin"), fields.get("Sec-Fetch-Site", "same-origin")
    return site == "same-origin" and origin in (None, f"http://{host}", f"https://{host}")


def token_matches(token: str, given: str) -> bool:
    """Return whether the tokens are the same, in a time that does not depend on how much of them is."""
    return hmac.compare_digest(token.encode(), given.encode("utf-8", "replace"))
