"""Where shared evidence and what was learnt about other assets is kept: in memory, or on disk for several processes.

A store keeps answers and "no answer" alike, and never gives one out after its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from consentcrawl.core import DAY, Evidence, Ground, Need

__all__ = ["CLOCK_SKEW", "NO_ANSWER_SERVES", "Learnt", "Store", "serves", "serves_at"]

Learnt = tuple[Ground, float]
"""A ground about a key, and until when it serves (seconds since the epoch)."""

NO_ANSWER_SERVES = 600
"""Seconds for which "no answer" is believed: a dead host gets one try in that time, however many ask."""


CLOCK_SKEW = 300.0
"""Seconds that a clock may be behind another; evidence from further ahead tells of a clock that was set back."""


class Store(Protocol):
    """A mapping of URL to evidence and of key to grounds, with leases so that one asker fetches and the rest wait."""

    def get(self, url: str, need: Need, now: float) -> Evidence | None:
        """Return the evidence kept for ``url``, or None when there is none or its time is over."""
        ...

    def put(self, url: str, evidence: Evidence) -> None:
        """Keep the evidence for ``url`` for as long as its need says."""
        ...

    def lease(self, url: str, now: float) -> bool:
        """Return whether the caller is the one to fetch ``url``; another process may be at it already."""
        ...

    def release(self, url: str) -> None:
        """Return a lease back."""
        ...

    def learn(self, learnt: Iterable[tuple[str, Learnt]]) -> None:
        """Keep grounds about keys."""
        ...

    def recall(self, keys: Sequence[str], now: float) -> list[Ground]:
        """Return what was learnt about any of ``keys`` and still serves."""
        ...

    def take_turn(self, origin: str, now: float, delay: float) -> float:
        """Hold ``origin`` for one request and return 0, or return the seconds after which to try again.

        Atomic among all that share the store: two requests are never under way, nor closer than ``delay`` seconds.
        """
        ...

    def end_turn(self, origin: str, next_at: float, *, held: bool = False) -> None:
        """Let go of ``origin``, unless it stays ``held``, and send it nothing before ``next_at``."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def serves(evidence: Evidence) -> float:
    """Until when evidence serves, in seconds since the epoch: no longer than its need says (RFC 9309 §2.4: 24 h)."""
    unanswered = evidence.unreachable or evidence.gap
    return evidence.at + (min(NO_ANSWER_SERVES, evidence.need.serves) if unanswered else evidence.need.serves)


def serves_at(until: float, now: float) -> bool:
    """Return whether something learnt serves: not past its time, and not from a time that is still to come."""
    return now < until <= now + DAY + CLOCK_SKEW
