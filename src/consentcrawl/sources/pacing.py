"""The pace of one steward: when a request may be sent, by the robots.txt that is held and the platform's floor."""

from __future__ import annotations

from collections.abc import Callable

from consentcrawl.core import ROBOTS_TXT, Evidence, host_of
from consentcrawl.discovery import Hosts, seconds_between
from consentcrawl.formats import robots
from consentcrawl.net.pace import Pace, Parked, Turn
from consentcrawl.storage import Store, serves

_ASKED_AGAIN = 1.0
"""Seconds after which a robots.txt that is not held is asked of the store again."""


class Pacing:
    """A ``Pace`` that is told of each origin's Crawl-delay and of its platform's floor. Safe for threads."""

    def __init__(self, pace: Pace, store: Store, clock: Callable[[], float], token: str, hosts: Hosts) -> None:
        """Keep ``pace``; ``store`` holds the robots.txt of each origin, read for the crawler ``token``."""
        self.pace = pace
        self._store, self._clock, self._token, self._hosts = store, clock, token, hosts

    def before(self, origin: str) -> Turn | None:
        """Return the turn to wait for before a page, an API or an asset of ``origin`` is asked for; None: at once."""
        now = self._clock()
        if not self.pace.is_informed(origin, now):
            self._inform(origin, now)
        return self.pace.before(origin)

    def parked(self, turn: Turn | None) -> str:
        """Return the note of the gap ``parked``, or an empty string; the turn has come."""
        error = turn.exception() if turn is not None else None
        return str(error) if isinstance(error, Parked) else ""

    def _inform(self, origin: str, now: float) -> None:
        held = self._store.get(origin + ROBOTS_TXT.url, ROBOTS_TXT, now)
        host = host_of(origin)
        floor = seconds_between(self._hosts.plugins(host), host)
        self.pace.inform(
            origin, max(floor, self._crawl_delay(held)),
            asked_at=held.at if held is not None else float("-inf"),
            until=serves(held) if held is not None else now + _ASKED_AGAIN,
        )  # fmt: skip

    def _crawl_delay(self, held: Evidence | None) -> float:
        if held is None or not held.found:
            return 0.0
        return held.parsed(robots.parse).crawl_delay(self._token) or 0.0
