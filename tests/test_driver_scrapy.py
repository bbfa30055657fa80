"""Scrapy beyond the table of all drivers: pages and their images, pipelines, caches, retries, settings and logs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import scrapy
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.settings import Settings

import consentcrawl
from consentcrawl.download import Download, advance, run_async
from consentcrawl.drivers import scrapy as driver
from tests.callers import Got
from tests.callers import scrapy as caller
from tests.kept import Kept
from tests.website import Answer, Site, noise, serving

IMAGE = noise()
JPEG = (("Content-Type", "image/jpeg"),)
HTML = (("Content-Type", "text/html"),)
ROBOTS = b"User-agent: *\nDisallow: /closed/\nCrawl-delay: 0.01\n"
PAGES = {
    "/robots.txt": Answer(ROBOTS, fields=(("Content-Type", "text/plain"),)),
    "/free.jpg": Answer(IMAGE, fields=JPEG),
    "/noai.jpg": Answer(IMAGE, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/closed/a.jpg": Answer(IMAGE, fields=JPEG),
    "/shown.jpg": Answer(IMAGE, fields=JPEG),
    "/noai.html": Answer(b'<meta name=robots content=noai><img src="/shown.jpg">', fields=HTML),
    "/plain.html": Answer(b"<p>art</p>", fields=HTML),
    "/hop": Answer(status=302, fields=(("Location", "/shown.jpg"),)),
    "/hop-noai": Answer(status=302, fields=(("Location", "/free.jpg"), ("X-Robots-Tag", "noai"))),
    "/busy.jpg": Answer(status=429),
    "/legal": Answer(b"no", status=451),
    "/leads-on": Answer(b'<meta http-equiv="refresh" content="0; url=/noai.jpg">', fields=HTML),
    "/big.jpg": Answer(b"\0" * 20_000_000, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
}


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


class Spider(scrapy.Spider):
    name = "test"
    handle_httpstatus_all = True

    def __init__(self, requests: Callable[[Any], list[scrapy.Request]], got: dict[str, Any], **more: Any) -> None:
        """Send what ``requests`` gives, and keep what comes of it."""
        super().__init__(**more)
        self.requests, self.got = requests, got

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for request in self.requests(self):
            yield request

    def parse(self, response: Response, **_: Any) -> None:
        self.got[response.url] = response

    def failed(self, failure: Any) -> None:
        self.got[failure.request.url] = failure.value


def crawl(
    site: Site, *paths: str, settings: dict[str, Any] | None = None, **more: Any
) -> tuple[dict[str, Any], Crawler]:
    """Ask for these paths in a crawl with the one line in its settings; gives what came by path, and the crawler."""
    got: dict[str, Any] = {}
    steward = consentcrawl.Steward(consentcrawl.Config(allow=("127.0.0.0/8",), contact="https://taker.example/"))

    def requests(spider: Spider) -> list[scrapy.Request]:
        return [scrapy.Request(site.origin + path, errback=spider.failed, **more) for path in paths]

    needed = {"ADDONS": {"consentcrawl.drivers.scrapy.Addon": 500}, "CONSENTCRAWL_STEWARD": lambda: steward}
    crawler = caller.crawl(Spider, {**needed, **(settings or {})}, requests=requests, got=got)
    steward.close()
    return {url.removeprefix(site.origin): what for url, what in got.items()}, crawler


def stats(crawler: Crawler) -> dict[str, Any]:
    assert crawler.stats is not None
    told = crawler.stats.get_stats()
    return {name.removeprefix("consentcrawl/"): n for name, n in told.items() if name.startswith("consentcrawl/")}


def test_ours_refusals_are_what_scrapy_ignores_and_are_counted(site: Site) -> None:
    got, crawler = crawl(site, "/free.jpg", "/noai.jpg", "/closed/a.jpg", "/legal")
    assert got["/free.jpg"].body == IMAGE
    assert all(isinstance(got[path], IgnoreRequest) for path in ("/noai.jpg", "/closed/a.jpg", "/legal"))
    assert isinstance(got["/closed/a.jpg"], consentcrawl.Refused)
    told = stats(crawler)
    assert (told["permit"], told["refuse"]) == (1, 3)
    assert told["refuse/lookup"] == told["signal/robots_txt"] == told["signal/x_robots_tag"] == 1
    assert site.count("/robots.txt") == 1
    assert site.count("/closed/a.jpg") == 0


@pytest.mark.parametrize("obey", [True, False])
def test_ours_what_scrapys_own_robots_middleware_raises_becomes_a_verdict(site: Site, obey: bool) -> None:  # noqa: FBT001 (pytest's own shape)
    got, _ = crawl(site, "/closed/a.jpg", settings={"ROBOTSTXT_OBEY": obey})
    assert got["/closed/a.jpg"].verdict.deciding[0].statement.quote == "Disallow: /closed/"


def test_ours_a_refusal_without_errback_leaves_no_traceback(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    def requests(_: Spider) -> list[scrapy.Request]:
        return [scrapy.Request(site.origin + path) for path in ("/noai.jpg", "/closed/a.jpg", "/legal")]

    steward = consentcrawl.Steward(consentcrawl.Config(allow=("127.0.0.0/8",)))
    settings = {"ADDONS": {driver.Addon: 500}, "CONSENTCRAWL_STEWARD": lambda: steward}
    with caplog.at_level(logging.INFO):
        caller.crawl(Spider, settings, requests=requests, got={})
    steward.close()
    assert [record for record in caplog.records if record.exc_info or record.levelno > logging.INFO] == []
    told = [record.getMessage() for record in caplog.records if record.name == driver.__name__]
    assert len(told) == 3
    assert any('"noai" (x_robots_tag: X-Robots-Tag field 1' in line for line in told)


def test_ours_the_page_may_be_named_in_the_requests_meta(site: Site) -> None:
    got, _ = crawl(site, "/shown.jpg", meta={driver.PAGE: site.origin + "/noai.html"})
    assert got["/shown.jpg"].verdict.deciding[0].source == site.origin + "/noai.html"
    assert site.count("/shown.jpg") == 0


def test_ours_the_page_is_kept_across_redirects(site: Site) -> None:
    got, _ = crawl(site, "/hop", headers={"Referer": site.origin + "/plain.html"})
    assert got["/shown.jpg"].status == 200
    assert site.count("/plain.html") == 1
    assert site.count("/hop") == 1  # the hop is no page
    got, _ = crawl(site, "/hop", headers={"Referer": site.origin + "/noai.html"})
    assert got["/hop"].verdict.deciding[0].source == site.origin + "/noai.html"


def test_ours_meta_copied_to_another_request_names_no_page() -> None:
    meta = {driver._ASKED_FOR: ["https://a.example/page", ""], "redirect_urls": ["https://a.example/old"]}
    request = scrapy.Request("https://a.example/1.jpg", headers={"Referer": "https://a.example/page"}, meta=meta)
    assert driver._page(request, request.meta["redirect_urls"]) == "https://a.example/page"


def test_ours_each_hop_is_an_inquiry_and_the_last_names_them(site: Site) -> None:
    record = Kept()
    steward = consentcrawl.Steward(consentcrawl.Config(allow=("127.0.0.0/8",)), record=record)
    caller.fetch(site.origin + "/hop", steward)
    assert [(v.url, [hop.status for hop in v.hops]) for v in record.verdicts] == [
        (site.origin + "/hop", []),
        (site.origin + "/shown.jpg", [302]),
    ]
    got, _ = crawl(site, "/hop-noai")
    assert got["/hop-noai"].verdict.gate is consentcrawl.Gate.HEAD
    steward.close()


def test_ours_a_page_that_leads_on_is_a_hop(site: Site) -> None:
    got, _ = crawl(site, "/leads-on")
    assert [hop.status for hop in got["/noai.jpg"].verdict.hops] == [200]


def test_ours_what_the_head_refuses_is_not_read(site: Site) -> None:
    got, _ = crawl(site, "/big.jpg")
    assert got["/big.jpg"].verdict.gate is consentcrawl.Gate.HEAD
    assert site.sent["/big.jpg"] < 10_000_000


def test_ours_what_is_no_url_is_undetermined_and_counted(site: Site) -> None:
    got, crawler = crawl(site, "/" + "a" * 9_000)
    assert [error.verdict.gaps[0].reason for error in got.values()] == ["bad_url"]
    assert stats(crawler)["gap/bad_url"] == 1


def test_ours_the_ledger_is_told_what_was_delivered(site: Site) -> None:
    record = Kept()
    steward = consentcrawl.Steward(consentcrawl.Config(allow=("127.0.0.0/8",)), record=record)
    assert caller.fetch(site.origin + "/free.jpg", steward) == Got(status=200, content=IMAGE)
    assert [delivered.size for delivered in record.delivered] == [len(IMAGE)]
    steward.close()


def test_ours_observe_tells_once_of_what_it_delivers(site: Site) -> None:
    record = Kept()
    config = consentcrawl.Config(policy=consentcrawl.policy(mode="observe"), allow=("127.0.0.0/8",))
    steward = consentcrawl.Steward(config, record=record)
    needed = {"CONSENTCRAWL_STEWARD": lambda: steward, "ROBOTSTXT_OBEY": False}
    got: dict[str, Any] = {}
    caller.crawl(
        Spider,
        {"ADDONS": {driver.Addon: 500}, **needed},
        requests=lambda spider: [scrapy.Request(site.origin + "/closed/a.jpg", errback=spider.failed)],
        got=got,
    )
    assert [response.status for response in got.values()] == [200]
    assert [verdict.enforced for verdict in record.verdicts] == [False]
    steward.close()


def test_ours_what_a_cache_answers_is_asked_about_as_well(site: Site, tmp_path: Path) -> None:
    cache = {"HTTPCACHE_ENABLED": True, "HTTPCACHE_DIR": str(tmp_path)}
    bare = {"ADDONS": {}, **cache}
    got, _ = crawl(site, "/noai.jpg", settings={**bare, "ROBOTSTXT_OBEY": False})
    assert got["/noai.jpg"].status == 200
    seen = site.count("/noai.jpg")
    got, _ = crawl(site, "/noai.jpg", settings=cache)
    assert got["/noai.jpg"].verdict.gate is consentcrawl.Gate.HEAD
    assert site.count("/noai.jpg") == seen


def test_ours_scrapy_keeps_its_own_retries(site: Site) -> None:
    got, crawler = crawl(site, "/busy.jpg", settings={"RETRY_ENABLED": True, "RETRY_TIMES": 2})
    assert isinstance(got["/busy.jpg"], consentcrawl.Undetermined)
    assert site.count("/busy.jpg") == 3
    assert stats(crawler)["undetermined"] == 1
    assert isinstance(crawl(site, "/busy.jpg", meta={"dont_retry": True})[0]["/busy.jpg"], consentcrawl.Undetermined)


def test_ours_lost_data_is_undetermined(site: Site) -> None:
    whole = Answer(IMAGE, fields=JPEG)
    request = scrapy.Request(site.origin + "/free.jpg")
    steward = consentcrawl.Steward(consentcrawl.Config(allow=("127.0.0.0/8",)))
    download = Download(steward, request.url)
    advance(download)
    lost = Response(request.url, body=whole.content[:100], headers={"Content-Type": "image/jpeg"}, flags=["dataloss"])
    verdict = asyncio.run(run_async(download, driver._Answer(request, lost)))
    assert (verdict.outcome, verdict.gaps[0].reason) == (consentcrawl.Outcome.UNDETERMINED, "truncated")
    steward.close()


class Gallery(scrapy.Spider):
    name = "gallery"

    def __init__(self, url: str, item: dict[str, Any], **more: Any) -> None:
        """Find one item on one page."""
        super().__init__(**more)
        self.start_urls, self.item = [url], item

    def parse(self, _: Response, **__: Any) -> dict[str, Any]:
        return self.item


def test_ours_refused_images_of_a_pipeline_never_reach_disk(
    site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    steward = consentcrawl.Steward(consentcrawl.Config(allow=("127.0.0.0/8",)))
    settings = {
        "ADDONS": {driver.Addon: 500},
        "CONSENTCRAWL_STEWARD": lambda: steward,
        "ITEM_PIPELINES": {"scrapy.pipelines.images.ImagesPipeline": 1},
        "IMAGES_STORE": str(tmp_path),
        "MEDIA_ALLOW_REDIRECTS": True,
    }
    urls = [site.origin + path for path in ("/free.jpg", "/noai.jpg", "/closed/a.jpg", "/hop-noai")]
    with caplog.at_level(logging.INFO):
        caller.crawl(Gallery, settings, url=site.origin + "/plain.html", item={"image_urls": urls})
    steward.close()
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    assert [record for record in caplog.records if record.exc_info] == []


def test_ours_data_urls_and_files_are_not_asked_about(site: Site) -> None:
    got: dict[str, Any] = {}
    caller.crawl(
        Spider,
        {"ADDONS": {driver.Addon: 500}},
        requests=lambda _: [scrapy.Request("data:,art")],
        got=got,
    )
    assert [response.body for response in got.values()] == [b"art"]
    assert site.asked == []


def test_ours_the_address_that_is_asked_is_the_one_that_was_judged(site: Site) -> None:
    got, _ = crawl(site, "/x/../free.jpg", "/plain.html#part")
    assert site.count("/free.jpg") == site.count("/plain.html") == 1
    assert sorted(got) == ["/free.jpg", "/plain.html"]


def test_rfc9309_2_2_2_the_parser_for_scrapys_middleware_reads_as_we_do() -> None:
    content = b"User-agent: mine\nUser-agent: other\nDisallow: /a*b$\nCrawl-delay: 2.5\n"
    parser = driver.RobotsTxtParser.from_crawler(Crawler(scrapy.Spider), content)
    assert not parser.allowed("https://a.example/aXb", b"mine/1.0 (+https://a.example/)")
    assert parser.allowed("https://a.example/aXbc", "mine/1.0")
    assert parser.allowed(b"https://a.example/aXb", "third")
    assert not parser.allowed("https://a.example:99999/", "third")
    assert (parser.crawl_delay("Mine"), parser.crawl_delay("")) == (2.5, None)


def test_ours_the_addon_leaves_what_the_project_sets() -> None:
    settings = Settings({"USER_AGENT": "mine/1.0", "CONSENTCRAWL_PURPOSE": "search"}, priority="project")
    driver.Addon().update_settings(settings)
    assert settings["USER_AGENT"] == "mine/1.0"
    assert settings["ROBOTSTXT_USER_AGENT"] == "consentcrawl"
    assert settings["DOWNLOADER_MIDDLEWARES"][driver.ConsentMiddleware] == 950
    assert driver._config(settings).purpose.name == "search"


def test_ours_without_asyncio_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "is_asyncio_available", lambda: False)
    steward = consentcrawl.Steward()
    with pytest.raises(consentcrawl.ConsentError, match="asyncio"):
        driver.ConsentMiddleware(Crawler(scrapy.Spider), steward)
    steward.close()


def test_ours_a_policy_that_reads_no_robots_txt_leaves_scrapys_own_request_alone(site: Site) -> None:
    off = frozenset({"robots_txt", "ai_agents", "content_usage", "content_signal", "disallow_ai_training", "rsl"})
    config = consentcrawl.Config(policy=consentcrawl.policy(signals_off=off), allow=("127.0.0.0/8",))
    steward = consentcrawl.Steward(config)
    caller.fetch(site.origin + "/free.jpg", steward)
    assert site.count("/robots.txt") == 1
    steward.close()
