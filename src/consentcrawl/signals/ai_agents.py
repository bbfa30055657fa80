"""Groups of robots.txt for other AI crawlers: evidence that training is refused, never that fetching is.

A group binds the crawlers it names. Who shuts out the crawlers that collect for training refuses training, though; the
policy's ``ai_agents`` says whether that counts: ``own`` (no), ``class`` (training crawlers), ``any``.
"""

from __future__ import annotations

from collections.abc import Iterable

from consentcrawl.core import (
    ROBOTS_TXT,
    SILENT,
    Asset,
    Category,
    Evidence,
    Gate,
    Need,
    Purpose,
    Said,
    Spec,
    Statement,
    disallow,
)
from consentcrawl.formats.ai_agents import AGENTS
from consentcrawl.formats.robots import Foreign, RobotsTxt, parse

SPEC = Spec(
    name="AI crawlers named in robots.txt",
    version=AGENTS.source,
    url="https://github.com/ai-robots-txt/ai.robots.txt",
    gates=(Gate.LOOKUP,),
    cost="nothing beyond robots.txt",
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the origin's robots.txt."""
    return (ROBOTS_TXT,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read the groups of every known AI crawler, unless one names the purpose's token."""
    if not evidence.successful:
        return SILENT
    foreign = evidence.parsed(_foreign, evidence.parsed(parse), purpose.token)
    return foreign.refused(asset.target) if foreign else SILENT


def _foreign(_: bytes, robots: RobotsTxt, token: str) -> Foreign[Statement]:
    return Foreign(robots, token, _refused)


def _refused(words: str, where: str, under: tuple[str, ...]) -> Statement:
    return disallow(Category.TRAIN, words, where, under=under)
