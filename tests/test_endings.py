"""Every way in which a download can end, through every driver: the inquiry ends once, with one entry in the ledger."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from inspect import GEN_CLOSED, getgeneratorstate

import aiohttp
import httpx
import pytest

import consentcrawl
from consentcrawl.core import Verdict
from consentcrawl.download import Download, advance
from consentcrawl.drivers import aiohttp as aiohttp_driver
from consentcrawl.drivers import httpx as httpx_driver
from tests import callers
from tests.callers import Fetch
from tests.kept import Kept
from tests.raw_server import RESET, Answer, RawServer, response, silent
from tests.website import noise

IMAGE = noise()
JPEG = "Content-Type: image/jpeg"
HEAD = f"HTTP/1.1 200 OK\r\nContent-Length: {len(IMAGE)}\r\n{JPEG}\r\n\r\n".encode()
PAGE = b'<meta name="robots" content="noai">'

ANSWERS: dict[str, Answer] = {
    "/robots.txt": response(200, b"User-agent: *\nDisallow: /closed/\n", "Content-Type: text/plain"),
    "/done.jpg": response(200, IMAGE, JPEG),
    "/closed/a.jpg": response(200, IMAGE, JPEG),
    "/refused-by-head.jpg": response(200, IMAGE, JPEG, "X-Robots-Tag: noai"),
    "/refused-by-content.html": response(200, PAGE, "Content-Type: text/html"),
    "/reset-before-head.jpg": RESET,
    "/reset-in-content.jpg": HEAD + IMAGE[:4000] + RESET,
    "/cut-off.jpg": HEAD + IMAGE[:4000],
    "/silent-before-head.jpg": silent(),
    "/silent-in-content.jpg": silent(HEAD + IMAGE[:4000]),
}
ENDINGS = {
    "/done.jpg": ("permit", ""),
    "/closed/a.jpg": ("refuse", ""),
    "/refused-by-head.jpg": ("refuse", ""),
    "/refused-by-content.html": ("refuse", ""),
    "/reset-before-head.jpg": ("undetermined", "connect"),
    "/reset-in-content.jpg": ("undetermined", "truncated"),
    "/cut-off.jpg": ("undetermined", "truncated"),
    "/silent-before-head.jpg": ("undetermined", "timeout"),
    "/silent-in-content.jpg": ("undetermined", "timeout"),
}
# What a library does not tell apart.
OTHERWISE = {
    ("urllib", "/silent-before-head.jpg"): "connect",  # a handler does not hear why no answer came
    ("scrapy", "/reset-in-content.jpg"): "connect",
    ("scrapy", "/cut-off.jpg"): "connect",  # nor a middleware that the head had come
}
FETCHES = {name: fetch for name, fetch in callers.callers().items() if name != "playwright"}


def taker(kept: Kept) -> consentcrawl.Steward:
    return consentcrawl.Steward(consentcrawl.Config(allow=("127.0.0.0/8",)), record=kept)


def about(kept: Kept, url: str) -> list[Verdict]:
    return [verdict for verdict in kept.verdicts if verdict.url == url]


@pytest.mark.parametrize("path", ENDINGS)
@pytest.mark.parametrize("name", FETCHES)
def test_ours_however_a_download_ends_the_ledger_has_one_entry(
    name: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "SECONDS", 0.5 if "silent" in path else 10.0)
    fetch: Fetch = FETCHES[name]
    kept, (outcome, reason) = Kept(), ENDINGS[path]
    reason = OTHERWISE.get((name, path), reason)
    with RawServer(ANSWERS) as server, taker(kept) as steward:
        with suppress(Exception):
            fetch(server.origin + path, steward)
        gc.collect()
        verdict, *more = about(kept, server.origin + path)
        # A library that sends a request once more, asks once more.
        assert len(more) == max(1, server.targets.count(path)) - 1
    assert str(verdict.outcome) == outcome
    assert [gap.reason for gap in verdict.gaps][:1] == ([reason] if reason else [])
    assert bool(kept.delivered) == (outcome == "permit")


def test_ours_an_abandoned_download_keeps_no_frame() -> None:
    kept = Kept()
    with RawServer(ANSWERS) as server, taker(kept) as steward:
        download = Download(steward, server.origin + "/done.jpg")
        advance(download)
        download.abandon(TimeoutError())
        download.abandon(ConnectionError())
    assert getgeneratorstate(download._flow) == GEN_CLOSED
    assert [gap.reason for verdict in kept.verdicts for gap in verdict.gaps] == ["timeout"]
    assert download.go_on() is download.verdict


async def by_aiohttp(url: str, steward: consentcrawl.Steward) -> None:
    async with aiohttp_driver.session(steward=steward) as session, session.get(url) as answer:
        await answer.read()


async def by_httpx(url: str, steward: consentcrawl.Steward) -> None:
    async with httpx_driver.async_client(steward=steward) as client:
        await client.get(url)


@pytest.mark.parametrize("get", [by_aiohttp, by_httpx])
@pytest.mark.parametrize("path", ["/silent-before-head.jpg", "/silent-in-content.jpg"])
def test_ours_a_task_that_is_cancelled_leaves_one_entry(
    get: Callable[[str, consentcrawl.Steward], Awaitable[None]], path: str
) -> None:
    kept = Kept()

    async def cancel(server: RawServer, steward: consentcrawl.Steward) -> None:
        task = asyncio.ensure_future(get(server.origin + path, steward))
        while path not in server.targets:  # noqa: ASYNC110 (the server is a thread)
            await asyncio.sleep(0.01)
        task.cancel()
        with suppress(asyncio.CancelledError, aiohttp.ClientError, httpx.HTTPError):
            await task

    with RawServer(ANSWERS) as server, taker(kept) as steward:
        asyncio.run(cancel(server, steward))
        (verdict,) = about(kept, server.origin + path)
    assert verdict.outcome is consentcrawl.Outcome.UNDETERMINED
    assert [gap.reason for gap in verdict.gaps] == ["not_fetched"]
