"""Crawl-delay as the robots.txt of an origin asks for it, where the steward has read that file."""

from __future__ import annotations

from collections.abc import Callable

from consentcrawl.core import ROBOTS_TXT
from consentcrawl.formats import robots
from consentcrawl.steward import Steward


def crawl_delays(steward: Steward) -> Callable[[str], float]:
    """Return a function from origins to seconds (Crawl-delay, no standard); 0 where none is asked for or known."""

    def delay(origin: str) -> float:
        evidence = steward.store.get(f"{origin}{ROBOTS_TXT.url}", ROBOTS_TXT, steward.clock())
        if evidence is None or not evidence.found:
            return 0.0
        return evidence.parsed(robots.parse).crawl_delay(steward.purpose.token) or 0.0

    return delay
