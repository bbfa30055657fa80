"""The requests of one page of a Chromium, judged where DevTools pauses them, redirect hops included.

What cannot be judged goes nowhere.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from contextlib import suppress
from typing import Any

from playwright.async_api import CDPSession, Error, Page

from consentcrawl.core import Fields, Hop, Verdict
from consentcrawl.download import Download
from consentcrawl.drivers.shared.browsing import Browsing, LetGo
from consentcrawl.drivers.shared.withheld import STATUS, fields_of, problem

Event = dict[str, Any]
"""DevTools' ``Fetch.requestPaused``."""

OF_THE_WEB = ("http:", "https:")
_STAGES = [{"urlPattern": "*", "requestStage": stage} for stage in ("Request", "Response")]
_SHOWN = frozenset({"Image", "Media", "Fetch", "XHR"})

_log = logging.getLogger(__name__)


class Watch:
    """The requests of one page, paused by DevTools."""

    def __init__(self, browsing: Browsing, let_go: LetGo) -> None:
        """Note in ``let_go`` what was let go on to a route."""
        self._browsing, self._let_go = browsing, let_go
        self._frames: dict[str, str] = {}
        self._asked: dict[str, Download] = {}
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
            elif "responseErrorReason" in event or not url.startswith(OF_THE_WEB):
                self._let_go.forget(url, event["requestId"])
                if (asked := self._asked.pop(event["requestId"], None)) is not None:
                    asked.abandon(ConnectionError())
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
        await self._go_on(event, **({"url": asked.url} if asked.url != url else {}))

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
        """Return the URL of the frame that shows the asset, or the Referer; a document shows itself."""
        if event["resourceType"] == "Document":
            return ""
        shown: str = self._frames.get(event["frameId"], "")
        named: str = event["request"]["headers"].get("Referer", "")
        return shown if event["resourceType"] in _SHOWN and shown.startswith(OF_THE_WEB) else named

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
