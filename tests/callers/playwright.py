"""Playwright, as scrapers use it: a page that fetches, in one browser for all the tests that runs in a thread."""

from __future__ import annotations

import asyncio
import atexit
import base64
import functools
import shutil
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from playwright.async_api import Browser, Page, async_playwright

import consentcrawl
from consentcrawl.core import Verdict
from consentcrawl.drivers.playwright import new_context
from tests.callers import Got

T = TypeVar("T")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "there is no chromium on the path (Debian: apt-get install chromium)"

_FETCH = """async ([url, headers]) => {
    const answer = await fetch(url, {headers});
    const content = new Blob([await answer.arrayBuffer()]);
    const read = new FileReader();
    await new Promise(done => { read.onload = done; read.readAsDataURL(content); });
    return [answer.status, read.result];
}"""


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    """The loop that the browser is driven from."""
    running = asyncio.new_event_loop()
    thread = threading.Thread(target=running.run_forever, daemon=True)
    thread.start()
    return running


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(coroutine, loop()).result(60)


@functools.cache
def browser() -> Browser:
    """The browser; pages of this one may read what other sites answer."""

    async def start() -> tuple[Any, Browser]:
        playwright = await async_playwright().start()
        arguments = ["--no-sandbox", "--disable-web-security", "--disable-dev-shm-usage"]
        return playwright, await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)

    playwright, started = run(start())

    async def stop() -> None:
        await started.close()
        await playwright.stop()

    atexit.register(lambda: run(stop()))
    return started


class Scraper:
    """One page, used again and again for one steward."""

    _last: Scraper | None = None

    def __init__(self, steward: consentcrawl.Steward, page: Page) -> None:
        """Fetch by ``page``."""
        self.steward, self.page = steward, page
        self.withheld: list[Verdict] = []

    @classmethod
    async def asking(cls, steward: consentcrawl.Steward) -> Scraper:
        """Return the one that asks this steward."""
        last = cls._last
        if last is None or last.steward is not steward:
            if last is not None:
                await last.page.context.close()
            heard: list[Verdict] = []
            context = await new_context(browser(), steward=steward, told=heard.append)
            last = cls._last = cls(steward, await context.new_page())
            last.withheld = heard
        return last

    async def fetch(self, url: str, fields: dict[str, str]) -> Got:
        set_by_browser: dict[str, str] = {name: fields.pop(name) for name in ("Referer", "Cookie") if name in fields}
        await self.page.set_extra_http_headers(set_by_browser)
        self.withheld.clear()
        status, content = await self.page.evaluate(_FETCH, [url, fields])
        if self.withheld:
            return Got(self.withheld[-1])
        return Got(status=status, content=base64.b64decode(content.partition(",")[2]))


def fetch(url: str, steward: consentcrawl.Steward, **fields: str) -> Got:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    browser()

    async def get() -> Got:
        scraper = await Scraper.asking(steward)
        return await scraper.fetch(url, fields)

    return run(get())
