"""The X-Robots-Tag and meta robots grammar: a line into directives, each with the crawler it is meant for.

There is no RFC; the grammar is the one the search engines document. A colon makes a crawler's name of what stands
before it only if that is not a directive itself, so that no directive is lost to a colon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from consentcrawl.formats.ai_agents import AGENTS

EVERYONE = ""

# What each AI tag is about. DeviantArt's terms name training as well as input into trained systems (November 2022).
AI_TAGS: dict[str, tuple[str, ...]] = {
    "noai": ("train", "ai-use"),
    "noimageai": ("train", "ai-use"),
    "noml": ("train",),
    "disallowaitraining": ("train",),
}

# Tags of the search engines: those that keep out of the index, and those that only limit what is shown of it.
INDEX_TAGS = frozenset({"noindex", "none", "noimageindex"})
SEARCH_TAGS = INDEX_TAGS | {"noarchive", "nocache"}
EXPIRY = "unavailable_after"

Meaning = tuple[str, tuple[str, ...]]
"""A category of use that is forbidden, and the key and values of the policy under which that counts (none: always)."""

_SEARCH_ONLY = ("search_tags", "refuse")
_MEANINGS: dict[str, tuple[Meaning, ...]] = {
    **{tag: tuple((category, ()) for category in categories) for tag, categories in AI_TAGS.items()},
    **dict.fromkeys(SEARCH_TAGS, (("acquire", _SEARCH_ONLY),)),
    **dict.fromkeys(INDEX_TAGS, (("acquire", _SEARCH_ONLY), ("search", ()))),
}

_VALUED = frozenset({EXPIRY, "max-snippet", "max-image-preview", "max-video-preview"})
_SPELLINGS = {"noimagesai": "noimageai"}
_TAGS = SEARCH_TAGS | frozenset(AI_TAGS)
_WORDS_OF_ALL = frozenset({"*", "all", "robots"})
_DATE_COMMAS = 2

_NAME = re.compile(r"[\w.*/ \t-]*[\w*][\w.*/ \t-]*")
_WORD = re.compile(r"[A-Za-z][\w-]*")
_TIME = re.compile(r"[^:]*\b\d\d?:\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: the crawler it is meant for (lower case, "" for everyone), its name, its value, and its words."""

    agent: str
    name: str
    value: str
    text: str


def directives(line: str) -> tuple[Directive, ...]:
    """Read one field line or the content of one meta tag; directives that say nothing about use are left out."""
    return _once(_read(line, EVERYONE))


def grouped(line: str) -> tuple[Directive, ...]:
    """Read one ``Robots-Tag`` line as draft-illyes-repext has it: ``*=noindex, nosnippet; ExampleBot=noai``."""
    parts = (part.rpartition("=") for part in line.split(";"))
    return _once(directive for agent, _, rest in parts for directive in _read(rest, _agent(agent)))


def expired(value: str, at: float) -> bool:
    """Return whether an ``unavailable_after`` date lies before ``at``, in seconds since the epoch."""
    date = _date(value)
    return date is not None and date.timestamp() <= at


def meanings(directive: Directive, token: str, at: float) -> tuple[Meaning, ...]:
    """Say what a directive forbids the crawler ``token`` at the time ``at`` (seconds since the epoch).

    What is meant for another AI crawler forbids nothing by the letter; it is evidence that training is refused.
    """
    name = directive.name
    if name == EXPIRY:
        if not expired(directive.value, at):
            return ()
        name = "noindex"
    # RFC 9110 §10.1.5: product = token ["/" product-version]
    agents = (directive.agent, directive.agent.partition("/")[0].strip())
    if EVERYONE in agents[:1] or token.lower() in agents:
        return _MEANINGS[name]
    modes = AGENTS.modes(agents)
    return (("train", ("ai_agents", *modes)),) if modes else ()


def _once(found: Iterable[Directive]) -> tuple[Directive, ...]:
    """Keep the first of each kind: a line may repeat itself as often as it likes."""
    kept: dict[tuple[str, str, str], Directive] = {}
    for directive in found:
        kept.setdefault((directive.agent, directive.name, directive.value), directive)
    return tuple(kept.values())


def _read(line: str, agent: str) -> Iterator[Directive]:
    """Read item by item; a crawler's name covers what follows it on the line."""
    for item in _items(line):
        before, colon, rest = item.partition(":")
        # A date that was cut at a comma may have a time of day in it, which is no crawler's name.
        if not colon or not _NAME.fullmatch(before) or _TIME.match(item):
            yield from _tags(item, agent, item)
            continue
        *words, last = before.split()
        named = " ".join(words)
        if last.lower() in _VALUED:
            yield from _tags(named, agent, item)
            yield from (found for found in _tags(rest, agent, item) if found.name in AI_TAGS)
            if last.lower() == EXPIRY:
                yield Directive(agent, EXPIRY, rest.strip(), item)
        elif _tag(last) in _TAGS:  # "noai: true", "noai:"
            yield from _tags(item, agent, item)
        elif any(_tag(word) in _TAGS for word in words):  # "noai googlebot: noindex"
            yield from _tags(named, agent, item)
            agent = _agent(last)
            yield from _tags(rest, agent, item)
        else:
            agent = _agent(before)
            yield from _tags(rest, agent, item)


def _tags(words: str, agent: str, item: str) -> Iterator[Directive]:
    for word in _WORD.findall(words):
        if (name := _tag(word)) in _TAGS:
            yield Directive(agent, name, "", item)


def _items(line: str) -> Iterator[str]:
    """Split at commas, gluing a date back together that has one in it (RFC 850 and RFC 5322 dates, "June 25, 2027")."""
    held, commas = "", 0
    for piece in re.split("[,;]", line):
        if commas and piece.lstrip()[:1].isdigit():
            held, commas = f"{held},{piece}", commas - 1
            continue
        yield held.strip()
        held, commas = piece, _DATE_COMMAS if EXPIRY in piece.lower() else 0
    yield held.strip()


def _agent(name: str) -> str:
    folded = name.strip().lower()
    return EVERYONE if folded in _WORDS_OF_ALL else folded


def _tag(word: str) -> str:
    """Fold case, hyphens and underscores: ``No-AI`` is ``noai``."""
    folded = word.lower().replace("-", "").replace("_", "")
    return _SPELLINGS.get(folded, folded)


# RFC 850 and three forms that are common in the wild; ISO 8601 and RFC 5322 dates are tried first.
_FORMS = ("%d-%b-%Y %H:%M:%S", "%d-%b-%y %H:%M:%S", "%d %b %Y", "%d-%b-%Y", "%B %d, %Y")
_ZONE = re.compile(r"\s+(?:[A-Z]{2,5}|[+-]\d{4})\s*$")
_WEEKDAY = re.compile(r"^\s*[A-Za-z]{3,9},\s*")


def _date(value: str) -> datetime | None:
    value = value[:64]
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return _in_utc(read(value.strip()))
        except (ValueError, OverflowError):
            continue
    bare = _ZONE.sub("", _WEEKDAY.sub("", value)).strip()
    for form in _FORMS:
        try:
            return _in_utc(datetime.strptime(bare, form))  # noqa: DTZ007 (zone set below)
        except ValueError:
            continue
    return None


def _in_utc(date: datetime) -> datetime:
    return date if date.tzinfo else date.replace(tzinfo=UTC)
