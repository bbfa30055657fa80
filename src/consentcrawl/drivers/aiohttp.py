"""aiohttp: a client middleware that asks before each request, after each head and before any content is handed over.

What aiohttp itself would do is done by aiohttp; each redirect hop passes through here as a request of its own.
A request made with ``middlewares=`` of its own replaces the session's, and with them this one.
"""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any, Literal

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, hdrs
from aiohttp.helpers import TimerNoop
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.core import Fields, Verdict
from consentcrawl.download import Download
from consentcrawl.drivers.shared.aiohttp_contents import count, put_back, whole
from consentcrawl.drivers.shared.contents import HandedOut
from consentcrawl.drivers.shared.heads import gap_of
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.withheld import REASON, STATUS, fields_of, problem
from consentcrawl.formats.url import BadUrl
from consentcrawl.net.unpacking import unpacked
from consentcrawl.steward import Steward

__all__ = ["ConsentMiddleware", "Refused", "Undetermined", "session"]

_BAD_REQUEST = 400
_UNDOES = frozenset({"identity", "gzip", "deflate", "br", "zstd"})


class Refused(errors.Refused, aiohttp.ClientError):
    """The asset may not be taken: a refusal that an existing ``except aiohttp.ClientError`` catches."""


class Undetermined(errors.Undetermined, aiohttp.ClientError):
    """It could not be found out whether the asset may be taken."""


class ConsentMiddleware:
    """A client middleware for ``aiohttp.ClientSession(middlewares=…)``.

    ``refusal`` says whether a refusal raises or is a synthetic 451 response.
    """

    def __init__(self, steward: Steward | Held, *, refusal: Literal["raise", "response"] = "raise") -> None:
        """Ask ``steward``, which several sessions may share."""
        self.held = steward if isinstance(steward, Held) else Held(steward)
        self.refusal = refusal

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send the request if its asset may be taken. Raises Refused, Undetermined, and whatever aiohttp raises."""
        written, steward = str(request.url), self.held.steward
        try:
            fields = request.headers
            download = Download(steward, written, referer=fields.get(hdrs.REFERER, ""), host=fields.get(hdrs.HOST, ""))
        except BadUrl as error:
            unreadable = steward.unreadable(written, error)
            return self._end(unreadable, request) if errors.withholds(unreadable) else await handler(request)
        if download.url != written:
            request.url = URL(download.url, encoded=True)
        verdict = await download.before_async()
        if errors.withholds(verdict):
            return self._end(verdict, request)
        response = await self._sent(download, request, handler)
        try:
            verdict = await self._judge(download, response)
        except BaseException:
            response.close()
            raise
        if errors.withholds(verdict):
            response.close()
            return self._end(verdict, request)
        if download.recorded:
            count(response, HandedOut(download))
        return response

    async def _sent(self, download: Download, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        try:
            return await handler(request)
        except aiohttp.ClientResponseError as error:
            # A head that aiohttp cannot parse is reported as if the server had answered 400.
            if error.status != _BAD_REQUEST:
                raise
            await download.head_async(_BAD_REQUEST, Fields(), gap="bad_head")
            raise errors.withheld_by(await download.ended_async(), Refused, Undetermined) from error

    async def _judge(self, download: Download, response: ClientResponse) -> Verdict:
        fields = Fields(response.headers.items())
        gap, bodiless = gap_of(response.status, fields), response.method == hdrs.METH_HEAD
        verdict = await download.head_async(response.status, fields, gap=gap, bodiless=bodiless)
        if verdict is not None:
            return verdict
        if download.partial:
            return await download.start_async()
        limit = download.looked_at
        try:
            start = await _beginning(response.content, limit)
        except (aiohttp.ClientPayloadError, asyncio.IncompleteReadError):
            await download.ended_async()
            raise
        put_back(response, start)
        content, gap = start, ""
        if (codings := fields.lines("content-encoding")) and not _undone(response, codings):
            content, gap = unpacked(start, codings, limit + 1, whole=len(start) <= limit)
        return await download.body_async(content[:limit], whole=max(len(start), len(content)) <= limit, gap=gap)

    def _end(self, verdict: Verdict, request: ClientRequest) -> ClientResponse:
        if self.refusal == "raise":
            raise errors.withheld_by(verdict, Refused, Undetermined)
        return _synthetic(verdict, request)


def session(
    purpose: str | None = None,
    *,
    config: Config | None = None,
    steward: Steward | None = None,
    ledger: str | Path | None = None,
    refusal: Literal["raise", "response"] = "raise",
    **more: Any,  # noqa: ANN401 (ClientSession's own)
) -> aiohttp.ClientSession:
    """Return an aiohttp.ClientSession whose every request asks first; ``more`` goes to ClientSession.

    ``purpose`` is a name of core.PURPOSES and overrides the configured one; ``ledger`` is the directory where verdicts
    and what they rest on are kept. Without ``config`` or ``steward`` the usual places are read (``consentcrawl.load``).
    A ``steward`` that is given stays open when the session is closed. Raises BadPurpose, BadPolicy and LedgerBroken.
    """
    held = Held(steward, config, purpose, ledger)
    headers = CIMultiDict(more.pop("headers", None) or {})
    headers.setdefault(hdrs.USER_AGENT, held.config.user_agent)
    middlewares = (*more.pop("middlewares", ()), ConsentMiddleware(held, refusal=refusal))
    opened = aiohttp.ClientSession(headers=headers, middlewares=middlewares, **more)
    closed = opened.close

    async def close() -> None:
        await closed()
        await asyncio.to_thread(held.shut)

    # aiohttp warns of subclasses, and in its debug mode of attributes; there is no other hook for the end.
    object.__setattr__(opened, "close", close)
    return opened


def _undone(response: ClientResponse, codings: list[str]) -> bool:
    """Return whether aiohttp has undone the content coding; what it does not know or chained it leaves."""
    auto = getattr(response._session, "_auto_decompress", True)  # noqa: SLF001 (told nowhere else)
    return auto and len(codings) == 1 and codings[0].strip().lower() in _UNDOES


async def _beginning(content: aiohttp.StreamReader, limit: int) -> bytes:
    """Read to the end, or to a little beyond ``limit`` bytes."""
    pieces, size = [], 0
    while size <= limit and not content.at_eof():
        piece = await content.readany()
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _synthetic(verdict: Verdict, request: ClientRequest) -> ClientResponse:
    """Return a response that no server sent."""
    sent: dict[str, Any] = {
        "writer": None,
        "continue100": None,
        "timer": TimerNoop(),
        "request_info": request.request_info,
        "traces": [],
        "loop": asyncio.get_running_loop(),
        "session": None,
        "stream_writer": _NothingSent,
    }
    known = inspect.signature(ClientResponse.__init__).parameters
    response = ClientResponse(request.method, request.url, **{k: v for k, v in sent.items() if k in known})
    content = problem(verdict)
    response.status, response.reason = STATUS, REASON
    response._headers = CIMultiDictProxy(CIMultiDict(fields_of(verdict, content)))  # noqa: SLF001 (no other way)
    response._raw_headers = ()  # noqa: SLF001 (no other way)
    response._body = content  # noqa: SLF001 (no other way)
    response.content = whole(content)
    return response


class _NothingSent:
    """A request that never left."""

    output_size = 0
