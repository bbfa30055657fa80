"""Playwright on Chromium: a context whose every request is asked about, redirect hops included.

What is withheld is answered with a 451 that no server sent. Playwright tells its routes nothing of redirects, so
requests are judged where DevTools pauses them. What DevTools does not pause, such as the first page of a popup, is
judged in a route, which follows no redirect. Requests that no page makes (``context.request``) are not seen.
"""

from __future__ import annotations

import asyncio
import html
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from consentcrawl.drivers.shared.extras import installed_by

with installed_by("playwright"):
    from playwright.async_api import Browser, BrowserContext, Error, Page, Request, Route

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.core import Fields, Verdict
from consentcrawl.drivers.shared.browsing import Browsing, LetGo
from consentcrawl.drivers.shared.devtools import OF_THE_WEB, Watch
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.withheld import STATUS, fields_of, problem
from consentcrawl.steward import Steward

__all__ = ["new_context"]

Told = Callable[[Verdict], None]
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
    """Return a new context of a Chromium in which every request of a page asks first; ``more`` goes to Playwright.

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
            self._watched[page] = asyncio.ensure_future(Watch(self._browsing, self._let_go).begin(page))
            page.on("close", self._closed)
        return self._watched[page]

    def _closed(self, page: Page) -> None:
        self._watched.pop(page, None)

    async def judge(self, route: Route, request: Request) -> None:
        """Let go on what DevTools has paused already, and judge the rest."""
        if _is_of_a_page(request) and self._let_go.take(request.url):
            await route.fallback()
        elif request.url.startswith(OF_THE_WEB):
            await self._judge_unseen(route, request)
        else:
            await route.fallback()

    async def _judge_unseen(self, route: Route, request: Request) -> None:
        asked = await self._browsing.before(request.url, referer=request.headers.get("referer", ""))
        if isinstance(asked, Verdict):
            await _answer_route(route, asked)
            return
        try:
            response = await route.fetch(max_redirects=0)
        except BaseException as error:
            asked.abandon(error)
            raise
        fields = Fields((field["name"], field["value"]) for field in response.headers_array)
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


def _shut_soon(held: Held) -> None:
    """Shut in a thread, since look-ups are waited for; an interpreter that ends has none, and ends them itself."""
    with suppress(RuntimeError):
        asyncio.get_running_loop().run_in_executor(None, held.shut)


def _failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.debug("not watched: %s", error)


def _is_of_a_page(request: Request) -> bool:
    """Return whether the frame is known: it is not for the first request of a popup, which DevTools is not told of."""
    try:
        return request.frame is not None
    except Error:
        return False


async def _answer_route(route: Route, verdict: Verdict) -> None:
    content = problem(verdict)
    await route.fulfill(status=STATUS, headers=dict(fields_of(verdict, content)), body=content)
