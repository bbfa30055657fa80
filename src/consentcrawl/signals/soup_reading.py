"""A second reading of pages by BeautifulSoup: a refusal in a meta tag that it finds and ours does not is a gap."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator

from consentcrawl.core import BODY, Asset, Evidence, Gap, Gate, Need, Purpose, Said, Spec, page_of
from consentcrawl.formats.html import Page, is_page, parse
from consentcrawl.formats.robots_tag import AI_TAGS, EVERYONE, directives
from consentcrawl.formats.tdm_reservation import of_text

SPEC = Spec(
    name="BeautifulSoup (second reader)",
    version="HTML as html.parser reads it",
    url="https://www.crummy.com/software/BeautifulSoup/",
    gates=(Gate.LOOKUP, Gate.BODY),
    cost="some milliseconds per page",
    under=("second_reader", "on"),
)

_LIMIT = 256 * 1024
"""The longest page, in bytes, that is read a second time."""
_STEPS = 2_000_000
"""The most tags without an end times bytes: html.parser looks for each of those ends through the rest of the page."""
_SECTIONS = 200
"""The most comments without an end, and the most marked sections."""

_closed = re.compile(rb"<[^<>]*>").findall
_FOR_ALL = frozenset({"robots", "ai", "x-robots-tag"})
_NAMES = ("name", "http-equiv", "property")


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the content, and the page that showed the asset, where one is known."""
    page = page_of(asset)
    return (BODY,) if page is None else (BODY, page)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (words only)
    """Compare both readings of a page that is small enough."""
    content = evidence.content
    if not evidence.found or not content or not evidence.parsed(_is_small):
        return ()
    if not evidence.parsed(is_page, evidence.content_type):
        return ()
    own = purpose.token.lower()
    page: Page = evidence.parsed(parse, evidence.content_type)
    ours = _refusals(((meta.name, meta.http_equiv, meta.property), meta.content) for meta in page.metas)
    try:
        theirs = _refusals(evidence.parsed(_soup))
    except Exception as error:  # noqa: BLE001 (others' code)
        return (Gap(evidence.url, "reader_failed", note=f"BeautifulSoup: {type(error).__name__}"),)
    missed = sorted(what for name, what in theirs - ours if name in (EVERYONE, own))
    if not missed:
        return ()
    return (Gap(evidence.url, "readers_disagree", holds=True, note=f"BeautifulSoup finds {', '.join(missed)}"),)


def _is_small(content: bytes) -> bool:
    if len(content) > _LIMIT or content.count(b"<![") > _SECTIONS:
        return False
    if content.count(b"<!--") - content.count(b"-->") > _SECTIONS:
        return False
    return (content.count(b"<") - len(_closed(content))) * len(content) <= _STEPS


def _soup(content: bytes) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return names and content of every meta tag."""
    from bs4 import BeautifulSoup, SoupStrainer  # noqa: PLC0415 (few read twice)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it guesses at encodings and at XML, and says so
        soup = BeautifulSoup(content, "html.parser", parse_only=SoupStrainer("meta"))
    return tuple(
        (tuple(str(tag.get(name, "")).strip().lower() for name in _NAMES), str(tag.get("content", "")))
        for tag in soup.find_all("meta")
    )


def _refusals(metas: Iterable[tuple[tuple[str, ...], str]]) -> frozenset[tuple[str, str]]:
    """Return every refusal with the crawler it is meant for ("" for everyone)."""
    return frozenset(refusal for names, content in metas for name in names for refusal in _refusal(name, content))


def _refusal(name: str, content: str) -> Iterator[tuple[str, str]]:
    if name == "tdm-reservation" and of_text(content)[0]:
        yield EVERYONE, name
    for directive in directives(content) if name else ():
        if directive.name in AI_TAGS:
            yield (directive.agent if name in _FOR_ALL else name), directive.name
