"""One table of pages and one list of expected verdicts; every driver goes through it against a real server."""

from __future__ import annotations

import asyncio
import gzip
import pkgutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

import consentcrawl
from consentcrawl.core import Outcome, Verdict
from consentcrawl.drivers import aiohttp as aiohttp_driver
from consentcrawl.drivers import requests as requests_driver
from tests.callers import Fetch, callers
from tests.website import Answer, Site, noise, serving

ROBOTS = b"""User-agent: *
Disallow: /closed/
Content-Usage: /reserved/ train-ai=n
"""
IMAGE = noise()
BIG = b"\0" * 30_000_000
JPEG = (("Content-Type", "image/jpeg"),)
HTML = (("Content-Type", "text/html"),)
NOAI_PAGE = b'<html><head><meta name="robots" content="noai, noimageai"></head><body>art</body></html>'

PAGES = {
    "/robots.txt": Answer(ROBOTS, fields=(("Content-Type", "text/plain"),)),
    "/img/free.jpg": Answer(IMAGE, fields=JPEG),
    "/img/noai.jpg": Answer(IMAGE, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/img/second-line.jpg": Answer(
        IMAGE, fields=(*JPEG, ("X-Robots-Tag", "otherbot: noindex"), ("X-Robots-Tag", "noai"))
    ),
    "/img/case.jpg": Answer(IMAGE, fields=(*JPEG, ("x-robots-tag", "max-image-preview:large, NoImageAI"))),
    "/img/usage.jpg": Answer(IMAGE, fields=(*JPEG, ("Content-Usage", "train-ai=n"))),
    "/img/tdm.jpg": Answer(IMAGE, fields=(*JPEG, ("TDM-Reservation", "1"))),
    "/img/big.jpg": Answer(BIG, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/closed/a.jpg": Answer(IMAGE, fields=JPEG),
    "/reserved/a.jpg": Answer(IMAGE, fields=JPEG),
    "/page/noai.html": Answer(NOAI_PAGE, fields=HTML),
    "/page/noai.html.gz": Answer(gzip.compress(NOAI_PAGE), fields=(*HTML, ("Content-Encoding", "gzip"))),
    "/page/free.html": Answer(b"<html><body>art</body></html>", fields=HTML),
    "/page/tdm.html": Answer(b'<meta name=tdm-reservation content="1">', fields=HTML),
    "/hop/free": Answer(status=302, fields=(("Location", "/img/free.jpg"),)),
    "/hop/closed": Answer(status=302, fields=(("Location", "/closed/a.jpg"),)),
    "/hop/noai": Answer(status=301, fields=(("Location", "/img/noai.jpg"),)),
    "/paid.jpg": Answer(status=402, fields=(("crawler-price", "USD 0.01"),)),
    "/legal.jpg": Answer(status=451),
    "/busy.jpg": Answer(status=429, fields=(("Retry-After", "60"),)),
    "/stream.bin": Answer(BIG, fields=(("Content-Type", "video/mp4"),)),
}

P, R, U = Outcome.PERMIT, Outcome.REFUSE, Outcome.UNDETERMINED
EXPECTED = [
    ("/img/free.jpg", P, ""),
    ("/img/noai.jpg", R, "noai"),
    ("/img/second-line.jpg", R, "noai"),
    ("/img/case.jpg", R, "NoImageAI"),
    ("/img/usage.jpg", R, "train-ai=n"),
    ("/img/tdm.jpg", R, "1"),
    ("/img/big.jpg", R, "noai"),
    ("/closed/a.jpg", R, "Disallow: /closed/"),
    ("/reserved/a.jpg", R, "train-ai=n"),
    ("/page/noai.html", R, "noai"),
    ("/page/noai.html.gz", R, "noai"),
    ("/page/free.html", P, ""),
    ("/page/tdm.html", R, "1"),
    ("/hop/free", P, ""),
    ("/hop/closed", R, "Disallow: /closed/"),
    ("/hop/noai", R, "noai"),
    ("/paid.jpg", R, "USD 0.01"),
    ("/legal.jpg", R, "451"),
    ("/busy.jpg", U, ""),
    ("/stream.bin", P, ""),
]


DRIVERS = callers()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


@pytest.fixture
def steward() -> Iterator[consentcrawl.Steward]:
    serving_loopback = consentcrawl.Steward(
        consentcrawl.Config(allow=("127.0.0.0/8",), contact="https://taker.example/")
    )
    yield serving_loopback
    serving_loopback.shut()


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_ours_every_driver_comes_to_the_same_verdicts(driver: Fetch, site: Site, steward: consentcrawl.Steward) -> None:
    for path, outcome, quote in EXPECTED:
        got = driver(site.origin + path, steward)
        if outcome is P:
            assert got.verdict is None, (path, got.verdict)
            assert got.status == 200
            assert got.content == PAGES["/img/free.jpg" if path == "/hop/free" else path].content
        else:
            assert got.verdict is not None, path
            assert got.verdict.outcome is outcome, (path, got.verdict)
            assert not quote or any(quote in g.statement.quote for g in got.verdict.deciding), (path, got.verdict)
    assert site.count("/robots.txt") == 1
    assert site.count("/closed/a.jpg") == site.count("/reserved/a.jpg") == 0
    assert site.sent["/img/big.jpg"] < 10_000_000


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_ours_the_page_speaks_for_its_image(driver: Fetch, site: Site, steward: consentcrawl.Steward) -> None:
    got = driver(site.origin + "/img/free.jpg", steward, Referer=site.origin + "/page/noai.html")
    assert got.verdict is not None
    assert got.verdict.deciding[0].source == site.origin + "/page/noai.html"
    assert site.count("/img/free.jpg") == 0


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_rfc9309_2_3_1_4_unreachable_robots_refuses_before_the_request(
    driver: Fetch, steward: consentcrawl.Steward
) -> None:
    with serving({"/robots.txt": Answer(status=503), "/a.jpg": Answer(IMAGE, fields=JPEG)}) as broken:
        got = driver(broken.origin + "/a.jpg", steward)
        assert got.verdict is not None
        assert got.verdict.outcome is R
        assert broken.count("/a.jpg") == 0


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_ours_credentials_stay_on_the_callers_request(driver: Fetch, site: Site, steward: consentcrawl.Steward) -> None:
    driver(site.origin + "/img/free.jpg", steward, Authorization="Bearer secret", Cookie="a=b")
    for (_, target), head in zip(site.asked, site.heads, strict=True):
        assert ("authorization" in head) == ("cookie" in head) == (target == "/img/free.jpg")
        assert head["user-agent"].startswith("consentcrawl/")


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_ours_a_part_is_judged_by_the_asset_from_its_beginning(
    driver: Fetch, site: Site, steward: consentcrawl.Steward
) -> None:
    first = driver(site.origin + "/page/noai.html", steward, Range="bytes=0-9")
    assert first.verdict is not None
    free = driver(site.origin + "/img/free.jpg", steward, Range="bytes=100-199")
    assert (free.status, free.content) == (206, IMAGE[100:200])
    page = driver(site.origin + "/page/noai.html", steward, Range="bytes=70-79")
    assert page.verdict is not None


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_ours_what_is_no_url_is_undetermined(driver: Fetch, steward: consentcrawl.Steward) -> None:
    got = driver("http://a.example/" + "a" * 9_000, steward)
    assert got.verdict is not None
    assert got.verdict.gaps[0].reason == "bad_url"


def test_ours_observe_delivers_with_the_same_verdict(site: Site) -> None:
    config = consentcrawl.Config(policy=consentcrawl.policy(mode="observe"), allow=("127.0.0.0/8",))
    kept: list[Verdict] = []
    steward = consentcrawl.Steward(config, record=_Kept(kept))
    for driver in DRIVERS.values():
        got = driver(site.origin + "/img/noai.jpg", steward)
        assert (got.verdict, got.content) == (None, IMAGE)
    assert [(v.outcome, v.enforced) for v in kept] == [(R, False)] * len(DRIVERS)
    steward.shut()


class _Kept:
    def __init__(self, verdicts: list[Verdict]) -> None:
        self.verdicts = verdicts

    def record_verdict(self, verdict: Verdict, _evidence: object) -> Future[int]:
        self.verdicts.append(verdict)
        return durable(len(self.verdicts) - 1)

    def record_outcome(self, *_: object) -> Future[int]:
        return durable(0)

    def close(self) -> None:
        """Nothing is open."""


def durable(index: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(index)
    return future


def test_ours_every_driver_has_a_caller() -> None:
    names = {module.name for module in pkgutil.iter_modules(consentcrawl.drivers.__path__)}
    assert names - {"dry_run", "beautifulsoup"} <= DRIVERS.keys()  # those two fetch nothing for a caller


def test_ours_streaming_still_streams(site: Site, steward: consentcrawl.Steward) -> None:
    with requests_driver.session(steward=steward) as session:
        response = session.get(site.origin + "/stream.bin", stream=True, timeout=10)
        first = next(response.iter_content(1000))
        assert len(first) == 1000
        assert site.sent["/stream.bin"] < 20_000_000
        assert len(first) + sum(map(len, response.iter_content(100_000))) == len(BIG)


def test_rfc7725_rfc9457_a_synthetic_451_says_why(site: Site, steward: consentcrawl.Steward) -> None:
    with requests_driver.session(steward=steward, refusal="response") as session:
        response = session.get(site.origin + "/closed/a.jpg", timeout=10)
    assert response.status_code == 451
    assert response.headers["content-type"] == "application/problem+json"
    assert f'<{site.origin}/robots.txt>; rel="blocked-by"' in response.headers["link"]
    assert response.json()["verdict"]["grounds"][0]["quote"] == "Disallow: /closed/"

    async def ask() -> dict[str, object]:
        async with (
            aiohttp_driver.session(steward=steward, refusal="response") as session,
            session.get(site.origin + "/closed/a.jpg") as answered,
        ):
            assert answered.status == 451
            document: dict[str, object] = await answered.json(content_type=None)
            return document

    assert asyncio.run(ask())["status"] == 451


CALLS: dict[str, Callable[[], object]] = {
    "requests": lambda: requests_driver.session("archive"),
    "aiohttp": lambda: asyncio.run(_open_and_close()),
}


async def _open_and_close() -> None:
    async with aiohttp_driver.session("archive"):
        pass


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_ours_sessions_need_no_settings(call: Callable[[], object]) -> None:
    call()


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_ours_a_part_of_an_asset_that_is_shown_in_no_other_way_is_undetermined(
    driver: Fetch, steward: consentcrawl.Steward
) -> None:
    fields = (*HTML, ("Content-Range", "bytes 0-3/100"))
    with serving({"/page": Answer(b"<htm", status=206, fields=fields)}) as site:
        got = driver(site.origin + "/page", steward, Range="bytes=0-3")
    assert got.verdict is not None
    assert got.verdict.outcome is U


@pytest.mark.parametrize("coding", ["x-unknown", "gzip, gzip", "x-gzip"])
@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_ours_a_content_coding_that_the_library_leaves_alone_hides_nothing(
    driver: Fetch, coding: str, steward: consentcrawl.Steward
) -> None:
    packed = {"x-unknown": NOAI_PAGE[::-1], "gzip, gzip": gzip.compress(gzip.compress(NOAI_PAGE))}
    content = packed.get(coding, gzip.compress(NOAI_PAGE))
    with serving({"/page": Answer(content, fields=(*HTML, ("Content-Encoding", coding)))}) as site:
        got = driver(site.origin + "/page", steward)
    assert got.verdict is not None
    assert got.verdict.outcome is (R if coding == "x-gzip" else U)


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_ours_the_referer_is_compared_in_its_canonical_form(
    driver: Fetch, site: Site, steward: consentcrawl.Steward
) -> None:
    referer = site.origin.replace("http", "HTTP") + "/page/./noai.html"
    assert driver(site.origin + "/img/free.jpg", steward, Referer=referer).verdict is not None


def test_ours_inspect_leaves_out_what_would_have_to_be_looked_up() -> None:
    link = '<https://art.example/l.xml>; rel="license"; type="application/rsl+xml"'
    verdict = consentcrawl.inspect(b"", fields=[("Link", link)])
    assert (verdict.outcome, verdict.gaps) == (P, ())
