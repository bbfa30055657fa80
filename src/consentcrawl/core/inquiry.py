"""The state machine of one asset: what it still needs, what it was told, and what follows.

Law: the order of answers never changes the outcome; more evidence never turns a refusal into a permission; nothing
refused at one gate is carried to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import ModuleType

from consentcrawl.core.asset import Asset
from consentcrawl.core.evidence import Evidence, Need
from consentcrawl.core.policy import Agreement, Policy
from consentcrawl.core.signal import Plan, Said, Signal, name_of
from consentcrawl.core.statement import Statement, remark
from consentcrawl.core.verdict import Gap, Ground, Hop, Verdict
from consentcrawl.core.vocabulary import WITHIN, Category, Gate, Outcome, Preference, Purpose

MAX_DEPTH = 3


class Inquiry:
    """One asset for one purpose under one policy.

    ``reach`` is the last gate it goes to. With ``settle`` false every ground of the gate reached is collected instead
    of ending at the first disallowance. A driver loops: ``needs()``, answer each by
    ``tell()``, until nothing is needed.
    """

    __slots__ = (
        "_agreements", "_candidate", "_followed", "_gaps", "_gate", "_grounds", "_open", "_parents", "_plan", "_settle",
        "_stopped", "asides", "asset", "evidence", "policy", "purpose", "reach",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 (the four nouns of an inquiry and how far it goes)
        self,
        asset: Asset,
        purpose: Purpose,
        policy: Policy,
        planned: Plan,
        *,
        agreements: Sequence[Agreement] = (),
        reach: Gate = Gate.BODY,
        settle: bool = True,
    ) -> None:
        """Open the inquiry at the first gate."""
        self.asset, self.purpose, self.policy, self.reach = asset, purpose, policy, reach
        self.asides: list[Ground] = []
        """What was said about other keys: the steward keeps it for the assets that have them."""
        self.evidence: list[Evidence] = []
        """Everything it was told and had asked for, or that was known before: what the verdict rests on."""
        self._agreements = agreements and [a for a in agreements if a.covers(asset)]
        self._plan, self._settle = planned, settle
        self._gate, self._open = Gate.LOOKUP, dict(planned[Gate.LOOKUP])
        self._parents: dict[str, str] = {}
        self._followed: set[tuple[str, str]] = set()
        self._grounds: list[Ground] = []
        self._gaps: list[Gap] = []
        self._candidate = self._stopped = False

    @property
    def gate(self) -> Gate:
        """The gate it stands at."""
        return self._gate

    def needs(self) -> list[Need]:
        """Return what the current gate still lacks; nothing once it is settled or has come as far as it goes."""
        if self._settle and self._refuses():
            return []
        while not self._open:
            if self._gate >= self.reach or self._stopped or self._refuses():
                return []
            self._gate = _NEXT[self._gate]
            self._open = dict(self._plan[self._gate])
        return list(self._open)

    def tell(self, evidence: Evidence) -> None:
        """Take the answer to one need; an answer nobody asked for is ignored."""
        signals = self._open.pop(evidence.need, None)
        if signals is not None:
            self.evidence.append(evidence)
            self.hear(evidence, signals)

    def hear(self, evidence: Evidence, signals: Iterable[Signal | ModuleType]) -> None:
        """Let signals read evidence."""
        if evidence.gap:
            need = evidence.need
            self._gaps.append(Gap(need.at(self.asset), evidence.gap, holds=need.holds, note=evidence.note))
        asset, purpose = self.asset, self.purpose
        for signal in signals:
            try:
                said = signal.read(evidence, asset, purpose)
                if said:
                    for part in said:
                        self._hear(part, evidence, signal)
            except Exception as error:  # noqa: BLE001 (a reader that stops is a gap, whatever stopped it)
                note = f"{name_of(signal)}: {type(error).__name__}: {error}"
                self._gaps.append(Gap(evidence.url, "reader_failed", holds=True, note=note))

    def recall(self, grounds: Iterable[Ground]) -> None:
        """Take what was learnt about this asset from the evidence of others."""
        for ground in grounds:
            self._take(ground)

    def depth(self, need: Need) -> int:
        """How many answers led to ``need``: 0 for what was needed from the start."""
        return len(self._way(need.at(self.asset))) - 1

    def beside(self, asset: Asset, planned: Plan) -> Inquiry:
        """Open an inquiry like this one about another copy of the same work, to be adopted; it asks nothing of it."""
        return Inquiry(asset, self.purpose, self.policy, planned, reach=Gate.LOOKUP, settle=self._settle)

    def adopt(self, other: Inquiry, need: Need | None = None) -> None:
        """Take over what was found about another copy of the same work, as the answer to ``need`` if one is named."""
        self.evidence += other.evidence
        self.asides += other.asides
        self._gaps += other._gaps
        self._stopped |= other._stopped
        self.recall(other._grounds)
        if need is not None:
            self._open.pop(need, None)

    def lack(self, gap: Gap) -> None:
        """Take note of something that could not be had."""
        self._gaps.append(gap)

    def forgo(self) -> None:
        """Do without what is still to be looked up, and without a gap: only where what is at hand is judged alone."""
        self._open = {need: signals for need, signals in self._open.items() if need.gate is not Gate.LOOKUP}

    def verdict(self, *, decided_at: float = 0.0, hops: Sequence[Hop] = (), version: str = "") -> Verdict:
        """End the inquiry. What the gate still lacked is a gap that holds."""
        deciding = tuple(self._deciding()) if self._candidate else ()
        gaps, grounds = tuple(self._gaps), tuple(self._grounds)
        if self._open and not deciding:
            gaps += tuple(Gap(need.at(self.asset), "not_fetched", holds=True) for need in self._open)
        if len(gaps) > 1:
            gaps = _merged(gaps)
        outcome = Outcome.REFUSE if deciding else Outcome.PERMIT
        if gaps and not deciding and any(gap.holds or self.policy.gaps == "hold" for gap in gaps):
            outcome = Outcome.UNDETERMINED
        elif not deciding and self.policy.unknown == "refuse" and (lacking := self._not_allowed()):
            outcome, grounds = Outcome.REFUSE, (*grounds, lacking)
            deciding = (lacking,)
        return Verdict(
            url=self.asset.url,
            outcome=outcome,
            purpose=self.purpose.name,
            gate=self._gate,
            enforced=self.policy.mode == "enforce",
            grounds=grounds,
            gaps=gaps,
            hops=tuple(hops),
            decided_at=decided_at,
            policy=self.policy.name,
            version=version,
            deciding=deciding,
            agreement=self._agreement() if self._agreements and not deciding else "",
            page=self.asset.page or "",
        )

    def _hear(self, said: Said, evidence: Evidence, signal: Signal | ModuleType) -> None:
        if isinstance(said, Statement):
            # What was not had whole can forbid; a permission in it may be taken back in the rest.
            if said.preference is Preference.ALLOWED and evidence.gap:
                return
            ground = Ground(name_of(signal), said, evidence.url)
            if said.about is None or said.about in self.asset.keys:
                self._take(ground)
            else:
                self.asides.append(ground)
        elif isinstance(said, Gap):
            self._gaps.append(said)
            self._stopped |= said.stops
        else:
            self._follow(said, evidence.need, signal)

    def _follow(self, need: Need, source: Need, signal: Signal | ModuleType) -> None:
        """Take up a further need, unless it leads too deep or back to where it came from."""
        url, came_from = need.at(self.asset), source.at(self.asset)
        way = self._way(came_from)
        if url in way or len(way) > MAX_DEPTH:
            self._gaps.append(Gap(url, "depth", holds=need.holds))
        elif (url, signal.__name__) in self._followed:
            return
        else:
            self._followed.add((url, signal.__name__))
            self._parents.setdefault(url, came_from)
            answer = next((told for told in self.evidence if told.need == need), None)
            if answer is not None:
                self.hear(answer, (signal,))
            else:
                self._open[need] = [*self._open.get(need, ()), signal]

    def _way(self, url: str) -> list[str]:
        """Return the look-ups that led to ``url``, and itself."""
        way = [url]
        while way[-1] in self._parents and len(way) <= MAX_DEPTH:
            way.append(self._parents[way[-1]])
        return way

    def _take(self, ground: Ground) -> None:
        self._grounds.append(ground)
        said = ground.statement
        if said.preference is Preference.DISALLOWED and said.category in self.purpose.heeds:
            self._candidate = True

    def _refuses(self) -> bool:
        return self._candidate and bool(self._deciding())

    def _deciding(self) -> list[Ground]:
        """Return the grounds that refuse: disallowed, heeded, counted, not superseded, not agreed otherwise."""
        return [
            ground
            for ground in self._counted(Preference.DISALLOWED)
            if ground.statement.category in self.purpose.heeds and not self._agreed(ground.statement.category)
        ]

    def _counted(self, preference: Preference) -> list[Ground]:
        superseded = self.policy.superseded([ground.statement for ground in self._grounds])
        return [
            ground
            for n, ground in enumerate(self._grounds)
            if n not in superseded
            and ground.statement.preference is preference
            and self.policy.counts(ground.statement.under)
        ]

    def _agreed(self, category: Category) -> bool:
        return any(category in agreement.categories for agreement in self._agreements)

    def _agreement(self) -> str:
        """Name the agreements without which a disallowance would stand."""
        said = {ground.statement.category for ground in self._counted(Preference.DISALLOWED)} & self.purpose.heeds
        return ", ".join(agreement.name for agreement in self._agreements if agreement.categories & said)

    def _not_allowed(self) -> Ground | None:
        """Return the ground on which an opt-in policy refuses: an intended use that nothing allows."""
        said = {ground.statement.category for ground in self._counted(Preference.ALLOWED)}
        uses = self.purpose.intends - {Category.ACQUIRE} or self.purpose.intends
        for use in sorted(uses):
            if not (WITHIN[use] & said) and not self._agreed(use):
                note = "nothing said allows it, and the policy takes only what is allowed"
                return Ground("policy", remark(use, "unknown = refuse", "policy", note), self.asset.url)
        return None


_NEXT = {Gate.LOOKUP: Gate.HEAD, Gate.HEAD: Gate.BODY}


def _merged(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Name each need once for each reason: several signals may lack the same."""
    merged: dict[tuple[str, str], Gap] = {}
    for gap in gaps:
        known = merged.get((gap.need, gap.reason))
        if known is not None:
            notes = "; ".join(filter(None, dict.fromkeys((known.note, gap.note))))
            gap = replace(gap, holds=gap.holds or known.holds, note=notes)  # noqa: PLW2901 (the two of them)
        merged[gap.need, gap.reason] = gap
    return tuple(merged.values())
