"""httpx, as scrapers use it."""

from __future__ import annotations

import httpx

import consentcrawl
from consentcrawl.drivers.httpx import client
from tests import callers
from tests.callers import Got, withheld


def fetch(url: str, steward: consentcrawl.Steward, **fields: str) -> Got:
    with client(steward=steward, follow_redirects=True, timeout=callers.SECONDS) as opened:
        try:
            response = opened.get(url, headers=fields)
        except httpx.HTTPError as error:
            return withheld(error)
        return Got(status=response.status_code, content=response.content)
