"""The asynchronous client of httpx, as scrapers use it."""

from __future__ import annotations

import asyncio

import httpx

import consentcrawl
from consentcrawl.drivers.httpx import async_client
from tests import callers
from tests.callers import Got, withheld


def fetch(url: str, steward: consentcrawl.Steward, **fields: str) -> Got:
    async def get() -> Got:
        async with async_client(steward=steward, follow_redirects=True, timeout=callers.SECONDS) as opened:
            try:
                response = await opened.get(url, headers=fields)
            except httpx.HTTPError as error:
                return withheld(error)
            return Got(status=response.status_code, content=response.content)

    return asyncio.run(get())
