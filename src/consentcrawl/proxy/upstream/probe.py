"""A HEAD request first (``--probe head``), so that nothing is fetched which the head of an answer refuses."""

from __future__ import annotations

from consentcrawl.core import HEAD, Evidence, Gate, Outcome, Verdict
from consentcrawl.download import Download
from consentcrawl.net.unreached import BAD_HEAD
from consentcrawl.proxy.upstream.origin_fields import malformed
from consentcrawl.proxy.upstream.origin_pool import Upstream
from consentcrawl.proxy.upstream.origin_request import OriginRequest
from consentcrawl.steward import Steward

_NO_HEAD = frozenset({405, 501})


async def probed(steward: Steward, upstream: Upstream, download: Download, request_fields: bytes) -> Verdict | None:
    """Return the verdict on the answer to HEAD, or None to go on with GET; a server without HEAD is asked with GET too.

    Raises Unreached.
    """
    response = await upstream.ask(OriginRequest("HEAD", download.url, request_fields))
    response.close()
    if response.status in _NO_HEAD:
        return None
    fields = response.fields
    gap = BAD_HEAD if malformed(response.lines, fields) else ""
    # An inquiry beside the download's own, which is told the answer to GET if it comes to that.
    beside = steward.open(download.url, reach=Gate.HEAD)
    await steward.look_up_async(beside)
    at = steward.clock()
    beside.tell(Evidence(HEAD, download.url, status=response.status, fields=fields, at=at, gap=gap))
    await steward.look_up_async(beside)
    if beside.verdict().outcome is Outcome.PERMIT:
        return None
    return await download.head_async(response.status, fields, gap=gap, bodiless=True)
