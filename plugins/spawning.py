"""Spawning's Do Not Train registry: what makers said of single URLs and of domains, asked for many URLs at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from consentcrawl.core import Asset, Category, Evidence, Gap, Gate, Need, Purpose, Registry, Said, Spec, allow, disallow
from consentcrawl.formats import json

_ROW = Need(Gate.LOOKUP, "registry:spawning", holds=True)
_API = "https://opts-api.spawningaiapi.com/api/v2/query/urls/"
_FIELDS = (("Authorization", "API {spawning.api_key}"), ("Content-Type", "text/plain"))
_LIMIT = 4 * 1024 * 1024


def _ask(urls: Sequence[str]) -> Need:
    """Return the one look-up for many URLs, a line each; a single one is not understood without an end of line."""
    content = "".join(f"{url}\n" for url in urls).encode()
    return Need(Gate.LOOKUP, _API, limit=_LIMIT, holds=True, fields=_FIELDS, content=content)


def _rows(content: bytes) -> tuple[list[tuple[str, object]], str]:
    """Return each row of an answer with its URL, and a reason code where the answer is not what was agreed."""
    document, gave_up = json.parse(content)
    rows = [(json.text(row, "url"), row) for row in json.items(document, "urls")]
    found = [(url, row) for url, row in rows if url]
    return found, gave_up or ("" if found else "malformed")


SPEC = Spec(
    "Spawning Do Not Train registry",
    "API v2",
    "https://api.spawning.ai/",
    (Gate.LOOKUP,),
    "one request for up to 10,000 URLs; nothing unless [platforms.spawning] is configured",
    configured="platforms.spawning",
    registry=Registry(need=_ROW, ask=_ask, rows=_rows),
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the registry's row about the asset."""
    return () if Category.TRAIN not in purpose.heeds else (_ROW,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:  # noqa: ARG001 (the row speaks for itself)
    """Read the rows about the asset; of an odd answer only a refusal counts."""
    document, gave_up = evidence.parsed(json.parse)
    rows = json.items(document, "urls")
    odd = bool(evidence.gap or gave_up)
    for row in rows:
        opt_out, opt_in = json.at(row, "optOut"), json.at(row, "optIn")
        about = f'"url": "{json.text(row, "url")}"'
        if opt_out is True:
            yield disallow(Category.TRAIN, f'"optOut": true, {about}', "row about this URL")
        if opt_in is True and not odd:
            yield allow(Category.TRAIN, f'"optIn": true, {about}', "row about this URL")
        odd = odd or not isinstance(opt_out, bool) or not isinstance(opt_in, bool)
    if not evidence.gap and (odd or not rows):
        yield Gap(evidence.url, gave_up or "malformed", holds=True)
