"""DisallowAITraining and AllowAITraining in robots.txt: about training, never about fetching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from consentcrawl.core import (
    ROBOTS_TXT,
    SILENT,
    Asset,
    Category,
    Evidence,
    Gap,
    Gate,
    Need,
    Purpose,
    Said,
    Spec,
    allow,
    disallow,
)
from consentcrawl.formats.path_pattern import Patterns
from consentcrawl.formats.robots import Record, RobotsTxt, parse

SPEC = Spec(
    name="DisallowAITraining",
    version="draft-canel-robots-ai-control-01 (expired)",
    url="https://datatracker.ietf.org/doc/draft-canel-robots-ai-control/",
    gates=(Gate.LOOKUP,),
    cost="nothing beyond robots.txt",
)

_DISALLOW, _ALLOW = "disallowaitraining", "allowaitraining"
_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Compiled rules and the records they came from."""

    patterns: Patterns
    records: tuple[Record, ...]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the origin's robots.txt."""
    return (ROBOTS_TXT,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read the rules for the purpose's token; the longest matching path decides, as with Disallow."""
    if evidence.status not in _OK:
        return SILENT
    rules = evidence.parsed(_compiled, evidence.parsed(parse), purpose.token)
    return _matching(rules, asset.target, evidence) if rules else SILENT


def _compiled(_: bytes, robots: RobotsTxt, token: str) -> _Rules | None:
    """Read the rules once per file and token. An empty path matches nothing, as with Disallow (RFC 9309 §2.2.2)."""
    records = [*robots.records(_DISALLOW, token), *robots.globals(_DISALLOW), *robots.records(_ALLOW, token)]
    records = [record for record in records if record.value]
    return _Rules(Patterns([record.value for record in records]), tuple(records)) if records else None


def _matching(rules: _Rules, target: str, evidence: Evidence) -> Iterator[Said]:
    for number in rules.patterns.longest(target):
        record = rules.records[number]
        if record.key == _DISALLOW:
            yield disallow(Category.TRAIN, record.text, f"line {record.line}")
        elif not rules.patterns.gave_up:
            yield allow(Category.TRAIN, record.text, f"line {record.line}")
    if rules.patterns.gave_up:
        yield Gap(evidence.url, rules.patterns.gave_up, holds=True)
