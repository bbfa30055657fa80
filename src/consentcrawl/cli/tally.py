"""Progress through a list: a bar on a terminal, a line now and then elsewhere, a summary at the end.

All of it goes to stderr.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from consentcrawl.core import Outcome, Verdict, origin_of
from consentcrawl.dataset.writers import printable
from consentcrawl.net.pace import Pace

_LINE_SECONDS = 5.0
_BAR_SECONDS = 0.1
_ORIGINS_COUNTED = 100_000
_WORTH_SAYING = 60.0


class Tally:
    """Counts rows by outcome and by origin, and shows them while it is entered."""

    def __init__(self, to: Console, *, bar: bool, quiet: bool) -> None:
        """Show to ``to``: a ``bar``, plain lines, or nothing if ``quiet``."""
        self.outcomes: Counter[Outcome] = Counter()
        self.rows = 0
        self._to, self._quiet = to, quiet
        self._origins: Counter[str] = Counter()
        self._bar = _bar(to) if bar and not quiet else None
        self._shown_at = time.monotonic()

    def __enter__(self) -> Self:
        """Show the bar."""
        if self._bar is not None:
            self._bar.start()
            self._bar.add_task("", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def count(self, verdict: Verdict) -> None:
        """Count one row."""
        self.rows += 1
        self.outcomes[verdict.outcome] += 1
        if verdict.outcome is Outcome.PERMIT:
            self._origins[origin_of(verdict.url)] += 1
        if len(self._origins) > _ORIGINS_COUNTED:
            self._origins = +Counter({origin: rows for origin, rows in self._origins.items() if rows > 1})
        self._show()

    def summary(self, pace: Pace) -> None:
        """Print how many rows had which outcome, and how long it takes to download what is permitted."""
        if self._quiet:
            return
        self._say(str(self))
        seconds, origin = max(((n * max(1.0, pace.delay(o)), o) for o, n in self._origins.items()), default=(0.0, ""))
        if seconds >= _WORTH_SAYING:
            every = "a second" if pace.delay(origin) <= 1 else f"every {pace.delay(origin):g} seconds"
            takes = f"downloading what is permitted takes at least {_spoken(seconds)}"
            self._say(f"{takes}: {origin} at one request {every}")

    def __str__(self) -> str:
        """The figures."""
        parts = ", ".join(f"{self.outcomes[outcome]:,} {outcome}" for outcome in Outcome)
        return f"{self.rows:,} row{'' if self.rows == 1 else 's'}: {parts}"

    def _show(self) -> None:
        now = time.monotonic()
        if self._quiet or now - self._shown_at < (_BAR_SECONDS if self._bar else _LINE_SECONDS):
            return
        self._shown_at = now
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], description=str(self), completed=self.rows)
        else:
            self._say(str(self))

    def _say(self, line: str) -> None:
        self._to.print(printable(line), soft_wrap=True)


def _bar(to: Console) -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn(), console=to, transient=True
    )


def _spoken(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
