"""TDMRep's file, /.well-known/tdmrep.json: for which paths of an origin text and data mining is reserved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from consentcrawl.core import (
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
    remark,
)
from consentcrawl.formats import json as bounded
from consentcrawl.formats.html import looks_html
from consentcrawl.formats.path_pattern import Patterns
from consentcrawl.formats.tdm_reservation import LENIENT, of_json

SPEC = Spec(
    name="TDMRep (file)",
    version="W3C CG-FINAL-tdmrep-20240510",
    url="https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/",
    gates=(Gate.LOOKUP,),
    cost="one request per origin and day",
)

_FILE = Need(Gate.LOOKUP, "/.well-known/tdmrep.json")

# What reserves in a file that cannot be read as JSON: it must not end as nothing found.
_RESERVES = re.compile(
    rb"""tdm[-_:]?reservation["']?\s*+[:=]\s*+(?:[\[{]\s*+)?["']?(?:1|true|yes)\b""", re.IGNORECASE
).search
_AMBIGUOUS = "the first match does not reserve, the longest does"
_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry: its path pattern, whether it reserves, a note where it was read leniently, and its words."""

    location: str
    reserved: bool
    note: str
    text: str


@dataclass(frozen=True, slots=True)
class _Rules:
    """The entries of a file in order, their patterns, and a reason code where not all could be read."""

    entries: tuple[_Entry, ...]
    patterns: Patterns
    gave_up: str


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the origin's file."""
    return (_FILE,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (no token in it)
    """Read the first entry that matches (TDMRep §"File on the origin server"); no file is no reservation."""
    if not evidence.found:
        return _lacking(evidence)
    if evidence.parsed(looks_html):
        words = evidence.content[:80].decode("utf-8", "replace").strip()
        return (remark(Category.TDM, words, "tdmrep.json", "a page stands there: not a TDMRep file"),)
    return _matching(evidence.parsed(_rules), asset.target, evidence)


def _matching(rules: _Rules, target: str, evidence: Evidence) -> Iterator[Said]:
    if rules.gave_up:
        yield Gap(evidence.url, rules.gave_up, holds=_reserves(evidence))
    first = rules.patterns.first(target)
    if first is None:
        return
    longest = [n for n in rules.patterns.longest(target) if rules.entries[n].reserved]
    if rules.patterns.gave_up:
        yield Gap(evidence.url, rules.patterns.gave_up, holds=True)
    entry = rules.entries[first]
    if entry.reserved or longest:
        chosen = entry if entry.reserved else rules.entries[longest[0]]
        yield from _stated(chosen, chosen.note if entry.reserved else _AMBIGUOUS, first)
    elif not rules.patterns.gave_up and not rules.gave_up:
        yield from _stated(entry, "", first)


def _lacking(evidence: Evidence) -> tuple[Said, ...]:
    """Note a server that failed; of a file that was cut, what it reserves may lie in what was not read."""
    if evidence.gap:
        return (Gap(evidence.url, evidence.gap, holds=True),) if _reserves(evidence) else SILENT
    return (Gap(evidence.url, "unreachable", note=str(evidence.status)),) if evidence.unreachable else SILENT


def _reserves(evidence: Evidence) -> bool:
    """Return whether the words of a reservation stand in a file that could not be read."""
    return evidence.successful and evidence.parsed(_worded)


def _worded(content: bytes) -> bool:
    return _RESERVES(content.replace(b"\0", b"")) is not None


def _stated(entry: _Entry, note: str, number: int) -> Iterator[Said]:
    state = disallow if entry.reserved else allow
    for category in (Category.TDM, Category.AI_USE):
        yield state(category, entry.text, f"entry {number + 1}", note=note, family="tdmrep", rank=0)


def _rules(content: bytes) -> _Rules:
    value, gave_up = bounded.parse(content)
    read = list(_entries(value))
    if len(read) > _ENTRIES:
        read, gave_up = read[:_ENTRIES], "json_limit"
    if not read and value != [] and not gave_up:
        gave_up = "malformed"
    return _Rules(tuple(read), Patterns([entry.location for entry in read]), gave_up)


def _entries(value: object) -> Iterator[_Entry]:
    """Read the array of the specification; leniently one object alone, or a map of paths."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from _entry(item, "")
    elif isinstance(value, dict):
        paths = [(path, item) for path, item in value.items() if path.startswith(("/", "*"))]
        for path, item in paths:
            inner = item if isinstance(item, dict) else {"tdm-reservation": item}
            yield from _entry({**inner, "location": path}, LENIENT)
        if not paths:
            yield from _entry(value, LENIENT)
            for item in value.values():
                yield from _entries(item) if isinstance(item, list) else ()


def _entry(item: dict[str, object], lenient: str) -> Iterator[_Entry]:
    """Read one object; what is not as specified can only reserve."""
    folded = {key.lower().replace("_", "-").replace(":", "-"): value for key, value in item.items()}
    reserved, note = of_json(folded.get("tdm-reservation"))
    if reserved is None:
        return
    location = folded.get("location") or "/"
    for path in location if isinstance(location, list) else (location,):
        pattern = _pattern(str(path))
        odd = lenient or note or (LENIENT if not isinstance(location, str) or pattern != path else "")
        odd = odd or ("" if item.keys() >= {"location", "tdm-reservation"} else LENIENT)
        if reserved or not odd:
            yield _Entry(pattern, reserved, odd, json.dumps(item)[:500])


def _pattern(location: str) -> str:
    """Make a path pattern of a location: of a whole URL its path, of a relative path one from the root."""
    location = location.strip().removeprefix("./")
    _, scheme, rest = location.partition("://")
    path = "/" + rest.partition("/")[2] if scheme else location
    return path if path.startswith(("/", "*")) else "/" + path
