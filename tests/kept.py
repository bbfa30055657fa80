"""A ledger in memory, for tests that ask what it was told."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future

from consentcrawl.core import Verdict
from consentcrawl.ledger.recording import Delivered, Ended


class Kept:
    """Keeps verdicts and what was delivered."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.verdicts: list[Verdict] = []
        self.outcomes: list[Ended] = []

    def record_verdict(self, verdict: Verdict, *_: object) -> Future[int]:
        self.verdicts.append(verdict)
        return _durable(len(self.verdicts) - 1)

    def record_outcomes(self, outcomes: Sequence[Ended]) -> Future[int]:
        self.outcomes += outcomes
        return _durable(len(self.outcomes) - len(outcomes))

    def close(self) -> None:
        """Nothing is open."""

    @property
    def delivered(self) -> list[Delivered]:
        return [delivered for _, _, delivered in self.outcomes]

    def told(self, content: bytes) -> list[Delivered]:
        """Which deliveries were of ``content``."""
        of = (len(content), hashlib.sha256(content).hexdigest())
        return [delivered for delivered in self.delivered if (delivered.size, delivered.digest) == of]

    def about(self, url: str) -> list[Delivered]:
        """Which deliveries were of ``url``."""
        return [delivered for verdict, _, delivered in self.outcomes if verdict.url == url]


def _durable(index: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(index)
    return future
