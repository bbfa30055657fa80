"""The steward of a driver: one that the caller gave and keeps, or its own, which it makes and shuts.

No steward is used in a process that it was not made in: its threads did not come along in the fork.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from weakref import WeakSet

from consentcrawl.config import Config, configured
from consentcrawl.steward import Steward

_living: WeakSet[Held] = WeakSet()


class Held:
    """The steward to ask. Safe for threads; after a fork, and after ``shut``, its own steward is made anew.

    Raises BadPurpose and BadPolicy. It can be pickled unless it was given a steward.
    """

    def __init__(
        self,
        steward: Steward | None = None,
        config: Config | None = None,
        purpose: str | None = None,
        ledger: str | Path | None = None,
    ) -> None:
        """Hold ``steward``, or one for ``config`` or the usual settings; ``purpose`` is a name of core.PURPOSES.

        ``ledger`` is the directory that the steward made here writes to; ValueError beside a given one, which has its
        own or none.
        """
        if steward is not None and ledger is not None:
            msg = "a steward that is given has its own ledger: Steward(config, record=LedgerRecord.open(directory))"
            raise ValueError(msg)
        self._own = steward is None
        self.config = configured(config, purpose, ledger) if steward is None else steward.config
        self._steward: Steward | None = steward or Steward(self.config)
        self._making = threading.Lock()
        _living.add(self)

    def __reduce__(self) -> tuple[type[Held], tuple[None, Config]]:
        """Another process makes its own."""
        if not self._own:
            msg = "a steward stays in its process: give the configuration instead"
            raise TypeError(msg)
        return Held, (None, self.config)

    @property
    def steward(self) -> Steward:
        """The steward of this process. Raises RuntimeError where one was given before a fork."""
        return self._steward or self._made()

    def shut(self) -> None:
        """Shut the steward if it is its own; the caller's stays open."""
        with self._making:
            shutting, self._steward = (self._steward, None) if self._own else (None, self._steward)
        if shutting is not None:
            shutting.close()

    def _made(self) -> Steward:
        if not self._own:
            msg = "this steward was made before a fork: make one in each process"
            raise RuntimeError(msg)
        with self._making:
            if self._steward is None:
                self._steward = Steward(self.config)
            return self._steward

    def _forked(self) -> None:
        self._steward, self._making = None, threading.Lock()


def _renew() -> None:
    for held in list(_living):
        held._forked()  # noqa: SLF001 (of this module)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
