"""What the live page keeps of a request: its state, and why it was not delivered.

Only a bounded piece of what strangers wrote is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consentcrawl.core import Outcome, Verdict
from consentcrawl.drivers.shared.withheld import Reason
from consentcrawl.errors import withholds

URL_KEPT = 2_000
"""Characters kept of a URL."""


class State(StrEnum):
    """The state of a request."""

    PENDING = "pending"
    DELIVERED = "delivered"
    OBSERVED = "observed"
    """Would not have been delivered, and was, because the proxy only observes."""
    REFUSED = "refused"
    UNDETERMINED = "undetermined"
    FAILED = "failed"
    """Nothing was decided or nothing came: a malformed request, an origin that did not answer."""


ENDED = tuple(state for state in State if state is not State.PENDING)
DELIVERED_STATES = (State.DELIVERED, State.OBSERVED)


@dataclass(slots=True)
class LoggedRequest:
    """One of the last requests; ``change`` is the number of its last change among all of theirs."""

    number: int
    method: str
    url: str
    state: State
    change: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was not delivered, or would not have been; ``at`` is seconds since the epoch."""

    number: int
    at: float
    url: str
    state: State
    reasons: tuple[Reason, ...]


@dataclass(slots=True)
class OriginCounts:
    """The counts of one origin; ``interval`` is the recent mean of the seconds between two requests."""

    requests: int = 0
    delivered: int = 0
    withheld: int = 0
    interval: float = 0.0
    last: float = 0.0


def state_of(verdict: Verdict | None, status: int) -> State:
    """Return how a request ended."""
    if verdict is None:
        return State.FAILED
    if withholds(verdict):
        return State.REFUSED if verdict.outcome is Outcome.REFUSE else State.UNDETERMINED
    if not status:
        return State.FAILED
    return State.DELIVERED if verdict.outcome is Outcome.PERMIT else State.OBSERVED
