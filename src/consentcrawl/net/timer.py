"""One thread that calls functions when their time has come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


class Timer:
    """Calls functions later, one after the other, in a thread of its own; it is started by the first."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, function: Callable[[], None]) -> None:
        """Call ``function``, which must not raise, in ``seconds`` from now. Does not wait."""
        with self._changed:
            heappush(self._due, (time.monotonic() + seconds, next(self._numbers), function))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="consentcrawl-pace", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while (function := self._next()) is not None:
            function()

    def _next(self) -> Callable[[], None] | None:
        """Return the next function when it is due; None, and no thread any more, where there is none."""
        with self._changed:
            while self._due:
                wait = self._due[0][0] - time.monotonic()
                if wait <= 0:
                    return heappop(self._due)[2]
                self._changed.wait(wait)
            self._thread = None
            return None
