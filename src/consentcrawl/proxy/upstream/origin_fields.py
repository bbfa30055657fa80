"""Which fields go up to the origin and which come down to the client.

What is about one connection stays on it (RFC 9110 §7.6.1), and the origin is told who asks: never a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

from urllib3.response import HTTPResponse

from consentcrawl.core import Fields

Lines = list[tuple[bytes, bytes]]

VIA = "1.1 consentcrawl"
_OF_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
# Host and Content-Length are made anew, Expect is answered here, Via is added to.
_NOT_SENT = _OF_CONNECTION | {"host", "content-length", "expect", "user-agent", "accept-encoding", "via"}
# Alt-Svc (RFC 7838) would lead the client past the proxy; the verdict is ours to tell.
_NOT_DELIVERED = frozenset(
    name.encode() for name in _OF_CONNECTION | {"content-length", "alt-svc", "consent-verdict", "via"}
)
_BROWSER_HINTS = "sec-ch-ua"
_CODINGS = frozenset(HTTPResponse.CONTENT_DECODERS) | {"identity"}
"""Content codings that can be undone here, for looking at what is inside."""
_LINE_BREAK = re.compile(rb"[\r\n\0]").search


def members(fields: Fields, name: str) -> set[str]:
    """Return the members of a list field, in lower case (RFC 9110 §5.6.1)."""
    return {part.strip().lower() for line in fields.lines(name) for part in line.split(",")} - {""}


@lru_cache(64)  # a client sends the same fields with most of its requests
def request_fields(fields: Fields, length: int, user_agent: str) -> bytes:
    """Return the field lines that the origin is sent, without Host; ``length`` is that of the request's content."""
    dropped = _NOT_SENT | members(fields, "connection")
    passed = [f"{name}: {value}\r\n" for name, value in fields.pairs if _passes(name.lower(), dropped)]
    passed.append(f"User-Agent: {user_agent}\r\n")
    passed.append(f"Accept-Encoding: {_decodable(fields.lines('accept-encoding'))}\r\n")
    passed.append(f"Via: {', '.join((*fields.lines('via'), VIA))}\r\n")
    if length:
        passed.append(f"Content-Length: {length}\r\n")
    return "".join(passed).encode()


def response_fields(lines: Iterable[tuple[bytes, bytes]], fields: Fields) -> Lines:
    """Return the fields that the client is sent; the reply adds framing and verdict.

    ``fields`` are the same as ``lines``, to be looked at.
    """
    dropped = _NOT_DELIVERED
    if fields.lines("connection"):
        dropped |= {name.encode("utf-8", "surrogateescape") for name in members(fields, "connection")}
    return [line for line in lines if line[0].lower() not in dropped]


def malformed(lines: Iterable[tuple[bytes, bytes]], fields: Fields) -> bool:
    """Return whether a head cannot be passed on; ``fields`` are the same as ``lines``, to be looked at.

    A field carries what a reader less strict than aiohttp's takes for the end of a line, or the content has a transfer
    coding beside the chunks, which aiohttp leaves in place (RFC 9112 §6.1).
    """
    codings = fields.lines("transfer-encoding")
    if codings and ",".join(codings).strip().lower() != "chunked":
        return True
    return _LINE_BREAK(b"".join(chain.from_iterable(lines))) is not None


def _passes(name: str, dropped: frozenset[str] | set[str]) -> bool:
    return name not in dropped and not name.startswith(("proxy-", _BROWSER_HINTS))


def _decodable(asked: list[str]) -> str:
    """Ask only for content codings that can be undone here, with the client's own weights."""
    parts = (part.strip() for line in asked for part in line.split(","))
    return ", ".join(p for p in parts if p.partition(";")[0].strip().lower() in _CODINGS) or "identity"
