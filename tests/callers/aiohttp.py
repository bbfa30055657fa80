"""aiohttp, as scrapers use it."""

from __future__ import annotations

import asyncio

import aiohttp

import consentcrawl
from consentcrawl.drivers.aiohttp import session
from tests import callers
from tests.callers import Got, withheld


def fetch(url: str, steward: consentcrawl.Steward, **fields: str) -> Got:
    async def get() -> Got:
        async with session(steward=steward, timeout=aiohttp.ClientTimeout(total=callers.SECONDS)) as opened:
            try:
                async with opened.get(url, headers=fields) as response:
                    return Got(status=response.status, content=await response.read())
            except aiohttp.ClientError as error:
                return withheld(error)

    return asyncio.run(get())
