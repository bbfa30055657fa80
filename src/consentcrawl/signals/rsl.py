"""RSL 1.0 licences named by robots.txt, Link fields and pages, or embedded in pages and images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from consentcrawl.core import (
    BODY,
    HEAD,
    ROBOTS_TXT,
    SILENT,
    Asset,
    Category,
    Evidence,
    Gap,
    Gate,
    Need,
    Preference,
    Purpose,
    Said,
    Spec,
    Statement,
    page_of,
    remark,
)
from consentcrawl.formats import html, link, robots, rsl, xmp
from consentcrawl.formats.url import BadUrl, join

SPEC = Spec(
    name="RSL",
    version="1.0",
    url="https://rslstandard.org/rsl",
    gates=(Gate.LOOKUP, Gate.HEAD, Gate.BODY),
    cost="one request for each licence that is named",
)

_TYPE = "application/rsl+xml"
_LIMIT = 2 * 1024 * 1024
_WRAPPERS = " <>\"'"  # ours: what people put around an address
_is_address = re.compile(r"https?://|(?:/|\.\.?/)\S+$|\S+\.(?:xml|rsl)(?:\?\S*)?$", re.IGNORECASE).match
_NAMED_LIMIT = 8  # licences that one document may name
_CATEGORIES = {
    "ai-train": Category.TRAIN,
    "ai-input": Category.AI_USE,
    "search": Category.SEARCH,
    "all": Category.TDM,
}
_PAGE_ONLY = ("inherit", "all")


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the robots.txt, the page, the fields and the content: each may name or hold a licence."""
    page = page_of(asset)
    return (ROBOTS_TXT, HEAD, BODY) if page is None else (ROBOTS_TXT, page, HEAD, BODY)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read what names a licence into needs, and a licence into statements."""
    need = evidence.need
    if need == ROBOTS_TXT:
        return _robots(evidence, purpose)
    if need.gate is Gate.HEAD:
        return _fields(evidence, of_page=False) if evidence.fields.lines("link") else ()
    if need.gate is Gate.BODY:
        return _content(evidence, asset)
    if need == page_of(asset):
        return chain(_fields(evidence, of_page=True), _page(evidence, asset, of_page=True))
    return _licence(evidence, asset)


def _robots(evidence: Evidence, purpose: Purpose) -> Iterable[Said]:
    """Follow the License lines of the group that counts, which replace those before any group (RSL 1.0 §4.3)."""
    if not evidence.successful or evidence.gap not in ("", "body_limit"):
        return SILENT
    file = evidence.parsed(robots.parse)
    addresses = evidence.parsed(_addresses, file, purpose.token)
    named = tuple(_named(addresses, evidence.url, of_page=False)) if addresses else ()
    if evidence.gap or file.gave_up == "robots_limit":
        return (*named, Gap(evidence.url, "robots_limit", holds=True, note="a licence could be named in the rest"))
    return named or SILENT


def _addresses(_: bytes, file: robots.RobotsTxt, token: str) -> tuple[str, ...]:
    """Return what the License lines name.

    RSL 1.0 has absolute addresses; prose ("none (public domain)") names nothing. An address of this site does: ours.
    """
    found = robots.placed(file, ("license",), token)
    lines = [*found.binding, *(line for line in found.everybody if line.group >= 0 or not found.binding)]
    return tuple(value for line in lines if _is_address(value := line.value.strip(_WRAPPERS)))


def _named(references: Iterable[str], base: str, *, of_page: bool) -> Iterator[Said]:
    """Return a need for each licence named, once; one whose address cannot be read is a gap.

    A licence that only a page names is a note, and so is its absence; any other one holds.
    """
    holds, urls, unread = not of_page, dict[str, None](), ""
    for reference in references:
        try:
            urls[join(base, reference)] = None
        except BadUrl as error:
            unread = str(error)
    if unread:
        yield Gap(base, "bad_url", holds=holds, note=unread)
    for url in list(urls)[:_NAMED_LIMIT]:
        yield Need(Gate.LOOKUP, url, limit=_LIMIT, holds=holds)
    if len(urls) > _NAMED_LIMIT:
        yield Gap(base, "not_fetched", holds=holds, note="more licences are named than are looked up")


def _fields(evidence: Evidence, *, of_page: bool) -> Iterator[Said]:
    """Follow ``Link: <…>; rel="license"; type="application/rsl+xml"`` (RFC 8288); without the type it is another's."""
    named = [each.href for each in link.read(evidence.fields.lines("link")) if _is_licence(each)]
    yield from _named(named, evidence.url, of_page=of_page)


