"""robots.txt (RFC 9309): the groups that bind a crawler, and every record that is no rule.

Whatever is unsure is read as disallowed, and every answer names the line it rests on.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TypeVar

from consentcrawl.formats.ai_agents import AGENTS
from consentcrawl.formats.robots.lines import Group, Lines, text_of
from consentcrawl.formats.robots.rules import Access, Line, Rule, RuleSet, as_utf8

MAX_DELAY = 86_400.0
MAX_COMPILED = 60_000
_KEPT = 256

K = TypeVar("K")
V = TypeVar("V")

_seconds = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+").fullmatch
_html = re.compile(rb"\s*<(?:!doctype|html|head|body|title|meta|script|!--|\?xml)\b", re.IGNORECASE).match
_is_word = re.compile(r"[a-z0-9_.-]*").fullmatch
_is_sitemap = re.compile(r"[ \t]*site-?map[ \t]*:", re.IGNORECASE).match
_BEGIN, _END = "begin cloudflare managed content", "end cloudflare managed content"


@dataclass(frozen=True, slots=True)
class Record:
    """A line that is neither rule nor User-agent: lower-case key, value without comment, line number, stripped line.

    ``group`` is the number of its group from 0, or -1 before the first.
    """

    key: str
    value: str
    line: int
    text: str
    group: int = -1


class RobotsTxt:
    """A robots.txt that was read; ``parse`` makes it.

    ``tokens`` are the names in its User-agent lines, case-folded: whole, without version, and cut to the grammar of
    RFC 9309 §2.2.1. ``gave_up`` is ``robots_limit`` when rules lie behind the limit, ``encoding`` when the file is not
    UTF-8 (what could be read counts nevertheless), ``unsupported`` when it is packed, ``robots_budget`` when more rule
    sets were asked for than are compiled (further ones disallow), else empty. ``looks_html`` tells that it is a page.
    """

    __slots__ = (
        "_chosen", "_compiled", "_crawlers", "_delays", "_gaps", "_lines", "_merged", "_named", "_origin",
        "gave_up", "looks_html", "tokens",
    )  # fmt: skip

    def __init__(self, lines: Lines, *, gave_up: str = "", looks_html: bool = False) -> None:
        """Take what was read of ``lines``."""
        self.gave_up, self.looks_html, self._lines = gave_up, looks_html, lines
        self._named: dict[str, tuple[int, ...]] = _by_name(lines.groups)
        self.tokens = frozenset(self._named) - {"*"}
        self._chosen: dict[str, RuleSet] = {}
        self._merged: dict[tuple[int, ...], RuleSet] = {}
        self._compiled = 0
        self._delays: dict[str, float | None] = {}
        self._gaps: list[int] | None = None
        self._crawlers: dict[tuple[int, ...], tuple[str, ...]] | None = None
        self._origin: RobotsTxt | None = None

    def access(self, target: str, token: str) -> Access:
        """Decide whether the crawler ``token`` may fetch ``target``, an absolute URL or a path with query."""
        try:
            rules = self._chosen[token]
        except KeyError:
            rules = self._choose(token)
        return rules.access(target)

    def binding(self, token: str) -> tuple[int, ...]:
        """Return the groups that bind ``token``: those that name it, else those for everybody (RFC 9309 §2.2.1)."""
        return self._named.get(self._name(token), ())

    def names(self, token: str) -> bool:
        """Return whether a group names ``token``; those for everybody do not bind it then."""
        return self._name(token) != "*"

    def crawlers(self) -> dict[tuple[int, ...], tuple[str, ...]]:
        """Return the known AI crawlers, sorted, by the groups that name them in any form (``Agents.named``)."""
        if self._crawlers is None:
            groups: dict[str, set[int]] = {}
            for name, numbers in self._named.items():
                if name in AGENTS.tokens or not _is_word(name):
                    for token in AGENTS.named(name):
                        groups.setdefault(token, set()).update(numbers)
            tokens: dict[tuple[int, ...], tuple[str, ...]] = {}
            for token in sorted(groups):
                run = tuple(sorted(groups[token]))
                tokens[run] = (*tokens.get(run, ()), token)
            self._crawlers = tokens
        return self._crawlers

    def rules(self, numbers: tuple[int, ...]) -> RuleSet:
        """Return the rules of the groups ``numbers``, merged and compiled once."""
        if numbers not in self._merged:
            rules = [rule for number in numbers for rule in self._lines.groups[number].rules]
            self._compiled += len(rules)
            if self._compiled > MAX_COMPILED:
                rules = self._instead(rules)
            self._merged[numbers] = RuleSet(rules, self._lines.text)
        return self._merged[numbers]

    def records(self, *keys: str) -> tuple[Record, ...]:
        """Return every record whose key is one of ``keys`` (lower case), in the order of keys and lines."""
        text = self._lines.text
        return tuple(
            Record(key, as_utf8(value), line, as_utf8(text[line - 1]).strip(), group)
            for key in keys
            for line, value, group in self._lines.records.get(key, ())
        )

    def stands_apart(self, record: Record) -> bool:
        """Return whether a blank line or a Sitemap separates the record from its group, of which nothing follows."""
        if self._gaps is None:
            self._gaps = [number for number, line in enumerate(self._lines.text, 1) if _separates(line)]
        end = self._lines.groups[record.group].end
        after = bisect_right(self._gaps, end)
        return end < record.line and after < len(self._gaps) and self._gaps[after] < record.line

    def crawl_delay(self, token: str) -> float | None:
        """Seconds between requests, the largest that is asked of ``token``, at most a day; None where none is."""
        if token not in self._delays:
            groups = frozenset(self.binding(token))
            values = (record.value for record in self.records("crawl-delay") if record.group in groups)
            asked = max((min(float(value), MAX_DELAY) for value in values if _seconds(value)), default=None)
            _keep(self._delays, token, asked)
        return self._delays[token]

    def tie_flip(self, target: str, token: str) -> Rule | None:
        """The origin's own Disallow that a managed block put before it ties away, or None.

        Cloudflare's block has ``Allow: /`` for all; a ``Disallow: /`` of the origin's own part is as long, and
        RFC 9309 §2.2.2 lets Allow win. Where the origin's part alone disallows, its rule is given.
        """
        merged, part = self.access(target, token), self._own_part()
        if part is self or not merged.allowed or merged.rule is None:
            return None
        own = part._choose(token)  # noqa: SLF001 (same class)
        answer = own.access(target)
        if answer.allowed or answer.rule is None:
            return None
        return answer.rule if own.octets(answer.rule) == self._choose(token).octets(merged.rule) else None

    def _own_part(self) -> RobotsTxt:
        """The file without managed blocks, its lines in their places."""
        if self._origin is None:
            text = _without_managed(self._lines.text)
            self._origin = self if text is self._lines.text else RobotsTxt(Lines("\n".join(text)))
        return self._origin

    def _choose(self, token: str) -> RuleSet:
        return _keep(self._chosen, token, self.rules(self.binding(token)))

    def _name(self, token: str) -> str:
        whole = token.casefold()
        return next((name for name in (whole, whole.partition("/")[0].strip()) if name in self._named), "*")

    def _instead(self, rules: list[Line]) -> list[Line]:
        """One rule in place of many that are not compiled: the first Disallow, for every path."""
        self.gave_up = self.gave_up or "robots_budget"
        first = [rule for rule in rules if not rule[1]][:1]
        return [(line, allow, "*") for line, allow, _ in first]


def parse(body: bytes) -> RobotsTxt:
    """Read the content of a robots.txt; any octets will do, and nothing is raised."""
    text, gave_up = text_of(body)
    return RobotsTxt(Lines(text), gave_up=gave_up, looks_html=_html(text[:1024].encode("latin-1")) is not None)


def _by_name(groups: list[Group]) -> dict[str, tuple[int, ...]]:
    """The numbers of the groups that bear each name."""
    numbers: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        for name in group.names:
            numbers.setdefault(name, []).append(number)
    return {name: tuple(found) for name, found in numbers.items()}


def _keep(kept: dict[K, V], key: K, value: V) -> V:
    """Remember an answer; forget them all when there are too many."""
    if len(kept) >= _KEPT:
        kept.clear()
    kept[key] = value
    return value


def _without_managed(lines: list[str]) -> list[str]:
    """The lines with those of managed blocks emptied; the same list when there is none."""
    own, begin = lines, None
    for number, line in enumerate(lines):
        mark = _mark(line) if line[:1] == "#" else ""
        if mark == _BEGIN and begin is None:
            begin = number
        elif mark == _END and begin is not None:
            own = list(lines) if own is lines else own
            own[begin : number + 1] = [""] * (number + 1 - begin)
            begin = None
    return own


def _separates(line: str) -> bool:
    return not line.strip() or _is_sitemap(line) is not None


def _mark(line: str) -> str:
    return line.strip("# \t").lower()
