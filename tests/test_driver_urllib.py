"""urllib.request: private openers and contexts, proxies, cookies, threads, forks, and urllib as it was afterwards."""

# ruff: noqa: S310 (a test's own site)

from __future__ import annotations

import gc
import http.cookiejar
import io
import multiprocessing
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.client import HTTPResponse, IncompleteRead
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, build_opener, urlopen
from urllib.response import addinfourl

import pytest

import consentcrawl
from consentcrawl.core import Outcome
from consentcrawl.drivers.urllib import ConsentHandler, Refused, Undetermined, install, opener, uninstall
from tests.kept import Kept
from tests.raw_server import RawServer, response
from tests.website import FILM_HEAD, Answer, Site, noise, serving

IMAGE = noise()
JPEG = (("Content-Type", "image/jpeg"),)
NOAI = (*JPEG, ("X-Robots-Tag", "noai"))
PAGES = {
    "/free.jpg": Answer(IMAGE, fields=JPEG),
    "/noai.jpg": Answer(IMAGE, fields=NOAI),
    "/a.csv": Answer(b"a,b\n1,2\n3,4\n", fields=(("Content-Type", "text/csv"),)),
    "/big.bin": Answer(FILM_HEAD + bytes(20_000_000 - len(FILM_HEAD)), fields=(("Content-Type", "video/mp4"),)),
    "/hop": Answer(status=302, fields=(("Location", "/free.jpg"), ("Set-Cookie", "seen=1"))),
    "/hop/noai": Answer(status=302, fields=(("Location", "/noai.jpg"),)),
    "/robots.txt": Answer(b"User-agent: *\nDisallow: /closed/\n", fields=(("Content-Type", "text/plain"),)),
}
CONFIG = consentcrawl.Config(allow=("127.0.0.0/8",))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


@pytest.fixture
def steward() -> Iterator[consentcrawl.Steward]:
    made = consentcrawl.Steward(CONFIG)
    yield made
    made.close()


@pytest.fixture
def installed(steward: consentcrawl.Steward) -> Iterator[None]:
    install(steward=steward)
    yield
    uninstall()


def _content(answer: Any) -> bytes:
    with answer:
        content: bytes = answer.read()
        return content


@pytest.mark.usefixtures("installed")
def test_ours_install_reaches_urlopen_its_contexts_and_private_openers(site: Site) -> None:
    before = build_opener()
    with_context = partial(urlopen, context=ssl.create_default_context())
    ways: list[Callable[[str], Any]] = [urlopen, build_opener().open, before.open, with_context]
    for way in ways:
        assert _content(way(site.origin + "/free.jpg")) == IMAGE
        with pytest.raises(Refused):
            way(site.origin + "/noai.jpg")
        with pytest.raises(URLError):
            way(site.origin + "/closed/a.jpg")
        with pytest.raises(Refused):
            way(site.origin + "/hop/noai")
    with pytest.raises(Refused):
        urllib.request.urlretrieve(site.origin + "/noai.jpg")
    assert site.count("/robots.txt") == 1
    assert site.count("/closed/a.jpg") == 0


@pytest.mark.usefixtures("installed")
def test_ours_pandas_obeys_as_it_reads_by_urllib(site: Site) -> None:
    pandas = pytest.importorskip("pandas")
    assert pandas.read_csv(site.origin + "/a.csv")["b"].tolist() == [2, 4]
    with pytest.raises(Refused):
        pandas.read_csv(site.origin + "/closed/a.csv")


def test_ours_openers_from_before_are_reached_and_left_as_they_were(steward: consentcrawl.Steward, site: Site) -> None:
    before, theirs = build_opener(), urllib.request.OpenerDirector.open

    def tables() -> list[object]:
        inside: Any = before
        return [list(inside.handlers), *(list(inside.process_response[scheme]) for scheme in ("http", "https"))]

    as_it_was = tables()
    install(steward=steward)
    install(steward=steward)
    with pytest.raises(Refused):
        before.open(site.origin + "/noai.jpg")
    uninstall()
    uninstall()
    assert urllib.request.OpenerDirector.open is theirs
    assert tables() == as_it_was
    assert _content(before.open(site.origin + "/noai.jpg")) == IMAGE
    assert _content(urlopen(site.origin + "/noai.jpg")) == IMAGE


