"""The lines of a kept document that a verdict rests on, marked.

A line is shown as it was sent, only escaped; where the words cannot be found again nothing is marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consentcrawl.ledger.evidence import Document

_AROUND = 2
_WIDEST = 160
_LINE_END = re.compile(r"\r\n|\r|\n")
_NUMBERED = re.compile(r"\bline (\d{1,7})\b")


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of a document or one of its fields; ``number`` is 0 for a field."""

    number: int
    text: str
    marked: bool


def excerpt(document: Document, grounds: Sequence[Mapping[str, Any]]) -> Iterator[Shown]:
    """The fields and lines that ``grounds`` were read from, marked, with the lines around them."""
    for name, value in document.fields:
        if any(_is_field(name, value, ground) for ground in grounds):
            yield Shown(0, f"{name}: {value}", marked=True)
    lines = _LINE_END.split(document.content.decode("utf-8", "surrogateescape").rstrip())
    marked = {number: ground for ground in grounds if (number := _line_of(ground, lines))}
    around = {near for number in marked for near in range(number - _AROUND, number + _AROUND + 1)}
    for number in sorted(around):
        if 0 < number <= len(lines):
            words = str(marked[number]["quote"]) if number in marked else ""
            yield Shown(number, _cut(lines[number - 1], words), number in marked)


def _is_field(name: str, value: str, ground: Mapping[str, Any]) -> bool:
    """Return whether a ground was read from this field: its place names it, and its words stand in it."""
    where, quote = str(ground.get("where", "")).lower(), str(ground.get("quote", "")).lower()
    named = name.lower() in where or quote.startswith(f"{name.lower()}:")
    return named and (quote in f"{name}: {value}".lower() or value.lower() in quote)


def _line_of(ground: Mapping[str, Any], lines: Sequence[str]) -> int:
    """The number of the line that a ground was read from, or 0: the one it names, else the first with its words."""
    quote = str(ground.get("quote", ""))
    named = _NUMBERED.search(str(ground.get("where", "")))
    if named and 0 < int(named[1]) <= len(lines):
        return int(named[1])
    wanted = quote.casefold()
    return next((number for number, line in enumerate(lines, 1) if wanted and wanted in line.casefold()), 0)


def _cut(line: str, words: str) -> str:
    """A long line from a little before the words on."""
    if len(line) <= _WIDEST:
        return line
    start = max(0, line.casefold().find(words.casefold()) - _WIDEST // 4)
    return ("…" if start else "") + line[start : start + _WIDEST] + ("…" if start + _WIDEST < len(line) else "")
