"""The evaluation of one content element of an RSL licence (RSL 1.0 §3): the preference for each use.

A use is allowed only by a licence that names it and asks for nothing in return that is not known to be given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ALLOWED, DISALLOWED, UNKNOWN = "allowed", "disallowed", "unknown"

USES = ("ai-train", "ai-input", "ai-index", "search", "all")
"""The uses a licence is asked about; ``all`` is every other one."""

# RSL 1.0, usage vocabulary: each use and what contains it, the narrowest first.
_CHAIN = {
    "ai-train": ("ai-train", "ai-all", "all"),
    "ai-input": ("ai-input", "ai-all", "all"),
    "ai-index": ("ai-index", "ai-all", "all"),
    "search": ("search", "all"),
    "all": ("all",),
}
# The words of the drafts before 1.0: they forbid as they did, and allow nothing.
_FORMERLY = {
    "train-ai": "ai-train",
    "train-genai": "ai-train",
    "ai-training": "ai-train",
    "ai-use": "ai-input",
    "inference": "ai-input",
    "ai": "ai-all",
}
_USERS = frozenset({"commercial", "non-commercial", "education", "government", "personal"})
_UNPAID = frozenset({"free", "attribution"})


@dataclass(frozen=True, slots=True)
class Term:
    """One element of a licence: its name, its type, its words, and how and where it stands."""

    name: str
    type: str
    words: frozenset[str]
    quote: str
    line: int


@dataclass(frozen=True, slots=True)
class Use:
    """The preference for one of ``USES``, the words it rests on, their line, and why so."""

    usage: str
    preference: str
    quote: str
    line: int
    note: str = ""


def evaluate(content: Term, server: str, licences: Sequence[tuple[Term, ...]]) -> tuple[Use, ...]:
    """Say for each of ``USES`` whether one of the licences of a content element allows it; unclear is disallowed.

    ``server`` is the licence server that must be asked first, or empty. Without licence and server there is none.
    """
    if not licences and not server:
        return ()
    offers = [_offer(content, server, licence) for licence in licences or [()]]
    uses = {usage: _best([offer[usage] for offer in offers]) for usage in USES}
    # What is named nowhere is not permitted where something else is; yet "all" must not outweigh a narrower word.
    if {uses["ai-train"].preference, uses["ai-input"].preference} != {DISALLOWED}:
        uses["all"] = _unless_disallowed(uses["all"])
    return tuple(uses.values())


def _unless_disallowed(use: Use) -> Use:
    if use.preference != DISALLOWED:
        return use
    return Use(use.usage, UNKNOWN, use.quote, use.line, "narrower words decide")


_ORDER = {ALLOWED: 0, DISALLOWED: 1, UNKNOWN: 2}


def _best(uses: list[Use]) -> Use:
    """Licences are alternatives: the one that allows is taken; where none does, one that forbids speaks."""
    return min(uses, key=lambda use: _ORDER[use.preference])


def _offer(content: Term, server: str, licence: tuple[Term, ...]) -> dict[str, Use]:
    barred = _condition(content, server, licence)
    return {usage: _conditional(_usage(usage, licence, content), barred) for usage in USES}


def _usage(usage: str, licence: tuple[Term, ...], content: Term) -> Use:
    permits = [term for term in licence if term.name == "permits" and term.type in ("usage", "")]
    prohibits = [term for term in licence if term.name == "prohibits" and term.type in ("usage", "")]
    for word in _CHAIN[usage]:
        for term in prohibits:
            if word in term.words | {_FORMERLY.get(former, "") for former in term.words}:
                return Use(usage, DISALLOWED, term.quote, term.line)
        for term in permits:
            if word in term.words:
                return Use(usage, ALLOWED, term.quote, term.line)
    if permits:
        return Use(usage, DISALLOWED, permits[0].quote, permits[0].line, f"{usage} is not among what is permitted")
    return Use(usage, UNKNOWN, content.quote, content.line)


def _conditional(use: Use, barred: Use | None) -> Use:
    """A use under a condition that is not known to be met is not allowed."""
    if barred is None or use.preference == DISALLOWED:
        return use
    return Use(use.usage, DISALLOWED, barred.quote, barred.line, barred.note)


def _condition(content: Term, server: str, licence: tuple[Term, ...]) -> Use | None:
    """Return the first condition of a licence that only an agreement can meet, if there is one."""
    if server:
        return Use("", DISALLOWED, content.quote, content.line, f"needs a licence token from {server}")
    for term in licence:
        if term.name == "payment" and term.type not in _UNPAID:
            return Use("", DISALLOWED, term.quote, term.line, f"asks for payment: {term.type or 'of no stated type'}")
        if _for_some_only(term):
            return Use("", DISALLOWED, term.quote, term.line, f"only for some: {term.type}")
    return None


def _for_some_only(term: Term) -> bool:
    """Return whether a term leaves out some users or places."""
    if term.type not in ("user", "geo") or term.name not in ("permits", "prohibits"):
        return False
    return term.name == "prohibits" or not (term.words >= _USERS or "all" in term.words)
