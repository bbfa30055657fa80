"""trust.txt (JournalList): ``datatrainingallowed`` says whether the whole site may be trained on."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
    Statement,
    allow,
    disallow,
)
from consentcrawl.formats.html import looks_html
from consentcrawl.formats.robots import utf16

SPEC = Spec(
    name="trust.txt",
    version="JournalList, 2024-04-04",
    url="https://journallist.net/reference-document-for-trust-txt-specifications",
    gates=(Gate.LOOKUP,),
    cost="two requests per origin and day",
)

_FILES = (Need(Gate.LOOKUP, "/trust.txt"), Need(Gate.LOOKUP, "/.well-known/trust.txt"))

_line = re.compile(r"^[^\S\n]*datatrainingallowed[^\S\n]*[=:][^\S\n]*[\"']?([a-z0-9]+)", re.IGNORECASE | re.MULTILINE)
# What is not as specified can only forbid.
_MEANINGS = {"yes": "yes"} | dict.fromkeys(("no", "n", "false", "0"), "no")
_STATES = (("no", disallow), ("yes", allow))


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need both places where the file may stand: the root is meant first, and a refusal in either counts."""
    return _FILES


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (the whole site)
    """Read the lines about training; ``control`` and ``belongto`` name other sites, and nothing is carried to them."""
    if not evidence.successful:
        return _lacking(evidence)
    return evidence.parsed(_statements) or SILENT


def _statements(content: bytes) -> tuple[Statement, ...]:
    if looks_html(content):
        return ()
    # No encoding is named by the document: what an editor saved in UTF-16 is plain enough to be heeded.
    text = content.decode(utf16(content) or "utf-8", "replace").removeprefix("\ufeff")
    said: dict[str, str] = {}
    for match in _line.finditer(re.sub(r"\r\n?", "\n", text)):
        said.setdefault(_MEANINGS.get(match[1].lower(), ""), match[0].strip())
    return tuple(state(Category.TRAIN, said[word], "trust.txt") for word, state in _STATES if word in said)


def _lacking(evidence: Evidence) -> tuple[Said, ...]:
    """Note a server that failed; a file that is not there says nothing."""
    if evidence.gap or not evidence.unreachable:
        return SILENT
    return (Gap(evidence.url, "unreachable", note=str(evidence.status)),)
