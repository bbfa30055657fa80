"""CPU of each driver beside its bare library: 20 KB images from loopback, all gates on, medians of interleaved runs."""

from __future__ import annotations

import asyncio
import functools
import statistics
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import Any
from urllib.request import OpenerDirector, build_opener

import aiohttp
import httpx
import requests
import scrapy
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.http import Response
from twisted.internet import asyncioreactor

import consentcrawl
from bench.origin import origin
from consentcrawl.drivers import aiohttp as aiohttp_driver
from consentcrawl.drivers import httpx as httpx_driver
from consentcrawl.drivers import requests as requests_driver
from consentcrawl.drivers import scrapy as scrapy_driver
from consentcrawl.drivers import urllib as urllib_driver

ROUNDS = 9
IMAGES = {"requests": 400, "aiohttp": 2_500, "httpx": 400, "httpx, tasks": 600, "urllib": 400, "scrapy": 300}
AT_ONCE = {"aiohttp": 128, "httpx, tasks": 64}
TARGETS = {"requests": 1.15, "aiohttp": 1.25, "httpx": 1.15, "httpx, tasks": 1.15, "urllib": 1.20, "scrapy": 1.15}


def main() -> dict[str, float]:
    """Print and give, for each driver, its CPU time per image over the bare library's."""
    figures: dict[str, float] = {}
    config = consentcrawl.Config(allow=("127.0.0.0/8",), contact="https://taker.example/")
    with origin() as where:
        for name, run in RUNS.items():
            steward = consentcrawl.Steward(config)
            run(where, None, 50), run(where, steward, 50)
            pairs = [_pair(run, where, steward, IMAGES[name], swapped=n % 2 == 1) for n in range(ROUNDS)]
            steward.close()
            bare, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(mine / theirs for theirs, mine in pairs)
            figures[f"{name}: CPU beside the bare library"] = ratio
            print(
                f"{name:14} bare {bare * 1e6:7.1f} µs/image   ours {ours * 1e6:7.1f} µs/image   "
                f"{ratio:.3f}x (wanted: {TARGETS[name]:.2f}x)"
            )
    return figures


def _pair(
    run: Callable[..., None], where: str, steward: consentcrawl.Steward, images: int, *, swapped: bool
) -> tuple[float, float]:
    """Measure both, one right after the other, each first in every other round."""
    if swapped:
        ours = _cpu(run, where, steward, images)
        return _cpu(run, where, None, images), ours
    return _cpu(run, where, None, images), _cpu(run, where, steward, images)


def _cpu(run: Callable[..., None], where: str, steward: consentcrawl.Steward | None, images: int) -> float:
    start = time.process_time()
    run(where, steward, images)
    return (time.process_time() - start) / images


def _seen(content: bytes) -> None:
    if len(content) < 1_000:
        raise RuntimeError(content)


def _by_requests(where: str, steward: consentcrawl.Steward | None, images: int) -> None:
    with requests.Session() if steward is None else requests_driver.session(steward=steward) as session:
        for n in range(images):
            _seen(session.get(f"{where}/img/{n}.jpg", timeout=10).content)


def _by_httpx(where: str, steward: consentcrawl.Steward | None, images: int) -> None:
    with httpx.Client() if steward is None else httpx_driver.client(steward=steward) as client:
        for n in range(images):
            _seen(client.get(f"{where}/img/{n}.jpg").content)


def _by_urllib(where: str, steward: consentcrawl.Steward | None, images: int) -> None:
    made: OpenerDirector = build_opener() if steward is None else urllib_driver.opener(steward=steward)
    with closing(made) as opener:
        for n in range(images):
            with opener.open(f"{where}/img/{n}.jpg", timeout=10) as response:
                _seen(response.read())


def _by_aiohttp(where: str, steward: consentcrawl.Steward | None, images: int) -> None:
    async def get(session: aiohttp.ClientSession, n: int) -> None:
        async with session.get(f"{where}/img/{n}.jpg") as response:
            _seen(await response.read())

    async def all_of_them() -> None:
        connector = aiohttp.TCPConnector(limit=AT_ONCE["aiohttp"])
        opened: Callable[..., Any] = aiohttp.ClientSession
        if steward is not None:
            opened = functools.partial(aiohttp_driver.session, steward=steward)
        async with opened(connector=connector) as session:
            await _spread(lambda n: get(session, n), images, AT_ONCE["aiohttp"])

    asyncio.run(all_of_them())


def _by_httpx_tasks(where: str, steward: consentcrawl.Steward | None, images: int) -> None:
    async def get(client: httpx.AsyncClient, n: int) -> None:
        _seen((await client.get(f"{where}/img/{n}.jpg")).content)

    async def all_of_them() -> None:
        async with httpx.AsyncClient() if steward is None else httpx_driver.async_client(steward=steward) as client:
            await _spread(lambda n: get(client, n), images, AT_ONCE["httpx, tasks"])

    asyncio.run(all_of_them())


class _Images(scrapy.Spider):
    """Asks for as many images as it is told to."""

    name = "images"

    def __init__(self, where: str, images: int, **more: Any) -> None:  # noqa: ANN401 (Spider's own)
        super().__init__(**more)
        self.where, self.images = where, images

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for n in range(self.images):
            yield scrapy.Request(f"{self.where}/img/{n}.jpg", dont_filter=True)

    def parse(self, response: Response, **_: object) -> None:
        _seen(response.body)


def _by_scrapy(where: str, steward: consentcrawl.Steward | None, images: int) -> None:
    settings: dict[str, Any] = {"LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "ROBOTSTXT_OBEY": False}
    if steward is not None:
        settings |= {"ADDONS": {scrapy_driver.Addon: 500}, "CONSENTCRAWL_STEWARD": lambda: steward}

    async def crawl() -> None:
        await AsyncCrawlerRunner(settings).crawl(_Images, where=where, images=images)

    asyncio.run_coroutine_threadsafe(crawl(), _scrapys_loop()).result()


@functools.cache
def _scrapys_loop() -> asyncio.AbstractEventLoop:
    """The loop of Scrapy's reactor, which can be started once only: it runs in a thread until the process ends."""
    loop = asyncio.new_event_loop()
    asyncioreactor.install(loop)  # type: ignore[no-untyped-call]  # Twisted's own
    from twisted.internet import reactor  # noqa: PLC0415 (installed above)

    running: Any = reactor
    threading.Thread(target=running.run, kwargs={"installSignalHandlers": False}, daemon=True).start()
    return loop


async def _spread(get: Callable[[int], Any], images: int, at_once: int) -> None:
    async def some(first: int) -> None:
        for n in range(first, images, at_once):
            await get(n)

    await asyncio.gather(*map(some, range(at_once)))


RUNS: dict[str, Callable[..., None]] = {
    "requests": _by_requests,
    "aiohttp": _by_aiohttp,
    "httpx": _by_httpx,
    "httpx, tasks": _by_httpx_tasks,
    "urllib": _by_urllib,
    "scrapy": _by_scrapy,
}

if __name__ == "__main__":
    main()
