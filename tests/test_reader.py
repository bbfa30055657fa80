"""The reader: every way in which an answer can fail is a gap with its reason, in time, and never an exception."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from consentcrawl.core import BODY, HEAD, REASONS, ROBOTS_TXT, Evidence, Gate, Need
from consentcrawl.errors import BadPolicy
from consentcrawl.formats.url import canonical
from consentcrawl.net.connect import Deadline
from consentcrawl.net.decoding import MEMBERS, Gunzip
from consentcrawl.net.exchange import Exchange
from consentcrawl.net.guard import ConnectTo, Guard
from consentcrawl.net.reader import Reader
from consentcrawl.net.tls import context as tls_context
from consentcrawl.net.tls import secured
from consentcrawl.net.unreached import Unreached
from tests.raw_server import RESET, Answer, RawServer, certificate, dripping, response, silent

AGENT = "ConsentCrawl/1 (+https://a.example/bot)"
LOOPBACK = Guard(("127.0.0.0/8",))
BODY_TEXT = b"User-agent: *\nDisallow: /\n"
OK = response(200, BODY_TEXT)
GZIP = "Content-Encoding: gzip"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SMALL = Need(Gate.LOOKUP, "/robots.txt", limit=1000)
QUICK = 0.3
PACKED = gzip.compress(BODY_TEXT, mtime=0)
PACKED_HEAD = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"


def reader(timeout: float = 3.0, guard: Guard = LOOPBACK) -> Reader:
    return Reader(user_agent=AGENT, guard=guard, timeout=timeout)


READER, IMPATIENT = reader(), reader(QUICK)


def read(answer: Answer, need: Need = ROBOTS_TXT, by: Reader = READER) -> Evidence:
    with RawServer(answer) as server:
        return by.read(need, f"{server.origin}/robots.txt")


def headed(*lines: bytes) -> bytes:
    """An answer of 404 whose head has these lines before its end: read as it should be, it would be "no file"."""
    return b"\r\n".join([b"HTTP/1.1 404 Not Found", *lines, b"Content-Length: 2", b"", b"no"])


def deflated(data: bytes, size: int) -> bytes:
    """A gzip of ``size`` zero bytes behind ``data``, made piece by piece."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(data), packer.compress(bytes(size)), packer.flush()])


# What is answered -> status, content, whether it is whole, gap.
WHOLE: dict[str, tuple[Answer, int, bytes]] = {
    "200": (OK, 200, BODY_TEXT),
    "200, empty": (response(200), 200, b""),
    "200, HTML": (response(200, b"<html>", "Content-Type: text/html"), 200, b"<html>"),
    "200, gzip": (response(200, PACKED, GZIP), 200, BODY_TEXT),
    "200, x-gzip": (response(200, PACKED, "Content-Encoding: X-GZIP"), 200, BODY_TEXT),
    "200, gzip in two members": (response(200, PACKED * 2, GZIP), 200, BODY_TEXT * 2),
    "200, gzip with padding": (response(200, PACKED + bytes(9), GZIP), 200, BODY_TEXT),
    "200, identity": (response(200, b"x", "Content-Encoding: identity"), 200, b"x"),
    "200, chunked": (CHUNKED + b"3\r\nUse\r\n1;x=y\r\nr\r\n0\r\n\r\n", 200, b"User"),
    "200, chunked with trailers": (CHUNKED + b"1\r\nU\r\n0\r\nX-T: y\r\n\r\n", 200, b"U"),
    "200, until the end": (b"HTTP/1.1 200 OK\r\n\r\nall", 200, b"all"),
    "200, HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nall", 200, b"all"),
    "200, no reason": (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, b"x"),
    "200, bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx", 200, b"x"),
    "200, same length twice": (response(200, b"x", "Content-Length: 1"), 200, b"x"),
    "200, more than its length": (response(200, b"x") + b"HTTP/1.1 404 N\r\n\r\n", 200, b"x"),
    "200 behind 100 and 103": (b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nLink: </x>\r\n\r\n" + OK, 200, BODY_TEXT),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "204, gzip named": (b"HTTP/1.1 204 N\r\nContent-Encoding: gzip\r\n\r\n", 204, b""),
    **{str(status): (response(status, b"x"), status, b"x") for status in (400, 401, 402, 403, 404, 410, 418, 429, 451)},
    **{str(status): (response(status, b"x"), status, b"x") for status in (500, 502, 503, 504, 520, 599, 999)},
}

