"""The proxy: what is refused never reaches the client, whatever the method, the part or the condition."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from consentcrawl.config import policy
from consentcrawl.core import Gate, Outcome
from consentcrawl.errors import BadPolicy, LedgerBroken
from consentcrawl.ledger.recording import Delivered
from consentcrawl.proxy.client import refusal
from consentcrawl.proxy.server import ProxySettings
from consentcrawl.proxy.settings import Limits
from tests.proxy_web import HOST, IMAGE, JPEG, PAGES, ROBOTS, Web, until, web
from tests.website import Answer

AT = f"http://{HOST}"
HTML = (("Content-Type", "text/html"),)
PLAIN = b"".join(b"<p>%d" % n for n in range(20_000))
NOAI = b'<meta name="robots" content="noai">'
SITE = PAGES | {
    "/noai.html": Answer(NOAI, fields=HTML),
    "/noai.html.gz": Answer(gzip.compress(NOAI), fields=(*HTML, ("Content-Encoding", "gzip"))),
    "/free.html.gz": Answer(gzip.compress(PLAIN), fields=(*HTML, ("Content-Encoding", "gzip"))),
    "/rot13.html": Answer(b"abc", fields=(*HTML, ("Content-Encoding", "rot13"))),
    "/split.jpg": Answer(b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 1\r\n\r\na", 0),
    "/cr.jpg": Answer(b"HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: c\r\nContent-Length: 1\r\n\r\na", 0),
    "/cut.jpg": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", 0),
    "/cut.mp4": Answer(
        b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 999999\r\n\r\n" + b"a" * 200_000, 0
    ),
    "/close.jpg": Answer(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + IMAGE, 0),
    "/chunks.mp4": Answer(
        b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n\r\n"
         b"186a0\r\n" + b"a" * 100_000 + b"\r\n" + b"186a0\r\n" + b"b" * 100_000 + b"\r\n0\r\n\r\n", 0,
    ),
    "/coded.jpg": Answer(
        b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 0
    ),
    "/both.jpg": Answer(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 0
    ),
    "/lengths.jpg": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 3\r\n\r\nabc", 0),
    "/blank.jpg": Answer(b"HTTP/1.1 200 OK\r\nX-Robots-Tag : noai\r\nContent-Length: 1\r\n\r\na", 0),
    "/leading.jpg": Answer(b"HTTP/1.1 200 OK\r\n X-Robots-Tag: noai\r\nContent-Length: 1\r\n\r\na", 0),
    "/nul.jpg": Answer(b"HTTP/1.1 200 OK\r\nX-Robots-Tag: no\0ai\r\nContent-Length: 1\r\n\r\na", 0),
    "/folded.jpg": Answer(b"HTTP/1.1 200 OK\r\nX-Robots-Tag:\r\n noai\r\nContent-Length: 1\r\n\r\na", 0),
    "/noise.txt": Answer(b"no head at all\n\n", 0),
    "/switch.jpg": Answer(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 0),
    "/alt.jpg": Answer(
        IMAGE,
        fields=(*JPEG, ("Alt-Svc", 'h3=":443"'), ("Connection", "X-Hop"), ("X-Hop", "1"), ("Consent-Verdict", "x")),
    ),
    "/slow.jpg": Answer(IMAGE, fields=JPEG, slow=30),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(tmp_path_factory.mktemp("proxy"), SITE) as running:
        yield running


def handed_over(site: Web, url: str) -> list[Delivered]:
    """What was handed over of a URL, once the ledger was told: that is a little later."""
    until(lambda: bool(site.kept.about(url)))
    return site.kept.about(url)


def test_ours_a_free_work_passes_and_the_ledger_has_its_hash(site: Web) -> None:
    status, fields, content = site.get(f"{AT}/free.jpg")
    assert (status, content) == (200, IMAGE)
    assert fields["consent-verdict"] == "permit"
    assert fields["content-type"] == "image/jpeg"
    assert fields["via"] == "1.1 consentcrawl"
    delivered = handed_over(site, f"{AT}/free.jpg")[-1]
    assert (delivered.status, delivered.size) == (200, len(IMAGE))
    assert delivered.digest == hashlib.sha256(IMAGE).hexdigest()


def test_rfc7725_3_a_refused_work_is_a_451_with_its_words(site: Web) -> None:
    status, fields, content = site.get(f"{AT}/noai.jpg")
    assert status == 451
    assert fields["content-type"] == "application/problem+json"
    assert fields["link"] == f'<{AT}/noai.jpg>; rel="blocked-by"'
    assert fields["consent-verdict"] == "refuse"
    document = json.loads(content)
    assert document["status"] == 451
    assert document["verdict"]["grounds"][0]["quote"] == "noai"
    assert b"JFIF" not in content


def test_rfc9110_12_5_1_a_person_gets_a_page(site: Web) -> None:
    accept = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
    _, fields, content = site.get(f"{AT}/noai.jpg", accept)
    assert fields["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in fields["content-security-policy"]
    assert "<q><bdi>noai</bdi></q>" in content.decode()


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False), ("*/*", False), ("text/html", True), ("image/avif,image/webp,*/*;q=0.8", False),
        ("text/html;q=0.5, application/json", False), ("text/html;q=0.9, */*;q=0.1", True), ("text/html;q=x", False),
        ("text/html;level=1;q=1, application/problem+json;q=0.9", True),
    ],
)  # fmt: skip
def test_rfc9110_12_5_1_weights_decide_between_page_and_document(accept: str, html: bool) -> None:  # noqa: FBT001 (a case)
    assert refusal.prefers_html(accept) is html


def test_ours_strangers_words_stay_text_in_the_page(tmp_path: Path) -> None:
    robots = b"User-agent: *\nDisallow: /<script>alert(1)</script>\x1b\n"
    with web(tmp_path, {"/robots.txt": Answer(robots, fields=(("Content-Type", "text/plain"),))}) as odd:
        _, _, content = odd.get(f"{AT}/<script>alert(1)</script>%1B".replace(" ", ""), "Accept: text/html")
    assert b"<script>" not in content
    assert b"\x1b" not in content


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        ("/free.jpg", "permit"), ("/noai.jpg", "refuse"), ("/closed/a.jpg", "refuse"), ("/reserved/a.jpg", "refuse"),
        ("/noai.html", "refuse"), ("/noai.html.gz", "refuse"), ("/free.html.gz", "permit"), ("/big.bin", "permit"),
        ("/gone.jpg", "permit"), ("/close.jpg", "permit"), ("/chunks.mp4", "permit"),
    ],
)  # fmt: skip
def test_ours_each_request_has_one_verdict_and_one_entry(target: str, outcome: str, site: Web) -> None:
    before = len(site.kept.verdicts)
    status, fields, content = site.get(AT + target)
    assert fields["consent-verdict"] == outcome
    verdicts = site.kept.verdicts[before:]
    assert [str(v.outcome) for v in verdicts] == [outcome]
    if outcome == "permit":
        delivered = handed_over(site, AT + target)[-1]
        assert delivered.status == status
        assert delivered.size == len(content) or "transfer-encoding" in fields


@pytest.mark.parametrize("target", ["/closed/a.jpg", "/reserved/a.jpg"])
def test_ours_what_the_look_up_refuses_is_never_asked_for(target: str, site: Web) -> None:
    site.get(AT + target)
    assert not site.origin.count(target)


def test_ours_content_is_passed_as_it_was_sent(site: Web) -> None:
    assert site.get(f"{AT}/big.bin")[2] == PAGES["/big.bin"].content
    _, fields, content = site.get(f"{AT}/free.html.gz", "Accept-Encoding: gzip")
    assert fields["content-encoding"] == "gzip"
    assert gzip.decompress(content) == PLAIN
    assert site.get(f"{AT}/close.jpg")[2] == IMAGE
    _, fields, content = site.get(f"{AT}/chunks.mp4")
    assert fields["transfer-encoding"] == "chunked"
    assert content.endswith(b"0\r\n\r\n")
    assert content.count(b"a") >= 100_000


def test_rfc9112_6_1_http10_gets_no_chunks(site: Web) -> None:
    answer = site.say(f"GET {AT}/chunks.mp4 HTTP/1.0\r\n\r\n".encode())
    assert b"chunked" not in answer
    assert answer.endswith(b"b" * 100_000)


def test_rfc9110_7_6_1_what_is_about_the_connection_stays_there(site: Web) -> None:
    _, fields, content = site.get(f"{AT}/alt.jpg")
    assert content == IMAGE
    assert not {"alt-svc", "x-hop"} & set(fields)
    assert fields["consent-verdict"] == "permit"


@pytest.mark.parametrize("target", ["/free.jpg", "/noai.jpg", "/closed/a.jpg"])
def test_rfc9110_9_3_2_head_gets_the_verdict_of_get(target: str, site: Web) -> None:
    got, head = site.get(AT + target), site.get(AT + target, method="HEAD")
    assert (head[0], head[2]) == (got[0], b"")
    assert head[1]["content-length"] == got[1]["content-length"]


@pytest.mark.parametrize(
    ("target", "status"), [("/free.jpg", 206), ("/noai.html", 451), ("/noai.jpg", 451), ("/closed/a.jpg", 451)]
)
@pytest.mark.parametrize("part", ["bytes=0-9", "bytes=20-29"])
def test_rfc9110_14_a_part_gets_the_verdict_of_the_whole(target: str, status: int, part: str, site: Web) -> None:
    got, _, content = site.get(AT + target, f"Range: {part}")
    assert got == status
    assert len(content) == 10 or status == 451


def test_rfc9110_13_a_condition_gets_the_verdict_of_the_head(site: Web) -> None:
    assert site.get(f"{AT}/free.jpg", 'If-None-Match: "a"')[0] == 304
    assert site.get(f"{AT}/noai.jpg", 'If-None-Match: "a"')[0] == 451
    assert site.get(f"{AT}/closed/a.jpg", 'If-None-Match: "a"')[0] == 451


def test_ours_a_redirect_is_handed_back_and_each_hop_judged(site: Web) -> None:
    before = site.origin.count("/noai.jpg")
    status, fields, _ = site.get(f"{AT}/hop")
    assert (status, fields["location"]) == (302, "/noai.jpg")
    assert site.origin.count("/noai.jpg") == before


def test_ours_the_page_speaks_for_its_image(site: Web) -> None:
    status, _, content = site.get(f"{AT}/free.jpg", f"Referer: {AT}/noai.html")
    assert status == 451
    assert b"/noai.html" in content


@pytest.mark.parametrize(
    ("target", "status", "reason"),
    [
        ("/cr.jpg", 451, "bad_head"), ("/noise.txt", 451, "bad_head"), ("/switch.jpg", 451, "bad_head"),
        ("/coded.jpg", 451, "bad_head"), ("/both.jpg", 451, "bad_head"), ("/lengths.jpg", 451, "bad_head"),
        ("/blank.jpg", 451, "bad_head"), ("/nul.jpg", 451, "bad_head"),
        ("/cut.jpg", 503, "truncated"), ("/rot13.html", 451, "encoding"), ("/busy.jpg", 503, "access_refused"),
    ],
)  # fmt: skip
def test_ours_what_could_not_be_had_whole_is_withheld(target: str, status: int, reason: str, site: Web) -> None:
    before = len(site.kept.verdicts)
    got, fields, content = site.get(AT + target)
    assert got == status, content
    assert ("retry-after" in fields) is (status == 503)
    (verdict,) = site.kept.verdicts[before:]
    assert verdict.outcome is Outcome.UNDETERMINED
    assert reason in {gap.reason for gap in verdict.gaps}


def test_rfc9110_10_2_3_the_origins_own_retry_after_is_passed_on(site: Web) -> None:
    assert site.get(f"{AT}/busy.jpg")[1]["retry-after"] == "120"


@pytest.mark.parametrize("target", ["/leading.jpg", "/folded.jpg"])
def test_rfc9112_5_2_a_tag_in_a_malformed_line_is_not_lost(target: str, site: Web) -> None:
    status, _, content = site.get(AT + target)
    assert status == 451
    assert b"noai" in content


def test_rfc9112_5_2_a_folded_line_is_not_passed_on(site: Web) -> None:
    answer = site.say(f"GET {AT}/split.jpg HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
    assert b"\r\n c" not in answer.partition(b"\r\n\r\n")[0]


def test_ours_an_answer_that_breaks_off_never_looks_whole(site: Web) -> None:
    answer = site.say(f"GET {AT}/cut.mp4 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    assert b"Content-Length: 999999" in answer
    assert answer.count(b"a") < 300_000


def test_ours_unreachable_origins_are_undetermined(tmp_path: Path) -> None:
    with web(tmp_path, {"/robots.txt": Answer(ROBOTS)}) as lone:
        lone.get(f"{AT}/robots.txt")
        lone.get(f"https://{HOST}/robots.txt")
        lone.steward.look_up(lone.steward.open(f"{AT}/a.jpg"))
        lone.origin.pages["/a.jpg"] = Answer(b"", 0)  # closes without a word
        status, fields, content = lone.get(f"{AT}/a.jpg")
        assert (status, fields["retry-after"]) == (503, "60")
        assert lone.kept.verdicts[-1].gaps[-1].reason == "connect", content


def test_ours_a_bad_certificate_of_the_origin_is_undetermined(tmp_path: Path) -> None:
    with web(tmp_path, config=lambda config: replace(config, roots=None)) as site:
        status, _, _ = site.get(f"https://{HOST}/free.jpg")
        assert status == 451
        assert not site.origin.count("/free.jpg")


def test_ours_nobody_is_waited_for_without_end(tmp_path: Path) -> None:
    limits = Limits(total=0.5, head=0.3, idle=0.3)
    with web(tmp_path, SITE, limits=limits) as site:
        site.steward.look_up(site.steward.open(f"{AT}/slow.jpg"))
        status, _, _ = site.get(f"{AT}/slow.jpg")
        assert status == 503
        assert site.kept.verdicts[-1].gaps[-1].reason == "timeout"
        assert site.say(b"") == b""  # a client that says nothing
        assert site.say(b"GET http://art.te") == b""  # or half of something


def test_ours_no_more_clients_at_once_than_the_limit(tmp_path: Path) -> None:
    with web(tmp_path, limits=Limits(connections=2)) as site:
        held = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(2)]
        for link in held:  # answered, so taken up
            link.sendall(f"GET {AT}/free.jpg HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert link.recv(20).startswith(b"HTTP/1.1 200")
        assert site.say(b"GET").startswith(b"HTTP/1.1 503")
        for link in held:
            link.close()


def test_ours_observe_delivers_and_says_so(site: Web) -> None:
    before = len(site.kept.verdicts)
    site.activity.observing = True
    try:
        status, fields, content = site.get(f"{AT}/noai.jpg")
        closed = site.get(f"{AT}/closed/a.jpg")
    finally:
        site.activity.observing = False
    assert (status, content, fields["consent-verdict"]) == (200, IMAGE, "refuse")
    assert (closed[0], closed[1]["consent-verdict"]) == (200, "refuse")
    verdicts = site.kept.verdicts[before:]
    assert [(v.outcome, v.enforced) for v in verdicts] == [(Outcome.REFUSE, False)] * 2
    for target in ("/noai.jpg", "/closed/a.jpg"):
        assert [(d.status, d.size) for d in handed_over(site, AT + target)] == [(200, len(IMAGE))]
    assert site.get(f"{AT}/noai.jpg")[0] == 451
    site.origin.raw[:] = [head for head in site.origin.raw if b"/closed/" not in head]


def test_ours_observe_hands_over_no_malformed_head(tmp_path: Path) -> None:
    with web(tmp_path, SITE, config=lambda config: replace(config, policy=policy(mode="observe"))) as site:
        assert site.activity.observing
        assert site.get(f"{AT}/cr.jpg")[0] == 451
        site.origin.pages["/closed/a.jpg"] = SITE["/cr.jpg"]
        assert site.get(f"{AT}/closed/a.jpg")[0] == 502


def test_ours_paused_asks_nothing(site: Web) -> None:
    before = len(site.origin.raw)
    site.activity.paused = True
    try:
        status, fields, _ = site.get(f"{AT}/free.jpg")
    finally:
        site.activity.paused = False
    assert (status, fields["retry-after"]) == (503, "5")
    assert len(site.origin.raw) == before


def test_ours_probing_never_fetches_what_the_head_refuses(tmp_path: Path) -> None:
    with web(tmp_path, SITE, probe=True) as site:
        assert site.get(f"{AT}/noai.jpg")[0] == 451
        assert ("HEAD", "/noai.jpg") in site.origin.asked
        assert ("GET", "/noai.jpg") not in site.origin.asked
        assert site.get(f"{AT}/free.jpg")[2] == IMAGE
        assert [str(v.outcome) for v in site.kept.verdicts] == ["refuse", "permit"]
        site.origin.pages["/only-get.jpg"] = Answer(b"", 405)
        assert site.get(f"{AT}/only-get.jpg")[0] == 405
        assert ("GET", "/only-get.jpg") in site.origin.asked


def test_ours_a_method_that_was_allowed_is_passed_on_with_its_content(tmp_path: Path) -> None:
    with web(tmp_path, methods=frozenset({"POST"})) as site:
        head = f"POST {AT}/free.jpg HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        answer = site.say(head.encode() + b"hello")
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
        assert site.origin.asked[-1] == ("POST", "/free.jpg")
        assert b"Content-Length: 5\r\n" in site.origin.raw[-1]
        assert b"Expect" not in site.origin.raw[-1]
        assert site.say(head.replace("/free", "/closed/a").encode() + b"hello").startswith(b"HTTP/1.1 451")
        assert site.get(f"{AT}/free.jpg", method="PUT")[0] == 405


def test_ours_credentials_are_needed_where_they_are_set(tmp_path: Path) -> None:
    with web(tmp_path, auth="me:secret") as site:
        status, fields, _ = site.get(f"{AT}/free.jpg")
        assert (status, fields["proxy-authenticate"]) == (407, 'Basic realm="consentcrawl", charset="UTF-8"')
        assert site.get(f"{AT}/free.jpg", "Proxy-Authorization: Basic bWU6d3Jvbmc=")[0] == 407
        assert site.get(f"{AT}/free.jpg", "Proxy-Authorization: Basic ***")[0] == 407
        assert site.get(f"{AT}/free.jpg", "Proxy-Authorization: Bearer bWU6c2VjcmV0")[0] == 407
        connect = f"CONNECT {HOST}:80 HTTP/1.1\r\nHost: {HOST}:80\r\nConnection: close\r\n\r\n".encode()
        assert site.say(connect).startswith(b"HTTP/1.1 407")
        assert not site.origin.raw
        status, _, content = site.get(f"{AT}/free.jpg", "Proxy-Authorization: Basic bWU6c2VjcmV0")
        assert (status, content) == (200, IMAGE)
        assert b"Proxy-Authorization" not in site.origin.raw[-1]


@pytest.mark.parametrize("listen", ["0.0.0.0", "::", "", "192.168.1.5", "myhost"])  # noqa: S104 (must be refused)
def test_ours_listening_beyond_loopback_needs_credentials(listen: str) -> None:
    with pytest.raises(BadPolicy, match="--auth"):
        ProxySettings(listen=listen)
    assert ProxySettings(listen=listen, auth="a:b").listen == listen


def test_ours_unsafe_settings_do_not_exist() -> None:
    for wrong in ({"auth": "name"}, {"ui": ("0.0.0.0", 1)}, {"methods": frozenset({"TRACE"})}, {"tunnel": "open"}):  # noqa: S104 (must be refused)
        with pytest.raises(BadPolicy):
            ProxySettings(**wrong)
    assert ProxySettings(listen="localhost").listen == "localhost"


def test_ours_what_cannot_be_recorded_is_not_handed_over(site: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Future[int]:
        future: Future[int] = Future()
        future.set_exception(LedgerBroken("full"))
        return future

    monkeypatch.setattr(site.kept, "record_verdict", broken)
    status, _, content = site.get(f"{AT}/free.jpg")
    assert status == 503
    assert b"ledger" in content
    assert b"JFIF" not in content
    assert site.get("http://10.0.0.1/")[0] == 503


def test_ours_whatever_fails_fails_closed(site: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stops(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("consentcrawl.proxy.upstream.content_prefix.ContentPrefix.read", stops)
    before = len(site.kept.verdicts)
    status, _, content = site.get(f"{AT}/free.jpg")
    assert status == 451
    assert b"Traceback" not in content
    (verdict,) = site.kept.verdicts[before:]
    assert "reader_failed" in {gap.reason for gap in verdict.gaps}


def test_ours_a_client_that_leaves_is_in_the_ledger_once(site: Web) -> None:
    site.steward.look_up(site.steward.open(f"{AT}/slow.jpg"))
    before = len(site.kept.verdicts)
    site.say(f"GET {AT}/slow.jpg HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode(), seconds=0.3)
    until(lambda: len(site.kept.verdicts) > before)
    (verdict,) = site.kept.verdicts[before:]
    assert (verdict.outcome, verdict.gate) == (Outcome.UNDETERMINED, Gate.HEAD)


def test_ours_the_live_page_is_asked_by_its_name(site: Web) -> None:
    status, fields, content = site.get("http://consentcrawl.local/", "Accept: text/html")
    assert status == 200
    assert fields["content-type"].startswith("text/html")
    assert b"<html" in content
    assert site.get("http://CONSENTCRAWL.local./")[0] in (200, 421)
