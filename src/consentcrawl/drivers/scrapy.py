"""Scrapy: a downloader middleware that asks before each request, after each head and before a response is handed on.

It stands next to the network, so every redirect hop and every file of a media pipeline passes through here, and
so does what a cache answers. Retries, proxies, cookies and credentials stay on the caller's own request.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from urllib.parse import urldefrag
from weakref import WeakKeyDictionary

from consentcrawl.drivers.shared.extras import installed_by

with installed_by("scrapy"):
    from scrapy import Request, signals
    from scrapy.crawler import Crawler
    from scrapy.downloadermiddlewares.retry import get_retry_request
    from scrapy.exceptions import IgnoreRequest, StopDownload
    from scrapy.http import Headers, Response
    from scrapy.settings import BaseSettings
    from scrapy.utils.asyncio import is_asyncio_available
    from scrapy.utils.misc import load_object

from consentcrawl import config, errors
from consentcrawl.core import HEAD, ROBOTS_TXT, Evidence, Fields, Gate, Hop, Verdict
from consentcrawl.download import Content, Download, Head, advance_async, run_async
from consentcrawl.drivers.shared.heads import gap_of
from consentcrawl.drivers.shared.scrapy_robots import RobotsTxtParser, is_for_rules
from consentcrawl.drivers.shared.withheld import detail
from consentcrawl.formats.url import BadUrl
from consentcrawl.steward import Steward

__all__ = ["PAGE", "Addon", "ConsentMiddleware", "Refused", "RobotsTxtParser", "Undetermined"]

PAGE = "consentcrawl_page"
"""The key of ``Request.meta`` for the URL of the page that shows the asset; without it the Referer counts."""

_PLACE = 950  # nearer to the network than the cache at 900
_ASKED_FOR = "_consentcrawl_asked"
_NOT_OF_THE_WEB = ("data:", "file:")
_IN_FLIGHT = 64 * 1024  # bytes of a content that have come with the head anyway

_log = logging.getLogger(__name__)


class Refused(errors.Refused, IgnoreRequest):
    """The asset may not be taken: what an errback that looks for IgnoreRequest, or a media pipeline, passes over."""


class Undetermined(errors.Undetermined, IgnoreRequest):
    """It could not be found out whether the asset may be taken."""


class ConsentMiddleware:
    """A downloader middleware for place 950; the Addon puts it there. Older releases of Scrapy pass the spider."""

    def __init__(self, crawler: Crawler, steward: Steward) -> None:
        """Ask ``steward``. Raises ConsentError where Scrapy runs without asyncio."""
        if not is_asyncio_available():
            msg = "consentcrawl needs Scrapy on asyncio: leave TWISTED_REACTOR as it is by default"
            raise errors.ConsentError(msg)
        self._crawler, self.steward = crawler, steward
        self._downloads: WeakKeyDictionary[Request, Download] = WeakKeyDictionary()
        settings = crawler.settings
        again = settings.getlist("RETRY_HTTP_CODES") if settings.getbool("RETRY_ENABLED") else []
        self._tried_again = {int(status) for status in again}
        crawler.signals.connect(self._head_came, signals.headers_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ConsentMiddleware:
        """Take the steward that the settings name, or make one that ends with the crawl."""
        given = _given(crawler.settings)
        ours = cls(crawler, given or Steward(_config(crawler.settings)))
        if given is None:
            crawler.signals.connect(ours.shut, signals.spider_closed)
        return ours

    async def shut(self) -> None:
        """End what is under way, and shut the steward."""
        for download in list(self._downloads.values()):
            download.abandon(asyncio.CancelledError())
        await asyncio.to_thread(self.steward.close)

    async def process_request(self, request: Request, **_: object) -> Response | None:
        """Meet the LOOKUP gate. Raises Refused and Undetermined."""
        if request.url.startswith(_NOT_OF_THE_WEB):
            return None
        if is_for_rules(request):
            return await self._rules(request)
        download = self._downloads[request] = await self._asked(request)
        if urldefrag(request.url)[0] != download.url:
            request._set_url(download.url)  # noqa: SLF001 (no public way)
        return None

    async def process_response(self, request: Request, response: Response, **_: object) -> Response | Request:
        """Meet the other gates. Raises Refused and Undetermined."""
        if request.url.startswith(_NOT_OF_THE_WEB) or is_for_rules(request):
            return response
        # Where a cache or another middleware has answered, nothing was asked yet.
        download = self._downloads.pop(request, None) or await self._asked(request)
        if download.verdict is None:
            verdict = await run_async(download, _Answer(request, response))
            if errors.withholds(verdict) and (again := self._again(request, response)):
                return again
            self._conclude(verdict)
        if download.recorded:
            digest = await asyncio.to_thread(hashlib.sha256, response.body)
            download.delivered(len(response.body), digest.hexdigest())
        return response

    async def process_exception(self, request: Request, exception: Exception, **_: object) -> None:
        """End a download that failed, and put a verdict in the place of what Scrapy's robots middleware raises.

        Raises Refused and Undetermined.
        """
        if (download := self._downloads.pop(request, None)) is not None:
            # Twisted's own is none of the standard library's.
            timed_out = type(exception).__name__.endswith("TimeoutError")
            download.abandon(TimeoutError() if timed_out else exception)
        if type(exception) is IgnoreRequest and str(exception) == "Forbidden by robots.txt":
            await self._asked(request)

    async def _asked(self, request: Request) -> Download:
        """Open the inquiry and meet its LOOKUP gate."""
        followed = request.meta.get("redirect_urls", ())
        page = _page(request, followed)
        request.meta[_ASKED_FOR] = [request.url, page]
        reasons = request.meta.get("redirect_reasons", ())
        # A page may lead on as well ("meta refresh"); its status is not told.
        hops = [Hop(url, why if isinstance(why, int) else 200) for url, why in zip(followed, reasons, strict=False)]
        host = (request.headers.get("Host") or b"").decode("latin-1")
        known = request.meta.get(PAGE, "")
        download = Download(self.steward, request.url, page=known, referer=page, host=host, hops=hops)
        step = await advance_async(download)
        if isinstance(step, Verdict):
            self._conclude(step)
        return download

    async def _rules(self, request: Request) -> Response | None:
        """Answer Scrapy's own request for a robots.txt with the one that was looked up, so that it is fetched once."""
        try:
            inquiry = self.steward.open(request.url, reach=Gate.LOOKUP)
        except BadUrl:
            return None
        await self.steward.look_up_async(inquiry)
        found = next((evidence for evidence in inquiry.evidence if evidence.need == ROBOTS_TXT), None)
        if found is None:  # the policy does not read it
            return None
        return Response(request.url, status=found.status or 503, body=found.content if found.found else b"")

    def _head_came(self, headers: Headers, body_length: object, request: Request) -> None:
        """Stop the download where the head refuses; this signal does not tell the status, so it is judged again."""
        download = self._downloads.get(request)
        if download is None or download.verdict is not None:
            return
        if isinstance(body_length, int) and body_length <= _IN_FLIGHT:
            return
        inquiry = self.steward.open(download.url, reach=Gate.HEAD)
        if inquiry.needs() != [HEAD]:
            return
        inquiry.tell(Evidence(HEAD, download.url, status=200, fields=_fields(headers), at=self.steward.clock()))
        if not inquiry.needs() and errors.withholds(inquiry.verdict()):
            raise StopDownload(fail=False)

    def _again(self, request: Request, response: Response) -> Request | None:
        """Return the next try of a request whose answer Scrapy retries: its retries come after this middleware."""
        spider = self._crawler.spider
        if response.status not in self._tried_again or request.meta.get("dont_retry") or spider is None:
            return None
        return get_retry_request(request, spider=spider, reason=f"{response.status} withheld")

    def _conclude(self, verdict: Verdict) -> None:
        """Count a verdict, and raise it where it withholds."""
        self._count(verdict)
        if errors.withholds(verdict):
            _log.info("Withheld (%s): %s: %s", verdict.outcome, verdict.url, detail(verdict))
            raise errors.withheld_by(verdict, Refused, Undetermined)

    def _count(self, verdict: Verdict) -> None:
        names = [f"{verdict.outcome}", f"{verdict.outcome}/{verdict.gate.name.lower()}"]
        names += [f"signal/{signal}" for signal in {ground.signal for ground in verdict.deciding}]
        names += [f"gap/{reason}" for reason in {gap.reason for gap in verdict.gaps}]
        if self._crawler.stats is not None:
            for name in names:
                self._crawler.stats.inc_value(f"consentcrawl/{name}")


