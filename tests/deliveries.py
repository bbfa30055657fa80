"""A ledger in memory, for tests that ask what it was told."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future

from consentcrawl.core import Verdict
from consentcrawl.record import Delivered


class Keeping:
    """Keeps verdicts and what was delivered."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.verdicts: list[Verdict] = []
        self.delivered: list[Delivered] = []

    def record_verdict(self, verdict: Verdict, *_: object) -> Future[int]:
        self.verdicts.append(verdict)
        return _durable(len(self.verdicts) - 1)

    def record_outcome(self, _verdict: Verdict, index: int, delivered: Delivered) -> Future[int]:
        self.delivered.append(delivered)
        return _durable(index)

    def close(self) -> None:
        """Nothing is open."""

    def told(self, content: bytes) -> list[Delivered]:
        """Which deliveries were of ``content``."""
        of = (len(content), hashlib.sha256(content).hexdigest())
        return [delivered for delivered in self.delivered if (delivered.size, delivered.digest) == of]


def _durable(index: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(index)
    return future
