"""aiohttp: a client middleware that asks before each request, after each head and before any content is handed over.

What aiohttp itself would do is done by aiohttp; each redirect hop passes through here as a request of its own.
A request made with ``middlewares=`` of its own replaces the session's, and with them this one.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
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
from consentcrawl.download import Content, Download, Head, run_async
from consentcrawl.drivers.shared.aiohttp_contents import count, put_back, whole
from consentcrawl.drivers.shared.contents import HandedOut
from consentcrawl.drivers.shared.heads import gap_of
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.withheld import REASON, STATUS, fields_of, problem
from consentcrawl.steward import Steward

__all__ = ["ConsentMiddleware", "Refused", "Undetermined", "session"]

_BAD_REQUEST = 400
_DECODES = frozenset({"identity", "gzip", "deflate", "br", "zstd"})


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
        fields = request.headers
        download = Download(
            self.held.steward, str(request.url), referer=fields.get(hdrs.REFERER, ""), host=fields.get(hdrs.HOST, "")
        )
        exchange = _Exchange(request, handler)
        try:
            verdict = await run_async(download, exchange)
        except BaseException:
            exchange.close()
            raise
        if errors.withholds(verdict):
            exchange.close()
            if self.refusal == "raise":
                raise errors.withheld_by(verdict, Refused, Undetermined) from exchange.error
            return _synthetic(verdict, request)
        response = exchange.response
        if exchange.error is not None:
            raise exchange.error
        if response is None:  # a refusal is only noted
            response = await exchange.sent(download.url)
        if download.recorded:
            count(response, HandedOut(download))
        return response


class _Exchange:
    """One request of a session, and its answer; ``error`` is that of a head which aiohttp cannot parse."""

    def __init__(self, request: ClientRequest, handler: ClientHandlerType) -> None:
        self._request, self._handler = request, handler
        self.response: ClientResponse | None = None
        self.error: aiohttp.ClientResponseError | None = None

    async def sent(self, url: str) -> ClientResponse:
        if url != str(self._request.url):
            self._request.url = URL(url, encoded=True)
        self.response = await self._handler(self._request)
        return self.response

    async def send(self, url: str) -> Head:
        try:
            response = await self.sent(url)
        except aiohttp.ClientResponseError as error:
            # A head that aiohttp cannot parse is reported as if the server had answered 400.
            if error.status != _BAD_REQUEST:
                raise
            self.error = error
            return Head(_BAD_REQUEST, Fields(), "bad_head")
        fields = Fields(response.headers.items())
        return Head(response.status, fields, gap_of(response.status, fields), response.method == hdrs.METH_HEAD)

    async def read(self, limit: int) -> Content:
        response = self.response
        assert response is not None  # noqa: S101 (sent before it is read)
        start = await _prefix(response.content, limit)
        put_back(response, start)
        decoded = _is_decoded(response, response.headers.getall(hdrs.CONTENT_ENCODING, ()))
        return Content(start, ended=len(start) <= limit, decoded=decoded)

    def close(self) -> None:
        if self.response is not None:
            self.response.close()


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


def _is_decoded(response: ClientResponse, codings: Sequence[str]) -> bool:
    """Return whether aiohttp has undone the content coding; what it does not know or chained it leaves."""
    auto = getattr(response._session, "_auto_decompress", True)  # noqa: SLF001 (told nowhere else)
    return auto and len(codings) == 1 and codings[0].strip().lower() in _DECODES


async def _prefix(content: aiohttp.StreamReader, limit: int) -> bytes:
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