def _is_licence(found: link.Link | html.Link) -> bool:
    return "license" in found.rel and found.type.partition(";")[0].strip() == _TYPE


def _content(evidence: Evidence, asset: Asset) -> Iterable[Said]:
    if evidence.parsed(html.is_page, evidence.content_type):
        return _page(evidence, asset, of_page=False)
    packets = evidence.parsed(xmp.in_image).packets
    return _embedded(packets, evidence, asset) if packets else ()


def _embedded(packets: Iterable[xmp.Xmp], evidence: Evidence, asset: Asset) -> Iterator[Said]:
    for packet in packets:
        for element in packet.elements(rsl.NAMESPACE, "rsl"):
            yield from _statements(rsl.of_element(element), evidence, asset, where="XMP, ", embedded=True)


def _page(evidence: Evidence, asset: Asset, *, of_page: bool) -> Iterator[Said]:
    """Follow the licences a page links, and read those inside it."""
    page = evidence.parsed(html.parse, evidence.content_type)
    if named := [each.href for each in page.links if _is_licence(each)]:
        yield from _named(named, _base(page.base, evidence.url), of_page=of_page)
    if page.gave_up:
        yield Gap(evidence.url, page.gave_up, holds=not of_page)
    scripts = [script for script in page.scripts if script.type.partition(";")[0].strip().lower() == _TYPE]
    texts = [script.text for script in scripts]
    for script, licences in zip(scripts, evidence.parsed(_inside, *texts) if texts else (), strict=True):
        yield from _statements(licences, evidence, asset, where=f"{script.where}, licence ", of_page=of_page)


def _base(stated: str, url: str) -> str:
    try:
        return join(url, stated)
    except BadUrl:
        return url


def _inside(_content: bytes, *texts: str) -> tuple[rsl.Licences, ...]:
    """Read the licences inside a page, once for all the images on it."""
    return tuple(rsl.parse(text.encode("utf-8", "replace")) for text in texts)


def _licence(evidence: Evidence, asset: Asset) -> Iterator[Said]:
    """Read a licence that was named; one that is not there is a gap as well (RSL 1.0: unlicensed, not allowed)."""
    holds = evidence.need.holds
    if evidence.gap:
        return  # noted already
    if not evidence.found:
        yield Gap(evidence.url, "bad_status", holds=holds)
        return
    yield from _statements(evidence.parsed(rsl.parse), evidence, asset, of_page=not holds)


def _statements(  # noqa: PLR0913 (a licence and its circumstances)
    licences: rsl.Licences,
    evidence: Evidence,
    asset: Asset,
    *,
    where: str = "",
    of_page: bool = False,
    embedded: bool = False,
) -> Iterator[Said]:
    about, reason = _about(licences, asset, of_page=of_page, embedded=embedded)
    for code in filter(None, (licences.gave_up, reason)):
        yield Gap(evidence.url, code, holds=not of_page)
    for content, under in about:
        if not content.uses:
            yield remark(Category.TRAIN, content.quote, f"{where}line {content.line}", "no licence is offered")
        for use in content.uses:
            if not (use.preference == rsl.ALLOWED and (licences.gave_up or reason)):
                yield from _statement(use, where, under)


_About = list[tuple[rsl.Content, tuple[str, ...]]]


def _about(licences: rsl.Licences, asset: Asset, *, of_page: bool, embedded: bool) -> tuple[_About, str]:
    """Return the contents about the asset, and as notes (unless the policy inherits) those about its page only.

    What is embedded in an image is about it, whatever address it has there.
    """
    if embedded:
        return [(content, ()) for content in licences.contents], ""
    covered, reason = rsl.covering(licences, asset.url)
    if not of_page or asset.page is None:
        return [(content, ()) for content in covered], reason
    # A page elsewhere does not speak for the files of this host; "this page" is not the file.
    direct = [content for content in covered if content.url and _beside(asset)]
    of_the_page, other = rsl.covering(licences, asset.page)
    about: _About = [(content, ()) for content in direct]
    return about + [(content, _PAGE_ONLY) for content in of_the_page if content not in direct], reason or other


def _beside(asset: Asset) -> bool:
    return asset.page is not None and asset.page.startswith(asset.origin + "/")


def _statement(use: rsl.Use, where: str, under: tuple[str, ...]) -> Iterator[Statement]:
    category = _CATEGORIES.get(use.usage)
    if category is not None and use.preference != rsl.UNKNOWN:
        yield Statement(
            category=category,
            preference=Preference(use.preference),
            quote=use.quote,
            where=f"{where}line {use.line}",
            note=use.note,
            under=under,
        )
