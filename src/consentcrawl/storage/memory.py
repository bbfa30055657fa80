"""Shared evidence in memory, bounded: what was kept longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from threading import Lock

from consentcrawl.core import Evidence, Ground, Need
from consentcrawl.storage import CLOCK_SKEW, Learnt, serves, serves_at
from consentcrawl.storage.turns import Turns

MAX_DOCUMENTS = 50_000
MAX_BYTES = 256 * 1024 * 1024
MAX_KEYS = 200_000


class MemoryStore:
    """Evidence by URL and grounds by key, for the threads and tasks of one process.

    Bounded by number of documents, bytes of content and number of keys.
    """

    def __init__(self, documents: int = MAX_DOCUMENTS, size: int = MAX_BYTES, keys: int = MAX_KEYS) -> None:
        """Keep at most ``documents`` answers of ``size`` bytes together, and grounds about ``keys`` keys."""
        self._documents: OrderedDict[str, tuple[Evidence, float]] = OrderedDict()
        self._learnt: OrderedDict[str, tuple[Learnt, ...]] = OrderedDict()
        self._most, self._most_bytes, self._most_keys = documents, size, keys
        self._bytes = 0
        self._changing = Lock()
        turns = Turns()
        self.take_turn, self.end_turn = turns.take_turn, turns.end_turn

    def get(self, url: str, need: Need, now: float) -> Evidence | None:
        """Return the evidence kept for ``url`` and this need, while it serves."""
        kept = self._documents.get(url)
        if kept is None or kept[1] <= now or kept[0].at > now + CLOCK_SKEW:
            return None
        if kept[0].need is not need and kept[0].need != need:
            return None
        return kept[0]

    def put(self, url: str, evidence: Evidence) -> None:
        """Keep the evidence; what was kept longest goes first."""
        with self._changing:
            self._drop(url)
            self._documents[url] = (evidence, serves(evidence))
            self._bytes += len(evidence.content)
            while self._bytes > self._most_bytes or len(self._documents) > self._most:
                self._drop(next(iter(self._documents)))

    def lease(self, url: str, now: float) -> bool:  # noqa: ARG002 (one process alone)
        """Always true: within one process the steward's single flight decides."""
        return True

    def release(self, url: str) -> None:
        """Nothing to give back."""

    def learn(self, learnt: Iterable[tuple[str, Learnt]]) -> None:
        """Keep grounds about keys, each once."""
        with self._changing:
            for key, (ground, until) in learnt:
                others = tuple(old for old in self._learnt.pop(key, ()) if old[0] != ground)
                self._learnt[key] = (*others, (ground, until))
            while len(self._learnt) > self._most_keys:
                self._learnt.popitem(last=False)

    def recall(self, keys: Sequence[str], now: float) -> list[Ground]:
        """Return what still serves about any of ``keys``."""
        if not self._learnt:
            return []
        return [ground for key in keys for ground, until in self._learnt.get(key, ()) if serves_at(until, now)]

    def close(self) -> None:
        """Nothing to let go of."""

    def _drop(self, url: str) -> None:
        kept = self._documents.pop(url, None)
        if kept is not None:
            self._bytes -= len(kept[0].content)
