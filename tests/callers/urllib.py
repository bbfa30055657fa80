"""urllib.request, as scrapers use it."""

from __future__ import annotations

from contextlib import closing
from urllib.error import HTTPError, URLError
from urllib.request import Request

import consentcrawl
from consentcrawl.drivers.urllib import opener
from tests import callers
from tests.callers import Got, withheld


def fetch(url: str, steward: consentcrawl.Steward, **fields: str) -> Got:
    with closing(opener(steward=steward)) as opened:
        try:
            with opened.open(Request(url, headers=fields), timeout=callers.SECONDS) as response:  # noqa: S310 (a test's own)
                return Got(status=response.status, content=response.read())
        except HTTPError as error:
            with error:
                return Got(status=error.code, content=error.read())
        except URLError as error:
            return withheld(error)
