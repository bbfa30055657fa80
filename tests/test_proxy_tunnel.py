"""What a CONNECT opens: our TLS, plain HTTP, and nothing else; and what becomes of clients that pin."""

from __future__ import annotations

import base64
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from consentcrawl.config import policy
from consentcrawl.core import Gate, Outcome
from consentcrawl.net.guard import ConnectTo
from consentcrawl.proxy.client import tunnel
from consentcrawl.proxy.settings import Limits
from tests.proxy_web import HOST, IMAGE, PAGES, Web, until, web
from tests.website import Answer

CONNECT = f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode()
GET = f"GET /free.jpg HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(tmp_path_factory.mktemp("proxy")) as running:
        yield running


def opened(site: Web, connect: bytes = CONNECT, source: str = "127.0.0.1") -> socket.socket:
    link = socket.create_connection(("127.0.0.1", site.port), 5, (source, 0))
    link.sendall(connect)
    assert link.recv(1_000) == b"HTTP/1.1 200 Connection established\r\n\r\n"
    return link


def secured(link: socket.socket, roots: Path, *, alpn: tuple[str, ...] = ("h2", "http/1.1")) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(roots))
    context.set_alpn_protocols(list(alpn))
    return context.wrap_socket(link, server_hostname=HOST)


def pinned(site: Web, roots: Path, connect: bytes = CONNECT, source: str = "127.0.0.1") -> None:
    """Try as a client that takes only the origin's own certificate, and wait until that was noticed."""
    before = len(site.kept.verdicts)
    with pytest.raises(ssl.SSLError), closing(opened(site, connect, source)) as link:
        secured(link, roots)
    until(lambda: len(site.kept.verdicts) > before)


def all_of(link: socket.socket) -> bytes:
    pieces = []
    with suppress(ConnectionResetError):  # what was sent was not even read
        while piece := link.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


def test_ours_tls_ends_here_with_a_short_leaf_and_http_1_1(site: Web) -> None:
    with secured(opened(site), site.bundle) as link:
        assert link.selected_alpn_protocol() == "http/1.1"
        certificate = link.getpeercert()
        assert certificate is not None
        begins, ends = (ssl.cert_time_to_seconds(str(certificate[name])) for name in ("notBefore", "notAfter"))
        assert ends - begins <= 7 * 86_400
        link.sendall(GET)
        answer = all_of(link)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(IMAGE)
    assert site.kept.verdicts[-1].url == f"https://{HOST}/free.jpg"


def test_ours_the_origin_is_dialled_only_after_the_look_up(site: Web) -> None:
    before = site.origin.connections
    with secured(opened(site), site.bundle) as link:
        assert site.origin.connections == before
        link.sendall(GET.replace(b"free", b"closed/a"))
        assert all_of(link).startswith(b"HTTP/1.1 451")
    assert not site.origin.count("/closed/a.jpg")


def test_ours_plain_http_in_a_tunnel_is_judged_as_http(site: Web) -> None:
    with opened(site, f"CONNECT {HOST}:80 HTTP/1.1\r\nHost: {HOST}:80\r\n\r\n".encode()) as link:
        link.sendall(GET.replace(b"free", b"noai"))
        assert all_of(link).startswith(b"HTTP/1.1 451")
    assert site.kept.verdicts[-1].url == f"http://{HOST}/noai.jpg"


@pytest.mark.parametrize("raw", [b"\x00\x01\x02", b"\x05\x01\x00", b"\r\n\r\n", b"ssh-2.0-x\r\n"])
def test_ours_raw_bytes_in_a_tunnel_are_refused_and_recorded(
    raw: bytes, site: Web, caplog: pytest.LogCaptureFixture
) -> None:
    before = site.origin.connections
    with caplog.at_level(logging.WARNING), opened(site) as link:
        link.sendall(raw)
        assert all_of(link) == b""
    assert "neither TLS nor HTTP" in caplog.text
    assert site.kept.verdicts[-1].outcome is Outcome.UNDETERMINED
    assert site.kept.verdicts[-1].gaps[0].reason == "unsupported"
    assert site.origin.connections == before


