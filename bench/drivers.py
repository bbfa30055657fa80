"""CPU of each driver beside its bare library: 20 KB images from loopback, all gates on, medians of interleaved runs."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

import aiohttp
import requests

import consentcrawl
from bench.origin import origin
from consentcrawl.drivers import aiohttp as aiohttp_driver
from consentcrawl.drivers import requests as requests_driver

ROUNDS = 7
IMAGES = {"requests": 400, "aiohttp": 2_500}
AT_ONCE = 64


def main() -> dict[str, float]:
    """Print and give, for each driver, its CPU time per image over the bare library's."""
    figures: dict[str, float] = {}
    config = consentcrawl.Config(allow=("127.0.0.0/8",), contact="https://taker.example/")
    with origin() as where:
        for name, run in RUNS.items():
            steward = consentcrawl.Steward(config)
            run(where, None, 50), run(where, steward, 50)
            pairs = [
                (_cpu(run, where, None, IMAGES[name]), _cpu(run, where, steward, IMAGES[name])) for _ in range(ROUNDS)
            ]
            steward.shut()
            bare, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(mine / theirs for theirs, mine in pairs)
            figures[f"{name}: CPU beside the bare library"] = ratio
            print(f"{name:10} bare {bare * 1e6:7.1f} µs/image   ours {ours * 1e6:7.1f} µs/image   {ratio:.3f}x")
    return figures


def _cpu(run: Callable[..., None], where: str, steward: consentcrawl.Steward | None, images: int) -> float:
    start = time.process_time()
    run(where, steward, images)
    return (time.process_time() - start) / images


def _by_requests(where: str, steward: consentcrawl.Steward | None, images: int) -> None:
    with requests.Session() if steward is None else requests_driver.session(steward=steward) as session:
        for n in range(images):
            content = session.get(f"{where}/img/{n}.jpg", timeout=10).content
            if len(content) < 1_000:
                raise RuntimeError(content)


def _by_aiohttp(where: str, steward: consentcrawl.Steward | None, images: int) -> None:
    async def get(session: aiohttp.ClientSession, numbers: range) -> None:
        for n in numbers:
            async with session.get(f"{where}/img/{n}.jpg") as response:
                content = await response.read()
                if len(content) < 1_000:
                    raise RuntimeError(content)

    async def all_of_them() -> None:
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        opened = aiohttp.ClientSession if steward is None else _ours(steward)
        async with opened(connector=connector) as session:
            await asyncio.gather(*(get(session, range(start, images, AT_ONCE)) for start in range(AT_ONCE)))

    asyncio.run(all_of_them())


def _ours(steward: consentcrawl.Steward) -> Callable[..., aiohttp.ClientSession]:
    return lambda connector: aiohttp_driver.session(steward=steward, connector=connector)


RUNS: dict[str, Callable[..., None]] = {"requests": _by_requests, "aiohttp": _by_aiohttp}

if __name__ == "__main__":
    main()
