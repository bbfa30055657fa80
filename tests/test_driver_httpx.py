"""httpx and httpx2: proxies of the environment, streaming, clients that are there already, nothing left open."""

from __future__ import annotations

import asyncio
import gc
import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

import consentcrawl
from consentcrawl.core import Outcome
from consentcrawl.drivers import httpx as of_httpx
from consentcrawl.drivers import httpx2 as of_httpx2
from tests.kept import Kept
from tests.raw_server import RawServer, dripping, response
from tests.website import FILM_HEAD, Answer, Site, noise, serving

IMAGE = noise()
JPEG = (("Content-Type", "image/jpeg"),)
PAGE = b'<meta name="robots" content="noai">'
PAGES = {
    "/free.jpg": Answer(IMAGE, fields=JPEG),
    "/noai.jpg": Answer(IMAGE, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/big.bin": Answer(FILM_HEAD + bytes(20_000_000 - len(FILM_HEAD)), fields=(("Content-Type", "video/mp4"),)),
    "/page": Answer(gzip.compress(PAGE), fields=(("Content-Type", "text/html"), ("Content-Encoding", "gzip"))),
    "/hello": Answer(gzip.compress(b"hello"), fields=(("Content-Type", "text/html"), ("Content-Encoding", "gzip"))),
    "/hop": Answer(status=302, fields=(("Location", "/free.jpg"), ("Set-Cookie", "seen=1"))),
}
CONFIG = consentcrawl.Config(allow=("127.0.0.0/8",))
EACH = pytest.mark.parametrize("driver", [of_httpx, of_httpx2], ids=["httpx", "httpx2"])
BOTH = pytest.mark.parametrize(("library", "driver"), [(httpx, of_httpx), (httpx2, of_httpx2)], ids=["httpx", "httpx2"])


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


@pytest.fixture
def steward() -> Iterator[consentcrawl.Steward]:
    made = consentcrawl.Steward(CONFIG)
    yield made
    made.close()


@EACH
def test_ours_proxies_of_the_environment_still_serve(
    driver: Any, steward: consentcrawl.Steward, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    with RawServer(response(200, IMAGE, "Content-Type: image/jpeg")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        with driver.client(steward=steward) as client:
            assert client.get(site.origin + "/free.jpg").content == IMAGE
        assert proxy.targets == [site.origin + "/free.jpg"]
    assert site.count("/robots.txt") == 1
    assert site.count("/free.jpg") == 0


@BOTH
def test_ours_no_proxy_and_mounts_are_kept(
    library: ModuleType, driver: Any, steward: consentcrawl.Steward, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    mounts = {"all://mounted.example": library.MockTransport(lambda _: library.Response(204))}
    with driver.client(steward=steward, mounts=mounts) as client:
        assert client.get(site.origin + "/free.jpg").content == IMAGE
        with pytest.raises(driver.Refused):
            client.get(site.origin + "/noai.jpg")


@EACH
def test_ours_streaming_still_streams(driver: Any, steward: consentcrawl.Steward, site: Site) -> None:
    with driver.client(steward=steward) as client, client.stream("GET", site.origin + "/big.bin") as answer:
        pieces = answer.iter_raw(1_000)
        assert len(next(pieces)) == 1_000
        assert site.sent["/big.bin"] < 15_000_000
        assert sum(map(len, pieces)) == 20_000_000 - 1_000

    async def ask() -> int:
        async with (
            driver.async_client(steward=steward) as client,
            client.stream("GET", site.origin + "/big.bin") as got,
        ):
            return sum([len(piece) async for piece in got.aiter_bytes()])

    assert asyncio.run(ask()) == 20_000_000


@EACH
def test_ours_a_coded_content_is_handed_over_as_it_was_sent(
    driver: Any, steward: consentcrawl.Steward, site: Site
) -> None:
    with driver.client(steward=steward) as client:
        assert client.get(site.origin + "/hello").text == "hello"
        with client.stream("GET", site.origin + "/hello") as answer:
            assert gzip.decompress(b"".join(answer.iter_raw())) == b"hello"
        with pytest.raises(driver.Refused):
            client.get(site.origin + "/page")


@BOTH
def test_ours_a_client_that_is_there_already_keeps_its_ways(
    library: ModuleType, driver: Any, steward: consentcrawl.Steward, site: Site
) -> None:
    mine = library.Client(
        auth=("me", "secret"), cookies={"own": "1"}, follow_redirects=True, headers={"User-Agent": "mine/1"}
    )
    with driver.attach(mine, steward) as client:
        assert client is mine
        answer = client.get(site.origin + "/hop")
        assert (answer.content, [hop.status_code for hop in answer.history]) == (IMAGE, [302])
        assert client.cookies["seen"] == "1"
    for (_, target), head in zip(site.asked, site.heads, strict=True):
        own = target in ("/hop", "/free.jpg")
        assert [name in head for name in ("authorization", "cookie")] == [own, own], target
        assert (head["user-agent"] == "mine/1") == own


@EACH
def test_rfc7725_a_synthetic_451_says_why(driver: Any, steward: consentcrawl.Steward, site: Site) -> None:
    with driver.client(steward=steward, refusal="response") as client:
        answer = client.get(site.origin + "/noai.jpg")
        assert (answer.status_code, answer.headers["consent-verdict"]) == (451, "refuse")
        assert answer.json()["verdict"]["grounds"][0]["quote"] == "noai"

    async def ask() -> Any:
        async with driver.async_client(steward=steward, refusal="response") as client:
            return (await client.get(site.origin + "/noai.jpg")).json()

    assert asyncio.run(ask())["status"] == 451


@BOTH
def test_ours_a_refusal_carries_its_request(
    library: ModuleType, driver: Any, steward: consentcrawl.Steward, site: Site
) -> None:
    with driver.client(steward=steward) as client, pytest.raises(library.HTTPError) as raised:
        client.get(site.origin + "/noai.jpg")
    assert raised.value.request.url == site.origin + "/noai.jpg"


@EACH
def test_ours_the_url_is_sent_as_it_was_judged(driver: Any, steward: consentcrawl.Steward, site: Site) -> None:
    with driver.client(steward=steward) as client:
        answer = client.get(site.origin.replace("http://", "http://me:secret@") + "/a/%2e%2e/%66ree.jpg")
    assert answer.content == IMAGE
    assert site.count("/free.jpg") == 1
    assert [head.get("authorization") for head in site.heads].count(None) == len(site.heads) - 1


@BOTH
@pytest.mark.parametrize("tasks", [False, True], ids=["threads", "tasks"])
def test_rfc9112_6_3_a_content_that_breaks_off_is_a_gap_and_an_error_of_the_library(
    library: ModuleType, driver: Any, *, tasks: bool
) -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n" + IMAGE
    kept = Kept()
    steward = consentcrawl.Steward(CONFIG, record=kept)
    get = _get_in_a_task if tasks else _get
    with RawServer({"/a.jpg": cut}) as server, pytest.raises(library.RemoteProtocolError):
        get(driver, steward, server.origin + "/a.jpg")
    assert [verdict.outcome for verdict in kept.verdicts] == [Outcome.UNDETERMINED]
    steward.close()


def _get(driver: Any, steward: consentcrawl.Steward, url: str) -> Any:
    with driver.client(steward=steward) as client:
        return client.get(url)


def _get_in_a_task(driver: Any, steward: consentcrawl.Steward, url: str) -> Any:
    async def get() -> Any:
        async with driver.async_client(steward=steward) as client:
            return await client.get(url)

    return asyncio.run(get())


@BOTH
def test_ours_a_timeout_stays_the_callers(library: ModuleType, driver: Any, steward: consentcrawl.Steward) -> None:
    slow = dripping(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n", b"", 1.0)
    with (
        RawServer({"/a.jpg": slow}) as server,
        driver.client(steward=steward, timeout=0.2) as client,
        pytest.raises(library.ReadTimeout),
    ):
        client.get(server.origin + "/a.jpg")


@EACH
def test_ours_a_task_that_is_cancelled_leaves_nothing_open(driver: Any, steward: consentcrawl.Steward) -> None:
    slow = dripping(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n", b"x", 0.05)

    async def cancelled(url: str) -> None:
        async with driver.async_client(steward=steward) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.get(url), 0.3)

    with RawServer({"/a.jpg": slow}) as server:
        asyncio.run(cancelled(server.origin + "/a.jpg"))
    gc.collect()


@EACH
def test_ours_the_ledger_hears_what_was_handed_over(driver: Any, site: Site) -> None:
    kept = Kept()
    steward = consentcrawl.Steward(CONFIG, record=kept)
    with driver.client(steward=steward) as client:
        client.get(site.origin + "/free.jpg")
        with client.stream("GET", site.origin + "/big.bin") as answer:
            next(answer.iter_raw())
    _get_in_a_task(driver, steward, site.origin + "/free.jpg")
    first, part, again = kept.delivered
    assert kept.told(IMAGE) == [first, again]
    assert 0 < part.size < 20_000_000
    steward.close()


@EACH
def test_ours_a_client_shuts_the_steward_that_it_made_and_no_other(
    driver: Any, steward: consentcrawl.Steward, site: Site
) -> None:
    with driver.client("archive", config=CONFIG) as client:
        assert client.get(site.origin + "/noai.jpg").content == IMAGE
        own = client._transport._asking.held
        assert own.config.purpose.name == "archive"
    assert own._steward is None
    client = driver.client(steward=steward)
    client.close()

    async def one() -> None:
        await driver.async_client(steward=steward).aclose()

    asyncio.run(one())
    with driver.client(steward=steward) as client:
        assert client.get(site.origin + "/free.jpg").content == IMAGE
    gc.collect()


@EACH
def test_ours_observe_stops_nothing(driver: Any, site: Site) -> None:
    config = consentcrawl.Config(allow=("127.0.0.0/8",), policy=consentcrawl.policy(mode="observe"))
    steward = consentcrawl.Steward(config)
    for get in (_get, _get_in_a_task):
        assert get(driver, steward, site.origin + "/noai.jpg").content == IMAGE
        assert get(driver, steward, site.origin + "/" + "a" * 9_000).status_code == 404
    steward.close()


@EACH
def test_ours_a_client_keeps_a_ledger_of_its_own(driver: Any, site: Site, tmp_path: Path) -> None:
    with driver.client(config=CONFIG, ledger=tmp_path / "ledger") as client:
        client.get(site.origin + "/free.jpg")
    assert list((tmp_path / "ledger").iterdir())


@EACH
def test_ours_threads_and_tasks_share_a_client_and_its_look_ups(
    driver: Any, steward: consentcrawl.Steward, site: Site
) -> None:
    paths = ["/free.jpg", "/noai.jpg"] * 8

    def status(path: str, client: Any) -> int:
        return int(client.get(site.origin + path).status_code)

    async def statuses() -> list[int]:
        async with driver.async_client(steward=steward, refusal="response") as client:
            return [
                got.status_code for got in await asyncio.gather(*(client.get(site.origin + path) for path in paths))
            ]

    with driver.client(steward=steward, refusal="response") as client, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(partial(status, client=client), paths)) == [200, 451] * 8
    assert asyncio.run(statuses()) == [200, 451] * 8
    assert site.count("/robots.txt") == 1