GAPS: dict[str, tuple[Answer, int | None, str]] = {
    # RFC 9112 §8: an incomplete message
    "short length": (response(200, BODY_TEXT).replace(b": 26", b": 99"), 200, "truncated"),
    "no last chunk": (CHUNKED + b"3\r\nUse\r\n", 200, "truncated"),
    "chunk cut": (CHUNKED + b"9\r\nUse", 200, "truncated"),
    "chunk size is no number": (CHUNKED + b"xyz\r\nUse\r\n0\r\n\r\n", 200, "truncated"),
    "chunk longer than said": (CHUNKED + b"1\r\nUse\r\n0\r\n\r\n", 200, "truncated"),
    "reset in the content": (OK[:-9] + RESET, 200, "truncated"),
    "gzip cut": (response(200, PACKED[:-9], GZIP), 200, "truncated"),
    "gzip without its check": (response(200, PACKED[:-8], GZIP), 200, "truncated"),
    "gzip of nothing": (response(200, b"", GZIP), 200, "truncated"),
    "second member cut": (response(200, PACKED + PACKED[:-4], GZIP), 200, "truncated"),
    "206": (response(206, b"User"), 206, "truncated"),
    "206, cut": (response(206, b"User").replace(b": 4", b": 9"), 206, "truncated"),
    "head cut": (b"HTTP/1.1 404 Not Fo", None, "truncated"),
    "head without its end": (b"HTTP/1.1 404 Not Found\r\nX-Y: z\r\n", None, "truncated"),
    # codings
    "br": (response(200, b"x", "Content-Encoding: br"), 200, "encoding"),
    "zstd": (response(200, b"x", "Content-Encoding: zstd"), 200, "encoding"),
    "deflate": (response(200, zlib.compress(b"x"), "Content-Encoding: deflate"), 200, "encoding"),
    "unknown coding": (response(200, b"x", "Content-Encoding: none"), 200, "encoding"),
    "gzip twice": (response(200, gzip.compress(PACKED), "Content-Encoding: gzip, gzip"), 200, "encoding"),
    "gzip twice, two lines": (response(200, gzip.compress(PACKED), GZIP, GZIP), 200, "encoding"),
    "no gzip though said": (response(200, BODY_TEXT, GZIP), 200, "encoding"),
    "gzip, then other bytes": (response(200, PACKED + b"junk", GZIP), 200, "encoding"),
    "gzip with a wrong check": (response(200, PACKED[:-5] + b"\0" + PACKED[-4:], GZIP), 200, "encoding"),
    # bounds
    "too long": (response(200, b"x" * 1_048_577), 200, "body_limit"),
    "endless": (dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, 0), 200, "body_limit"),
    "endless chunks": (dripping(CHUNKED, b"4000\r\n" + b"x" * 16384 + b"\r\n", 0), 200, "body_limit"),
    "too many members": (response(200, gzip.compress(b"") * (MEMBERS + 1), GZIP), 200, "body_limit"),
    "endless padding": (dripping(PACKED_HEAD + PACKED, bytes(65536), 0), 200, "body_limit"),
    "bomb": (response(200, deflated(b"", 20_000_000), GZIP), 200, "body_ratio"),
    # RFC 9112 §5: what is no head; each of these reads "404" to a careless client
    "blank before the colon": (headed(b"X-Robots-Tag : noai"), None, "bad_head"),
    "line without colon": (headed(b"X-Robots-Tag noai"), None, "bad_head"),
    "folded line": (headed(b"X-Y: a", b" b"), None, "bad_head"),
    "folded by a tab": (headed(b"X-Y: a", b"\tb"), None, "bad_head"),
    "blank before the first name": (headed(b" X-Y: a"), None, "bad_head"),
    "NUL in a value": (headed(b"X-Y: a\0b"), None, "bad_head"),
    "NUL in a name": (headed(b"X\0Y: a"), None, "bad_head"),
    "CR in a value": (headed(b"X-Y: a\rb"), None, "bad_head"),
    "no name": (headed(b": a"), None, "bad_head"),
    "name with a bracket": (headed(b"X(Y): a"), None, "bad_head"),
    "name outside ASCII": (headed(b"X-\xc3\xa4: a"), None, "bad_head"),
    "two lengths": (headed(b"Content-Length: 3"), None, "bad_head"),
    "negative length": (b"HTTP/1.1 404 N\r\nContent-Length: -5\r\n\r\n", None, "bad_head"),
    "length with a plus": (b"HTTP/1.1 404 N\r\nContent-Length: +2\r\n\r\nno", None, "bad_head"),
    "length is no number": (b"HTTP/1.1 404 N\r\nContent-Length: two\r\n\r\nno", None, "bad_head"),
    "length and chunks": (headed(b"Transfer-Encoding: chunked"), None, "bad_head"),
    "unknown transfer coding": (b"HTTP/1.1 404 N\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", None, "bad_head"),
    "chunks in HTTP/1.0": (CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n", None, "bad_head"),
    "HTTP/2.0": (OK.replace(b"HTTP/1.1", b"HTTP/2.0"), None, "bad_head"),
    "HTTP/0.9": (b"<html>not found</html>\r\n\r\n", None, "bad_head"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", None, "bad_head"),
    "binary": (bytes(range(256)) + b"\r\n\r\n", None, "bad_head"),
    "status of two digits": (b"HTTP/1.1 40 N\r\n\r\n", None, "bad_head"),
    "status of four digits": (b"HTTP/1.1 4040 N\r\n\r\n", None, "bad_head"),
    "status 099": (b"HTTP/1.1 099 N\r\n\r\n", None, "bad_head"),
    "empty line first": (b"\r\n" + OK, None, "bad_head"),
    "101": (b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", None, "bad_head"),
    "100 without end": (b"HTTP/1.1 100 Continue\r\n\r\n" * 99, None, "bad_head"),
    "endless 103": (dripping(b"", b"HTTP/1.1 103 E\r\n\r\n", 0), None, "bad_head"),
    "endless fields": (dripping(b"HTTP/1.1 404 N\r\n", b"X-Y: z\r\n" * 999, 0), None, "bad_head"),
    "endless field": (dripping(b"HTTP/1.1 404 N\r\nX-Y: ", b"z" * 9999, 0), None, "bad_head"),
    "10,000 fields": (headed(*[b"X-Y: z"] * 10_000), None, "bad_head"),
    # connections
    "closed at once": (b"", None, "connect"),
    "reset at once": (RESET, None, "connect"),
    # statuses that say nothing
    "300": (response(300, b"x", "Location: /x"), 300, "bad_status"),
    "304": (b"HTTP/1.1 304 Not Modified\r\n\r\n", 304, "bad_status"),
    "305": (response(305, b"", "Location: /x"), 305, "bad_status"),
    "306": (response(306), 306, "bad_status"),
    # redirects that lead nowhere
    "302 without Location": (response(302), None, "redirects"),
    "302 to itself": (response(302, b"", "Location: /robots.txt"), None, "redirects"),
    "302 to a file": (response(302, b"", "Location: file:///etc/passwd"), None, "bad_url"),
    "302 with a user": (response(302, b"", "Location: http://u:p@a.example/"), None, "bad_url"),
    "302 to link-local": (response(302, b"", "Location: http://169.254.169.254/"), None, "address"),
    "302 to a number": (response(302, b"", "Location: http://2852039166/"), None, "address"),
    "302 to a port of SMTP": (response(302, b"", "Location: http://127.0.0.1:25/"), None, "address"),
}  # fmt: skip

SLOW: dict[str, tuple[Answer, int | None, bytes]] = {
    "silent": (silent(), None, b""),
    "head by the byte": (dripping(b"HTTP/1.1 200 OK\r\nX: ", b"y"), None, b""),
    "1xx by the byte": (dripping(b"HTTP/1.1 100 C\r\nX: ", b"y"), None, b""),
    "silent in the content": (silent(response(200, b"x").replace(b": 1", b": 9")), 200, b"x"),
    "content by the byte": (dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"y", 0.05), 200, b"y"),
    "chunk extension by the byte": (dripping(CHUNKED + b"1;", b"y"), 200, b""),
    "gzip cut in its head, silent": (silent(PACKED_HEAD + PACKED[:10]), 200, b""),
}


def test_ours_the_matrix_has_as_many_cells_as_promised() -> None:
    assert len(WHOLE) + len(GAPS) + len(SLOW) >= 60
    assert {gap for _, _, gap in GAPS.values()} <= set(REASONS)


@pytest.mark.parametrize("name", WHOLE)
def test_rfc9112_whole_answers(name: str) -> None:
    answer, status, content = WHOLE[name]
    evidence = read(answer)
    assert (evidence.status, evidence.content, evidence.gap, evidence.whole) == (status, content, "", True)
    assert evidence.need is ROBOTS_TXT
    assert abs(evidence.at - time.time()) < 60


@pytest.mark.parametrize("name", GAPS)
def test_ours_what_is_not_whole_or_malformed_is_a_gap(name: str) -> None:
    answer, status, gap = GAPS[name]
    evidence = read(answer)
    assert (evidence.status, evidence.gap, evidence.whole, evidence.found) == (status, gap, False, False)
    assert len(evidence.content) <= ROBOTS_TXT.limit


@pytest.mark.parametrize("name", SLOW)
def test_ours_one_deadline_ends_what_is_slow(name: str) -> None:
    answer, status, content = SLOW[name]
    evidence = read(answer, by=IMPATIENT)  # only the deadline ends it: none of these answers ever does
    assert (evidence.status, evidence.gap, evidence.whole) == (status, "timeout", False)
    assert evidence.content.startswith(content)


def test_ours_redirects_share_the_deadline() -> None:
    def late() -> list[bytes]:
        time.sleep(QUICK / 2)
        return [response(302, b"", "Location: /x")]

    with RawServer(late) as server:
        assert IMPATIENT.read(ROBOTS_TXT, f"{server.origin}/robots.txt").gap == "timeout"
    assert server.connections <= 3


@pytest.mark.parametrize("size", [999, 1000, 1001])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_ours_limit_is_exact_on_either_side_of_the_coding(size: int, pack: Callable[[bytes], bytes]) -> None:
    fields = [GZIP] if pack is gzip.compress else []
    evidence = read(response(200, pack(b"x" * size), *fields), SMALL)
    assert evidence.content == b"x" * min(size, 1000)
    assert evidence.whole is (size <= 1000)
    assert evidence.gap == ("body_limit" if size > 1000 else "")


@pytest.mark.parametrize(
    "body", [response(404, b"x" * 99_999), response(404, b"x", GZIP), response(404).replace(b": 0", b": 9")]
)
def test_rfc9309_2_3_1_3_an_error_speaks_by_its_status_whatever_its_content(body: bytes) -> None:
    evidence = read(body)
    assert (evidence.status, evidence.gap, evidence.whole) == (404, "", False)
    assert len(evidence.content) <= 65536


def test_rfc9309_2_3_1_2_five_redirects_are_followed() -> None:
    answers = {f"/{n}": response(301 + n % 2, b"", f"Location: /{n + 1}") for n in range(5)}
    with RawServer({**answers, "/5": OK}) as server:
        evidence = READER.read(ROBOTS_TXT, f"{server.origin}/0")
        assert (evidence.status, evidence.content) == (200, BODY_TEXT)
        assert evidence.url == f"{server.origin}/5"
        assert server.targets == [f"/{n}" for n in range(6)]


def test_rfc9309_2_3_1_2_the_sixth_redirect_is_not() -> None:
    answers = {f"/{n}": response(302, b"", f"Location: /{n + 1}") for n in range(9)}
    with RawServer(answers) as server:
        evidence = READER.read(ROBOTS_TXT, f"{server.origin}/0")
        assert (evidence.status, evidence.gap) == (None, "redirects")
        assert server.connections == 6


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_ours_the_content_of_a_redirect_is_not_read(status: int) -> None:
    endless = dripping(f"HTTP/1.1 {status} R\r\nLocation: /x\r\n\r\n".encode(), b"x" * 65536, 0)
    with RawServer({"/robots.txt": endless, "/x": OK}) as server:
        assert READER.read(ROBOTS_TXT, f"{server.origin}/robots.txt").content == BODY_TEXT


@pytest.mark.parametrize(
    ("sent", "target"), [("/\xc3\xa4", "/%C3%A4"), ("/\xe4", "/%C3%A4"), ("../b?", "/b?"), ("c#d", "/c")]
)
def test_rfc9110_10_2_2_location_is_made_canonical(sent: str, target: str) -> None:
    with RawServer({"/robots.txt": response(302, b"", f"Location: {sent}"), target: OK}) as server:
        assert READER.read(ROBOTS_TXT, f"{server.origin}/robots.txt").url == server.origin + target


def test_ours_fields_of_a_need_go_to_the_first_origin_only() -> None:
    need = replace(SMALL, fields=(("X-Api-Key", "k"), ("Accept", "application/json")))
    with RawServer(OK) as other:
        answers = {"/a": response(302, b"", "Location: /b"), "/b": response(302, b"", f"Location: {other.origin}/c")}
        with RawServer(answers) as first:
            assert READER.read(need, f"{first.origin}/a").url == f"{other.origin}/c"
            assert [b"X-Api-Key: k" in request for request in first.seen] == [True, True]
            assert first.seen[0].count(b"Accept: ") == 1
        assert b"X-Api-Key" not in other.seen[0]
        assert b"Accept: */*" in other.seen[0]


def test_ours_the_request_is_honest_and_carries_nothing_more() -> None:
    with RawServer(OK) as server:
        READER.read(ROBOTS_TXT, f"{server.origin}/robots.txt")
        assert server.seen[0].decode().split("\r\n") == [
            "GET /robots.txt HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            f"User-Agent: {AGENT}",
            "Accept: */*",
            "Accept-Encoding: gzip, identity",
            "Connection: close",
            "",
            "",
        ]


@pytest.mark.parametrize(
    "target", ["/a/%2e%2e/private/x", "/a?", "/private%2fx", "/%7ea", "/ä b", "//x", "/a|b?c^d", "?q"]
)
def test_ours_what_is_checked_is_what_is_sent(target: str) -> None:
    with RawServer(OK) as server:
        evidence = READER.read(SMALL, server.origin + target)
        assert evidence.url == server.origin + server.targets[0] == canonical(server.origin + target)


def test_ours_one_reader_serves_many_threads() -> None:
    answers = {f"/{n}": response(200, str(n).encode()) for n in range(40)}
    with RawServer(answers) as server, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: READER.read(SMALL, f"{server.origin}/{n}").content, range(40)))
        assert found == [str(n).encode() for n in range(40)]
        assert server.connections == 40


