"""The live page's addresses, answered by aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from string import Template

from aiohttp import web

from consentcrawl.config import VERSION
from consentcrawl.proxy.live import doors, search
from consentcrawl.proxy.live.doors import HOST
from consentcrawl.proxy.live.events import news
from consentcrawl.proxy.live.parts import parts, squares, summary
from consentcrawl.proxy.watch import VIEWERS, Watch

__all__ = ["HOST", "respond"]

_PLACE = Path(__file__).parent
_LONGEST_FORM = 4_096
_SWITCHES = {
    "observe": ("observing", True),
    "enforce": ("observing", False),
    "pause": ("paused", True),
    "go": ("paused", False),
}


async def respond(request: web.BaseRequest, watch: Watch) -> web.StreamResponse:
    """Answer a request for the live page, by whatever name it is reached; one under a foreign name gets a 421."""
    if not doors.is_own(request.host):
        return _text(421, "This is the live page of consentcrawl, and it has no such name.")
    method = "GET" if request.method == "HEAD" else request.method
    answer = _ANSWERS.get((method, request.path))
    if answer is not None:
        return await answer(request, watch)
    allowed = ", ".join(sorted(method for method, path in _ANSWERS if path == request.path))
    return _text(405, "Not here.", Allow=allowed) if allowed else _text(404, "Nothing here.")


async def _page(_: web.BaseRequest, watch: Watch) -> web.StreamResponse:
    form = search.form(search.Asked())
    return _html("page.html", parts(watch), squares=squares(watch), said=summary(watch), search=form, version=VERSION)


async def _search(request: web.BaseRequest, watch: Watch) -> web.StreamResponse:
    asked = search.Asked(request.query.get("q", ""), request.query.get("outcome", ""))
    found = await asyncio.to_thread(search.found, watch.ledger, asked)
    return _html("found.html", {}, search=search.form(asked), found=found)


async def _events(request: web.BaseRequest, watch: Watch) -> web.StreamResponse:
    if watch.viewers >= VIEWERS:
        return _text(503, "Too many follow this page already.")
    response = web.StreamResponse(headers={**doors.FIELDS, "Content-Type": "text/event-stream"})
    await response.prepare(request)
    if request.method == "GET":
        await _follow(response, watch)
    return response


async def _follow(response: web.StreamResponse, watch: Watch) -> None:
    """Send news until the viewer has gone."""
    watch.viewers += 1
    try:
        with suppress(ConnectionError):
            async for piece in news(watch):
                await response.write(piece)
    finally:
        watch.viewers -= 1


async def _switch(request: web.BaseRequest, watch: Watch) -> web.StreamResponse:
    if not doors.comes_from_page(request.headers, request.host):
        return _text(403, "Only the page itself may ask for this.")
    if (request.content_length or _LONGEST_FORM + 1) > _LONGEST_FORM:
        return _text(413, "Too long, or of unknown length.")
    form = await request.post()
    if not doors.knows(watch.token, str(form.get("token", ""))):
        return _text(403, "That is not the token that was printed when the proxy started.")
    switch = _SWITCHES.get(str(form.get("turn", "")))
    if switch is None:
        return _text(400, f"turn is one of {', '.join(_SWITCHES)}")
    setattr(watch, *switch)
    return web.Response(status=303, headers={**doors.FIELDS, "Location": "/"})


async def _metrics(_: web.BaseRequest, watch: Watch) -> web.StreamResponse:
    from consentcrawl.proxy.live.metrics import exposition  # noqa: PLC0415 (an extra)

    return _response(200, exposition(watch), "text/plain; version=0.0.4; charset=utf-8")


async def _health(_: web.BaseRequest, watch: Watch) -> web.StreamResponse:
    return _text(200, "paused" if watch.paused else "observing" if watch.observing else "ok")


def _file(name: str, kind: str) -> _Answer:
    async def answer(_: web.BaseRequest, __: Watch) -> web.StreamResponse:
        return _response(200, _content(name).encode(), f"{kind}; charset=utf-8")

    return answer


def _html(name: str, values: dict[str, str], **more: str) -> web.Response:
    page = Template(_content(name)).substitute(values, **more)
    return _response(200, page.encode("utf-8", "replace"), "text/html; charset=utf-8")


def _text(status: int, said: str, **fields: str) -> web.Response:
    return _response(status, f"{said}\n".encode(), "text/plain; charset=utf-8", **fields)


def _response(status: int, content: bytes, kind: str, **fields: str) -> web.Response:
    return web.Response(status=status, body=content, headers={**doors.FIELDS, "Content-Type": kind, **fields})


@cache
def _content(name: str) -> str:
    return (_PLACE / name).read_text("utf-8")


_Answer = Callable[[web.BaseRequest, Watch], Awaitable[web.StreamResponse]]
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
