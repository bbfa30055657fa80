"""One HTTP/1.1 request and its answer over one connection, under one deadline and within bounds.

A malformed head is never a status, and content that did not end is never whole.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import h11

from consentcrawl.core import Fields
from consentcrawl.net.connect import Deadline
from consentcrawl.net.unreached import BAD_HEAD, BAD_URL, CONNECT, TIMEOUT, TRUNCATED, Unreached

HEAD_LIMIT = 64 * 1024
"""The most bytes of heads in one answer, the interim ones (1xx) among them."""
INTERIM_LIMIT = 16
_PIECE = 16 * 1024

Pairs = list[tuple[str, str]]

# RFC 9112 §5.2: a folded line; §2.2: a CR that ends no line. h11 joins the one; clients drop lines at the other.
_ODD_HEAD = re.compile(rb"\n[ \t]|\r(?!\n)|\0").search


@dataclass(frozen=True, slots=True)
class Head:
    """The final status and its fields."""

    status: int
    fields: Fields


class Exchange:
    """The client's side of one exchange: ``ask``, then ``head``, then ``pieces``."""

    __slots__ = ("_conn", "_deadline", "_link", "_raw")

    def __init__(self, link: socket.socket, deadline: Deadline) -> None:
        """Speak over ``link``, which is the caller's to close."""
        self._link, self._deadline = link, deadline
        self._conn = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        self._raw = b""

    def ask(self, target: str, fields: Pairs, content: bytes = b"") -> None:
        """Send a GET, or a POST of ``content``. Raises Unreached: bad_url (a field that cannot be sent), connect."""
        try:
            request = h11.Request(method=b"POST" if content else b"GET", target=target, headers=fields)
            data = self._send(request) + (self._send(h11.Data(data=content)) if content else b"")
            data += self._send(h11.EndOfMessage())
        except (h11.LocalProtocolError, UnicodeError) as error:
            raise Unreached(BAD_URL, error) from None
        try:
            self._link.settimeout(self._deadline.left())
            self._link.sendall(data)
        except OSError as error:
            raise _broken(error, CONNECT) from None

    def head(self) -> Head:
        """Read up to the end of the final head. Raises Unreached: bad_head, truncated, connect, timeout."""
        for _ in range(INTERIM_LIMIT):
            event = self._event_of_head()
            if isinstance(event, h11.Response):
                return _checked(event)
        raise Unreached(BAD_HEAD, "interim answers without end")

    def pieces(self) -> Iterator[bytes]:
        """Yield the content as it comes, transfer coding removed. Raises Unreached: truncated, timeout."""
        while True:
            try:
                event = self._conn.next_event()
            except h11.RemoteProtocolError as error:
                raise Unreached(TRUNCATED, error) from None
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif event is h11.NEED_DATA:
                self._conn.receive_data(self._receive(TRUNCATED))
            else:
                return

    def _send(self, event: h11.Event) -> bytes:
        return self._conn.send(event) or b""

    def _event_of_head(self) -> h11.Response | h11.InformationalResponse:
        """The next head, whole, its raw bytes checked."""
        while True:
            try:
                event = self._conn.next_event()
            except h11.RemoteProtocolError as error:
                raise Unreached(self._fault_of_head(), error) from None
            if event is not h11.NEED_DATA:
                self._check_raw()
                return event  # type: ignore[return-value]  # nothing else comes before a response
            data = self._receive(CONNECT)
            self._raw += data
            self._conn.receive_data(data)

    def _fault_of_head(self) -> str:
        """Tell a connection that ended from a head that is malformed."""
        if not self._conn.trailing_data[1]:
            return BAD_HEAD
        return TRUNCATED if self._raw else CONNECT

    def _check_raw(self) -> None:
        """Refuse a head that other readers read differently, or that is too long."""
        head = self._raw[: len(self._raw) - len(self._conn.trailing_data[0])]
        if len(head) > HEAD_LIMIT or _ODD_HEAD(head):
            raise Unreached(BAD_HEAD, "folded line, bare CR, NUL or too long")

    def _receive(self, broken: str) -> bytes:
        """Receive a piece, or nothing at the end. Raises Unreached: timeout, or ``broken``."""
        try:
            self._link.settimeout(self._deadline.left())
            return self._link.recv(_PIECE)
        except OSError as error:  # over TLS also an end without its mark: RFC 9112 §9.8
            raise _broken(error, broken) from None


def _broken(error: OSError, reason: str) -> Unreached:
    """What a system's error means."""
    if isinstance(error, Unreached):
        return error
    return Unreached(TIMEOUT if isinstance(error, TimeoutError) else reason, error)


def _checked(response: h11.Response) -> Head:
    """Refuse what RFC 9112 §6.1 calls faulty framing, and versions that are not HTTP/1; keep every field line."""
    names = {name for name, _ in response.headers}
    chunked = b"transfer-encoding" in names
    if response.http_version not in (b"1.0", b"1.1") or (
        chunked and (b"content-length" in names or response.http_version == b"1.0")
    ):
        raise Unreached(BAD_HEAD, "faulty framing or version")
    lines = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw_items())
    return Head(response.status_code, Fields(lines))
