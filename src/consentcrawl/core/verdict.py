"""A verdict: permit, refuse or undetermined, with its grounds and gaps.

Law: a verdict has no truth value, and a permit always says to which gate it reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from consentcrawl.core.statement import Statement
from consentcrawl.core.vocabulary import Gate, Outcome


@dataclass(frozen=True, slots=True)
class Gap:
    """A need whose answer could not be had or not be read whole: ``reason`` is a code of ``REASONS``.

    A gap that ``holds`` leaves the verdict undetermined; ``policy.gaps = "hold"`` makes every gap hold. After one that
    ``stops``, nothing is requested of the asset itself.
    """

    need: str
    reason: str
    holds: bool = False
    note: str = ""
    stops: bool = False

    def as_json(self) -> dict[str, Any]:
        """The gap as the verdict's JSON has it."""
        return {"need": self.need, "reason": self.reason, **({"note": self.note} if self.note else {})}


@dataclass(frozen=True, slots=True)
class Ground:
    """A statement, which signal made it, and the URL of the evidence it was read from."""

    signal: str
    statement: Statement
    source: str

    def as_json(self) -> dict[str, Any]:
        """The ground as the verdict's JSON has it."""
        said = self.statement
        return {
            "signal": self.signal,
            "category": str(said.category),
            "preference": str(said.preference),
            "quote": said.quote,
            "where": said.where,
            "source": self.source,
            "note": said.note,
        }


@dataclass(frozen=True, slots=True)
class Hop:
    """A redirect that was followed to get here: the URL asked and the status it answered with."""

    url: str
    status: int

    def as_json(self) -> dict[str, Any]:
        """The hop as the verdict's JSON has it."""
        return {"url": self.url, "status": self.status}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of an inquiry. ``gate`` is the gate reached; ``decided_at`` is seconds since the epoch.

    ``deciding`` are the grounds that refuse; ``agreement`` names the licence or contract that overrode them; ``page``
    is the page that showed the asset, if one was known.
    """

    url: str
    outcome: Outcome
    purpose: str
    gate: Gate
    enforced: bool
    grounds: tuple[Ground, ...]
    gaps: tuple[Gap, ...]
    hops: tuple[Hop, ...] = ()
    decided_at: float = 0.0
    policy: str = "default"
    version: str = ""
    deciding: tuple[Ground, ...] = ()
    agreement: str = ""
    page: str = ""

    def __bool__(self) -> NoReturn:
        """Raise TypeError: three outcomes do not fit into two; compare ``verdict.outcome``."""
        msg = "a verdict has no truth value: compare verdict.outcome"
        raise TypeError(msg)

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain values, in the shape and key order of the documented JSON."""
        said = {
            "url": self.url,
            "outcome": str(self.outcome),
            "purpose": self.purpose,
            "gate": self.gate.name.lower(),
            "enforced": self.enforced,
            "grounds": [ground.as_json() for ground in self.grounds],
            "gaps": [gap.as_json() for gap in self.gaps],
            "hops": [hop.as_json() for hop in self.hops],
            "decided_at": datetime.fromtimestamp(self.decided_at, UTC).isoformat(timespec="milliseconds"),
            "policy": self.policy,
            "version": self.version,
        }
        return said | ({"agreement": self.agreement} if self.agreement else {})
