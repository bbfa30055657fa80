"""One request of a client: looked up, sent to the origin, judged, and delivered or refused.

Nothing is dialled before the look-up's verdict, and nothing delivered before the last one. Whatever fails,
fails closed and is in the ledger once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

from aiohttp import ClientError

from consentcrawl.core import Verdict, origin_of
from consentcrawl.core.vocabulary import REASONS
from consentcrawl.download import (
    Content,
    Download,
    Head,
    Read,
    Send,
    advance,
    advance_async,
    run_async,
)
from consentcrawl.download import (
    Reply as Answer,
)
from consentcrawl.errors import LedgerBroken, withholds
from consentcrawl.ledger.recording import Ended
from consentcrawl.ledger.recording.durable import durable
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

_SMALL = 64 * 1024
"""Plain contents up to here are judged on the event loop; others in a thread."""
_SWITCHING = 101
_VERDICT, _VIA = b"Consent-Verdict", (b"Via", VIA.encode())


class Transaction:
    """The answering of one request."""

    __slots__ = (
        "_clock",
        "_connection",
        "_delivery",
        "_download",
        "_engine",
        "_head",
        "_judging",
        "_prefix",
        "_response",
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
        self._response: OriginResponse | None = None
        self._prefix = ContentPrefix(engine.prefix_budget)
        self._delivery: Ended | None = None
        self._judging = False
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
                self._connection.deadline.set(self._engine.settings.limits.total, partial(self._expire, whole_request))
                try:
                    await self._decide()
                finally:
                    self._connection.deadline.clear()
                    del whole_request  # it holds the task, whose last traceback holds this frame
        except (ConnectionError, LedgerBroken):
            raise
        except TimeoutError:
            await self._fail(TIMEOUT)
        except Unreached as error:
            await self._fail(error.reason)
        except Exception:  # noqa: BLE001 (then nothing is handed over)
            LOG.exception("a request was given up")
            await self._fail("reader_failed")

    def _expire(self, whole_request: asyncio.Timeout) -> None:
        """End the request; a content that is being judged ends its download by itself."""
        if self._download is not None and not self._judging:
            self._download.abandon(TimeoutError())
        whole_request.reschedule(0)

    async def _decide(self) -> None:
        engine = self._engine
        if answer := rejection(self._head, engine.settings.methods, paused=engine.activity.paused):
            # After an Upgrade another protocol may follow.
            self.reply.keeps = self.reply.keeps and not self._head.fields.lines("upgrade")
            await self._respond(answer)
            return
        download = Download(engine.steward, self._url, referer=self._head.fields.first("referer"), policy=engine.policy)
        if download.inquiry and (reason := engine.upstream.refuses(origin_of(download.url))):
            await self._withhold(await engine.without_lookup(download.url, reason, "not dialled"))
            return
        self._download = download
        try:
            verdict = await run_async(download, self, self._advance)
            if withholds(verdict):
                self._close()
                retry_after = self._response.fields.first("retry-after") if self._response else ""
                await self._withhold(verdict, retry_after)
                return
            if self._response is None:  # a refusal is only noted
                download.status = (await self.send(download.url)).status
            self._delivery = download.delivery(0, "")
            del download  # the last one is that of this request
            await self._deliver(verdict, self._response)
        finally:
            self._close()

    async def send(self, url: str) -> Head:
        """Ask the origin for ``url``; a HEAD request comes first where the settings say so. Raises Unreached."""
        engine, head = self._engine, self._head
        passed = request_fields(head.fields, head.length, engine.user_agent)
        if engine.settings.probe and head.method == "GET" and self._download and self._download.verdict is None:
            refused = await probed(engine.steward, engine.upstream, url, passed)
            if refused is not None:
                return refused
        content = self._content() if head.length else None
        self._response = response = await engine.upstream.ask(OriginRequest(head.method, url, passed, content))
        if response.status == _SWITCHING or malformed(response.lines, response.fields):
            raise Unreached(BAD_HEAD)
        return Head(response.status, response.fields, bodiless=head.method == "HEAD")

    async def read(self, limit: int) -> Content:
        """Read the beginning of the origin's content. Raises Unreached."""
        assert self._response is not None  # noqa: S101 (sent before it is read)
        assert self._download is not None  # noqa: S101 (it asks)
        await self._prefix.read(
            self._response, limit, origin=origin_of(self._download.url), client=self._connection.client,
            seconds=self._engine.settings.limits.beginning,
        )  # fmt: skip
        return self._prefix.content

    async def _advance(self, download: Download, reply: Answer) -> Send | Read | Verdict:
        """Go on with the flow; contents that take long are judged in a thread, and their judgement is waited for."""
        start = self._clock()
        try:
            if not isinstance(reply, Content) or not self._is_slow(download, reply):
                return await advance_async(download, reply)
            self._judging = True
            judging = asyncio.wrap_future(self._engine.threads.submit(advance, download, reply))
            try:
                await asyncio.wait([judging])
            except asyncio.CancelledError:
                await asyncio.wait([judging])  # until the flow stands still
                raise
            return judging.result()
        finally:
            self._judging = False
            self.decision_seconds += self._clock() - start

    def _is_slow(self, download: Download, content: Content) -> bool:
        return len(content.data) > _SMALL or bool(download.fields.lines("content-encoding"))

    async def _deliver(self, verdict: Verdict, response: OriginResponse | None) -> None:
        assert response is not None  # noqa: S101 (it was sent)
        self.verdict, reply, prefix = verdict, self.reply, self._prefix
        if self._delivery is not None:
            reply.hash_content()
        length = prefix.size if prefix.complete else response.length
        pieces = prefix.pieces(self._connection.transport.abort)
        lines = [*response_fields(response.lines, response.fields), (_VERDICT, verdict.outcome.encode()), _VIA]
        await reply.begin(response.status, lines, next(pieces, b""), length=length)
        self._download = None  # it holds the content that was judged
        for piece in pieces:
            await reply.more(piece)
        prefix.release()
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
        elif isinstance(download.step, Verdict):  # only noted
            self.verdict = download.step
            await self._respond(problem(502, "not fetched", REASONS[reason]))
        else:
            if download.entry is not None:
                await durable(download.entry)
            await self._withhold(download.verdict)

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
        """Let the ledger know how it ended, also when the client has gone."""
        self._prefix.release()
        if self._delivery is not None and self.reply.digest:
            verdict, entry, delivered = self._delivery
            delivered = replace(delivered, size=self.reply.size, digest=self.reply.digest)
            self._engine.record_delivery((verdict, entry, delivered))

    def _close(self) -> None:
        if self._response is not None:
            self._response.close()
