"""Opt-out lists that the taker holds: exact URLs, prefixes, hosts, makers, and hashes of contents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from consentcrawl.core import BODY, SILENT, Asset, Category, Evidence, Gap, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.formats import json

SPEC = Spec(
    name="Opt-out lists",
    version="1 (contents by SHA-256, RFC 6234)",
    url="https://www.rfc-editor.org/rfc/rfc6234",
    gates=(Gate.LOOKUP, Gate.BODY),
    cost="no request; nothing where no list is configured",
    configured="lists",
)
_ASSET = Need(Gate.LOOKUP, "list:asset", holds=True)
_PART = Need(Gate.LOOKUP, "list:part", holds=True)
_ALL = (Category.ACQUIRE, Category.TDM, Category.AI_USE, Category.SEARCH)
_KNOWN = {str(category): (category,) for category in Category}
_SAID = ("kind", "value", "source", "date", "category")
_OF_HOST = ("inherit", "all")


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need what the lists have about the asset, and its content."""
    return (_ASSET, BODY)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (rows speak for themselves)
    """Read the rows that matched; a content is sent on to the lists, which know whether its hashes matter."""
    if evidence.need.gate is Gate.BODY:
        return (_of_content(evidence),) if evidence.content or evidence.gap or not evidence.whole else ()
    return evidence.parsed(_listed) or _lacking(evidence) or SILENT


def _of_content(evidence: Evidence) -> Need:
    # The digest of a part is that of another content.
    if evidence.gap or not evidence.whole:
        return _PART
    return Need(Gate.LOOKUP, "list:content", holds=True, content=evidence.content)


def _lacking(evidence: Evidence) -> tuple[Said, ...]:
    """An answer that is none leaves a gap, once."""
    document, gave_up = evidence.parsed(json.parse)
    if evidence.gap or (not gave_up and json.at(document, "rows") == []):
        return ()
    return (Gap(evidence.url, gave_up or "malformed", holds=True),)


def _listed(content: bytes) -> tuple[Said, ...]:
    return tuple(said for row in json.items(json.parse(content)[0], "rows") for said in _stated(row))


def _stated(row: Any) -> Iterable[Said]:  # noqa: ANN401 (any JSON value)
    """State what a row says; one that cannot be read is still a row that matched."""
    where = f"list {json.text(row, 'list')}"
    quote = ", ".join(text for name in _SAID if (text := json.text(row, name))) or where
    # Who asks for a host speaks of what lies there, not of all that is shown there.
    under = _OF_HOST if json.text(row, "of") == "page" and json.text(row, "kind") == "host" else ()
    for category in _KNOWN.get(json.text(row, "category"), _ALL):
        yield disallow(category, quote, f"{where}, about the {json.text(row, 'of') or 'asset'}", under=under)