def test_ours_other_protocols_that_look_like_letters_are_refused(site: Web) -> None:
    for raw in (b"SSH-2.0-OpenSSH_9.6\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"EHLO me\r\n"):
        with opened(site) as link:
            link.sendall(raw)
            assert all_of(link).startswith(b"HTTP/1.1 400")


def test_ours_a_silent_tunnel_is_closed(tmp_path: Path) -> None:
    with web(tmp_path, limits=Limits(head=0.3)) as site, opened(site) as link:
        assert link.recv(10) == b""


def test_ours_a_websocket_inside_is_refused(site: Web) -> None:
    before = len(site.origin.raw)
    with secured(opened(site), site.bundle) as link:
        link.sendall(GET.replace(b"Connection: close", b"Connection: Upgrade\r\nUpgrade: websocket"))
        assert all_of(link).startswith(b"HTTP/1.1 501")
    assert len(site.origin.raw) == before


def test_ours_a_client_that_pins_is_refused_and_the_log_says_so(site: Web, caplog: pytest.LogCaptureFixture) -> None:
    roots = site.directory / "origin-roots.pem"
    for _ in range(2):
        with caplog.at_level(logging.WARNING):
            pinned(site, roots)
    assert caplog.text.count("does not take our certificate") == 2
    assert "refused" in caplog.text
    assert [gap.reason for gap in site.kept.verdicts[-1].gaps] == ["tls"]


def test_ours_a_handshake_that_breaks_off_is_no_pinning(site: Web) -> None:
    before = len(site.kept.verdicts)
    with opened(site) as link:
        link.sendall(b"\x16\x03\x01")
    assert site.get(f"http://{HOST}/free.jpg")[0] == 200
    assert len(site.kept.verdicts) == before + 1


def test_ours_origin_only_lets_pinned_clients_through_on_the_origin(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with web(tmp_path, tunnel="origin-only") as site, caplog.at_level(logging.WARNING):
        roots = tmp_path / "origin-roots.pem"
        pinned(site, roots)
        with secured(opened(site), roots) as link:
            link.sendall(GET.replace(b"Connection: close\r\n", b""))
            assert link.recv(15) == b"HTTP/1.1 200 sa"
    assert "let through unseen, on the origin alone (permit)" in caplog.text
    verdict = site.kept.verdicts[-1]
    assert (verdict.url, verdict.gate, verdict.outcome) == (f"https://{HOST}/", Gate.LOOKUP, Outcome.PERMIT)


def _is_judged(site: Web, connect: bytes = CONNECT, source: str = "127.0.0.1") -> bool:
    """Whether a tunnel ends at the proxy, which is shown by its certificate, and is not let through unseen."""
    before = len(site.kept.verdicts)
    with opened(site, connect, source) as link:
        try:
            secured(link, site.bundle).close()
        except ssl.SSLCertVerificationError:
            return False
    assert len(site.kept.verdicts) == before
    return True


def test_ours_origin_only_opens_an_origin_for_the_client_that_pins_and_for_no_other(tmp_path: Path) -> None:
    other_name = CONNECT.replace(b"\r\n\r\n", b"\r\nUser-Agent: other\r\n\r\n")
    with web(tmp_path, tunnel="origin-only") as site:
        pinned(site, tmp_path / "origin-roots.pem", source="127.0.0.2")
        assert _is_judged(site)
        assert _is_judged(site, other_name, "127.0.0.2")
        assert not _is_judged(site, source="127.0.0.2")


def test_ours_origin_only_tells_clients_apart_by_their_credentials(tmp_path: Path) -> None:
    def connect(name: bytes) -> bytes:
        credentials = b"\r\nProxy-Authorization: Basic " + base64.b64encode(name + b":secret")
        return CONNECT.replace(b"\r\n\r\n", credentials + b"\r\n\r\n")

    with web(tmp_path, tunnel="origin-only", auth="me:secret") as site:
        pinned(site, tmp_path / "origin-roots.pem", connect(b"me"))
        assert not _is_judged(site, connect(b"me"))
        assert site.say(CONNECT).startswith(b"HTTP/1.1 407")


def test_ours_origin_only_opens_an_origin_for_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with web(tmp_path, tunnel="origin-only") as site:
        pinned(site, tmp_path / "origin-roots.pem")
        assert not _is_judged(site)
        monkeypatch.setattr(tunnel, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 61))
        assert _is_judged(site)


def test_ours_origin_only_refuses_where_the_origin_does(tmp_path: Path) -> None:
    closed = PAGES | {"/robots.txt": Answer(b"User-agent: *\nDisallow: /\n", fields=(("Content-Type", "text/plain"),))}
    with web(tmp_path, closed, tunnel="origin-only") as site:
        roots = tmp_path / "origin-roots.pem"
        pinned(site, roots)
        assert site.say(CONNECT).startswith(b"HTTP/1.1 451")
        assert site.kept.verdicts[-1].outcome is Outcome.REFUSE
        assert site.origin.count("/") == 0


def test_ours_origin_only_lets_through_port_443_and_tls_alone(tmp_path: Path) -> None:
    elsewhere = CONNECT.replace(b":443", b":8443")
    with web(
        tmp_path,
        tunnel="origin-only",
        limits=Limits(head=0.5),
        config=lambda c: replace(c, connect_to=(*c.connect_to, ConnectTo.parse(f"{HOST}:8443:127.0.0.1:9"))),
    ) as site:
        roots = tmp_path / "origin-roots.pem"
        for connect in (CONNECT, elsewhere):
            pinned(site, roots, connect)
        assert site.say(elsewhere).startswith(b"HTTP/1.1 403")
        before = site.origin.connections
        with opened(site) as link:
            link.sendall(GET)
            assert all_of(link) == b""
        assert site.origin.connections - before <= 5  # the policy files, and no more


def test_ours_observe_lets_a_pinned_client_through_and_notes_it(tmp_path: Path) -> None:
    closed = PAGES | {"/robots.txt": Answer(b"User-agent: *\nDisallow: /\n", fields=(("Content-Type", "text/plain"),))}
    with web(
        tmp_path, closed, tunnel="origin-only", config=lambda c: replace(c, policy=policy(mode="observe"))
    ) as site:
        roots = tmp_path / "origin-roots.pem"
        pinned(site, roots)
        with secured(opened(site), roots) as link:
            link.sendall(GET)
            assert link.recv(12) == b"HTTP/1.1 200"
        assert (site.kept.verdicts[-1].outcome, site.kept.verdicts[-1].enforced) == (Outcome.REFUSE, False)


def test_ours_the_live_page_is_there_inside_tls_as_well(site: Web) -> None:
    link = opened(site, b"CONNECT consentcrawl.local:443 HTTP/1.1\r\nHost: consentcrawl.local:443\r\n\r\n")
    context = ssl.create_default_context(cafile=str(site.bundle))
    with context.wrap_socket(link, server_hostname="consentcrawl.local") as secure:
        secure.sendall(b"GET / HTTP/1.1\r\nHost: consentcrawl.local\r\nAccept: text/html\r\n\r\n")
        answer = all_of(secure)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"<html" in answer


def test_ours_a_tunnel_to_nowhere_is_closed(tmp_path: Path) -> None:
    with web(tmp_path, tunnel="origin-only", limits=Limits(connect=2)) as site:
        pinned(site, tmp_path / "origin-roots.pem")
        site.steward.look_up(site.steward.open(f"https://{HOST}/"))
        site.proxy._engine.upstream.own.add(("127.0.0.1", site.origin.ports["https"]))  # then it is not dialled
        with opened(site) as link:
            link.sendall(b"\x16\x03\x01")
            assert all_of(link) == b""


def test_ours_another_listener_is_served_as_well(site: Web) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    site.run(site.proxy.serve_socket(listening))
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.sendall(GET.replace(b"/free.jpg", f"http://{HOST}/noai.jpg".encode()))
        assert all_of(link).startswith(b"HTTP/1.1 451")
