"""Playwright beyond the table of all drivers: pages with images and frames, popups, workers, hops, and what fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from playwright.async_api import BrowserContext, Page

import consentcrawl
from consentcrawl.core import Fields, Verdict
from consentcrawl.download import Download
from consentcrawl.drivers import playwright as driver
from consentcrawl.drivers.shared.browsing import Browsing
from consentcrawl.drivers.shared.held import Held
from tests.callers import playwright as caller
from tests.kept import Kept
from tests.raw_server import RawServer
from tests.website import Answer, Site, noise, serving

pytestmark = pytest.mark.skipif(caller.CHROMIUM is None, reason=caller.MISSING)

IMAGE = noise()
JPEG = (("Content-Type", "image/jpeg"),)
HTML = (("Content-Type", "text/html"),)
WORKER = b"<script>navigator.serviceWorker.register('/sw.js').catch(() => { document.title = 'none'; })</script>"
PAGES = {
    "/robots.txt": Answer(b"User-agent: *\nDisallow: /closed/\n", fields=(("Content-Type", "text/plain"),)),
    "/free.jpg": Answer(IMAGE, fields=JPEG),
    "/noai.jpg": Answer(IMAGE, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/closed/a.jpg": Answer(IMAGE, fields=JPEG),
    "/hop": Answer(status=302, fields=(("Location", "/hop2"),)),
    "/hop2": Answer(status=302, fields=(("Location", "/closed/a.jpg"),)),
    "/hop-free": Answer(status=302, fields=(("Location", "/free.jpg"),)),
    "/gallery": Answer(
        b"<img src=/free.jpg><img src=/noai.jpg><img src=/closed/a.jpg><img src=/hop><img src=/hop-free>", fields=HTML
    ),
    "/framed": Answer(b"<iframe src=/noai.html></iframe><iframe src=/gallery></iframe>", fields=HTML),
    "/noai.html": Answer(b"<meta name=robots content=noai><img src='/of-noai.jpg'>", fields=HTML),
    "/noimageai.html": Answer(
        b"<meta name=robots content=noimageai><meta name=referrer content=no-referrer><img src='/free.jpg'>",
        fields=HTML,
    ),
    "/opens": Answer(
        b"<a id=free href=/plain target=_blank>a</a><a id=noai href=/noai.html target=_blank>b</a>"
        b"<a id=hop href=/to-closed target=_blank>c</a><a id=closed href=/closed/a.jpg target=_blank>d</a>",
        fields=HTML,
    ),
    "/plain": Answer(b"<p>plain</p>", fields=HTML),
    "/to-closed": Answer(status=302, fields=(("Location", "/closed/a.jpg"),)),
    "/worker": Answer(WORKER, fields=HTML),
    "/sw.js": Answer(b"", fields=(("Content-Type", "text/javascript"),)),
}
LOCAL = consentcrawl.Config(allow=("127.0.0.0/8",))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


Withheld = list[Verdict]


@asynccontextmanager
async def context(**more: Any) -> AsyncIterator[tuple[BrowserContext, Withheld]]:
    withheld: Withheld = []
    opened = await driver.new_context(caller.browser(), told=withheld.append, **{"config": LOCAL, **more})
    try:
        yield opened, withheld
    finally:
        await opened.close()


def run(act: Callable[[Page, Withheld], Awaitable[None]], **more: Any) -> None:
    """Let somebody do something with a page."""
    caller.browser()

    async def play() -> None:
        async with context(**more) as (opened, withheld):
            await act(await opened.new_page(), withheld)

    caller.run(play())


def paths(site: Site, verdicts: Withheld) -> list[str]:
    """Return what was withheld, but for the icon that a browser asks for when it likes."""
    urls = sorted(verdict.url.removeprefix(site.origin) for verdict in verdicts)
    return [url for url in urls if url != "/favicon.ico"]


def test_ours_what_a_page_shows_is_judged_hop_by_hop(site: Site) -> None:
    async def act(page: Page, withheld: Withheld) -> None:
        answer = await page.goto(site.origin + "/gallery")
        assert answer is not None
        assert answer.status == 200
        shown = "[...document.images].map(image => image.naturalWidth > 0)"
        assert await page.evaluate(shown) == [True, False, False, False, True]
        assert paths(site, withheld) == ["/closed/a.jpg", "/closed/a.jpg", "/noai.jpg"]
        assert [] in [[hop.status for hop in verdict.hops] for verdict in withheld]
        assert [302, 302] in [[hop.status for hop in verdict.hops] for verdict in withheld]

    run(act)
    assert site.count("/closed/a.jpg") == 0
    assert site.count("/free.jpg") >= 1


def test_rfc7725_a_page_that_is_withheld_answers_451(site: Site) -> None:
    async def act(page: Page, withheld: Withheld) -> None:
        answer = await page.goto(site.origin + "/noai.html")
        assert answer is not None
        assert (answer.status, answer.headers["consent-verdict"]) == (451, "refuse")
        assert (await answer.json())["verdict"]["grounds"][0]["signal"] == "robots_meta"
        assert paths(site, withheld).count("/noai.html") == 1

    run(act)
    assert site.count("/of-noai.jpg") == 0


def test_ours_frames_are_judged_and_the_frame_is_the_page(site: Site) -> None:
    async def act(page: Page, withheld: Withheld) -> None:
        await page.goto(site.origin + "/framed")
        assert "/noai.html" in paths(site, withheld)
        assert "/noai.jpg" in paths(site, withheld)

    run(act)
    assert site.count("/of-noai.jpg") == site.count("/closed/a.jpg") == 0


def test_ours_the_frame_is_the_page_that_speaks_for_an_image(site: Site) -> None:
    observing = consentcrawl.Config(policy=consentcrawl.policy(mode="observe"), allow=LOCAL.allow)
    record = Kept()
    steward = consentcrawl.Steward(observing, record=record)

    async def act(page: Page, withheld: Withheld) -> None:
        await page.goto(site.origin + "/noimageai.html")
        assert await page.evaluate("document.images[0].naturalWidth > 0")
        assert withheld == []

    run(act, steward=steward)
    steward.close()
    about = {verdict.url.removeprefix(site.origin): verdict for verdict in record.verdicts}
    assert site.origin + "/noimageai.html" in {ground.source for ground in about["/free.jpg"].deciding}


def test_ours_the_ledger_is_told_what_was_delivered(site: Site) -> None:
    record = Kept()
    steward = consentcrawl.Steward(LOCAL, record=record)

    async def act(page: Page, _: Withheld) -> None:
        await page.goto(site.origin + "/free.jpg")

    run(act, steward=steward)
    steward.close()
    assert [delivered.size for delivered in record.delivered] == [len(IMAGE)]


def asked_by_browser(site: Site, path: str) -> int:
    """Count without look-ups, which say that they close: a page may be looked up, and lead on."""
    heads = zip(site.asked, site.heads, strict=True)
    return sum(target == path and head.get("connection") != "close" for (_, target), head in heads)


def test_ours_popups_are_judged_from_their_first_request_on(site: Site) -> None:
    async def act(page: Page, withheld: Withheld) -> None:
        await page.goto(site.origin + "/opens")
        for link, content in (("free", "plain"), ("noai", "robots_meta"), ("closed", "Disallow"), ("hop", "Disallow")):
            async with page.context.expect_page() as opening:
                await page.click("#" + link)
            popup = await opening.value
            await popup.wait_for_function(f"document.documentElement.textContent.includes({content!r})")
        assert paths(site, withheld) == ["/closed/a.jpg", "/closed/a.jpg", "/noai.html"]

    run(act)
    assert asked_by_browser(site, "/closed/a.jpg") == 0


def test_ours_service_workers_are_blocked(site: Site) -> None:
    async def act(page: Page, _: Withheld) -> None:
        await page.goto(site.origin + "/worker")
        with pytest.raises(Exception, match="Timeout"):
            await page.context.wait_for_event("serviceworker", timeout=200)

    run(act, service_workers="allow")
    assert site.count("/sw.js") == 0


def test_ours_routes_of_the_caller_still_work(site: Site) -> None:
    async def act(page: Page, withheld: Withheld) -> None:
        await page.route("**/free.jpg", lambda route: route.abort())
        await page.goto(site.origin + "/gallery")
        shown = "[...document.images].map(image => image.naturalWidth > 0)"
        assert await page.evaluate(shown) == [False, False, False, False, True]
        assert len(paths(site, withheld)) == 3

    run(act)


def test_ours_what_is_no_web_address_is_let_go(site: Site) -> None:
    async def act(page: Page, withheld: Withheld) -> None:
        await page.goto("data:text/html,<p>art</p><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>")
        assert "art" in await page.content()
        assert withheld == []

    run(act)
    assert site.asked == []


class _Broken(consentcrawl.Steward):
    def open(self, *_: Any, **__: Any) -> Any:
        raise consentcrawl.LedgerBroken


def test_ours_where_asking_fails_nothing_goes_through(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    async def act(page: Page, _: Withheld) -> None:
        with pytest.raises(Exception, match="ERR_BLOCKED_BY_CLIENT"):
            await page.goto(site.origin + "/free.jpg")

    steward = _Broken(LOCAL)
    run(act, steward=steward)
    steward.close()
    assert site.asked == []
    assert "not let through" in caplog.text


def test_ours_another_browser_is_refused() -> None:
    class Other:
        browser_type = type("Type", (), {"name": "firefox"})

    with pytest.raises(consentcrawl.ConsentError, match="firefox"):
        asyncio.run(driver.new_context(cast("Any", Other())))


def test_ours_the_steward_it_made_is_shut_with_the_context(site: Site) -> None:
    async def act(page: Page, _: Withheld) -> None:
        await page.goto(site.origin + "/plain")

    run(act)
    assert site.heads[-1]["user-agent"].startswith("consentcrawl/")


@pytest.mark.parametrize(("announced", "reasons"), [(0, None), (-1, None), (1, {"truncated"})])
def test_rfc9112_8_fewer_bytes_than_announced_are_a_gap(site: Site, announced: int, reasons: set[str] | None) -> None:
    """DevTools give what came as if it were all."""

    async def came() -> bytes:
        return IMAGE

    async def withheld() -> Verdict | None:
        asked = await browsing.before(site.origin + "/free.jpg")
        assert isinstance(asked, Download)
        fields = Fields([*JPEG, ("Content-Length", str(len(IMAGE) + announced))])
        return await browsing.after(asked, 200, fields, "GET", came)

    browsing = Browsing(Held(consentcrawl.Steward(LOCAL)), None)
    verdict = asyncio.run(withheld())
    assert (None if verdict is None else {gap.reason for gap in verdict.gaps}) == reasons


def test_rfc9112_8_devtools_do_not_tell_that_an_answer_broke_off() -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: image/jpeg\r\nContent-Length: 900000\r\n\r\n"
    with RawServer({"/a.jpg": head + IMAGE}) as server:
        verdict = caller.fetch(server.origin + "/a.jpg", consentcrawl.Steward(LOCAL)).verdict
    assert verdict is not None
    assert [gap.reason for gap in verdict.gaps] == ["truncated"]


def test_ours_content_that_a_browser_cannot_give_is_a_gap_and_in_the_ledger(site: Site) -> None:
    async def came() -> bytes:
        raise RuntimeError

    async def withheld() -> Verdict | None:
        asked = await browsing.before(site.origin + "/free.jpg")
        assert isinstance(asked, Download)
        return await browsing.after(asked, 200, Fields(JPEG), "GET", came)

    kept = Kept()
    browsing = Browsing(Held(consentcrawl.Steward(LOCAL, record=kept)), None)
    verdict = asyncio.run(withheld())
    assert verdict is not None
    assert [gap.reason for gap in verdict.gaps] == ["truncated"]
    assert kept.verdicts == [verdict]
