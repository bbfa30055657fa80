"""A ledger for tests that keeps what it is told in lists."""

from __future__ import annotations

from concurrent.futures import Future

from consentcrawl.core import Verdict
from consentcrawl.record import Delivered


class Kept:
    def __init__(self) -> None:
        """Begin with nothing."""
        self.verdicts: list[Verdict] = []
        self.delivered: list[Delivered] = []

    def record_verdict(self, verdict: Verdict, *_: object) -> Future[int]:
        self.verdicts.append(verdict)
        return _durable(len(self.verdicts) - 1)

    def record_outcome(self, _verdict: object, _index: int, delivered: Delivered) -> Future[int]:
        self.delivered.append(delivered)
        return _durable(0)

    def close(self) -> None:
        """Nothing is open."""


def _durable(index: int) -> Future[int]:
    future: Future[int] = Future()
    future.set_result(index)
    return future
