"""Content-Signal: the content signals policy (contentsignals.org), in robots.txt or in a response field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
from consentcrawl.formats.robots import Form, Record, RobotsTxt, Usage, by_key, parse

SPEC = Spec(
    name="Content Signals",
    version="contentsignals.org 2026-07-01; draft-romm-aipref-contentsignals-00",
    url="https://contentsignals.org/",
    gates=(Gate.LOOKUP, Gate.HEAD),
    cost="nothing beyond robots.txt",
)

_KEYS = ("content-signal", "content-signals")


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need robots.txt, the head of the answer, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (ROBOTS_TXT, HEAD) if page is None else (ROBOTS_TXT, HEAD, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read the records of a robots.txt, or the field of a response."""
    need = evidence.need
    if need.gate is Gate.HEAD or need.url != ROBOTS_TXT.url:
        lines = [line for key in _KEYS for line in evidence.fields.lines(key)]
        return _of_field(lines, evidence, asset.target) if lines else ()
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


def _of_field(lines: list[str], evidence: Evidence, target: str) -> Iterator[Said]:
    """Read a field; a page's is about the page, and refuses what it shows only if the policy inherits all."""
    read = (preferences.content_signal(line) for line in lines)
    if evidence.need.gate is Gate.HEAD:
        rules = by_key(((path, "Content-Signal field", said) for path, said in read), _FORM.in_full)
    elif evidence.successful:
        rules = by_key(((path, "page, Content-Signal field", said) for path, said in read), _inherited)
    else:
        return
    for some in rules:
        yield from some.longest(target)
        if some.patterns.gave_up:
            yield Gap(evidence.url, some.patterns.gave_up, holds=True)


def _inherited(said: preferences.Said, where: str) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    refused = () if said.allowed else tuple(_statements(said, where, ("inherit", "all")))
    return refused, refused


def _read(record: Record) -> tuple[str, tuple[preferences.Said, ...]]:
    return preferences.content_signal(record.value)


def _statements(said: preferences.Said, where: str, under: tuple[str, ...]) -> Iterator[Statement]:
    if not said.categories:
        yield remark(Category.AI_USE, said.quote, where, said.note)
    state = allow if said.allowed else disallow
    for name in said.categories:
        yield state(Category(name), said.quote, where, note=said.note, under=under)


_FORM = Form(_KEYS, _read, _statements, anywhere=True)
