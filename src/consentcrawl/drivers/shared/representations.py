"""What was decided of late, so that all that is asked of one file is one decision.

A permission goes to parts of the very representation that was judged, never to another one at the same URL.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from consentcrawl.core import Fields, Verdict

JUDGED_FOR = 600.0
"""Seconds for which parts of a representation need not be judged: an open file is read on for a while."""
WITHHELD_FOR = 10.0
"""Seconds for which a refusal answers again: a GET follows the HEAD that failed."""
_KEPT = 10_000
_OF_EACH_ANSWER = frozenset({"age", "connection", "content-length", "content-range", "date", "keep-alive"})


@dataclass(frozen=True, slots=True)
class Representation:
    """What tells a representation from others, and what its head says beside that."""

    validator: str
    size: str
    says: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, status: int, fields: Fields) -> Representation | None:
        """Return that of an answer; None where nothing strong tells it (RFC 9110 §8.8.1: a weak ETag may stay)."""
        validator = fields.first("etag") or fields.first("last-modified")
        if status not in (200, 206) or not validator or validator.startswith("W/"):
            return None
        size = fields.first("content-range").rpartition("/")[2] or fields.first("content-length")
        says = ((name.lower(), value) for name, value in fields.pairs)
        return cls(validator, size, frozenset(line for line in says if line[0] not in _OF_EACH_ANSWER))

    def is_of(self, judged: Representation) -> bool:
        """Return whether it is the same representation (RFC 9110 §13.1.5); its head may say other things."""
        return (self.validator, self.size) == (judged.validator, judged.size)


class Decided:
    """What was permitted and what was withheld, by what was asked for; bounded, and each for its time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet; ``clock`` gives seconds."""
        self._clock = clock
        self._permitted: dict[str, tuple[float, Representation]] = {}
        self._withheld: dict[str, tuple[float, Verdict]] = {}

    def permitted(self, asked: str) -> Representation | None:
        """The representation that was permitted whole, if that still serves."""
        until, known = self._permitted.get(asked, (0.0, None))
        return known if self._clock() < until else None

    def withheld(self, asked: str) -> Verdict | None:
        """The verdict that withheld it just now."""
        until, verdict = self._withheld.get(asked, (0.0, None))
        return verdict if self._clock() < until else None

    def permit(self, asked: str, representation: Representation) -> None:
        """Remember what was permitted."""
        self._bound(self._permitted)
        self._permitted[asked] = (self._clock() + JUDGED_FOR, representation)

    def withhold(self, asked: str, verdict: Verdict) -> None:
        """Remember what was withheld; nothing is permitted there any more."""
        self._bound(self._withheld)
        self._permitted.pop(asked, None)
        self._withheld[asked] = (self._clock() + WITHHELD_FOR, verdict)

    def _bound(self, kept: dict[str, tuple[float, Representation]] | dict[str, tuple[float, Verdict]]) -> None:
        if len(kept) >= _KEPT:
            kept.clear()
