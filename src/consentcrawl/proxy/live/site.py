"""The live page, served by aiohttp: through the proxy under a host name of its own, and on a listener of its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from string import Template

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from consentcrawl.config import VERSION
from consentcrawl.proxy.live import access_control, search
from consentcrawl.proxy.live.access_control import PAGE_HOST
from consentcrawl.proxy.live.activity import VIEWERS, Activity
from consentcrawl.proxy.live.parts import headline, news, parts, squares

__all__ = ["PAGE_HOST", "LivePage", "respond"]

_LOG = logging.getLogger("consentcrawl.proxy.live")
_LOG.addFilter(lambda record: not isinstance((record.exc_info or (None, None))[1], HttpProcessingError))  # a 400
_PLACE = Path(__file__).parent
_LONGEST_FORM = 4_096
_SWITCHES = {
    "observe": ("observing", True),
    "enforce": ("observing", False),
    "pause": ("paused", True),
    "resume": ("paused", False),
}


class LivePage:
    """Serves the live page of ``activity``."""

    def __init__(self, activity: Activity) -> None:
        """Serve nothing yet."""
        self._activity = activity
        self.server = web.Server(self._respond, access_log=None, logger=_LOG)

    def take(self, transport: asyncio.Transport, received: bytes) -> None:
        """Go on with a connection on which the page was asked for; ``received`` is what came on it."""
        handler: RequestHandler = self.server()
        transport.set_protocol(handler)
        handler.connection_made(transport)
        handler.data_received(received)
        transport.resume_reading()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await respond(request, self._activity)
        if not response.prepared:
            # The next request on a proxy's connection may be about anything.
            response.force_close()
        return response


async def respond(request: web.BaseRequest, activity: Activity) -> web.StreamResponse:
    """Answer a request for the live page: 400 for a malformed Host field, 421 for another name than its own."""
    names = {access_control.name_of_host(host) for host in (request.host, request.headers.get("Host", request.host))}
    if None in names:
        return _text(400, "The Host field is malformed.")  # RFC 9112 §3.2
    if not names <= access_control.OWN_NAMES:
        return _text(421, "The live page of consentcrawl is not served under this host name.")
    method = "GET" if request.method == "HEAD" else request.method
    answer = _ANSWERS.get((method, request.path))
    if answer is not None:
        return await answer(request, activity)
    allowed = ", ".join(sorted(method for method, path in _ANSWERS if path == request.path))
    return (
        _text(405, "This address does not take that method.", Allow=allowed)
        if allowed
        else _text(404, "There is no such page.")
    )


async def _page(_: web.BaseRequest, activity: Activity) -> web.StreamResponse:
    form = search.form(search.Query())
    return _html(
        "page.html",
        parts(activity),
        squares=squares(activity),
        headline=headline(activity),
        search=form,
        version=VERSION,
    )


async def _search(request: web.BaseRequest, activity: Activity) -> web.StreamResponse:
    asked = search.Query(request.query.get("q", ""), request.query.get("outcome", ""))
    found = await asyncio.to_thread(search.found, activity.ledger, asked)
    return _html("found.html", {}, search=search.form(asked), found=found)


async def _events(request: web.BaseRequest, activity: Activity) -> web.StreamResponse:
    if activity.viewers >= VIEWERS:
        return _text(503, "Too many browsers follow this page already.")
    response = web.StreamResponse(headers={**access_control.SECURITY_FIELDS, "Content-Type": "text/event-stream"})
    await response.prepare(request)
    if request.method == "GET":
        await _follow(response, activity)
    return response


async def _follow(response: web.StreamResponse, activity: Activity) -> None:
    """Send news until the viewer has gone."""
    activity.viewers += 1
    try:
        with suppress(ConnectionError):
            async for piece in news(activity):
                await response.write(piece)
    finally:
        activity.viewers -= 1


async def _switch(request: web.BaseRequest, activity: Activity) -> web.StreamResponse:
    if not access_control.same_origin(request.headers, request.host):
        return _text(403, "Only the live page itself may turn its switches.")
    if (request.content_length or _LONGEST_FORM + 1) > _LONGEST_FORM:
        return _text(413, "The form is too long, or of unknown length.")
    form = await request.post()
    if not access_control.token_matches(activity.token, str(form.get("token", ""))):
        return _text(403, "This is not the token that was printed when the proxy started.")
    switch = _SWITCHES.get(str(form.get("turn", "")))
    if switch is None:
        return _text(400, f"turn is one of {', '.join(_SWITCHES)}")
    setattr(activity, *switch)
    return web.Response(status=303, headers={**access_control.SECURITY_FIELDS, "Location": "/"})


async def _metrics(_: web.BaseRequest, activity: Activity) -> web.StreamResponse:
    from consentcrawl.proxy.live.metrics import exposition  # noqa: PLC0415 (an extra)

    return _response(200, exposition(activity), "text/plain; version=0.0.4; charset=utf-8")


async def _health(_: web.BaseRequest, activity: Activity) -> web.StreamResponse:
    return _text(200, "paused" if activity.paused else "observing" if activity.observing else "ok")


def _file(name: str, kind: str) -> _Answer:
    async def answer(_: web.BaseRequest, __: Activity) -> web.StreamResponse:
        return _response(200, _content(name).encode(), f"{kind}; charset=utf-8")

    return answer


def _html(name: str, values: dict[str, str], **more: str) -> web.Response:
    page = Template(_content(name)).substitute(values, **more)
    return _response(200, page.encode("utf-8", "replace"), "text/html; charset=utf-8")


def _text(status: int, said: str, **fields: str) -> web.Response:
    return _response(status, f"{said}\n".encode(), "text/plain; charset=utf-8", **fields)


def _response(status: int, content: bytes, kind: str, **fields: str) -> web.Response:
    return web.Response(
        status=status, body=content, headers={**access_control.SECURITY_FIELDS, "Content-Type": kind, **fields}
    )


@cache
def _content(name: str) -> str:
    return (_PLACE / name).read_text("utf-8")


_Answer = Callable[[web.BaseRequest, Activity], Awaitable[web.StreamResponse]]
_ANSWERS: dict[tuple[str, str], _Answer] = {
    ("GET", "/"): _page,
    ("GET", "/search"): _search,
    ("GET", "/events"): _events,
    ("POST", "/switch"): _switch,
    ("GET", "/metrics"): _metrics,
    ("GET", "/healthz"): _health,
    ("GET", "/page.css"): _file("page.css", "text/css"),
    ("GET", "/page.js"): _file("page.js", "text/javascript"),
}