def test_ours_content_is_posted_once_and_not_redirected() -> None:
    need = replace(SMALL, content=b'{"a":1}', fields=(("Content-Type", "application/json"),))
    with RawServer({"/a": OK, "/b": response(307, b"", "Location: /a")}) as server:
        assert READER.read(need, f"{server.origin}/a").found
        assert READER.read(need, f"{server.origin}/b").gap == "redirects"
        assert server.seen[0].startswith(b"POST /a ")
        assert server.seen[0].endswith(b'\r\nContent-Length: 7\r\nContent-Type: application/json\r\n\r\n{"a":1}')
        assert server.targets == ["/a", "/b"]


@pytest.mark.parametrize(
    "field", [("X-Y", "a\r\nb: c"), ("X Y", "a"), ("Host", "b.example"), ("X-Y", "\0"), ("X-Y", "ä")]
)
def test_ours_a_field_that_cannot_be_sent_is_a_gap(field: tuple[str, str]) -> None:
    with RawServer(OK) as server:
        assert READER.read(replace(SMALL, fields=(field,)), f"{server.origin}/").gap == "bad_url"
        assert server.seen == []


@pytest.mark.parametrize(
    "url", ["", "ftp://a.example/", "http://u@127.0.0.1/", "http://127.0.0.1\\@a/", "http://a\nb/"]
)
def test_ours_a_bad_url_is_a_gap(url: str) -> None:
    assert [READER.read(SMALL, url).gap, READER.head(url).gap, READER.prefix(url, 9).gap] == ["bad_url"] * 3


