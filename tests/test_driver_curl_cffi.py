"""Why curl_cffi has no driver: it reads on whatever is decided, and hides the hops. If that ends, there may be one."""

from __future__ import annotations

import pkgutil
import time

import pytest

from consentcrawl import drivers
from tests.website import Answer, serving

SIZE = 30_000_000


def test_ours_curl_cffi_reads_on_while_nobody_does() -> None:
    requests = pytest.importorskip("curl_cffi.requests")
    hop = Answer(status=302, fields=(("Location", "/big"),))
    with serving({"/big": Answer(bytes(SIZE)), "/hop": hop}) as site, requests.Session() as session:
        answer = session.get(site.origin + "/hop", stream=True)
        until = time.monotonic() + 20
        while site.sent.get("/big", 0) < SIZE and time.monotonic() < until:
            time.sleep(0.02)
        answer.close()
    assert site.sent["/big"] == SIZE
    assert [target for _, target in site.asked] == ["/hop", "/big"]
    assert "curl_cffi" not in {module.name for module in pkgutil.iter_modules(drivers.__path__)}
