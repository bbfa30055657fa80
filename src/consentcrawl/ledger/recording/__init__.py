"""What a steward asks of a ledger: to have each verdict before it is acted upon, and each outcome after.

Neither call blocks; the entry is there when its future says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from consentcrawl.core import Evidence, Ground, Verdict


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was handed to the caller: the status, how many bytes, and their SHA-256 in hex; ``file`` if it was kept."""

    status: int
    size: int
    digest: str
    file: str = ""


Ended = tuple[Verdict, int, Delivered]
"""A download that has ended: its verdict, the index of that verdict's entry, and what was handed over."""


class Record(Protocol):
    """A ledger as a steward sees it; a future gives the index of the entry once it is durable, or LedgerBroken."""

    def record_verdict(
        self, verdict: Verdict, evidence: Sequence[Evidence], learnt: Sequence[Ground] = ()
    ) -> Future[int]:
        """Hand in a verdict and what it rests on; ``learnt`` is what the same evidence said about other assets."""
        ...

    def record_outcomes(self, outcomes: Sequence[Ended]) -> Future[int]:
        """Hand in what became of downloads; the future gives the index of the first entry."""
        ...

    def close(self) -> None:
        """Write what is still to be written and let go of threads and files."""
        ...
