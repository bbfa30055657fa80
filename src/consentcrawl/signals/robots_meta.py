"""Meta tags of pages: robots, ai, tags named after a crawler, and fields written as http-equiv.

A page speaks for itself; its AI tags speak for the images on it as well, other tags only if the policy inherits all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import (
    BODY,
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
    disallow,
    page_of,
)
from consentcrawl.formats import preferences
from consentcrawl.formats.ai_agents import AGENTS
from consentcrawl.formats.html import Meta, Page, image_addresses, is_page, parse
from consentcrawl.formats.robots_tag import AI_TAGS, Directive, directives, meanings
from consentcrawl.formats.url import BadUrl, join

SPEC = Spec(
    name="Robots meta tags",
    version="as documented by search engines; noai by DeviantArt (November 2022)",
    url="https://developer.mozilla.org/docs/Web/HTML/Reference/Elements/meta/name/robots",
    gates=(Gate.LOOKUP, Gate.BODY),
    cost="the page that shows the asset, if one is named",
)

_IMAGES_LIMIT = 1000
"""The most images of a page about which something is said."""

_FOR_ALL = frozenset({"robots", "ai", "x-robots-tag"})
_PREFERENCES = frozenset({"content-usage", "content-signal"})
_WANTED = _FOR_ALL | _PREFERENCES | AGENTS.tokens
# Ours: the quotes that word processors put around a value, and that HTML takes for part of it.
_QUOTES = " \t\n\xa0\u201c\u201d\u201e\u201f\u2018\u2019\xab\xbb`\"'"
_INHERITED = ("inherit", "all")
_GONE = (404, 410)
_CLOSED = (401, 403, 407, 429)
_HOLDING = frozenset({"truncated", "doctype", "malformed", "xml_limit"})


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the content, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (BODY,) if page is None else (BODY, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (words only)
    """Read the asset itself if it is a page, or the page that showed it."""
    shown_by = evidence.need.gate is not Gate.BODY
    if shown_by and not evidence.successful:
        return _lacking(evidence)
    if not evidence.parsed(is_page, evidence.content_type):
        return ()
    page: Page = evidence.parsed(parse, evidence.content_type)
    return _inherited(page, evidence, purpose) if shown_by else _own(page, evidence, purpose)


def _own(page: Page, evidence: Evidence, purpose: Purpose) -> Iterator[Said]:
    for_images: dict[Category, Statement] = {}
    for meta, directive, statement in _statements(page, purpose.token, evidence.at):
        yield statement
        if directive and directive.name in AI_TAGS and not statement.under:
            for_images.setdefault(statement.category, disallow(statement.category, meta.text, meta.where))
    if for_images:
        yield from _about_images(page, evidence.url, for_images.values())
    yield from _unread(page, evidence)


def _inherited(page: Page, evidence: Evidence, purpose: Purpose) -> Iterator[Said]:
    """Return what a page says of the asset it shows: its AI tags; the rest is a note unless the policy inherits all."""
    for meta, directive, statement in _statements(page, purpose.token, evidence.at):
        speaks = directive is not None and directive.name in AI_TAGS
        under = statement.under if speaks else _INHERITED
        yield disallow(statement.category, meta.text, f"page, {meta.where}", note=statement.note, under=under)
    yield from _unread(page, evidence)


def _statements(page: Page, token: str, at: float) -> Iterator[tuple[Meta, Directive | None, Statement]]:
    """Read every tag that may speak of use: the tag, the directive in it if it has any, and what it states."""
    own = token.lower()
    for meta in page.metas:
        for stated in (meta.name, meta.http_equiv, meta.property):
            name = stated.strip(_QUOTES)
            if name not in _WANTED and name != own:
                continue
            if name in _PREFERENCES:
                yield from ((meta, None, statement) for statement in _preferences(name, meta))
            else:
                for directive, category, under in _directives(name, meta, own, at):
                    yield meta, directive, disallow(Category(category), meta.text, meta.where, under=under)


def _directives(name: str, meta: Meta, own: str, at: float) -> Iterator[tuple[Directive, str, tuple[str, ...]]]:
    for directive in directives(meta.content):
        if name not in _FOR_ALL and not directive.agent:
            directive = Directive(name, directive.name, directive.value, directive.text)  # noqa: PLW2901 (same, named)
        for category, under in meanings(directive, own, at):
            yield directive, category, under


def _preferences(name: str, meta: Meta) -> Iterator[Statement]:
    """Read a field written as a tag: no draft knows that form, so it can only disallow."""
    read = preferences.usage([meta.content]) if name == "content-usage" else preferences.content_signal(meta.content)[1]
    for said in read:
        if not said.allowed:
            for category in said.categories:
                yield disallow(Category(category), meta.text, meta.where, note=said.note or "a field written as a tag")


def _about_images(page: Page, url: str, said: Iterable[Statement]) -> Iterator[Said]:
    """State the same about every image on the page, so that the steward knows it when one of them is asked for."""
    base = _joined(url, page.base) or url
    sources = list(dict.fromkeys(image_addresses(page)))
    for source in sources[:_IMAGES_LIMIT]:
        if about := _joined(base, source):
            for one in said:
                yield disallow(one.category, one.quote, f"page, {one.where}", about=about)
    if len(sources) > _IMAGES_LIMIT:
        yield Gap(url, "html_limit", note=f"more than {_IMAGES_LIMIT} images on the page")


def _joined(base: str, reference: str) -> str:
    try:
        return join(base, reference)
    except BadUrl:
        return ""


def _unread(page: Page, evidence: Evidence) -> Iterator[Gap]:
    """Tell of what was not read; a page whose head was read whole has said nearly everything."""
    if page.gave_up and not evidence.gap:
        unread = page.gave_up == "html_limit" and not page.head_whole
        yield Gap(evidence.url, page.gave_up, holds=unread or page.gave_up in _HOLDING)


def _lacking(evidence: Evidence) -> tuple[Gap, ...]:
    """Say why the page could not be read; one that is gone says nothing, a gap of the look-up is noted already."""
    if evidence.gap or evidence.status in _GONE:
        return ()
    if evidence.status in _CLOSED or evidence.fields.first("cf-mitigated"):
        return (Gap(evidence.url, "blocked", note=f"the page answered {evidence.status}"),)
    return (Gap(evidence.url, "unreachable" if evidence.unreachable else "bad_status", note=str(evidence.status)),)
