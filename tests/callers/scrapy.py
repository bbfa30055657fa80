"""Scrapy, as scrapers use it: a spider that asks for one URL, crawled by Scrapy's own runner in a thread of its own."""

from __future__ import annotations

import asyncio
import atexit
import functools
import threading
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerRunner, Crawler
from scrapy.http import Response
from twisted.internet import asyncioreactor
from twisted.python.failure import Failure

import consentcrawl
from consentcrawl.drivers.scrapy import Addon
from tests import callers
from tests.callers import Got, withheld

QUIET: dict[str, Any] = {
    "LOG_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "RETRY_ENABLED": False,
    "ROBOTSTXT_OBEY": True,  # as in a project that Scrapy made
    "URLLENGTH_LIMIT": 0,
}


class One(scrapy.Spider):
    """Asks for one URL."""

    name = "one"
    handle_httpstatus_all = True

    def __init__(self, url: str, fields: dict[str, str], got: list[Got | Exception], **more: Any) -> None:
        """Keep what the spider got in ``got``."""
        super().__init__(**more)
        self.url, self.fields, self.got = url, fields, got

    async def start(self) -> AsyncIterator[scrapy.Request]:
        named = SimpleCookie(self.fields.pop("Cookie", ""))
        cookies: dict[str | bytes, str | bytes | bool | float] = {name: named[name].value for name in named}
        yield scrapy.Request(self.url, headers=self.fields, cookies=cookies, errback=self.failed)

    def parse(self, response: Response, **_: Any) -> None:
        self.got.append(Got(status=response.status, content=response.body))

    def failed(self, failure: Failure) -> None:
        assert isinstance(failure.value, Exception)
        self.got.append(failure.value)


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    """The loop of Scrapy's reactor, which runs in a thread until the tests end."""
    running = asyncio.new_event_loop()
    asyncioreactor.install(running)  # type: ignore[no-untyped-call]  # Twisted's own
    from twisted.internet import reactor  # noqa: PLC0415 (installed above)

    run: Any = reactor
    thread = threading.Thread(target=run.run, kwargs={"installSignalHandlers": False}, daemon=True)
    thread.start()

    def stop() -> None:
        run.callFromThread(run.stop)
        thread.join(5)

    atexit.register(stop)
    return running


def crawl(spider: type[scrapy.Spider], settings: dict[str, Any], **arguments: Any) -> Crawler:
    """Crawl with these settings, as ``scrapy crawl`` does; gives the crawler that is done."""

    async def run() -> Crawler:
        runner = AsyncCrawlerRunner(settings={**QUIET, **settings})
        crawler = runner.create_crawler(spider)
        await runner.crawl(crawler, **arguments)
        return crawler

    return asyncio.run_coroutine_threadsafe(run(), loop()).result(60)


def fetch(url: str, steward: consentcrawl.Steward, **fields: str) -> Got:
    got: list[Got | Exception] = []
    settings = {
        "ADDONS": {Addon: 500},
        "CONSENTCRAWL_STEWARD": lambda: steward,
        "DOWNLOAD_TIMEOUT": callers.SECONDS,
    }
    crawl(One, settings, url=url, fields=fields, got=got)
    (only,) = got
    return withheld(only) if isinstance(only, Exception) else only