def test_ours_nothing_is_dialled_where_the_guard_refuses() -> None:
    with RawServer(OK) as server:
        closed = reader(guard=Guard())
        url = f"{server.origin}/"
        assert [closed.read(SMALL, url).gap, closed.head(url).gap, closed.prefix(url, 9).gap] == ["address"] * 3
        assert closed.read(SMALL, url.replace("127.0.0.1", "localhost")).gap == "address"
        assert server.connections == 0


def test_ours_a_name_that_leads_inside_is_not_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(OK) as server:
        monkeypatch.setattr("consentcrawl.net.guard.lookup", lambda *_: ["8.8.8.8", "127.0.0.1"])
        assert reader(guard=Guard()).read(SMALL, f"http://rebind.example:{server.port}/").gap == "address"
        assert server.connections == 0


def test_ours_a_name_that_does_not_exist_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "none")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert READER.read(SMALL, "http://none.example/").gap == "dns"


def test_ours_a_port_where_nobody_listens_is_a_gap() -> None:
    with RawServer(OK) as server:
        url = f"{server.origin}/"
    assert READER.read(SMALL, url).gap == "connect"


def test_curl_connect_to_keeps_the_name_in_host() -> None:
    with RawServer(OK) as server:
        guard = Guard(connect_to=(ConnectTo.parse(f"a.example:80:127.0.0.1:{server.port}"),))
        evidence = reader(guard=guard).read(SMALL, "http://a.example/robots.txt")
        assert evidence.found
        assert evidence.url == "http://a.example/robots.txt"
        assert b"\r\nHost: a.example\r\n" in server.seen[0]


