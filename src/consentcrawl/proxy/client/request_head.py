"""The head of a request, read in one way only.

What another reader could read differently is refused, so that one request is one decision (RFC 9112 §11.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from consentcrawl.core import Fields
from consentcrawl.proxy.upstream.origin_fields import members

LIMIT = 64 * 1024
"""The most bytes of one head."""
MOST_FIELDS = 128
_USUAL = 2 * 1024

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 (RFC 9110 §5.6.2)
_REQUEST_LINE = re.compile(rf"({_TOKEN}) ([\x21-\x7e]+) HTTP/1\.([01])").fullmatch  # RFC 9112 §3, single spaces
_FIRST = re.compile(rb"[^\x00-\x1f ]+ [^\x00-\x20]+ HTTP/1\.[01]\r").fullmatch
_NAME = re.compile(_TOKEN).fullmatch
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*").fullmatch  # RFC 9110 §5.5
_LENGTH = re.compile(r"[0-9]{1,15}").fullmatch


class Fault(Enum):
    """One sentence for the client, and a status."""

    REQUEST_LINE = ("malformed request line", 400)
    FIELD_LINE = ("malformed field line", 400)
    NOT_UTF8 = ("the head is not UTF-8", 400)
    TOO_LONG = ("the head is too long", 431)
    MANY_FIELDS = ("too many fields", 431)
    HOST = ("there must be one Host field", 400)
    TWO_LENGTHS = ("both Transfer-Encoding and Content-Length", 400)
    LENGTH = ("malformed Content-Length", 400)
    NO_LENGTH = ("content needs a Content-Length", 411)
    FRAGMENT = ("a fragment in the target", 400)
    USERINFO = ("a user name or password in the target", 400)
    AUTHORITY = ("a host and port that cannot be read in one way only", 400)
    OTHER_HOST = ("Host is not the target", 400)
    OTHER_TUNNEL = ("the target is not where the tunnel leads", 400)
    NO_URL = ("a target that is no URL", 400)
    NOT_ABSOLUTE = ("this is a proxy: the target must be an absolute URL", 400)
    CONNECT = ("CONNECT needs host:port", 400)
    EARLY = ("nothing may follow CONNECT before it is answered", 400)
    NESTED = ("a tunnel in a tunnel", 400)

    @property
    def detail(self) -> str:
        """The sentence."""
        return self.value[0]

    @property
    def status(self) -> int:
        """The status."""
        return self.value[1]


class BadRequest(ValueError):
    """A request that is not passed on; its connection is closed."""

    def __init__(self, fault: Fault) -> None:
        """Say what is wrong."""
        super().__init__(fault.detail)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request's method, target and fields; ``length`` is that of its content.

    ``keeps``: the client keeps the connection. ``chunks``: it token_matches chunked content, being of HTTP/1.1.
    """

    method: str
    target: str
    fields: Fields
    length: int
    keeps: bool
    chunks: bool

    def named(self, name: str) -> set[str]:
        """The members of a list field, in lower case (RFC 9110 §5.6.1)."""
        return members(self.fields, name)


def begins(raw: bytearray) -> bool:
    """Return whether what has come so far may be the beginning of a head, so that no more of it is awaited."""
    line, end, _ = raw.partition(b"\n")
    return not end or _FIRST(line) is not None


def read(raw: bytes) -> RequestHead:
    """Read a head, the empty line at its end left off. Raises BadRequest."""
    try:
        first, _, block = raw.decode().partition("\r\n")
    except UnicodeDecodeError:
        raise BadRequest(Fault.NOT_UTF8) from None
    asked = _REQUEST_LINE(first)
    if asked is None:
        raise BadRequest(Fault.REQUEST_LINE)
    fields, length, closes = _known(block) if len(block) <= _USUAL else _fields(block)
    method, target, minor = asked.groups()
    modern = minor == "1"
    if modern and not fields.lines("host"):
        raise BadRequest(Fault.HOST)  # RFC 9112 §3.2
    return RequestHead(method, target, fields, length, modern and not closes, modern)


def _fields(block: str) -> tuple[Fields, int, bool]:
    """Read field lines: the fields, the length of the content, and whether the connection ends afterwards."""
    lines = block.split("\r\n") if block else []
    if len(lines) > MOST_FIELDS:
        raise BadRequest(Fault.MANY_FIELDS)
    fields = Fields(map(_field, lines))
    if len(fields.lines("host")) > 1:
        raise BadRequest(Fault.HOST)  # RFC 9112 §3.2
    return fields, _length(fields), any("close" in line.lower() for line in fields.lines("connection"))


_known = lru_cache(256)(_fields)
"""A client sends the same field lines with most of its requests."""


def _field(line: str) -> tuple[str, str]:
    """Read one field line: no folding (RFC 9112 §5.2), no blank before the colon (§5.1), no bare CR or LF (§2.2)."""
    name, colon, value = line.partition(":")
    value = value.strip(" \t")
    if not colon or not _NAME(name) or not _VALUE(value):
        raise BadRequest(Fault.FIELD_LINE)
    return name, value


def _length(fields: Fields) -> int:
    """The length of the content. Transfer codings are not taken, so that no two readers can part over them."""
    lengths = fields.lines("content-length")
    if fields.lines("transfer-encoding"):
        if lengths:
            raise BadRequest(Fault.TWO_LENGTHS)  # RFC 9112 §6.1
        raise BadRequest(Fault.NO_LENGTH)  # RFC 9112 §6.3
    if not lengths:
        return 0
    if len(lengths) > 1 or not _LENGTH(lengths[0]):
        raise BadRequest(Fault.LENGTH)
    return int(lengths[0])
