"""One request of a client: looked up, sent to the origin, judged, and delivered or refused.

Nothing is dialled before the look-up's verdict, and nothing delivered before the last one. Whatever fails,
fails closed and is in the ledger once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import ClientError

from consentcrawl.core import Fields, Gate, Verdict, origin_of
from consentcrawl.core.vocabulary import REASONS
from consentcrawl.download import Download
from consentcrawl.errors import LedgerBroken, withholds
from consentcrawl.formats.url import BadUrl
from consentcrawl.net.unreached import BAD_HEAD, TIMEOUT, Unreached
from consentcrawl.proxy.client.connection import ClientConnection
from consentcrawl.proxy.client.refusal import LocalResponse, problem, refusal_response, rejection
from consentcrawl.proxy.client.reply import Reply
from consentcrawl.proxy.client.request_head import RequestHead
from consentcrawl.proxy.engine import LOG, Engine
from consentcrawl.proxy.upstream.content_prefix import ContentPrefix
from consentcrawl.proxy.upstream.origin_fields import VIA, malformed, request_fields, response_fields
from consentcrawl.proxy.upstream.origin_request import OriginRequest, OriginResponse
from consentcrawl.proxy.upstream.probe import probed

_SWITCHING = 101
_VERDICT, _VIA = b"Consent-Verdict", (b"Via", VIA.encode())


class Transaction:
    """The answering of one request."""

    __slots__ = (
        "_clock",
        "_connection",
        "_download",
        "_engine",
        "_gate",
        "_head",
        "_prefix",
        "_url",
        "decision_seconds",
        "reply",
        "verdict",
    )

    def __init__(self, engine: Engine, connection: ClientConnection, head: RequestHead, url: str) -> None:
        """Take up the request for ``url``."""
        self._engine, self._connection, self._head, self._url = engine, connection, head, url
        self._clock = asyncio.get_running_loop().time
        self._download: Download | None = None
        self._gate = Gate.LOOKUP
        self._prefix = ContentPrefix(engine.large_prefixes, engine.threads)
        self.reply, self.decision_seconds = Reply(connection, head), 0.0
        self.verdict: Verdict | None = None
        if head.length:
            # Content left unread must not be taken for the next request.
            self.reply.keeps = False

    async def run(self) -> None:
        """Answer the request, whatever happens; only the client's own going ends it early."""
        activity = self._engine.activity
        number, started = activity.started(self._head.method, self._url), self._clock()
        try:
            await self._answer()
        except ConnectionError:
            self._break_off()
        except LedgerBroken as error:
            LOG.error("%s", error)
            await self._respond(problem(503, "the ledger is broken", "what cannot be recorded is not handed over"))
        finally:
            self._settle()
            activity.ended(
                number, verdict=self.verdict, status=self.reply.status, size=self.reply.size,
                seconds=self._clock() - started, decision_seconds=self.decision_seconds,
            )  # fmt: skip

    async def _answer(self) -> None:
        try:
            async with asyncio.timeout(None) as whole_request:
                self._connection.deadline.set(self._engine.settings.limits.total, lambda: whole_request.reschedule(0))
                try:
                    await self._decide()
                finally:
                    self._connection.deadline.clear()
        except (ConnectionError, LedgerBroken):
            raise
        except TimeoutError:
            await self._fail(TIMEOUT)
        except Unreached as error:
            await self._fail(error.reason)
        except Exception:  # noqa: BLE001 (then nothing is handed over)
            LOG.exception("a request was given up")
            await self._fail("reader_failed")

    async def _decide(self) -> None:
        engine = self._engine
        if answer := rejection(self._head, engine.settings.methods, paused=engine.activity.paused):
            # After an Upgrade another protocol may follow.
            self.reply.keeps = self.reply.keeps and not self._head.fields.lines("upgrade")
            await self._respond(answer)
            return
        engine.apply_mode()
        verdict = await self._look_up()
        if self._download is None or withholds(verdict):
            await self._withhold(verdict)
        else:
            await self._fetch(self._download)

    async def _look_up(self) -> Verdict | None:
        """Open the download and meet the LOOKUP gate; no download is open when its URL alone ended it."""
        engine, start = self._engine, self._clock()
        try:
            download = Download(engine.steward, self._url, referer=self._head.fields.first("referer"))
        except BadUrl as error:
            return await engine.recorded(engine.steward.unreadable(self._url, error, recorded=False))
        if reason := engine.upstream.refuses(origin_of(download.url)):
            return await engine.without_lookup(download.url, reason, "not dialled")
        self._download = download
        verdict = await download.before_async()
        self._gate = Gate.HEAD
        self.decision_seconds += self._clock() - start
        return verdict

    async def _fetch(self, download: Download) -> None:
        engine, head = self._engine, self._head
        passed = request_fields(head.fields, head.length, engine.user_agent)
        if engine.settings.probe and head.method == "GET" and download.verdict is None:
            verdict = await probed(engine.steward, engine.upstream, download, passed)
            if withholds(verdict):
                await self._withhold(verdict)
                return
        content = self._content() if head.length else None
        response = await engine.upstream.ask(OriginRequest(head.method, download.url, passed, content))
        try:
            start, complete = await self._judged(download, response)
            verdict = await download.ended_async()
            if withholds(verdict):
                response.close()
                await self._withhold(verdict, response.fields.first("retry-after"))
            else:
                await self._deliver(verdict, response, start, complete=complete)
        finally:
            response.close()

    async def _judged(self, download: Download, response: OriginResponse) -> tuple[bytes, bool]:
        """Tell the head and the content; give the beginning that was read for that, and whether it is all."""
        if response.status == _SWITCHING or malformed(response.lines, response.fields):
            raise Unreached(BAD_HEAD)
        if download.verdict is not None:  # only noted: nothing more is asked
            download.status = response.status
            return b"", False
        start, bodiless = self._clock(), self._head.method == "HEAD"
        verdict = await download.head_async(response.status, response.fields, bodiless=bodiless)
        self._gate = Gate.BODY
        self.decision_seconds += self._clock() - start
        if verdict is not None:
            return b"", False
        if download.partial:
            await download.start_async()
            return b"", False
        content = await self._prefix.read(response.content, download.looked_at)
        start, complete = self._clock(), response.content.at_eof()
        await self._prefix.judge(download, content, complete=complete)
        self.decision_seconds += self._clock() - start
        return content, complete

    async def _deliver(self, verdict: Verdict, response: OriginResponse, start: bytes, *, complete: bool) -> None:
        self.verdict, reply = verdict, self.reply
        if self._download is not None and self._download.recorded:
            reply.hash_content()
        lines = [*response_fields(response.lines, response.fields), (_VERDICT, verdict.outcome.encode()), _VIA]
        await reply.begin(response.status, lines, start, length=len(start) if complete else response.length)
        self._prefix.release()
        try:
            while not response.content.at_eof():
                await reply.more(await response.content.readany())
        except (ClientError, OSError) as error:
            raise ConnectionAbortedError from error
        await reply.end()

    async def _content(self) -> AsyncIterator[bytes]:
        """Return the request's own content as it comes."""
        if "100-continue" in self._head.named("expect"):
            await self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        left = self._head.length
        while left:
            piece = await self._connection.content(left)
            left -= len(piece)
            yield piece

    async def _withhold(self, verdict: Verdict | None, retry_after: str = "") -> None:
        if verdict is not None:
            self.verdict = verdict
            await self._respond(
                refusal_response(verdict, accept=self._head.fields.first("accept"), retry_after=retry_after)
            )

    async def _fail(self, reason: str) -> None:
        """Withhold what could not be had whole, or break off what was begun."""
        download = self._download
        if self.reply.begun:
            self._break_off()
        elif download is None:
            await self._withhold(await self._engine.without_lookup(self._url, reason, "not fetched"))
        elif download.verdict is not None:  # only noted
            self.verdict = download.verdict
            await self._respond(problem(502, "not fetched", REASONS[reason]))
        else:
            await self._withhold(await self._lacking(download, reason))

    async def _lacking(self, download: Download, reason: str) -> Verdict:
        """End a download that lacks something, for a reason."""
        await self._prefix.judged()
        if download.verdict is None and self._gate is Gate.HEAD:
            await download.head_async(0, Fields(), gap=reason)
        elif download.verdict is None and self._gate is Gate.BODY:
            await download.body_async(b"", whole=False, gap=reason)
        return await download.ended_async()

    async def _respond(self, response: LocalResponse) -> None:
        if self.reply.begun:
            self._break_off()
        else:
            await self.reply.whole(response)

    def _break_off(self) -> None:
        """Cut the connection, so that a part is not taken for the whole."""
        self.reply.keeps = False
        self._connection.transport.abort()

    def _settle(self) -> None:
        """Let the ledger know how it ended, also when nobody is there any more."""
        self._prefix.release()
        download = self._download
        if download is None:
            return
        if download.verdict is None:
            self._engine.in_background(self._ended(download))
        elif self.reply.digest and (ended := download.delivery(self.reply.size, self.reply.digest)):
            self._engine.record_delivery(ended)

    async def _ended(self, download: Download) -> None:
        await self._prefix.judged()
        if not download.recorded:
            await download.ended_async()