def test_rfc9110_5_fields_keep_order_case_and_repeats() -> None:
    evidence = read(response(200, b"", "X-Robots-Tag: noai", "x-robots-tag: a: noimageai", "X-Y: \xe4"))
    assert evidence.fields.pairs[1:] == (
        ("X-Robots-Tag", "noai"),
        ("x-robots-tag", "a: noimageai"),
        ("X-Y", "\xe4"),
    )


@pytest.mark.parametrize("status", [200, 204, 301, 302, 304, 403, 404, 451, 503])
def test_ours_head_is_a_get_closed_after_the_head(status: int) -> None:
    endless = dripping(f"HTTP/1.1 {status} S\r\nLocation: /x\r\nX-Robots-Tag: noai\r\n\r\n".encode(), b"x" * 65536, 0)
    with RawServer(endless) as server:
        evidence = READER.head(f"{server.origin}/a", (("X-Y", "z"),))
        assert (evidence.status, evidence.gap, evidence.content) == (status, "", b"")
        assert evidence.need is HEAD
        assert evidence.fields.first("x-robots-tag") == "noai"
        assert server.seen[0].startswith(b"GET /a ")
        assert b"X-Y: z" in server.seen[0]
        assert server.connections == 1


@pytest.mark.parametrize(
    "name", [name for name, (_, status, _) in GAPS.items() if status is None and "302" not in name]
)
def test_ours_head_has_the_same_gaps(name: str) -> None:
    answer, _, gap = GAPS[name]
    with RawServer(answer) as server:
        evidence = READER.head(f"{server.origin}/")
    assert (evidence.status, evidence.gap) == (None, gap)


