"""Nobody gets into a private network through the proxy: not by CONNECT, not by URL, not by a name."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from consentcrawl.core import Outcome
from tests.proxy_web import HOST, Web, web
from tests.test_guard import CLOSED, URLS
from tests.website import Answer


@contextmanager
def dialling(site: Web) -> Iterator[list[tuple[Any, ...]]]:
    """What is dialled in the block, apart from the proxy itself."""
    dialled: list[tuple[Any, ...]] = []

    class Heard(socket.socket):
        def connect(self, to: Any) -> None:
            if to[1] != site.port:
                dialled.append(to)
            super().connect(to)

        def connect_ex(self, to: Any) -> int:
            if to[1] != site.port:
                dialled.append(to)
            return super().connect_ex(to)

    # Not by an audit hook: that stays for good, and while one runs, no other thread can be traced (CPython 3.11).
    with patch("socket.socket", Heard):
        yield dialled


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(tmp_path_factory.mktemp("proxy")) as running:
        yield running


def test_ours_what_is_dialled_is_heard(site: Web) -> None:
    with dialling(site) as dialled:
        site.get(f"http://{HOST}/free.jpg")
    assert _plain(site) in dialled


VECTORS = {f"address, {name}": f"[{a}]" if ":" in a else a for name, a in CLOSED.items()} | {
    f"URL, {name}": url.removeprefix("http://").removeprefix("https://").rstrip("/")
    for name, (url, _) in URLS.items()
    if url.isprintable() and url.isascii()
}


@pytest.mark.parametrize("name", VECTORS)
def test_ours_no_vector_leads_to_a_connection(name: str, site: Web) -> None:
    host = VECTORS[name]
    close = "Connection: close\r\n\r\n"
    authority = host.partition("/")[0]
    port = "" if authority.rpartition(":")[2].isdigit() and not authority.endswith("]") else ":443"
    with dialling(site) as dialled:
        absolute = site.say(f"GET http://{host}/ HTTP/1.1\r\nHost: {authority}\r\n{close}".encode())
        connect = site.say(f"CONNECT {authority}{port} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    withheld = (b"400", b"403", b"451", b"503")  # 503: a name that is not resolved now
    assert absolute.split(b" ", 2)[1] in withheld, absolute
    assert connect.split(b" ", 2)[1] in withheld, connect
    assert not dialled


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("::ffff:127.0.0.1",), ("fd00::1",)])
def test_ours_a_name_that_leads_inside_is_not_dialled(
    addresses: tuple[str, ...], site: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consentcrawl.net.guard.lookup", lambda *_: list(addresses))
    host = f"rebind-{abs(hash(addresses))}.example"
    with dialling(site) as dialled:
        status, _, _ = site.get(f"http://{host}/a.jpg")
        inside = f"GET /a.jpg HTTP/1.1\r\nHost: {host}:80\r\nConnection: close\r\n\r\n".encode()
        answer = _tunnelled(site, f"{host}:80", inside)
    assert status == 403  # the look-up of robots.txt was not made: undetermined, not refused
    assert answer.split(b" ", 2)[1] == b"403"
    assert site.kept.verdicts[-1].outcome is Outcome.UNDETERMINED
    assert not dialled


def _tunnelled(site: Web, authority: str, inside: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", site.port), 5) as link:
        link.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        assert link.recv(1_000).startswith(b"HTTP/1.1 200")
        link.sendall(inside)
        return link.recv(10_000)


def test_ours_rebinding_between_two_look_ups_is_seen(site: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is public while the policy files are asked about, and private when the work is to be dialled."""
    host = "turn.example"
    for path in ("/robots.txt", "/.well-known/tdmrep.json", "/ai.txt", "/trust.txt"):
        monkeypatch.setitem(site.origin.pages, path, Answer(b"", 404))
    monkeypatch.setattr("consentcrawl.net.guard.lookup", lambda *_: ["8.8.8.8"])
    monkeypatch.setattr("consentcrawl.net.reader.dial", lambda *_: socket.create_connection(_plain(site)))
    site.steward.look_up(site.steward.open(f"http://{host}/a.jpg"))
    monkeypatch.setattr("consentcrawl.net.guard.lookup", lambda *_: ["127.0.0.1"])
    with dialling(site) as dialled:
        status, _, content = site.get(f"http://{host}/a.jpg")
    assert status == 403, content
    assert not [to for to in dialled if to != _plain(site)]
    assert site.kept.verdicts[-1].outcome is Outcome.UNDETERMINED
    assert site.kept.verdicts[-1].gaps[-1].reason == "address"


def _plain(site: Web) -> tuple[str, int]:
    return "127.0.0.1", site.origin.ports["http"]


def test_ours_the_proxy_does_not_ask_itself(tmp_path: Path) -> None:
    with web(tmp_path, config=lambda config: replace(config, allow=("127.0.0.0/8",))) as site:
        status, _, content = site.get(f"http://127.0.0.1:{site.port}/")
        assert status == 403
        assert b"the address lies in a network that connections may not go to" in content


def test_ours_every_vector_with_a_url_is_in_the_ledger(site: Web) -> None:
    before = len(site.kept.verdicts)
    site.get("http://10.0.0.1/a.jpg")
    site.say(b"CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: 10.0.0.1:443\r\n\r\n")
    verdicts = site.kept.verdicts[before:]
    assert [v.url for v in verdicts] == ["http://10.0.0.1/a.jpg", "https://10.0.0.1/"]
    assert {gap.reason for v in verdicts for gap in v.gaps} == {"address"}
