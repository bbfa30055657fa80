"""What came of a run, on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from consentcrawl.core import REASONS
from consentcrawl.dataset.writers import printable
from consentcrawl.proxy.seen import State, Why
from consentcrawl.proxy.watch import Watch

_MOST = 8
_WIDEST = 160


def summary(watch: Watch) -> Iterator[str]:
    """Return the lines: how many were asked, taken and refused, by which signals, and in whose words for example."""
    states = watch.states
    counted = {
        "delivered": watch.taken,
        "refused": states[State.REFUSED],
        "undetermined": states[State.UNDETERMINED],
        "failed": states[State.FAILED],
        "only observed": states[State.OBSERVED],
    }
    parts = [f"{n:,} {name}" for name, n in counted.items() if n]
    yield f"{watch.asked:,} asked{': ' if parts else ''}{', '.join(parts)}"
    examples = {why.reason or why.signal: why for refusal in watch.refusals for why in refusal.why}
    for name, n in (*watch.signals.most_common(_MOST), *watch.reasons.most_common(_MOST)):
        yield f"{n:8,}  {name}{_example(examples.get(name))}"[:_WIDEST]
    if watch.ledger is not None:
        yield f"the ledger is in {_shown(watch.ledger)}"


def _example(why: Why | None) -> str:
    if why is None:
        return ""
    if why.reason:
        return f": {REASONS.get(why.reason, why.reason)} ({printable(why.source)})"
    return f": “{printable(why.quote)}” {printable(why.where)} of {printable(why.source)}"


def _shown(path: Path) -> str:
    return printable(str(path))
