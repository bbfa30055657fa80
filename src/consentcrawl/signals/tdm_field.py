"""TDMRep's response field ``tdm-reservation``: it supersedes the file for the answer that carries it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import HEAD, Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, allow, disallow, page_of
from consentcrawl.formats.tdm_reservation import of_text

SPEC = Spec(
    name="TDMRep (field)",
    version="W3C CG-FINAL-tdmrep-20240510",
    url="https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/",
    gates=(Gate.LOOKUP, Gate.HEAD),
    cost="the page that shows the asset, if one is named",
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the head of the answer, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (HEAD,) if page is None else (HEAD, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (fields are its own)
    """Read the field; ``X-`` before its name was never specified and can only reserve."""
    lines = evidence.fields.lines("tdm-reservation")
    experimental = evidence.fields.lines("x-tdm-reservation")
    if not lines and not experimental:
        return ()
    if evidence.need.gate is Gate.HEAD:
        return _own(lines, experimental, evidence.fields.first("tdm-policy"))
    return _inherited([*lines, *experimental]) if evidence.successful else ()


def _own(lines: list[str], experimental: list[str], policy: str) -> Iterator[Said]:
    values = [(line, *of_text(line)) for line in (*lines, *experimental)]
    for number, (line, reserved, note) in enumerate(values, 1):
        if reserved or (reserved is False and number <= len(lines)):
            # TDMRep §"TDM properties": a policy means something beside a reservation only, and never lifts it.
            more = note or (f"policy: {policy}" if policy and reserved else "")
            state = disallow if reserved else allow
            for category in (Category.TDM, Category.AI_USE):
                where = f"tdm-reservation field {number}"
                yield state(category, line.strip(), where, note=more, family="tdmrep", rank=1)


def _inherited(lines: list[str]) -> Iterator[Said]:
    """Return what the field of a page says of the asset it shows: by the letter nothing."""
    for line in lines:
        reserved, note = of_text(line)
        if reserved:
            for category in (Category.TDM, Category.AI_USE):
                yield disallow(
                    category, line.strip(), "page, tdm-reservation field", note=note, under=("inherit", "all")
                )
