"""What verifying a ledger found, what that proves, and what it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

_MOST_FINDINGS = 100


@dataclass(slots=True)
class Report:
    """What ``verify`` found. ``size`` entries are under a signed head, ``unsigned`` came after it.

    ``torn`` counts the bytes of a batch that was never acknowledged, ``erased`` the personal parts that were erased.
    ``witnessed`` is True when a head kept elsewhere was given and holds.
    """

    directory: Path
    size: int = 0
    heads: int = 0
    unsigned: int = 0
    torn: int = 0
    erased: int = 0
    witnessed: bool = False
    origin: str = ""
    findings: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.findings

    @property
    def proves(self) -> str:
        """What this report shows, in a sentence."""
        if not self.holds:
            return "The ledger is not what was signed."
        return (
            f"The {self.size} entries are those that the key's holder signed, in order, under all {self.heads} heads."
        )

    @property
    def does_not_prove(self) -> str:
        """What this report does not show, in a sentence."""
        rewrite = "that the key's holder did not rewrite or roll back everything: give a head that was kept elsewhere; "
        return f"Not shown: {'' if self.witnessed else rewrite}that everything that was done was written down."

    def find(self, what: object) -> None:
        """Tell of something wrong."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(str(what))