@pytest.mark.usefixtures("installed")
def test_ours_an_opener_that_asks_already_asks_once(site: Site) -> None:
    kept = Kept()
    steward = consentcrawl.Steward(CONFIG, record=kept)
    with closing(opener(steward=steward)) as own:
        assert _content(own.open(site.origin + "/free.jpg")) == IMAGE
    assert len(kept.verdicts) == 1
    steward.close()


def test_ours_an_answer_is_still_one_of_http_client(steward: consentcrawl.Steward, site: Site) -> None:
    with closing(opener(steward=steward)) as own:
        with own.open(site.origin + "/free.jpg") as answer:
            assert isinstance(answer, HTTPResponse)
            assert [answer.status, vars(answer)["code"], answer.version] == [200, 200, 11]
            assert [answer.reason, vars(answer)["msg"]] == ["OK", "OK"]
            assert answer.url == answer.geturl() == site.origin + "/free.jpg"
            assert answer.getheader("content-type") == "image/jpeg"
            assert answer.length == len(IMAGE)
            assert answer.peek(3)[:3] == IMAGE[:3]
            assert answer.read(10) + answer.read1(10) + answer.read() == IMAGE
            assert answer.read() == b""
        assert answer.isclosed()
        assert _content(own.open(Request(site.origin + "/free.jpg", method="HEAD"))) == b""
        with pytest.raises(HTTPError) as missing:
            own.open(site.origin + "/nowhere")
        assert _content(missing.value) == b"nothing here"


def test_ours_streaming_still_streams(steward: consentcrawl.Steward, site: Site) -> None:
    with closing(opener(steward=steward)) as own, own.open(site.origin + "/big.bin") as answer:
        assert len(answer.read(1_000)) == 1_000
        assert site.sent["/big.bin"] < 15_000_000
        assert len(answer.read()) == 20_000_000 - 1_000


