"""Asking with HEAD first, for those who must not fetch at all what the head of an answer refuses."""

from __future__ import annotations

from consentcrawl.core import HEAD, Evidence, Gate, Outcome, Verdict
from consentcrawl.download import Download
from consentcrawl.net.unreached import BAD_HEAD
from consentcrawl.proxy import fields
from consentcrawl.proxy.engine import Engine
from consentcrawl.proxy.exchange import Asked
from consentcrawl.proxy.heads import Head

_NO_HEAD = frozenset({405, 501})


async def probed(engine: Engine, download: Download, head: Head) -> Verdict | None:
    """Return verdict on the answer to HEAD, or None to go on with GET: a server without HEAD is asked with that too.

    Raises Unreached.
    """
    response = await engine.upstream.ask(Asked("HEAD", download.url, fields.up(head, engine.user_agent)))
    response.close()
    if response.status in _NO_HEAD:
        return None
    told = response.fields
    gap = BAD_HEAD if fields.odd(response.lines, told) else ""
    # An inquiry beside the download's own, which is told the answer to GET if it comes to that.
    beside = engine.steward.open(download.url, reach=Gate.HEAD)
    await engine.steward.look_up_async(beside)
    at = engine.steward.clock()
    beside.tell(Evidence(HEAD, download.url, status=response.status, fields=told, at=at, gap=gap))
    await engine.steward.look_up_async(beside)
    if beside.verdict().outcome is Outcome.PERMIT:
        return None
    return await download.head_async(response.status, told, gap=gap, bodiless=True)