@pytest.mark.parametrize(
    ("answer", "content", "whole", "gap"),
    [
        (response(200, b"x" * 9), b"xxxxx", False, ""),
        (response(200, b"x" * 5), b"xxxxx", True, ""),
        (response(200, b"x" * 2), b"xx", True, ""),
        (response(200, b"x" * 2).replace(b": 2", b": 3"), b"xx", False, "truncated"),
        (response(200, gzip.compress(b"x" * 9, mtime=0), GZIP), b"xxxxx", False, ""),
        (response(302, b"x" * 9, "Location: /x"), b"", False, ""),
        (response(304), b"", False, "bad_status"),
        (response(404, b"x"), b"x", True, ""),
    ],
)
def test_ours_prefix_is_bounded_and_a_cut_is_no_gap(answer: bytes, content: bytes, whole: bool, gap: str) -> None:  # noqa: FBT001 (a table cell)
    with RawServer(answer) as server:
        evidence = READER.prefix(f"{server.origin}/", 5)
        assert server.connections == 1
    assert (evidence.content, evidence.whole, evidence.gap) == (content, whole, gap)
    assert evidence.need is BODY


def tls_gap(context: ssl.SSLContext, roots: Path | None, name: str = "127.0.0.1") -> tuple[int | None, str, int]:
    """Status, gap, and how many requests arrived."""
    with RawServer(OK, context) as server:
        guard = Guard(connect_to=(ConnectTo.parse(f":443:127.0.0.1:{server.port}"),))
        by = Reader(user_agent=AGENT, guard=guard, timeout=2, roots=str(roots) if roots else None)
        evidence = by.read(SMALL, f"https://{name}/robots.txt")
        return evidence.status, evidence.gap, len(server.seen)


def test_rfc9110_4_3_4_certificates_are_verified_by_name_and_date(tmp_path: Path) -> None:
    roots, context = certificate(tmp_path, "a.example", "127.0.0.1")
    assert tls_gap(context, roots, "a.example") == (200, "", 1)
    assert tls_gap(context, roots, "127.0.0.1") == (200, "", 1)
    assert tls_gap(context, roots, "b.example") == (None, "tls", 0)
    assert tls_gap(context, None, "a.example") == (None, "tls", 0)
    old, expired = certificate(tmp_path, "a.example", days=-1)
    assert tls_gap(expired, old, "a.example") == (None, "tls", 0)


