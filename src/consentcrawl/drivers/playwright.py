"""Playwright on Chromium: a context whose every request is asked about, redirect hops included.

Law: what is withheld is answered with a 451 that no server sent. Playwright tells its routes nothing of redirects, so
requests are judged where DevTools pauses them. What DevTools does not pause, such as the first page of a popup, is
judged in a route, which follows no redirect. Requests that no page makes (``context.request``) are not seen.
"""

from __future__ import annotations

import asyncio
import base64
import html
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Error, Page, Request, Route

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.core import Fields, Hop, Verdict
from consentcrawl.download import Download
from consentcrawl.driving.browsing import Browsing, LetGo
from consentcrawl.driving.held import Held
from consentcrawl.driving.withheld import STATUS, fields_of, problem
from consentcrawl.steward import Steward

__all__ = ["new_context"]

Told = Callable[[Verdict], None]
Event = dict[str, Any]
"""DevTools' ``Fetch.requestPaused``."""

_STAGES = [{"urlPattern": "*", "requestStage": stage} for stage in ("Request", "Response")]
_SHOWN = frozenset({"Image", "Media", "Fetch", "XHR"})
_OF_THE_WEB = ("http:", "https:")
_ELSEWHERE = '<!doctype html><meta http-equiv="refresh" content="0; url={}">'

_log = logging.getLogger(__name__)


async def new_context(  # noqa: PLR0913 (keywords, each optional)
    browser: Browser,
    purpose: str | None = None,
    *,
    config: Config | None = None,
    steward: Steward | None = None,
    ledger: str | Path | None = None,
    told: Told | None = None,
    **more: Any,  # noqa: ANN401 (Playwright's own)
) -> BrowserContext:
    """Give a new context of a Chromium in which every request of a page asks first; ``more`` goes to Playwright.

    Service workers are blocked, since what they fetch is not seen. ``told`` is called with every verdict that
    withholds. ``purpose``, ``config``, ``steward`` and ``ledger`` as for the other drivers. Raises ConsentError for
    another browser, BadPurpose, BadPolicy and LedgerBroken.
    """
    if browser.browser_type.name != "chromium":
        msg = f"{browser.browser_type.name} cannot be asked about redirects: use Chromium, or the proxy"
        raise errors.ConsentError(msg)
    held = Held(steward, config, purpose, ledger)
    more = {"user_agent": held.config.user_agent, **more, "service_workers": "block"}
    context = await browser.new_context(**more)
    routes = _Routes(Browsing(held, told))
    await context.route("**/*", routes.judge)
    context.on("page", routes.opened)
    if steward is None:
        context.on("close", lambda _: _shut_soon(held))
    opened = context.new_page

    async def new_page() -> Page:
        page = await opened()
        await routes.watch(page)
        return page

    context.new_page = new_page  # type: ignore[method-assign]  # so that it is watched before it goes anywhere
    return context


class _Routes:
    """The pages of one context that are watched, and the requests of which DevTools is told nothing."""

    def __init__(self, browsing: Browsing) -> None:
        self._browsing = browsing
        self._watched: dict[Page, asyncio.Task[None]] = {}
        self._let_go = LetGo()

    def opened(self, page: Page) -> None:
        """Begin to watch a page; until that is done, and where it cannot be, its requests are judged here."""
        self.watch(page).add_done_callback(_failed)

    def watch(self, page: Page) -> asyncio.Task[None]:
        """Have the requests of a page paused; done when they are."""
        if page not in self._watched:
            self._watched[page] = asyncio.ensure_future(_Watch(self._browsing, self._let_go).begin(page))
            page.on("close", self._closed)
        return self._watched[page]

    def _closed(self, page: Page) -> None:
        self._watched.pop(page, None)

    async def judge(self, route: Route, request: Request) -> None:
        """Let go on what DevTools has paused already, and judge the rest."""
        if _is_of_a_page(request) and self._let_go.take(request.url):
            await route.fallback()
        elif request.url.startswith(_OF_THE_WEB):
            await self._judge_unseen(route, request)
        else:
            await route.fallback()

    async def _judge_unseen(self, route: Route, request: Request) -> None:
        asked = await self._browsing.before(request.url, referer=request.headers.get("referer", ""))
        if isinstance(asked, Verdict):
            await _answer_route(route, asked)
            return
        response = await route.fetch(max_redirects=0)
        fields = Fields((field["name"], field["value"]) for field in response.headers_array)
        withheld = None
        if asked is not None:
            withheld = await self._browsing.after(asked, response.status, fields, request.method, response.body)
        location = fields.first("location")
        if withheld is not None:
            await _answer_route(route, withheld)
        elif not location or not 300 <= response.status < 400:  # noqa: PLR2004 (RFC 9110 §15.4)
            await route.fulfill(response=response)
        elif request.is_navigation_request():
            await route.fulfill(content_type="text/html", body=_ELSEWHERE.format(html.escape(location)))
        else:
            await route.abort("blockedbyclient")


