"""Signals made up for tests: what they need and say is given when they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from consentcrawl.core import Asset, Evidence, Gate, Need, Purpose, Said, Spec

SPEC = Spec("made up", "1", "https://standards.example/", (Gate.LOOKUP,), "nothing")


@dataclass
class MadeUp:
    """One signal with the needs and the answers that a test wants."""

    asks: tuple[Need, ...]
    says: Callable[[Evidence], Iterable[Said]] = lambda _evidence: ()
    SPEC: Spec = SPEC
    __name__: str = "tests.made_up"
    heard: list[Evidence] = field(default_factory=list)

    def needs(self, asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG002 (shape of signals)
        """Return the needs it was made with."""
        return self.asks

    def read(self, evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG002 (as above)
        """Say what it was made to say."""
        self.heard.append(evidence)
        return self.says(evidence)