class Addon:
    """One line in the settings: ``ADDONS = {"consentcrawl.drivers.scrapy.Addon": 500}``."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Put the middleware in its place, our reader of robots.txt under Scrapy's own, and one honest User-Agent.

        What the project itself sets stays. Raises BadPurpose and BadPolicy.
        """
        given = _given(settings)
        taker = given.config if given is not None else _config(settings)
        settings["DOWNLOADER_MIDDLEWARES"][ConsentMiddleware] = _PLACE
        settings.set("ROBOTSTXT_PARSER", RobotsTxtParser, "addon")
        settings.set("ROBOTSTXT_USER_AGENT", taker.purpose.token, "addon")
        settings.set("USER_AGENT", taker.user_agent, "addon")


def _config(settings: BaseSettings) -> config.Config:
    purpose, ledger = settings.get("CONSENTCRAWL_PURPOSE"), settings.get("CONSENTCRAWL_LEDGER")
    return config.configured(config.load(settings.get("CONSENTCRAWL_CONFIG")), purpose, ledger)


def _given(settings: BaseSettings) -> Steward | None:
    """Return what the function that CONSENTCRAWL_STEWARD names gives: a steward that somebody else shuts."""
    function = settings.get("CONSENTCRAWL_STEWARD")
    steward: Steward | None = load_object(function)() if function else None
    return steward


def _page(request: Request, followed: Sequence[str]) -> str:
    """Return the page that shows the asset; at a redirect hop the one that was known before."""
    asked: list[str] | None = request.meta.get(_ASKED_FOR)
    if asked and followed and followed[-1] == asked[0]:
        return asked[1]
    referer = request.headers.get("Referer") or b""
    return request.meta.get(PAGE) or referer.decode("latin-1")


class _Answer:
    """The exchange whose answer Scrapy has had."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request, self._response = request, response

    async def send(self, _url: str) -> Head:
        status, fields = self._response.status, _fields(self._response.headers)
        return Head(status, fields, gap_of(status, fields), bodiless=self._request.method == "HEAD")

    async def read(self, limit: int) -> Content:
        lost = "dataloss" in self._response.flags or "download_stopped" in self._response.flags
        body = self._response.body
        return Content(body[: limit + 1], ended=len(body) <= limit, gap="truncated" if lost else "")


def _fields(headers: Headers) -> Fields:
    lines = ((name.decode("latin-1"), value) for name, values in headers.items() for value in values)
    return Fields((name, value.decode("latin-1")) for name, value in lines)
