"""Malformed heads and requests hidden in requests: the origin sees none that was not decided about."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.proxy.client import request_head
from consentcrawl.proxy.client.request_head import BadRequest
from tests.proxy_web import IMAGE, Web, web

FREE = b"http://art.test/free.jpg"
HOST = b"Host: art.test\r\n"
HIDDEN = b"GET http://art.test/closed/a.jpg HTTP/1.1\r\nHost: art.test\r\n\r\n"
GET = b"GET " + FREE + b" HTTP/1.1\r\n"
POST = b"POST " + FREE + b" HTTP/1.1\r\n"

# RFC 9112 §11.1 and §11.2, RFC 9110 §5.5: each bytes on the wire, and the status it is answered with.
CASES: dict[str, tuple[bytes, int]] = {
    "both TE and CL": (POST + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
    "CL before TE on GET": (GET + HOST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + HIDDEN, 400),
    "TE alone": (POST + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 411),
    "TE with a blank before the colon": (POST + HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
    "TE with a tab": (POST + HOST + b"Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" + HIDDEN, 411),
    "TE xchunked": (POST + HOST + b"Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc" + HIDDEN, 400),
    "TE identity": (GET + HOST + b"Transfer-Encoding: identity\r\n\r\n" + HIDDEN, 411),
    "TE twice": (POST + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n" + HIDDEN, 411),
    "TE folded": (POST + HOST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
    "TE behind a bare LF": (POST + HOST + b"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
    "TE behind a bare CR": (POST + HOST + b"X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
    "TE with a NUL": (POST + HOST + b"Transfer-Encoding: \0chunked\r\n\r\n0\r\n\r\n" + HIDDEN, 400),
    "two different CL": (POST + HOST + b"Content-Length: 0\r\nContent-Length: 9\r\n\r\n" + HIDDEN, 400),
    "two equal CL": (POST + HOST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + HIDDEN, 400),
    "a list of CL": (POST + HOST + b"Content-Length: 0, 9\r\n\r\n" + HIDDEN, 400),
    "CL +2": (POST + HOST + b"Content-Length: +2\r\n\r\nab" + HIDDEN, 400),
    "CL -1": (POST + HOST + b"Content-Length: -1\r\n\r\n" + HIDDEN, 400),
    "CL 0x10": (POST + HOST + b"Content-Length: 0x10\r\n\r\n" + HIDDEN, 400),
    "CL 1_0": (POST + HOST + b"Content-Length: 1_0\r\n\r\n" + HIDDEN, 400),
    "CL in other digits": (POST + HOST + "Content-Length: \u0662\r\n\r\nab".encode() + HIDDEN, 400),
    "CL of nothing": (POST + HOST + b"Content-Length:\r\n\r\n" + HIDDEN, 400),
    "CL beyond counting": (POST + HOST + b"Content-Length: 99999999999999999999\r\n\r\n" + HIDDEN, 400),
    "CL with a blank inside": (POST + HOST + b"Content Length: 2\r\n\r\nab" + HIDDEN, 400),
    "GET with content": (GET + HOST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, 400),
    "POST": (POST + HOST + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, 405),
    "obs-fold": (GET + HOST + b"X-A: b\r\n c\r\n\r\n" + HIDDEN, 400),
    "obs-fold of the first field": (GET + b" X: y\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "bare LF after the request line": (b"GET " + FREE + b" HTTP/1.1\n" + HOST + b"\r\n" + HIDDEN, 400),
    "bare LF only": (b"GET " + FREE + b" HTTP/1.1\nHost: art.test\n\n" + HIDDEN, 400),
    "bare CR in a value": (GET + HOST + b"X: a\rb\r\n\r\n" + HIDDEN, 400),
    "NUL in a value": (GET + HOST + b"X: a\0b\r\n\r\n" + HIDDEN, 400),
    "NUL in a name": (GET + HOST + b"X\0: a\r\n\r\n" + HIDDEN, 400),
    "no colon": (GET + HOST + b"X\r\n\r\n" + HIDDEN, 400),
    "no name": (GET + HOST + b": x\r\n\r\n" + HIDDEN, 400),
    "two Hosts": (GET + HOST + HOST + b"\r\n" + HIDDEN, 400),
    "two Hosts that differ": (GET + HOST + b"Host: other.test\r\n\r\n" + HIDDEN, 400),
    "no Host": (GET + b"\r\n" + HIDDEN, 400),
    "Host is not the target": (GET + b"Host: other.test\r\n\r\n" + HIDDEN, 400),
    "Host with another port": (GET + b"Host: art.test:8080\r\n\r\n" + HIDDEN, 400),
    "Host with a path": (GET + b"Host: art.test/closed\r\n\r\n" + HIDDEN, 400),
    "Host with a user": (GET + b"Host: me@art.test\r\n\r\n" + HIDDEN, 400),
    "origin form": (b"GET /free.jpg HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "asterisk form": (b"GET * HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "a user name in the target": (b"GET http://me:pw@art.test/ HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "a fragment in the target": (b"GET http://art.test/#a HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "another scheme": (b"GET ftp://art.test/ HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "two blanks": (b"GET  " + FREE + b" HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "a tab for a blank": (b"GET\t" + FREE + b" HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "a blank in the target": (b"GET http://art.test/a b HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "no version": (b"GET " + FREE + b"\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "HTTP/2.0": (b"GET " + FREE + b" HTTP/2.0\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "HTTP/1.10": (b"GET " + FREE + b" HTTP/1.10\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "lower case version": (b"GET " + FREE + b" http/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN, 400),
    "an empty line first": (b"\r\n" + GET + HOST + b"\r\n" + HIDDEN, 400),
    "an SSH banner": (b"SSH-2.0-OpenSSH_9.6\r\n", 400),
    "TLS to the plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400),
    "bytes that are no UTF-8": (GET + HOST + b"X: \xff\xfe\r\n\r\n" + HIDDEN, 400),
    "a head of 70 KB": (GET + HOST + b"X: " + b"a" * 70_000 + b"\r\n\r\n" + HIDDEN, 431),
    "200 fields": (GET + HOST + b"X: a\r\n" * 200 + b"\r\n" + HIDDEN, 431),
    "TRACE": (b"TRACE " + FREE + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", 405),
    "WebSocket": (GET + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + HIDDEN, 501),
    "CONNECT without a port": (b"CONNECT art.test HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "CONNECT to a URL": (b"CONNECT http://art.test:80/ HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "CONNECT with a request behind": (b"CONNECT art.test:80 HTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN, 400),
    "CONNECT to brackets around a name": (b"CONNECT [art.test]:80 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(tmp_path_factory.mktemp("proxy")) as running:
        yield running


@pytest.mark.parametrize("name", CASES)
def test_rfc9112_11_what_two_readers_could_read_differently_is_refused(name: str, site: Web) -> None:
    raw, status = CASES[name]
    before = len(site.origin.raw)
    answer = site.say(raw)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1  # and the connection is closed: nothing behind it is read as a request
    assert b"JFIF" not in answer
    assert len(site.origin.raw) == before


def test_rfc9112_9_3_2_each_pipelined_request_is_decided_for_itself(site: Web) -> None:
    noai = b"GET http://art.test/noai.jpg HTTP/1.1\r\nHost: art.test\r\n\r\n"
    last = GET + HOST + b"Connection: close\r\n\r\n"
    before, verdicts = site.origin.count("/closed/a.jpg"), len(site.kept.verdicts)
    answer = site.say(GET + HOST + b"\r\n" + HIDDEN + noai + last)
    assert re.findall(rb"HTTP/1\.1 ([0-9]+) ", answer) == [b"200", b"451", b"451", b"200"]
    assert answer.count(IMAGE) == 2
    assert site.origin.count("/closed/a.jpg") == before
    assert [str(v.outcome) for v in site.kept.verdicts[verdicts:]] == ["permit", "refuse", "refuse", "permit"]


def test_rfc9110_7_6_1_the_request_upstream_is_made_anew(site: Web) -> None:
    lines = ("Connection: close, X-Hop", "X-Hop: 1", "Proxy-Authorization: Basic eDp5", "TE: trailers", "Keep-Alive: 5")
    more = ("X-Mine: yes", "Cookie: a=b", "User-Agent: Mozilla/5.0", "Sec-CH-UA: x", "Accept-Encoding: gzip;q=1, rot13")
    status, _, _ = site.get("http://art.test/free.jpg?anew", *lines[1:], *more, "X-Consentcrawl: off")
    assert status == 200
    fields = dict(line.split(": ", 1) for line in site.origin.raw[-1].decode().split("\r\n")[1:-2])
    assert fields["Host"] == "art.test"
    assert fields["User-Agent"] == site.steward.config.user_agent
    assert fields["Accept-Encoding"] == "gzip;q=1"
    assert fields["Via"] == "1.1 consentcrawl"
    assert (fields["X-Mine"], fields["Cookie"]) == ("yes", "a=b")
    assert not {"Proxy-Authorization", "TE", "Keep-Alive", "Sec-CH-UA"} & set(fields)
    site.say(GET.replace(b"free.jpg", b"free.jpg?hop") + HOST + "\r\n".join((*lines[:2], "", "")).encode())
    assert site.origin.raw[-1].startswith(b"GET /free.jpg?hop")
    assert b"X-Hop" not in site.origin.raw[-1]


def test_rfc9112_3_inside_a_tunnel_the_host_is_where_it_leads(site: Web) -> None:
    for inside, status in (
        (b"GET /free.jpg HTTP/1.1\r\nHost: art.test\r\nConnection: close\r\n\r\n", b"200"),
        (b"GET http://art.test/free.jpg HTTP/1.1\r\nHost: art.test\r\nConnection: close\r\n\r\n", b"200"),
        (b"GET /free.jpg HTTP/1.1\r\nHost: other.test\r\n\r\n", b"400"),
        (b"GET http://other.test/free.jpg HTTP/1.1\r\nHost: other.test\r\n\r\n", b"400"),
        (b"GET https://art.test/free.jpg HTTP/1.1\r\nHost: art.test\r\n\r\n", b"400"),
        (b"CONNECT art.test:443 HTTP/1.1\r\nHost: art.test\r\n\r\n", b"400"),
        (b"GET /free.jpg HTTP/1.0\r\n\r\n", b"200"),
    ):
        with socket.create_connection(("127.0.0.1", site.port), 5) as link:
            link.sendall(b"CONNECT art.test:80 HTTP/1.1\r\nHost: art.test:80\r\n\r\n")
            assert link.recv(1000).startswith(b"HTTP/1.1 200")
            link.sendall(inside)
            assert link.recv(1000).split(b" ")[1] == status, inside


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=300, deadline=None)
def test_ours_a_head_is_read_or_refused_and_never_anything_else(raw: bytes) -> None:
    for head in (raw, b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n" + raw):
        with suppress(BadRequest):
            read = request_head.read(head)
            assert not any("\n" in part or "\r" in part for line in read.fields.pairs for part in line)
