"""Content-Usage: usage preferences of the IETF AIPREF drafts, in a response field or as a robots.txt rule."""

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
from consentcrawl.formats.robots import Form, Record, RobotsTxt, Usage, parse

SPEC = Spec(
    name="AIPREF Content-Usage",
    version="draft-ietf-aipref-vocab-08, draft-ietf-aipref-attach-05",
    url="https://datatracker.ietf.org/doc/draft-ietf-aipref-attach/",
    gates=(Gate.LOOKUP, Gate.HEAD),
    cost="nothing beyond robots.txt",
)

_KEY = "content-usage"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


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
    if not evidence.successful:
        return SILENT
    robots: RobotsTxt = evidence.parsed(parse)
    usage = evidence.parsed(_usage, robots, purpose.token)
    if not usage:
        return SILENT
    # draft-ietf-aipref-attach: a rule is about what may be crawled; elsewhere there is no preference.
    if not robots.access(asset.target, purpose.token).allowed:
        return ()
    return _of_records(usage, evidence, asset.target)


def _usage(_: bytes, robots: RobotsTxt, token: str) -> Usage[Statement]:
    return Usage(robots, token, _FORM)


def _of_records(usage: Usage[Statement], evidence: Evidence, target: str) -> Iterator[Said]:
    said, gave_up = usage.match(target)
    yield from said
    if gave_up:
        yield Gap(evidence.url, gave_up, holds=True)


def _field(lines: list[str], evidence: Evidence) -> Iterator[Said]:
    """Read a field; a page's is about the page, and refuses what it shows only if the policy inherits all."""
    of_page = evidence.need.gate is not Gate.HEAD
    for said in preferences.usage(lines):
        if evidence.status in _REDIRECTS:  # it is about the content of this answer, not of the one it leads to
            note = "said of a redirect's own content"
            yield remark(Category(said.categories[0]), said.quote, "Content-Usage field", note)
        elif not of_page:
            yield from _statements(said, "Content-Usage field")
        elif not said.allowed and evidence.successful:
            yield from _statements(said, "page, Content-Usage field", ("inherit", "all"))


def _read(record: Record) -> tuple[str, tuple[preferences.Said, ...]]:
    path, value = preferences.split_path(record.value)
    return path, preferences.usage([value])


def _statements(said: preferences.Said, where: str, under: tuple[str, ...] = ()) -> Iterator[Statement]:
    state = allow if said.allowed else disallow
    for category in said.categories:
        yield state(Category(category), said.quote, where, note=said.note, under=under)


# draft-ietf-aipref-attach: a pattern that begins with a star is none, and a line before the first group is not placed.
_FORM = Form((_KEY,), _read, _statements, stars=False)
