"""A HEAD request first (``--probe head``), so that nothing is fetched which the head of an answer refuses."""

from __future__ import annotations

from consentcrawl.core import HEAD, Evidence, Gate, Outcome
from consentcrawl.download import Head
from consentcrawl.net.unreached import BAD_HEAD
from consentcrawl.proxy.upstream.origin_fields import malformed
from consentcrawl.proxy.upstream.origin_pool import Upstream
from consentcrawl.proxy.upstream.origin_request import OriginRequest
from consentcrawl.steward import Steward

_NO_HEAD = frozenset({405, 501})


async def probed(steward: Steward, upstream: Upstream, url: str, request_fields: bytes) -> Head | None:
    """Return the head of an answer to HEAD that may not be taken; None to go on with GET, as for a server without HEAD.

    Raises Unreached.
    """
    response = await upstream.ask(OriginRequest("HEAD", url, request_fields))
    response.close()
    if response.status in _NO_HEAD:
        return None
    gap = BAD_HEAD if malformed(response.lines, response.fields) else ""
    # An inquiry beside the download's own, which is told the answer to GET if it comes to that.
    beside = steward.open(url, reach=Gate.HEAD)
    await steward.look_up_async(beside)
    at = steward.clock()
    beside.tell(Evidence(HEAD, url, status=response.status, fields=response.fields, at=at, gap=gap))
    await steward.look_up_async(beside)
    if beside.verdict().outcome is Outcome.PERMIT:
        return None
    return Head(response.status, response.fields, gap, bodiless=True)