def test_ours_cookies_and_credentials_stay_on_the_callers_request(steward: consentcrawl.Steward, site: Site) -> None:
    jar = http.cookiejar.CookieJar()
    with closing(opener(None, urllib.request.HTTPCookieProcessor(jar), steward=steward)) as own:
        _content(own.open(Request(site.origin + "/hop", headers={"Authorization": "Basic c2VjcmV0"})))
        assert [cookie.name for cookie in jar] == ["seen"]
        _content(own.open(site.origin + "/free.jpg"))
    sent = [
        (target, "cookie" in head, "authorization" in head)
        for (_, target), head in zip(site.asked, site.heads, strict=True)
    ]
    assert [row for row in sent if row[1] or row[2]] == [
        ("/hop", False, True),
        ("/free.jpg", True, True),
        ("/free.jpg", True, False),
    ]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_ours_proxies_of_the_environment_still_serve(
    scheme: str, steward: consentcrawl.Steward, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    kept = Kept()
    steward = consentcrawl.Steward(CONFIG, record=kept)
    with RawServer(response(200, IMAGE, "Content-Type: image/jpeg")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.origin.replace("http", scheme))
        if scheme == "https":  # then urllib opens the request once more, for the scheme of the proxy
            monkeypatch.setattr("http.client.HTTPSConnection.connect", http.client.HTTPConnection.connect)
        with closing(opener(steward=steward)) as own:
            assert _content(own.open(site.origin + "/free.jpg")) == IMAGE
        assert proxy.targets == [site.origin + "/free.jpg"]
    assert [verdict.outcome for verdict in kept.verdicts] == [Outcome.PERMIT]
    assert (site.count("/robots.txt"), site.count("/free.jpg")) == (1, 0)
    steward.close()


def test_ours_a_proxy_set_by_hand_outlives_another_spelling(steward: consentcrawl.Steward, site: Site) -> None:
    with RawServer(response(200, IMAGE, "Content-Type: image/jpeg")) as proxy, closing(opener(steward=steward)) as own:
        request = Request(site.origin + "/a/../free.jpg")
        request.set_proxy(proxy.origin.removeprefix("http://"), "http")
        assert _content(own.open(request)) == IMAGE
        assert proxy.targets == [site.origin + "/free.jpg"]


def test_ours_what_another_handler_answers_is_judged_as_well(steward: consentcrawl.Steward, site: Site) -> None:
    class Cache(urllib.request.BaseHandler):
        handler_order = 10

        def http_open(self, request: Request) -> addinfourl:
            head = http.client.HTTPMessage()
            head["Content-Type"] = "text/html"
            content = b'<meta name=robots content="noai">' if "noai" in request.full_url else b"hello"
            answer: Any = addinfourl(io.BytesIO(content), head, request.full_url, 200)
            answer.msg = "OK"
            return answer  # type: ignore[no-any-return]

    class Late(urllib.request.BaseHandler):
        handler_order = 950

        def http_request(self, request: Request) -> Request:
            request.__dict__.pop("_consentcrawl_asked")
            return request

    with closing(opener(None, Cache, steward=steward)) as own:
        assert _content(own.open(site.origin + "/kept")) == b"hello"
        with pytest.raises(Refused):
            own.open(site.origin + "/kept/noai")
    with closing(opener(None, Cache, Late, steward=steward)) as own, pytest.raises(Refused):
        own.open(site.origin + "/kept/noai")
    with closing(opener(None, Cache, Late, steward=steward, refusal="response")) as own, pytest.raises(HTTPError):
        own.open("http://127.0.0.1/" + "a" * 9_000)


@pytest.mark.parametrize(
    ("head", "content"),
    [
        ("Content-Type: image/jpeg\r\nContent-Length: 100000", IMAGE),
        ("Content-Type: image/jpeg\r\nContent-Length: 5\r\nContent-Length: 6", IMAGE),
        ("Content-Type: image/jpeg\r\nContent-Length: +5", IMAGE),
        ("Content-Type: image/jpeg\r\nTransfer-Encoding: gzip, chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        ("Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", b"5\r\nhello\r\n0\r\n\r\n"),
        ("no field at all\r\nX-Robots-Tag: noai\r\nContent-Length: 5", b"hello"),
        ("X-Robots-Tag : noai\r\nContent-Length: 5", b"hello"),
    ],
)
def test_rfc9112_6_3_an_answer_that_http_client_mends_is_undetermined(
    head: str, content: bytes, steward: consentcrawl.Steward
) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n\r\n" + content
    with (
        RawServer({"/a.jpg": answer}) as server,
        closing(opener(steward=steward)) as own,
        pytest.raises(Undetermined),
    ):
        own.open(server.origin + "/a.jpg")


def test_ours_a_chunk_that_breaks_off_is_an_error_of_http_client() -> None:
    kept = Kept()
    steward = consentcrawl.Steward(CONFIG, record=kept)
    cut = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello"
    with (
        RawServer({"/a": cut}) as server,
        closing(opener(steward=steward)) as own,
        pytest.raises(IncompleteRead),
    ):
        own.open(server.origin + "/a")
    assert [verdict.outcome for verdict in kept.verdicts] == [Outcome.UNDETERMINED]
    steward.close()


def test_rfc7725_a_synthetic_451_is_an_error_of_urllib(steward: consentcrawl.Steward, site: Site) -> None:
    with closing(opener(steward=steward, refusal="response")) as own:
        for path in ("/noai.jpg", "/closed/a.jpg"):
            with pytest.raises(HTTPError) as raised:
                own.open(site.origin + path)
            assert (raised.value.code, raised.value.headers["Consent-Verdict"]) == (451, "refuse")
            assert b'"verdict"' in _content(raised.value)


def test_ours_observe_stops_nothing(site: Site) -> None:
    kept = Kept()
    config = consentcrawl.Config(allow=("127.0.0.0/8",), policy=consentcrawl.policy(mode="observe"))
    steward = consentcrawl.Steward(config, record=kept)
    with closing(opener(steward=steward)) as own:
        assert _content(own.open(site.origin + "/noai.jpg")) == IMAGE
        with pytest.raises(HTTPError):
            own.open(site.origin + "/" + "a" * 9_000)
    assert kept.told(IMAGE) == kept.delivered[:1]
    steward.close()


def test_ours_a_second_try_looks_nothing_up_twice(steward: consentcrawl.Steward, site: Site) -> None:
    with closing(opener(steward=steward)) as own:
        request = Request(site.origin + "/a/../free.jpg#part")
        assert [_content(own.open(request)) for _ in range(3)] == [IMAGE] * 3
        assert request.full_url == site.origin + "/free.jpg#part"
    assert site.count("/robots.txt") == 1


def test_ours_many_threads_share_the_opener_of_urlopen(steward: consentcrawl.Steward, site: Site) -> None:
    urllib.request.install_opener(build_opener())
    gate = threading.Barrier(8)

    def one(number: int) -> bool:
        gate.wait()
        try:
            return _content(urlopen(site.origin + ("/free.jpg" if number % 2 else "/noai.jpg"))) == IMAGE
        except Refused:
            return False

    install(steward=steward)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [number % 2 == 1 for number in range(8)]
    uninstall()
    urllib.request.install_opener(None)


def _in_child(url: str, answers: Any) -> None:
    try:
        answers.put(_content(urlopen(url)))
    except BaseException as error:  # noqa: BLE001 (the parent looks)
        answers.put(type(error).__name__)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_ours_a_forked_worker_asks_with_a_steward_of_its_own(site: Site) -> None:
    install(config=CONFIG)
    assert _content(urlopen(site.origin + "/free.jpg")) == IMAGE
    forked = multiprocessing.get_context("fork")
    answers = forked.Queue()
    for path in ("/free.jpg", "/noai.jpg"):
        child = forked.Process(target=_in_child, args=(site.origin + path, answers))
        child.start()
        assert answers.get(timeout=20) == (IMAGE if path == "/free.jpg" else "Refused")
        child.join()
    uninstall()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_ours_a_steward_that_was_given_does_not_go_along_in_a_fork(steward: consentcrawl.Steward, site: Site) -> None:
    install(steward=steward)
    forked = multiprocessing.get_context("fork")
    answers = forked.Queue()
    child = forked.Process(target=_in_child, args=(site.origin + "/free.jpg", answers))
    child.start()
    assert answers.get(timeout=20) == "RuntimeError"
    child.join()
    uninstall()


def test_ours_an_opener_shuts_the_steward_that_it_made(site: Site) -> None:
    own = opener("archive", config=CONFIG)
    assert _content(own.open(site.origin + "/noai.jpg")) == IMAGE
    assert any(head["user-agent"] == CONFIG.user_agent for head in site.heads)
    own.close()
    (handler,) = [handler for handler in vars(own)["handlers"] if isinstance(handler, ConsentHandler)]
    assert handler.held._steward is None
    assert _content(own.open(site.origin + "/noai.jpg")) == IMAGE
    own.close()
    gc.collect()


def test_ours_an_opener_keeps_a_ledger_of_its_own(site: Site, tmp_path: Path) -> None:
    with closing(opener(config=CONFIG, ledger=tmp_path / "ledger")) as own:
        assert _content(own.open(site.origin + "/free.jpg")) == IMAGE
    assert list((tmp_path / "ledger").iterdir())


def test_ours_fields_may_be_bytes_as_http_client_takes_them(site: Site, steward: consentcrawl.Steward) -> None:
    fields: Any = {"Referer": b"https://page.example/", "X-Note": b"a"}
    with (
        closing(opener(steward=steward)) as opened,
        opened.open(Request(site.origin + "/free.jpg", headers=fields)) as got,
    ):
        assert got.read() == IMAGE
