"""Pointers to licences: ``rel=license``, schema.org's ``license`` and ``acquireLicensePage``, notices of copyright.

A licence is no consent to training and no refusal of it: all of this is noted, for those who must ask whom, and decides
nothing. RSL licences, which do decide, have a signal of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from consentcrawl.core import BODY, HEAD, Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, page_of, remark
from consentcrawl.formats import html, link

SPEC = Spec(
    name="Licence pointers",
    version="RFC 4946 (rel=license), schema.org 29 (ImageObject)",
    url="https://developers.google.com/search/docs/appearance/structured-data/image-license-metadata",
    gates=(Gate.LOOKUP, Gate.HEAD, Gate.BODY),
    cost="the page that shows the asset, if one is named",
)

_RSL = "application/rsl+xml"
_RELATION = "license"
_NOTES = {
    "license": "a licence pointer is no consent",
    "acquireLicensePage": "where to ask for a licence",
    "usageInfo": "terms for people to read",
    "copyrightNotice": "a rights notice without machine-readable meaning",
}
_FOLDED = {name.lower(): note for name, note in _NOTES.items()}
_KEPT = 16


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the head of the answer, the content, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (HEAD, BODY) if page is None else (HEAD, BODY, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (notes only)
    """Note what points to a licence: in the fields, or in a page."""
    if evidence.need.gate is Gate.HEAD:
        lines = evidence.fields.lines("link")
        return _of_fields(lines) if lines else ()
    if not evidence.successful or not evidence.parsed(html.is_page, evidence.content_type):
        return ()
    page = evidence.parsed(html.parse, evidence.content_type)
    return islice(_of_page(page, evidence), _KEPT)


def _of_fields(lines: list[str]) -> list[Said]:
    return [_note(each.href, "Link field", _RELATION) for each in link.read(lines) if _points(each)][:_KEPT]


def _of_page(page: html.Page, evidence: Evidence) -> Iterator[Said]:
    for each in page.links:
        if _points(each):
            yield _note(each.href, each.where, _RELATION)
    for meta in page.metas:
        if meta.property in _FOLDED and meta.content:
            yield remark(Category.TRAIN, meta.content, meta.where, _FOLDED[meta.property])
    for said in evidence.parsed(_structured, *html.json_ld(page)):
        yield _note(said.value, "JSON-LD", said.name)


def _structured(_content: bytes, *scripts: str) -> tuple[html.Property, ...]:
    """Read the JSON-LD of a page, once for all the images on it."""
    found = (said for script in scripts for said in html.properties(script))
    return tuple(islice((said for said in found if said.name in _NOTES and said.value), _KEPT))


def _points(found: link.Link | html.Link) -> bool:
    return _RELATION in found.rel and bool(found.href) and found.type.partition(";")[0].strip() != _RSL


def _note(text: str, where: str, name: str) -> Said:
    return remark(Category.TRAIN, f"{name}: {text}", where, _NOTES[name])
