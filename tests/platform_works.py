"""A made-up world of works: addresses of files on every platform, by number, and what the platforms answer about them.

Both stand in the vector files of the platforms, as ``[[list]]``; every work with an even number is opted out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from string import ascii_lowercase, digits
from typing import Any

from tests import vector_files
from tests.website import Answer

HTML, JSON = (("Content-Type", "text/html; charset=utf-8"),), (("Content-Type", "application/json"),)
KEYS = {
    "flickr.api_key": "k", "gelbooru.api_key": "k", "gelbooru.user_id": "u", "smugmug.api_key": "k",
}  # fmt: skip
LISTS = {table["name"]: table for _, table in vector_files.tables(vector_files.PLUGINS, "list")}
_OTHERS = 1_000_000
"""Numbers from here on are of works that only re-hosts lead to, each by a maker of its own."""
_MAKERS = 4
"""How many makers there are where their names are made of numbers."""
_LETTERS, _DIGITS = str.maketrans("0189", "abcd"), str.maketrans("abcd", "0189")
_NUMBER = {"did": r"(did:plc:\w+)", "n:032x": "([0-9a-f]{32})", "n": r"(\d+)"}
_marked = re.compile(r"\{(n|base36|did)(?:([+%])(\d+))?(?::(0\d+[dx]?))?\}")


def opted_out(number: int) -> bool:
    return number % 2 == 0


def files(name: str, number: int) -> list[str]:
    """Return two addresses of one work's file."""
    return [_written(form, number) for form in LISTS[name]["files"]]


def addresses(per_platform: int) -> Iterator[tuple[str, str]]:
    """Yield platform and address of ``per_platform`` works on every platform, each work by two addresses."""
    for name in LISTS:
        for number in range(1000, 1000 + per_platform):
            yield from ((name, url) for url in files(name, number))


@dataclass
class World:
    """Answers look-ups about any work; ``makers`` keeps those that it was asked about, each once."""

    makers: set[str] = field(default_factory=set)

    def __call__(self, place: str) -> Answer | None:
        """Return what lies at host and target."""
        for answer in _answers():
            if match := answer.place.fullmatch(place):
                numbers = [_read(found[1]) for found in answer.number.finditer(match[1])]
                if answer.table.get("maker") or numbers[0] >= _OTHERS:
                    self.makers.add(match[1])
                return _answer(answer.table, numbers)
        return None


@dataclass(frozen=True)
class _Answers:
    """A ``[[list.answer]]``: where it lies, and the number in the first group of that, or the numbers."""

    place: re.Pattern[str]
    number: re.Pattern[str]
    table: dict[str, Any]


@cache
def _answers() -> list[_Answers]:
    return [_compiled(answer) for table in LISTS.values() for answer in table.get("answer", [])]


def _compiled(answer: dict[str, Any]) -> _Answers:
    if "item" not in answer:
        return _Answers(re.compile(_pattern(answer["at"])), re.compile("(.+)"), answer)
    before, after = map(re.escape, answer["at"].split("{items}"))
    return _Answers(re.compile(f"{before}(.+){after}"), re.compile(_pattern(answer["item"])), answer)


def _pattern(form: str) -> str:
    """Return the pattern of a form with one number in it."""
    (found,) = _marked.finditer(form)
    return re.escape(form[: found.start()]) + _NUMBER[found[0][1:-1]] + re.escape(form[found.end() :])


def _read(text: str) -> int:
    return int(text.removeprefix("did:plc:").translate(_DIGITS) if ":" in text else text, 16 if len(text) == 32 else 10)


def _written(form: str, number: int) -> str:
    """Return a form with the number in it: as it is, with something added, in another base, as a maker's name."""

    def one(found: re.Match[str]) -> str:
        kind, sign, operand, spec = found.groups()
        if kind == "base36":
            return _base36(number)
        if kind == "did":
            return "did:plc:" + f"{number % _MAKERS:024d}".translate(_LETTERS)
        changed = {None: number, "+": number + int(operand or 0), "%": number % int(operand or 1)}[sign]
        return format(changed, spec or "d")

    return _marked.sub(one, form)


def _base36(number: int) -> str:
    return (_base36(number // 36) if number >= 36 else "") + (digits + ascii_lowercase)[number % 36]


def _answer(table: dict[str, Any], numbers: list[int]) -> Answer:
    text: str = table["content"]
    text = text.replace("{items}", ", ".join(_written(table.get("each", ""), number) for number in numbers))
    text = text.replace("{choice}", table.get("opted_out" if opted_out(numbers[0]) else "otherwise", ""))
    content = _written(text, numbers[0]).encode()
    return Answer(content, table.get("status", 200), JSON if content[:1] in b"{[" else HTML)
