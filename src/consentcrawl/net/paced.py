"""A reader that asks every origin in its turn.

An origin that wants to be left alone for longer than is waited is not asked; its evidence is a gap, ``parked``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from consentcrawl.core import BODY, HEAD, Evidence, Need, origin_of
from consentcrawl.core.evidence import Pairs
from consentcrawl.net.pace import Pace, Parked
from consentcrawl.net.reader import Reader


class PacedReader:
    """``Reader`` at a ``Pace``: one request per origin at a time. Assets and pages also keep the origin's delay.

    Policy files do not: they are few, and each is asked for once. Safe to share between threads; never raises.
    """

    __slots__ = ("_reader", "pace")

    def __init__(self, reader: Reader, pace: Pace) -> None:
        """Read with ``reader`` at the ``pace``."""
        self._reader, self.pace = reader, pace

    def read(self, need: Need, url: str) -> Evidence:
        """Answer ``need`` from ``url``, as ``Reader.read``."""
        return self._in_turn(need, url, lambda: self._reader.read(need, url), delayed=need.polite)

    def head(self, url: str, fields: Pairs = ()) -> Evidence:
        """Status and fields of the asset itself, as ``Reader.head``."""
        return self._in_turn(HEAD, url, lambda: self._reader.head(url, fields))

    def prefix(self, url: str, limit: int = BODY.limit, fields: Pairs = ()) -> Evidence:
        """At most ``limit`` bytes of the asset's content, as ``Reader.prefix``."""
        return self._in_turn(BODY, url, lambda: self._reader.prefix(url, limit, fields))

    def _in_turn(self, need: Need, url: str, ask: Callable[[], Evidence], *, delayed: bool = True) -> Evidence:
        origin = origin_of(url)
        try:
            with self.pace.turn(origin, delayed=delayed):
                evidence = ask()
        except Parked:
            return Evidence(need, url, gap="parked", at=time.time(), whole=False)
        self.pace.heed(origin, evidence)
        return evidence
