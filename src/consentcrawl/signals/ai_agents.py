"""Groups of robots.txt for other AI crawlers: evidence that training is refused, never that fetching is.

A group binds the crawlers it names. Who shuts out the crawlers that collect for training refuses training, though; the
policy's ``ai_agents`` says whether that counts: ``own`` (no), ``class`` (training crawlers), ``any``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from consentcrawl.core import ROBOTS_TXT, SILENT, Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.formats.ai_agents import AGENTS
from consentcrawl.formats.robots import RobotsTxt, RuleSet, parse

SPEC = Spec(
    name="AI crawlers named in robots.txt",
    version=AGENTS.source,
    url="https://github.com/ai-robots-txt/ai.robots.txt",
    gates=(Gate.LOOKUP,),
    cost="nothing beyond robots.txt",
)

_OK = range(200, 300)
_KINDS = (AGENTS.training, AGENTS.mixed, AGENTS.further)
_ENOUGH = 2  # training crawlers shut out, before one of mixed purpose is evidence of the same


@dataclass(frozen=True, slots=True)
class _Shared:
    """Rules, and the known crawlers that share them, by class."""

    rules: RuleSet
    training: tuple[str, ...]
    mixed: tuple[str, ...]
    further: tuple[str, ...]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the origin's robots.txt."""
    return (ROBOTS_TXT,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read the groups of every known AI crawler but ourselves."""
    if evidence.status not in _OK:
        return SILENT
    robots: RobotsTxt = evidence.parsed(parse)
    if robots.tokens.isdisjoint(AGENTS.tokens):
        return SILENT
    return _disallowed(evidence.parsed(_shared, robots, purpose.token), asset.target)


def _shared(_: bytes, robots: RobotsTxt, own: str) -> tuple[_Shared, ...]:
    """Gather the crawlers by the rules that bind them, so that each set of rules is asked once."""
    by_rules: dict[RuleSet, list[str]] = {}
    for token in sorted(robots.tokens & AGENTS.tokens - {own.lower()}):
        for _first, rules in robots.groups_for(frozenset({token})):
            by_rules.setdefault(rules, []).append(token)
    return tuple(
        _Shared(rules, *(tuple(token for token in tokens if token in kind) for kind in _KINDS))
        for rules, tokens in by_rules.items()
    )


def _disallowed(groups: tuple[_Shared, ...], target: str) -> Iterator[Said]:
    """Make one statement of all groups that say the same: some files have 160 of them."""
    shut = [(group, rule) for group in groups if (rule := _rule_against(group.rules, target))]
    if not shut:
        return
    many = sum(len(group.training) for group, _ in shut) >= _ENOUGH
    places: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for group, (line, text) in shut:
        weak = group.further if many else group.mixed + group.further
        strong = group.training + (group.mixed if many else ())
        for tokens, modes in ((strong, ("class", "any")), (weak, ("any",))):
            if tokens:
                places.setdefault((text, modes), []).append(f"line {line} ({', '.join(tokens)})")
    for (text, counting), where in places.items():
        yield disallow(Category.TRAIN, text, "; ".join(where), under=("ai_agents", *counting))


def _rule_against(rules: RuleSet, target: str) -> tuple[int, str] | None:
    access = rules.access(target)
    return (access.rule.line, access.rule.text) if access.rule and not access.allowed else None
