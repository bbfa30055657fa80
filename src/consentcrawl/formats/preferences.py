"""Usage preferences written as members: Content-Usage (RFC 9651 dictionaries), Content-Signal, and what labels mean.

A strict reading may allow and disallow; a lenient reading may only disallow, and says that it was lenient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from http_sf import Token, parse

MALFORMED = "malformed"
LEGACY = "legacy_label"
BY_ITSELF = "one of several field lines, read by itself"

# draft-ietf-aipref-vocab-08: the three labels, each with the categories of use it is about.
LABELS: dict[str, tuple[str, ...]] = {
    "train-ai": ("train-generative",),
    "ai-use": ("ai-use",),
    "search": ("search",),
}

# Labels of earlier drafts (vocab-01 to -05) and of Content-Signal. The present draft has them ignored; an `n` is still
# unmistakable, so it counts, and is noted.
LEGACY_LABELS: dict[str, tuple[str, ...]] = {
    "all": ("tdm", "ai-use", "search"),
    "bots": ("tdm", "ai-use", "search"),
    "tdm": ("tdm", "ai-use"),
    "ai": ("train", "ai-use"),
    "genai": ("train-generative",),
    "train-genai": ("train-generative",),
    "inference": ("ai-use",),
    "ai-output": ("ai-use",),
    "ai-train": ("train",),
    "ai-input": ("ai-use",),
}

# contentsignals.org: "ai-train" is training or fine-tuning of any model, so wider than AIPREF's "train-ai".
SIGNALS: dict[str, tuple[str, ...]] = {
    "ai-train": ("train",),
    "ai-input": ("ai-use",),
    "search": ("search",),
}

_NO = frozenset(
    {"n", "no", "disallow", "disallowed", "deny", "denied", "none", "false", "off", "0", "never", "notallowed"}
    | {"not-allowed", "not_allowed", "prohibited", "forbidden"}
)
_YES = frozenset({"y", "yes", "allow", "allowed"})

# One member as sites write it; no two neighbouring parts share a character, so it takes linear time.
_MEMBER = re.compile(r"(?<![\w-])([A-Za-z][\w-]*)[\"']?[ \t\xa0]*[=:]>?=?[ \t\xa0]*[\"'(?\[]*([\w-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Said:
    """One member that was read: its label (folded), the categories it is about, yes or no, its words, and a note.

    Without categories it is only to be noted.
    """

    label: str
    categories: tuple[str, ...]
    allowed: bool
    quote: str
    note: str = ""


def content_usage(value: str) -> dict[str, bool]:
    """Return the members of a Content-Usage value that are the Token ``y`` (True) or ``n`` (False), by label.

    Strict: a value that is no RFC 9651 dictionary gives nothing, other members are left out, parameters are ignored,
    the last of several equal keys counts (draft-ietf-aipref-vocab, "Usage Preference Expressions").
    """
    return {label: allowed for label, (allowed, _) in _dictionary(value).items()}


def usage(lines: Sequence[str]) -> tuple[Said, ...]:
    """Read the lines of one Content-Usage field, or the value of one robots rule.

    The lines joined are the field (RFC 9651 §4.2). Each is read by itself as well, since a ``y`` in one line would
    silently undo the ``n`` of another, and then leniently; both only add disallowances.
    """
    found = {said.label: said for said in _strict(", ".join(lines))}
    for line in lines:
        by_itself = _strict(line, BY_ITSELF) if len(lines) > 1 else ()
        for said in (*by_itself, *_lenient(line, content_usage(line))):
            if not said.allowed and (said.label not in found or found[said.label].allowed):
                found[said.label] = said
    return tuple(found.values())


def content_signal(value: str) -> tuple[str, tuple[Said, ...]]:
    """Read the value of one Content-Signal record: its path pattern ("" for everything) and its members.

    There is no grammar to be strict about (contentsignals.org), so keys are folded, and ``allow`` and ``disallow`` are
    taken for yes and no, with a note. A key that is neither yes nor no, such as ``use=reference``, is only noted.
    """
    path, members = split_path(value)
    found: dict[tuple[str, bool, str], Said] = {}
    for label, word, text in _members(members):
        if label == "use":
            said = Said(label, (), allowed=True, quote=value, note=f"use={word}: how, not whether")
        elif label in SIGNALS and (word in _NO or word in _YES):
            note = "" if text in (f"{label}=yes", f"{label}=no") else MALFORMED
            said = Said(label, SIGNALS[label], word in _YES, value, note)
        elif word in _NO and (meant := LABELS.get(label) or LEGACY_LABELS.get(label)):
            said = Said(label, meant, allowed=False, quote=value, note=MALFORMED)
        else:
            continue
        found.setdefault((label, said.allowed, said.note), said)
    return path, tuple(found.values())


def split_path(value: str) -> tuple[str, str]:
    """Cut the path pattern off the front of a robots record's value; "" where it has none.

    draft-ietf-aipref-attach §"Robots Exclusion Protocol": only a value that begins with ``/`` has one. What begins
    with ``*`` is given as a pattern as well; who reads it must be lenient about it.
    """
    if not value.startswith(("/", "*")):
        return "", value
    path, *rest = value.split(None, 1)
    return path, rest[0] if rest else ""


def _is_preference(item: object) -> bool:
    return isinstance(item, Token) and str(item) in ("y", "n")


def _dictionary(value: str) -> dict[str, tuple[bool, dict[str, object]]]:
    """Return the members that are ``y`` or ``n``, each with its parameters; nothing of what is no dictionary."""
    try:
        members = cast("dict[str, tuple[object, dict[str, object]]]", parse(value.encode("ascii"), tltype="dictionary"))
    except ValueError:
        return {}
    return {label: (str(item) == "y", more) for label, (item, more) in members.items() if _is_preference(item)}


def _strict(value: str, note: str = "") -> Iterator[Said]:
    for label, (allowed, parameters) in _dictionary(value).items():
        if label in LABELS:
            yield Said(label, LABELS[label], allowed, value, note or ("" if allowed else _condition(parameters)))


def _condition(parameters: dict[str, object]) -> str:
    """Note a condition that cannot be checked here, such as credit: it lifts no ``n`` (CC signals 0.1)."""
    named = parameters.get("exceptions")
    return f"unless {named} (CC signals)" if isinstance(named, Token) else ""


def _lenient(value: str, settled: dict[str, bool]) -> Iterator[Said]:
    """Return the disallowances that a strict reading of ``value`` has not settled."""
    for label, word, _ in _members(value):
        if word not in _NO or (label in settled and label in LABELS):
            continue
        if label in LABELS:
            yield Said(label, LABELS[label], allowed=False, quote=value, note=MALFORMED)
        elif label in LEGACY_LABELS:
            yield Said(label, LEGACY_LABELS[label], allowed=False, quote=value, note=LEGACY)


def _members(value: str) -> Iterator[tuple[str, str, str]]:
    """Find every ``key=word``: the key folded, the word folded, and both as written."""
    for match in _MEMBER.finditer(value):
        yield match[1].lower().replace("_", "-"), match[2].lower(), match[0]
