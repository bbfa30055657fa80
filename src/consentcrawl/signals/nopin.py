"""Pinterest's ``nopin`` tag: the owner of the page asks for no pins of it, which says nothing about AI."""

from __future__ import annotations

from collections.abc import Iterable

from consentcrawl.core import BODY, Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, page_of, remark
from consentcrawl.formats import html

SPEC = Spec(
    name="nopin",
    version="Pinterest, 2012",
    url="https://help.pinterest.com/en/business/article/prevent-saves-to-pinterest-from-your-site",
    gates=(Gate.LOOKUP, Gate.BODY),
    cost="the page that shows the asset, if one is named",
)

_NAME, _WORD = "pinterest", "nopin"


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the content, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (BODY,) if page is None else (BODY, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (a note only)
    """Note the tag."""
    if not evidence.successful or not evidence.parsed(html.is_page, evidence.content_type):
        return ()
    page = evidence.parsed(html.parse, evidence.content_type)
    return [
        remark(Category.TRAIN, meta.text, meta.where, "about pins, not about AI")
        for meta in page.metas
        if meta.name == _NAME and _WORD in meta.content.lower()
    ][:1]
