"""Content-Signal: the content signals policy (contentsignals.org), in robots.txt or in a response field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from consentcrawl.core import (
    HEAD,
    ROBOTS_TXT,
    SILENT,
    Asset,
    Category,
    Evidence,
    Gap,
    Gate,
    Need,
    Preference,
    Purpose,
    Said,
    Spec,
    Statement,
    allow,
    disallow,
    page_of,
    remark,
)
from consentcrawl.formats import preferences
from consentcrawl.formats.ai_agents import AGENTS
from consentcrawl.formats.path_pattern import Patterns
from consentcrawl.formats.robots import Record, RobotsTxt, parse

SPEC = Spec(
    name="Content Signals",
    version="contentsignals.org 2026-07-01; draft-romm-aipref-contentsignals-00",
    url="https://contentsignals.org/",
    gates=(Gate.LOOKUP, Gate.HEAD),
    cost="nothing beyond robots.txt",
)

_KEYS = ("content-signal", "content-signals")
_OK = range(200, 300)
_TRAIN = "ai-train"

_Under = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rules:
    """Compiled records: patterns ("" for everything), and what each says, made once."""

    patterns: Patterns
    said: tuple[tuple[Statement, ...], ...]


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need robots.txt, the head of the answer, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (ROBOTS_TXT, HEAD) if page is None else (ROBOTS_TXT, HEAD, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read the records of a robots.txt, or the field of a response."""
    need = evidence.need
    if need.gate is Gate.HEAD or need.url != ROBOTS_TXT.url:
        lines = [line for key in _KEYS for line in evidence.fields.lines(key)]
        return _matching((_field(lines, evidence),), asset.target, evidence) if lines else ()
    if evidence.status not in _OK:
        return SILENT
    rules = evidence.parsed(_compiled, evidence.parsed(parse), purpose.token.lower())
    return _matching(rules, asset.target, evidence) if rules else SILENT


def _field(lines: list[str], evidence: Evidence) -> _Rules:
    """Read a field; a page's is about the page, and refuses what it shows only if the policy inherits all."""
    read = [preferences.content_signal(line) for line in lines]
    patterns = Patterns([path for path, _ in read])
    if evidence.need.gate is Gate.HEAD:
        return _Rules(patterns, tuple(_statements(said, "Content-Signal field", ()) for _, said in read))
    counted = evidence.status in _OK
    refused = (tuple(one for one in said if counted and not one.allowed) for _, said in read)
    where, under = "page, Content-Signal field", ("inherit", "all")
    return _Rules(patterns, tuple(_statements(said, where, under) for said in refused))


def _compiled(_: bytes, robots: RobotsTxt, own: str) -> tuple[_Rules, ...]:
    """Read the records once per file and token, by the policy under which they count."""
    by_policy: dict[_Under, list[Record]] = {}
    for record in (record for key in _KEYS for record in robots.all_records(key)):
        if (under := _under(record.agents, own)) is not None:
            by_policy.setdefault(under, []).append(record)
    return tuple(_rules(under, records) for under, records in by_policy.items())


def _under(agents: tuple[str, ...], own: str) -> _Under | None:
    """Tell to whom a record speaks: to everyone, by way of a crawler like us, or not at all.

    Many files have the line at their top or under ``*``: it is meant for everyone then, even beside a group of our own.
    """
    if not agents or "*" in agents or own in agents:
        return ()
    modes = AGENTS.modes(agents)
    return ("ai_agents", *modes) if modes else None


def _rules(under: _Under, records: list[Record]) -> _Rules:
    read = [preferences.content_signal(record.value) for record in records]
    said = tuple(
        _statements(
            [one for one in members if not under or (one.label == _TRAIN and not one.allowed)],
            f"line {record.line}",
            under,
        )
        for (_, members), record in zip(read, records, strict=True)
    )
    return _Rules(Patterns([path for path, _ in read]), said)


def _matching(rules: tuple[_Rules, ...], target: str, evidence: Evidence) -> Iterator[Said]:
    """Return what the longest matching paths say; precedence is not written down, so equals all count."""
    for some in rules:
        for number in some.patterns.longest(target):
            for statement in some.said[number]:
                if not (some.patterns.gave_up and statement.preference is Preference.ALLOWED):
                    yield statement
        if some.patterns.gave_up:
            yield Gap(evidence.url, some.patterns.gave_up, holds=True)


def _statements(said: Iterable[preferences.Said], where: str, under: _Under) -> tuple[Statement, ...]:
    stated: list[Statement] = []
    for one in said:
        if not one.categories:
            stated.append(remark(Category.AI_USE, one.quote, where, one.note))
        state = allow if one.allowed else disallow
        stated += [state(Category(name), one.quote, where, note=one.note, under=under) for name in one.categories]
    return tuple(stated)
