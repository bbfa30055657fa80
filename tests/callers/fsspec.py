"""fsspec's http filesystem, as readers of data sets use it."""

from __future__ import annotations

import re

import aiohttp

import consentcrawl
from consentcrawl.drivers.fsspec import filesystem
from tests import callers
from tests.callers import Got, withheld

_PART = re.compile(r"bytes=(\d+)-(\d+)").fullmatch


def fetch(url: str, steward: consentcrawl.Steward, **fields: str) -> Got:
    opened = filesystem(steward=steward, client_kwargs={"timeout": aiohttp.ClientTimeout(total=callers.SECONDS)})
    part = _PART(fields.pop("Range", ""))
    start, end = (int(part[1]), int(part[2]) + 1) if part else (None, None)
    try:
        content = opened.cat_file(url, start=start, end=end, headers=fields)
        return Got(status=206 if part else 200, content=content)
    except OSError as error:
        return withheld(error)
    finally:
        opened.close()