class _Watch:
    """The requests of one page, paused by DevTools."""

    def __init__(self, browsing: Browsing, let_go: LetGo) -> None:
        self._browsing, self._let_go = browsing, let_go
        self._frames: dict[str, str] = {}
        self._asked: dict[str, Download | None] = {}
        self._hops: dict[str, list[Hop]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._devtools: CDPSession

    async def begin(self, page: Page) -> None:
        """Begin to pause."""
        self._devtools = await page.context.new_cdp_session(page)
        self._devtools.on("Page.frameNavigated", lambda event: self._note_frame(event["frame"]))
        self._devtools.on("Fetch.requestPaused", self._paused)
        await self._devtools.send("Page.enable")
        await self._devtools.send("Fetch.enable", {"patterns": _STAGES})

    def _note_frame(self, frame: dict[str, Any]) -> None:
        self._frames[frame["id"]] = frame["url"]

    def _paused(self, event: Event) -> None:
        task = asyncio.ensure_future(self._answer(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, event: Event) -> None:
        """Let the request go on, or answer it; where that fails it goes nowhere."""
        url = event["request"]["url"]
        try:
            if "responseStatusCode" in event:
                await self._came(event)
            elif "responseErrorReason" in event or not url.startswith(_OF_THE_WEB):
                self._let_go.forget(url, event["requestId"])
                self._asked.pop(event["requestId"], None)
                await self._go_on(event)
            else:
                await self._going(event)
        except Error as error:  # the page is gone, or has given the request up
            _log.debug("%s: %s", url, error)
        except Exception:  # noqa: BLE001 (whatever it was)
            _log.exception("not let through: %s", url)
            with suppress(Error):
                await self._send("Fetch.failRequest", event, errorReason="BlockedByClient")

    async def _going(self, event: Event) -> None:
        url, hops = event["request"]["url"], self._hops.get(event.get("networkId", ""), ())
        asked = await self._browsing.before(url, page=self._page_of(event), hops=tuple(hops))
        if isinstance(asked, Verdict):
            await self._refuse(event, asked)
            return
        self._asked[event["requestId"]] = asked
        if "redirectedRequestId" not in event:
            self._let_go.add(url, event["requestId"])
        await self._go_on(event, **({"url": asked.url} if asked is not None and asked.url != url else {}))

    async def _came(self, event: Event) -> None:
        request, status = event["request"], int(event["responseStatusCode"])
        self._let_go.forget(request["url"], event["requestId"])
        asked: Download | Verdict | None = self._asked.pop(event["requestId"], None)
        if asked is None:
            asked = await self._browsing.before(request["url"], page=self._page_of(event))
        withheld = asked if isinstance(asked, Verdict) else None
        if isinstance(asked, Download):
            fields = Fields((field["name"], field["value"]) for field in event.get("responseHeaders", ()))
            withheld = await self._browsing.after(
                asked, status, fields, request["method"], lambda: self._content(event)
            )
        if withheld is not None:
            await self._refuse(event, withheld)
            return
        if 300 <= status < 400:  # noqa: PLR2004 (RFC 9110 §15.4)
            self._hops.setdefault(event.get("networkId", ""), []).append(Hop(request["url"], status))
        else:
            self._hops.pop(event.get("networkId", ""), None)
        await self._go_on(event)

    def _page_of(self, event: Event) -> str:
        """Give the URL of the frame that shows the asset, or the Referer; a document shows itself."""
        if event["resourceType"] == "Document":
            return ""
        shown: str = self._frames.get(event["frameId"], "")
        named: str = event["request"]["headers"].get("Referer", "")
        return shown if event["resourceType"] in _SHOWN and shown.startswith(_OF_THE_WEB) else named

    async def _content(self, event: Event) -> bytes:
        body = await self._send("Fetch.getResponseBody", event)
        content: str = body["body"]
        return base64.b64decode(content) if body["base64Encoded"] else content.encode()

    async def _go_on(self, event: Event, **changed: str) -> None:
        await self._send("Fetch.continueRequest", event, **changed)

    async def _refuse(self, event: Event, verdict: Verdict) -> None:
        content = problem(verdict)
        fields = [{"name": name, "value": value} for name, value in fields_of(verdict, content)]
        body = base64.b64encode(content).decode()
        await self._send("Fetch.fulfillRequest", event, responseCode=STATUS, responseHeaders=fields, body=body)

    async def _send(self, method: str, event: Event, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (DevTools' own)
        answer: dict[str, Any] = await self._devtools.send(method, {"requestId": event["requestId"], **more})
        return answer


def _shut_soon(held: Held) -> None:
    """Shut in a thread, since look-ups are waited for; an interpreter that ends has none, and ends them itself."""
    with suppress(RuntimeError):
        asyncio.get_running_loop().run_in_executor(None, held.shut)


def _failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.debug("not watched: %s", error)


def _is_of_a_page(request: Request) -> bool:
    """Tell whether the frame is known: it is not for the first request of a popup, which DevTools is not told of."""
    try:
        return request.frame is not None
    except Error:
        return False


async def _answer_route(route: Route, verdict: Verdict) -> None:
    content = problem(verdict)
    await route.fulfill(status=STATUS, headers=dict(fields_of(verdict, content)), body=content)
