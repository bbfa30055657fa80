"""A second reading of robots.txt by Protego: where it disallows and ours does not, that is a gap."""

from __future__ import annotations

import re
from collections.abc import Iterable

from protego import Protego

from consentcrawl.core import ROBOTS_TXT, Asset, Evidence, Gap, Gate, Need, Purpose, Said, Spec
from consentcrawl.formats.robots import RobotsTxt, parse

SPEC = Spec(
    name="Protego (second reader)",
    version="RFC 9309 as Protego reads it",
    url="https://github.com/scrapy/protego",
    gates=(Gate.LOOKUP,),
    cost="a few milliseconds per origin",
    under=("second_reader", "on"),
)

_LIMIT = 64 * 1024
"""The longest file, in bytes, that is read a second time."""
_STEPS = 200_000
"""The most agents times rules: Protego's time grows with their product."""
_STARS = 200
"""The most wildcards in a file."""

_agent = re.compile(rb"^[ \t]*user.?agent", re.IGNORECASE | re.MULTILINE)
_rule = re.compile(rb"^[ \t]*(?:dis)?allow", re.IGNORECASE | re.MULTILINE)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the origin's robots.txt."""
    return (ROBOTS_TXT,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Compare both readings of a file that is small enough."""
    if not evidence.found or asset.target == "/robots.txt" or not evidence.parsed(_is_small):
        return ()
    ours: RobotsTxt = evidence.parsed(parse)
    if not ours.access(asset.target, purpose.token).allowed:
        return ()
    try:
        allowed = evidence.parsed(_protego).can_fetch(asset.url, purpose.token)
    except Exception as error:  # noqa: BLE001 (others' code)
        return (Gap(evidence.url, "reader_failed", note=f"Protego: {type(error).__name__}"),)
    return () if allowed else (Gap(evidence.url, "readers_disagree", holds=True, note="Protego disallows it"),)


def _is_small(content: bytes) -> bool:
    if len(content) > _LIMIT or content.count(b"*") > _STARS:
        return False
    return len(_agent.findall(content)) * len(_rule.findall(content)) <= _STEPS


def _protego(content: bytes) -> Protego:
    return Protego.parse(content.decode("utf-8-sig", "replace"))
