"""requests, as scrapers use it."""

from __future__ import annotations

import requests

import consentcrawl
from consentcrawl.drivers.requests import session
from tests import callers
from tests.callers import Got, withheld


def fetch(url: str, steward: consentcrawl.Steward, **fields: str) -> Got:
    with session(steward=steward) as opened:
        try:
            response = opened.get(url, headers=fields, timeout=callers.SECONDS)
        except requests.RequestException as error:
            return withheld(error)
        return Got(status=response.status_code, content=response.content)
