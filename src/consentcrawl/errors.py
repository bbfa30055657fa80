"""Everything that consentcrawl raises.

ConsentError
├── Withheld         nothing is delivered; carries the verdict
│   ├── Refused          the verdict is a refusal (an event, not a fault)
│   └── Undetermined     no verdict either way could be reached
├── BadPurpose       a purpose or product token that does not exist (also a ValueError)
├── BadPolicy        a policy or configuration that cannot be read (also a ValueError)
├── BadSignal        a signal module that lacks a name, or has one that no signal has (also a ValueError)
├── BadInput         a list of URLs that cannot be read: names file, line and column (also a ValueError)
├── MissingExtra     a library that a driver needs is not installed (also an ImportError)
└── LedgerBroken     the ledger is damaged or can no longer be written
BadUrl               a URL that cannot be read in one way only (a ValueError, from formats.url)
"""

from __future__ import annotations

from typing import TypeGuard

from consentcrawl.core import Outcome, Verdict
from consentcrawl.formats.url import BadUrl

__all__ = [
    "BadInput",
    "BadPolicy",
    "BadPurpose",
    "BadSignal",
    "BadUrl",
    "ConsentError",
    "LedgerBroken",
    "MissingExtra",
    "Refused",
    "Undetermined",
    "Withheld",
    "withheld_by",
    "withholds",
]


class ConsentError(Exception):
    """The root of everything that consentcrawl raises on purpose."""


class Withheld(ConsentError):
    """Nothing is delivered; ``verdict`` says why."""

    def __init__(self, verdict: Verdict) -> None:
        """Carry the verdict, and say in one line what it rests on."""
        self.verdict = verdict
        said = [f"{g.statement.quote!r} ({g.statement.where}, {g.source})" for g in verdict.deciding]
        said += [f"{gap.reason} ({gap.need})" for gap in verdict.gaps if not verdict.deciding]
        super().__init__(f"{verdict.url}: {verdict.outcome}: {'; '.join(said)}")

    def __reduce__(self) -> tuple[type[Withheld], tuple[Verdict]]:
        """Go to another process as the verdict: a worker that raises must not stop its pool."""
        return type(self), (self.verdict,)


class Refused(Withheld):
    """The asset may not be taken; the verdict's deciding grounds say why."""


class Undetermined(Withheld):
    """It could not be found out whether the asset may be taken; the verdict's gaps say why."""


class BadPurpose(ConsentError, ValueError):
    """A purpose or product token that does not exist."""


class BadPolicy(ConsentError, ValueError):
    """A policy or configuration that cannot be read."""


class BadSignal(ConsentError, ValueError):
    """A signal module that lacks one of the names of a signal, or has a public name that no signal has."""


class BadInput(ConsentError, ValueError):
    """A list of URLs that cannot be read; the message names file, line and column."""


class MissingExtra(ConsentError, ImportError):
    """A library that a driver needs is not installed; the message names the extra that brings it."""


class LedgerBroken(ConsentError):
    """The ledger is damaged, or a write to it failed and nothing more is acknowledged."""


def withholds(verdict: Verdict | None) -> TypeGuard[Verdict]:
    """Return whether a verdict stops the delivery: not a permit, and not only noted (``observe`` mode)."""
    return verdict is not None and verdict.enforced and verdict.outcome is not Outcome.PERMIT


def withheld_by(
    verdict: Verdict, refused: type[Refused] = Refused, undetermined: type[Undetermined] = Undetermined
) -> Withheld:
    """Return the exception for a verdict that withholds; a driver brings classes that are its library's errors too."""
    return (refused if verdict.outcome is Outcome.REFUSE else undetermined)(verdict)
