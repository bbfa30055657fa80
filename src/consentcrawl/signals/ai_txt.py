"""ai.txt as Spawning defined it: which kinds of files data sets may take, in the manner of robots.txt."""

from __future__ import annotations

from collections.abc import Iterable

from consentcrawl.core import (
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
from consentcrawl.formats.html import looks_html
from consentcrawl.formats.robots import Foreign, RobotsTxt, parse

SPEC = Spec(
    name="ai.txt",
    version="Spawning, 2023-05-30",
    url="https://site.spawning.ai/spawning-ai-txt",
    gates=(Gate.LOOKUP,),
    cost="one request per origin and day",
)

_FILE = Need(Gate.LOOKUP, "/ai.txt")


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the origin's file."""
    return (_FILE,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read the rule that decides; other formats under the same name have no User-agent line with rules."""
    if not evidence.successful:
        return _lacking(evidence)
    if evidence.parsed(looks_html):
        return SILENT
    robots: RobotsTxt = evidence.parsed(parse)
    if robots.looks_html:
        return ()
    gaps = (Gap(evidence.url, robots.gave_up),) if robots.gave_up else ()
    foreign = evidence.parsed(_foreign, robots, purpose.token).refused(asset.target)
    access = robots.access(asset.target, purpose.token)
    if access.rule is None:
        return (*gaps, *foreign)
    state = allow if access.allowed else disallow
    own = state(Category.TRAIN, access.rule.text, f"line {access.rule.line}", note=access.gave_up)
    return (*gaps, own, *foreign)


def _foreign(_: bytes, robots: RobotsTxt, token: str) -> Foreign[Statement]:
    return Foreign(robots, token, _refused)


def _refused(words: str, where: str, under: tuple[str, ...]) -> Statement:
    return disallow(Category.TRAIN, words, where, under=under)


def _lacking(evidence: Evidence) -> tuple[Said, ...]:
    """Note a server that failed; a file that is not there says nothing."""
    if evidence.gap or not evidence.unreachable:
        return SILENT
    return (Gap(evidence.url, "unreachable", note=str(evidence.status)),)