@pytest.mark.parametrize(("answer", "gap"), [(b"HTTP/1.1 400 B\r\n\r\n", "tls"), (b"", "tls"), (RESET, "connect")])
def test_ours_a_server_without_tls_is_a_gap(answer: bytes, gap: str) -> None:
    with RawServer(answer, at_once=True) as server:
        assert READER.read(SMALL, f"https://127.0.0.1:{server.port}/").gap == gap


def test_ours_a_handshake_that_stalls_ends_with_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert IMPATIENT.read(SMALL, f"https://127.0.0.1:{listener.getsockname()[1]}/").gap == "timeout"


@pytest.mark.parametrize("name", ["a." * 100 + "example", "x" * 63 + ".example"])
def test_ours_long_names_are_no_exception(tmp_path: Path, name: str) -> None:
    roots, context = certificate(tmp_path, "a.example")
    assert tls_gap(context, roots, name)[1] == "tls"


@pytest.mark.parametrize(
    ("answer", "gap"), [(b"HTTP/1.1 200 OK\r\n\r\nall", ""), (b"HTTP/1.1 404 N\r\nX", "truncated")]
)
def test_rfc9112_9_8_over_tls_an_end_with_its_mark_ends_content(tmp_path: Path, answer: bytes, gap: str) -> None:
    roots, context = certificate(tmp_path, "127.0.0.1")
    with RawServer(answer, context) as server:
        by = Reader(user_agent=AGENT, guard=LOOPBACK, timeout=2, roots=str(roots))
        assert by.read(SMALL, f"{server.origin}/").gap == gap


def test_rfc9112_9_8_over_tls_an_end_without_its_mark_is_a_cut(tmp_path: Path) -> None:
    roots, context = certificate(tmp_path, "127.0.0.1")
    with RawServer(b"HTTP/1.1 200 OK\r\n\r\nall", context) as server:
        by = Reader(user_agent=AGENT, guard=LOOPBACK, timeout=2, roots=str(roots))
        evidence = by.read(SMALL, f"{server.origin}/ragged")
    assert (evidence.status, evidence.content, evidence.gap) == (200, b"all", "truncated")


@pytest.mark.parametrize("agent", ["", " ", "a\r\nb", "ä", " a", "a\0"])
def test_ours_a_user_agent_that_cannot_be_sent_is_a_bad_policy(agent: str) -> None:
    with pytest.raises(BadPolicy):
        Reader(user_agent=agent)


def test_ours_roots_that_cannot_be_read_are_a_bad_policy(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for roots in (tmp_path / "none.pem", tmp_path / "empty.pem"):
        with pytest.raises(BadPolicy, match=re.escape(str(roots))):
            Reader(user_agent=AGENT, roots=str(roots))
    assert Reader(user_agent=AGENT, roots=str(tmp_path)).guard == Guard()


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_rfc1952_members_are_read_the_same_in_pieces_of_any_size(size: int) -> None:
    packed = PACKED * 3 + bytes(5)
    gunzip = Gunzip()
    got = b"".join(gunzip.feed(packed[at : at + size], 9999) for at in range(0, len(packed), size))
    gunzip.end()
    assert got == BODY_TEXT * 3


def test_ours_gunzip_gives_no_more_than_asked() -> None:
    gunzip = Gunzip()
    assert gunzip.feed(PACKED, 5) == BODY_TEXT[:5]
    assert gunzip.feed(b"", 5) == b""
    with pytest.raises(Unreached):
        gunzip.end()


def test_ours_nothing_is_sent_or_read_past_the_deadline() -> None:
    near, far = socket.socketpair()
    with near, far:
        exchange = Exchange(near, Deadline.after(-1))
        with pytest.raises(Unreached, match="timeout"):
            exchange.ask("/", [("Host", "a.example")])
        with pytest.raises(Unreached, match="timeout"):
            exchange.head()
        with pytest.raises(Unreached, match="timeout"):
            secured(near, tls_context(), "a.example", Deadline.after(-1))
        assert near.fileno() == -1


def test_ours_a_connection_broken_while_asking_is_a_gap() -> None:
    near, far = socket.socketpair()
    with near:
        far.close()
        with pytest.raises(Unreached, match="connect"):
            Exchange(near, Deadline.after(1)).ask("/", [("Host", "a.example")])
