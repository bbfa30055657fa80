"""Our reading of a robots.txt, in the form that Scrapy's own robots middleware asks for, and what that one fetches."""

from __future__ import annotations

import re

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import RobotParser

from consentcrawl.formats import robots
from consentcrawl.formats.url import BadUrl, canonical

_ROBOTS_TXT = re.compile(r"https?://[^/?#]+/robots\.txt").fullmatch


class RobotsTxtParser(RobotParser):
    """The reading of a robots.txt for Scrapy's own middleware (``ROBOTSTXT_PARSER``)."""

    def __init__(self, content: bytes) -> None:
        """Read ``content``."""
        self._robots = robots.parse(content)

    @classmethod
    def from_crawler(cls, crawler: Crawler, robotstxt_body: bytes) -> RobotsTxtParser:  # noqa: ARG003 (Scrapy's own)
        """Read a file."""
        return cls(robotstxt_body)

    def allowed(self, url: str | bytes, user_agent: str | bytes) -> bool:
        """Return whether the crawler may fetch ``url``; a URL that can be read in two ways may not be fetched."""
        try:
            address = canonical(_text(url))
        except BadUrl:
            return False
        token = _token(user_agent)
        return self._robots.access(address, token).allowed and self._robots.tie_flip(address, token) is None

    def crawl_delay(self, user_agent: str | bytes) -> float | None:
        """Return the seconds between two requests that the file asks for."""
        return self._robots.crawl_delay(_token(user_agent))


def is_for_rules(request: Request) -> bool:
    """Return whether Scrapy's robots middleware asks: a robots.txt may always be fetched (RFC 9309 §2.2.2)."""
    return (
        request.callback is NO_CALLBACK
        and bool(request.meta.get("dont_obey_robotstxt"))
        and _ROBOTS_TXT(request.url) is not None
    )


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _token(user_agent: str | bytes) -> str:
    """Return the product token that a User-Agent begins with (RFC 9309 §2.2.1)."""
    return (_text(user_agent).replace("/", " ").split() or ["*"])[0]
