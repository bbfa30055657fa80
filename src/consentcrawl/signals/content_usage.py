"""Content-Usage: usage preferences of the IETF AIPREF drafts, in a response field or as a robots.txt rule."""

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
    Purpose,
    Said,
    Spec,
    allow,
    disallow,
    page_of,
    remark,
)
from consentcrawl.formats import preferences
from consentcrawl.formats.path_pattern import Patterns
from consentcrawl.formats.robots import RobotsTxt, parse

SPEC = Spec(
    name="AIPREF Content-Usage",
    version="draft-ietf-aipref-vocab-08, draft-ietf-aipref-attach-05",
    url="https://datatracker.ietf.org/doc/draft-ietf-aipref-attach/",
    gates=(Gate.LOOKUP, Gate.HEAD),
    cost="nothing beyond robots.txt",
)

_KEY = "content-usage"
_OK = range(200, 300)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


_Rule = tuple[str, tuple[preferences.Said, ...], int]
"""The path pattern of a rule, what it says, and its line."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """Compiled rules: their patterns ("" for everything), and what each says and in which line."""

    patterns: Patterns
    said: tuple[tuple[tuple[preferences.Said, ...], int], ...]
    strict: bool


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need robots.txt, the head of the answer, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (ROBOTS_TXT, HEAD) if page is None else (ROBOTS_TXT, HEAD, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read the field of a response, or the rules of a robots.txt for the purpose's token."""
    need = evidence.need
    if need.gate is Gate.HEAD or need.url != ROBOTS_TXT.url:
        lines = evidence.fields.lines(_KEY)
        return _field(lines, evidence) if lines else ()
    if evidence.status not in _OK:
        return SILENT
    robots: RobotsTxt = evidence.parsed(parse)
    rules = evidence.parsed(_compiled, robots, purpose.token)
    if not rules:
        return SILENT
    # draft-ietf-aipref-attach: a rule is about what may be crawled; elsewhere there is no preference.
    if not robots.access(asset.target, purpose.token).allowed:
        return ()
    return _matching(rules, asset.target, evidence)


def _field(lines: list[str], evidence: Evidence) -> Iterator[Said]:
    """Read a field; a page's is about the page, and refuses what it shows only if the policy inherits all."""
    of_page = evidence.need.gate is not Gate.HEAD
    for said in preferences.usage(lines):
        if evidence.status in _REDIRECTS:  # it is about the content of this answer, not of the one it leads to
            note = "said of a redirect's own content"
            yield remark(Category(said.categories[0]), said.quote, "Content-Usage field", note)
        elif not of_page:
            yield from _statements(said, "Content-Usage field")
        elif not said.allowed and evidence.status in _OK:
            yield from _statements(said, "page, Content-Usage field", ("inherit", "all"))


def _statements(said: preferences.Said, where: str, under: tuple[str, ...] = ()) -> Iterator[Said]:
    state = allow if said.allowed else disallow
    for category in said.categories:
        yield state(Category(category), said.quote, where, note=said.note, under=under)


def _compiled(_: bytes, robots: RobotsTxt, token: str) -> tuple[_Rules, ...]:
    """Read the rules once per file and token: those by the draft's letter, and those that can only disallow.

    Outside its letter stand a pattern that begins with ``*`` and a line before the first group.
    """
    by_letter: list[_Rule] = []
    lenient: list[_Rule] = []
    for record in robots.records(_KEY, token):
        path, value = preferences.split_path(record.value)
        (lenient if path.startswith("*") else by_letter).append((path, preferences.usage([value]), record.line))
    for record in robots.globals(_KEY):
        path, value = preferences.split_path(record.value)
        lenient.append((path, preferences.usage([value]), record.line))
    return tuple(
        _Rules(Patterns([path for path, _, _ in rules]), tuple((said, line) for _, said, line in rules), strict)
        for rules, strict in ((by_letter, True), (lenient, False))
        if rules
    )


def _matching(rules: tuple[_Rules, ...], target: str, evidence: Evidence) -> Iterator[Said]:
    """Return what the longest matching patterns say; all of those that are equally long (attach §"Conflicts")."""
    for some in rules:
        numbers = some.patterns.longest(target)
        sure = some.strict and not some.patterns.gave_up
        for said, line in (some.said[number] for number in numbers):
            for one in said:
                if sure or not one.allowed:
                    yield from _statements(one, f"line {line}")
        if some.patterns.gave_up:
            yield Gap(evidence.url, some.patterns.gave_up, holds=True)
