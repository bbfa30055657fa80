"""Rules of a robots.txt, the sets of them that bind one crawler, and which rule decides about a path.

Where two readings of a path differ, the one that disallows counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consentcrawl.formats.path_pattern import as_written, is_plain, literal, normal
from consentcrawl.formats.pattern_index import NONE, SPENT, Index

Line = tuple[int, bool, str]
"""A rule as it was read: number of its line, whether it allows, its pattern in ASCII."""

_path_starts = re.compile(r"[/?;]").search


@dataclass(frozen=True, slots=True)
class Rule:
    """One Allow or Disallow: the number of its line from 1, the line as it stood, stripped, and which it is."""

    line: int
    text: str
    allow: bool


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a path may be fetched, and the rule that decides; no rule: none matches.

    ``gave_up`` is ``robots_budget`` when it is disallowed because not every rule could be compared, else empty.
    """

    allowed: bool
    rule: Rule | None
    gave_up: str = ""


NOTHING_SAID = Access(allowed=True, rule=None)


def path_of(target: str) -> str:
    """Path and query of an absolute URL, or of what is one already; without fragment, never empty."""
    target = target.partition("#")[0]
    if target.startswith("/"):
        return target
    found = _path_starts(target, target.find("://") + 3 if "://" in target else 0)
    if found is None:
        return "/"
    path = target[found.start() :]
    return path if path.startswith("/") else "/" + path


class RuleSet:
    """The rules of the groups chosen for a crawler, merged (RFC 9309 §2.2.1); their order is irrelevant."""

    __slots__ = ("_answers", "_best", "_literal", "_octets", "_rules", "_simple", "_text")

    def __init__(self, rules: Sequence[Line], text: Sequence[str]) -> None:
        """Compile ``rules``; ``text`` holds the lines of the file, as Latin-1."""
        self._rules, self._text = list(_with_directories(rules)), text
        forms = [normal(pattern) for _, _, pattern in self._rules]
        self._octets = [len(form) for form in forms]
        self._best = self._compile(forms)
        self._answers: dict[int, Access] = {NONE: NOTHING_SAID}
        written = [as_written(pattern) for _, _, pattern in self._rules]
        self._literal = None if written == forms else self._compile(written)
        # Where no rule has an encoded octet, what would be encoded in a path meets no rule in either form.
        self._simple = self._literal is None and not any("%" in form or "$" in form[:-1] for form in forms)

    def _compile(self, forms: list[str]) -> Callable[[str], int]:
        # RFC 9309 §2.2.2: the most octets win; "if an allow rule and a disallow rule are equivalent", allow does.
        return Index([(form, 2 * len(form) + rule[1]) for form, rule in zip(forms, self._rules, strict=True)]).best

    def access(self, target: str) -> Access:
        """Decide about ``target``: an absolute URL, or a path with query.

        A permission holds only if it does in both readings of percent-encoding: RFC 9309 §2.2.2, which decodes
        unreserved characters first, and the older one, which compares what is written.
        """
        if self._simple and "%" not in target and "#" not in target and target[:1] == "/":
            number = self._best(target)
            return self._answers[number] if number in self._answers else self._answer(number)
        if self._literal is None and is_plain(target):
            return self._decide(self._best(target))
        path = path_of(target)
        form, written = literal(normal(path)), literal(as_written(path))
        answer = self._decide(self._best(form))
        if not answer.allowed or (self._literal is None and form == written):
            return answer
        # "Allow: /%62%61%7A" does not lift "Disallow: /" from /baz for everybody (google/ID_Encoding), so not here.
        other = self._decide((self._literal or self._best)(written))
        return answer if other.allowed else other

    def _decide(self, number: int) -> Access:
        return self._answers[number] if number in self._answers else self._answer(number)

    def _answer(self, number: int) -> Access:
        """Make the answer that rests on one rule; once."""
        if number == SPENT:
            answer = self._given_up()
        else:
            line, allow, _ = self._rules[number]
            answer = Access(allow, Rule(line, as_utf8(self._text[line - 1]).strip(), allow))
        self._answers[number] = answer
        return answer

    def _given_up(self) -> Access:
        """Disallow by the longest Disallow there is: one of them may match."""
        numbers = [number for number, rule in enumerate(self._rules) if not rule[1]]
        if not numbers:
            return NOTHING_SAID
        longest = self._answer(max(numbers, key=self._octets.__getitem__))
        return Access(allowed=False, rule=longest.rule, gave_up="robots_budget")

    def octets(self, rule: Rule) -> int:
        """How many octets the pattern of ``rule`` has in normal form: what decides between rules."""
        lengths = (octets for octets, (line, _, _) in zip(self._octets, self._rules, strict=True) if line == rule.line)
        return max(lengths, default=0)


def _with_directories(rules: Sequence[Line]) -> Sequence[Line]:
    """Read an Allow of a directory's index page as one of the bare directory too (google/IndexHTMLisDirectory)."""
    more = []
    for line, allow, pattern in rules:
        if allow and "/index.htm" in pattern:
            slash = pattern.rindex("/") + 1
            if pattern.startswith("index.htm", slash):
                more.append((line, allow, pattern[:slash] + "$"))
    return [*rules, *more]


def as_utf8(text: str) -> str:
    """Text that was read octet by octet, as UTF-8; octets that are none are replaced."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")
