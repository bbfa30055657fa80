"""X-Robots-Tag: noai, noimageai, noml and the search engines' tags, in the fields of the answer.

Many sites send it with their pages only: a page's AI tags speak for the images on it, others under inherit = all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import HEAD, Asset, Category, Evidence, Gate, Need, Purpose, Said, Spec, disallow, page_of
from consentcrawl.formats.robots_tag import AI_TAGS, Directive, directives, grouped, meanings

SPEC = Spec(
    name="X-Robots-Tag",
    version="as documented by search engines; noai by DeviantArt (November 2022)",
    url="https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag",
    gates=(Gate.LOOKUP, Gate.HEAD),
    cost="the page that shows the asset, if one is named",
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the head of the answer, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (HEAD,) if page is None else (HEAD, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (fields are its own)
    """Read every field line by itself, whatever the asset's status: a crawler's name covers its own line only."""
    lines = evidence.fields.lines("x-robots-tag")
    drafted = evidence.fields.lines("robots-tag")
    if not lines and not drafted:
        return ()
    found = _found(lines, drafted)
    if evidence.need.gate is Gate.HEAD:
        return _own(found, evidence.at, purpose.token)
    return _inherited(found, evidence.at, purpose.token) if evidence.successful else ()


def _found(lines: list[str], drafted: list[str]) -> Iterator[tuple[Directive, str]]:
    for name, grammar, values in (("X-Robots-Tag", directives, lines), ("Robots-Tag", grouped, drafted)):
        for number, value in enumerate(values, 1):
            for directive in grammar(value):
                yield directive, f"{name} field {number}"


def _own(found: Iterable[tuple[Directive, str]], at: float, token: str) -> Iterator[Said]:
    for directive, where in found:
        for category, under in meanings(directive, token, at):
            yield disallow(Category(category), directive.text, where, under=under)


def _inherited(found: Iterable[tuple[Directive, str]], at: float, token: str) -> Iterator[Said]:
    for directive, where in found:
        for category, under in meanings(directive, token, at):
            counted = under if directive.name in AI_TAGS else ("inherit", "all")
            yield disallow(Category(category), directive.text, f"page, {where}", under=counted)
