"""What is kept of a request: how it stands, and why it was not delivered.

Only a bounded piece of what strangers wrote is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consentcrawl.core import Outcome, Verdict
from consentcrawl.errors import withholds

URL_KEPT = 2_000
"""Characters kept of a URL."""


class State(StrEnum):
    """How a request stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    OBSERVED = "observed"
    """Would not have been delivered, and was, because the proxy only observes."""
    REFUSED = "refused"
    UNDETERMINED = "undetermined"
    FAILED = "failed"
    """Nothing was decided or nothing came: a malformed request, an origin that did not answer."""


ENDED = tuple(state for state in State if state is not State.WAITING)
TAKEN = (State.DELIVERED, State.OBSERVED)


@dataclass(slots=True)
class Seen:
    """One request of the wall; ``change`` counts what happened to any of them."""

    number: int
    method: str
    url: str
    state: State
    change: int


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: a ground's signal, quote, where and source, or a gap's reason and need (the others are empty)."""

    signal: str
    quote: str
    where: str
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was not delivered, or would not have been; ``at`` is seconds since the epoch."""

    number: int
    at: float
    url: str
    state: State
    why: tuple[Why, ...]


@dataclass(slots=True)
class Origin:
    """What was asked of one origin; ``every`` is the mean of the seconds between two requests of late."""

    asked: int = 0
    taken: int = 0
    withheld: int = 0
    every: float = 0.0
    last: float = 0.0


def state_of(verdict: Verdict | None, status: int) -> State:
    """Tell how a request ended."""
    if verdict is None:
        return State.FAILED
    if withholds(verdict):
        return State.REFUSED if verdict.outcome is Outcome.REFUSE else State.UNDETERMINED
    if not status:
        return State.FAILED
    return State.DELIVERED if verdict.outcome is Outcome.PERMIT else State.OBSERVED


def reasons(verdict: Verdict) -> list[Why]:
    """What a verdict that is no permit rests on: the grounds that refuse, or the gaps that leave it open.

    Words that speak about several categories are given once.
    """
    if verdict.outcome is Outcome.REFUSE:
        said = (Why(g.signal, g.statement.quote, g.statement.where, g.source[:URL_KEPT]) for g in verdict.deciding)
        return list(dict.fromkeys(said))
    gaps = [gap for gap in verdict.gaps if gap.holds] or verdict.gaps
    return list(dict.fromkeys(Why("", "", "", gap.need[:URL_KEPT], gap.reason) for gap in gaps))
