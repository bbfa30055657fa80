"""The summary of a run, on one screen."""

from __future__ import annotations

from collections.abc import Iterator

from consentcrawl.dataset.writers import printable
from consentcrawl.drivers.shared.withheld import Reason
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.live.parts import headline

_MOST = 8
_WIDEST = 160


def summary(activity: Activity) -> Iterator[str]:
    """Yield lines: how many requests ended in which way, and which opt-outs and gaps stopped how many of them."""
    yield headline(activity)
    examples = {reason.gap or reason.signal: reason for refusal in activity.refusals for reason in refusal.reasons}
    for name, n in (*activity.signals.most_common(_MOST), *activity.gaps.most_common(_MOST)):
        yield printable(f"{n:8,}  {name}{_example(examples.get(name))}")[:_WIDEST]
    if activity.ledger is not None:
        yield printable(f"the ledger is in {activity.ledger}")


def _example(reason: Reason | None) -> str:
    """Return one of the words or gaps that are still among the latest refusals."""
    if reason is None:
        return ""
    said = reason.said if reason.gap else f'"{reason.quote}"'
    return f": {said}, {reason.place}{reason.source}"
