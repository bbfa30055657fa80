"""TDMRep's meta tag ``tdm-reservation``: it supersedes field and file for the page that carries it, and for that alone.

TDMRep §"HTML metadata": the tag does not extend to the images on the page; ``inherit = all`` hears it for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import (
    BODY,
    Asset,
    Category,
    Evidence,
    Gate,
    Need,
    Purpose,
    Said,
    Spec,
    allow,
    disallow,
    page_of,
)
from consentcrawl.formats.html import Meta, Page, is_page, parse
from consentcrawl.formats.tdm_reservation import of_text

SPEC = Spec(
    name="TDMRep (meta tag)",
    version="W3C CG-FINAL-tdmrep-20240510",
    url="https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/",
    gates=(Gate.LOOKUP, Gate.BODY),
    cost="the page that shows the asset, if one is named",
)

_NAME = "tdm-reservation"
_OTHER_NAMES = frozenset({"tdm:reservation", "tdm_reservation", "x-tdm-reservation"})


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the content, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (BODY,) if page is None else (BODY, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (words only)
    """Read the asset itself if it is a page, or the page that showed it."""
    shown_by = evidence.need.gate is not Gate.BODY
    if not evidence.content or (shown_by and not evidence.successful):
        return ()
    if not evidence.parsed(is_page, evidence.content_type):
        return ()
    page: Page = evidence.parsed(parse, evidence.content_type)
    return [said for meta in page.metas for said in _statements(meta, shown_by=shown_by)]


def _statements(meta: Meta, *, shown_by: bool) -> Iterator[Said]:
    names = (meta.name, meta.property, meta.http_equiv)
    if _NAME not in names and _OTHER_NAMES.isdisjoint(names):
        return
    reserved, note = of_text(meta.content)
    # A tag that is not as specified, and a page that speaks of another file, can only reserve.
    if reserved is None or (not reserved and (shown_by or meta.name != _NAME)):
        return
    state = disallow if reserved else allow
    for category in (Category.TDM, Category.AI_USE):
        if shown_by:
            yield state(category, meta.text, f"page, {meta.where}", note=note, under=("inherit", "all"))
        else:
            yield state(category, meta.text, meta.where, note=note, family="tdmrep", rank=2)
