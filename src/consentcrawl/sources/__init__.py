"""How a need is met: one protocol, and one module for each place that answers come from."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from consentcrawl.core import Asset, Evidence, Need


class Source(Protocol):
    """A way to meet needs. Safe for threads; neither method raises for what strangers send."""

    @property
    def shared(self) -> bool:
        """Whether an answer serves every asset of its origin and page, and not one asset alone."""
        ...

    def meets(self, need: Need) -> bool:
        """Return whether needs of this kind are met here."""
        ...

    def known(self, need: Need, asset: Asset) -> Evidence | None:
        """Return the evidence that is held already, without waiting, or None."""
        ...

    def obtain(self, need: Need, asset: Asset) -> Future[Evidence]:
        """Return the evidence to come; the look-up is shared, and goes on when its caller stops waiting."""
        ...

    def close(self) -> None:
        """Wait for what is under way, and let go of threads and files."""
        ...


def answered(evidence: Evidence) -> Future[Evidence]:
    """Return a future that has its evidence already."""
    future: Future[Evidence] = Future()
    future.set_result(evidence)
    return future
