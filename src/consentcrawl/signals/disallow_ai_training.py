"""DisallowAITraining and AllowAITraining in robots.txt: about training, never about fetching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    Statement,
    allow,
    disallow,
)
from consentcrawl.formats import preferences
from consentcrawl.formats.robots import Form, Record, RobotsTxt, Usage, parse

SPEC = Spec(
    name="DisallowAITraining",
    version="draft-canel-robots-ai-control-01 (expired)",
    url="https://datatracker.ietf.org/doc/draft-canel-robots-ai-control/",
    gates=(Gate.LOOKUP,),
    cost="nothing beyond robots.txt",
)

_DISALLOW, _ALLOW = "disallowaitraining", "allowaitraining"


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the origin's robots.txt."""
    return (ROBOTS_TXT,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read the rules for the purpose's token; the longest matching path decides, as with Disallow."""
    if not evidence.successful:
        return SILENT
    usage = evidence.parsed(_usage, evidence.parsed(parse), purpose.token)
    return _of_records(usage, evidence, asset.target) if usage else SILENT


def _usage(_: bytes, robots: RobotsTxt, token: str) -> Usage[Statement]:
    return Usage(robots, token, _FORM)


def _of_records(usage: Usage[Statement], evidence: Evidence, target: str) -> Iterator[Said]:
    said, gave_up = usage.match(target)
    yield from said
    if gave_up:
        yield Gap(evidence.url, gave_up, holds=True)


def _read(record: Record) -> tuple[str, tuple[preferences.Said, ...]]:
    """Read one rule. An empty path matches nothing, as with Disallow (RFC 9309 §2.2.2)."""
    said = preferences.Said("train", (Category.TRAIN,), record.key == _ALLOW, record.text)
    return record.value, (said,) if record.value else ()


def _statements(said: preferences.Said, where: str, under: tuple[str, ...]) -> tuple[Statement, ...]:
    return ((allow if said.allowed else disallow)(Category.TRAIN, said.quote, where, under=under),)


_FORM = Form((_DISALLOW, _ALLOW), _read, _statements)
