"""The pace of an origin, by the times at which its server was asked: processes, look-ups, drivers."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

import consentcrawl
from consentcrawl import discovery
from consentcrawl.core import Outcome
from consentcrawl.drivers import aiohttp as aiohttp_driver
from consentcrawl.drivers import requests as requests_driver
from consentcrawl.drivers.dry_run import judge
from consentcrawl.sources.pacing import Pacing
from consentcrawl.storage.memory import MemoryStore
from consentcrawl.storage.sqlite import SqliteStore
from tests.website import Answer, Site, serving

DELAY = 0.2
LOCAL = consentcrawl.Config(allow=("127.0.0.0/8",))
PAGES = {
    "/robots.txt": Answer(f"User-agent: *\nCrawl-delay: 0.1\nCrawl-delay: {DELAY}\n".encode()),
    "/busy.jpg": Answer(status=429, fields=(("Retry-After", "1000"),)),
    **{f"/{n}.html": Answer(b"<p>page", fields=(("Content-Type", "text/html"),)) for n in range(8)},
    **{f"/{n}.jpg": Answer(b"\xff\xd8\xff\xd9", fields=(("Content-Type", "image/jpeg"),)) for n in range(8)},
}


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


def gaps(site: Site) -> list[float]:
    """The seconds between requests, those for policy files left out."""
    arrived = zip(site.asked, site.arrived, strict=True)
    times = [at for (_, target), at in arrived if target.endswith((".html", ".jpg"))]
    return [second - first for first, second in pairwise(times)]


def after_policy_files(site: Site) -> float:
    """The seconds from the last policy file to the first other request."""
    times = {
        polite: [at for (_, target), at in zip(site.asked, site.arrived, strict=True)
        if target.endswith((".html", ".jpg")) is polite] for polite in (True, False)
    }  # fmt: skip
    return min(times[True]) - max(at for at in times[False] if at < min(times[True]))


def _ask(origin: str, store: Path, first: int) -> None:
    with consentcrawl.Steward(LOCAL, store=SqliteStore(store)) as steward:
        for number in (first, first + 1):
            judge(steward, f"{origin}/{number}.jpg", f"{origin}/{number}.html")


def test_ours_four_processes_on_one_store_keep_the_delay_of_an_origin(site: Site, tmp_path: Path) -> None:
    SqliteStore(tmp_path / "shared.db").close()
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_ask, args=(site.origin, tmp_path / "shared.db", first)) for first in (0, 2, 4, 6)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 4
    assert len(gaps(site)) == 15
    assert min(gaps(site)) >= DELAY


def test_ours_look_ups_and_assets_of_one_steward_keep_the_delay(site: Site) -> None:
    with consentcrawl.Steward(LOCAL) as steward, ThreadPoolExecutor(6) as pool:
        urls = [(f"{site.origin}/{n}.jpg", f"{site.origin}/{n}.html") for n in range(3)]
        verdicts = list(pool.map(lambda url: judge(steward, *url), urls))

    assert {verdict.outcome for verdict in verdicts} == {Outcome.PERMIT}
    assert len(gaps(site)) == 5
    assert min(gaps(site)) >= DELAY


def test_ours_a_driver_of_threads_waits_before_the_callers_request(site: Site) -> None:
    with consentcrawl.Steward(LOCAL) as steward, ThreadPoolExecutor(4) as pool:
        session = requests_driver.session(steward=steward)
        statuses = list(pool.map(lambda n: session.get(f"{site.origin}/{n}.jpg", timeout=5).status_code, range(4)))

    assert statuses == [200] * 4
    assert min(gaps(site)) >= DELAY
    assert after_policy_files(site) >= DELAY


def test_ours_a_driver_of_tasks_waits_without_holding_up_the_loop(site: Site) -> None:
    ticks = []

    async def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.01)

    async def get(session: aiohttp.ClientSession, number: int) -> int:
        async with session.get(f"{site.origin}/{number}.jpg") as response:
            await response.read()
            return response.status

    async def run(steward: consentcrawl.Steward) -> list[int]:
        ticking = asyncio.create_task(tick())
        async with aiohttp_driver.session(steward=steward) as session:
            statuses = await asyncio.gather(*(get(session, number) for number in range(4)))
        ticking.cancel()
        return statuses

    with consentcrawl.Steward(LOCAL) as steward:
        assert asyncio.run(run(steward)) == [200] * 4
    assert min(gaps(site)) >= DELAY
    assert len(ticks) > 20


def test_ours_a_taker_whose_scraper_paces_itself_turns_it_off(site: Site) -> None:
    with consentcrawl.Steward(replace(LOCAL, pace="off")) as steward:
        session = requests_driver.session(steward=steward)
        for number in range(4):
            session.get(f"{site.origin}/{number}.jpg", timeout=5)

    assert min(gaps(site)) < DELAY


def test_rfc9110_10_2_3_an_origin_that_wants_too_long_is_parked_and_says_for_how_long(site: Site) -> None:
    with consentcrawl.Steward(LOCAL) as steward, serving(PAGES) as other:
        session = requests_driver.session(steward=steward)
        with pytest.raises(consentcrawl.Undetermined):
            session.get(site.origin + "/busy.jpg", timeout=5)
        with pytest.raises(consentcrawl.Undetermined) as parked:
            session.get(site.origin + "/1.jpg", timeout=5)
        assert session.get(other.origin + "/1.jpg", timeout=5).status_code == 200

    gap = next(gap for gap in parked.value.verdict.gaps if gap.holds)
    assert gap.reason == "parked"
    assert "seconds" in gap.note
    assert site.count("/1.jpg") == 0


@pytest.mark.parametrize(
    ("host", "seconds"),
    [
        ("www.deviantart.com", 2.0),
        ("e621.net", 1.0),
        ("static1.e926.net", 1.0),
        ("images-wixmp-ed30a86b8c4ca887773594c2.wixmp.com", 0.0),
        ("notdeviantart.com", 0.0),
        ("art.example", 0.0),
    ],
)
def test_ours_a_platform_has_a_floor_of_its_own(host: str, seconds: float) -> None:
    hosts = discovery.Hosts(discovery.signals())
    pace = consentcrawl.Steward().pace
    Pacing(pace, MemoryStore(), lambda: 1.0, "consentcrawl", hosts).before(f"https://{host}")

    assert pace.delay(f"https://{host}") == seconds
    pace.stop()
