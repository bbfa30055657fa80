"""What is kept of an asset's own answers: the head, a page, the packets in an image, and never the work.

Kept is that on which a ground or gap rests, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consentcrawl.core import Evidence, Gate, Ground, Verdict
from consentcrawl.core.evidence import Pairs
from consentcrawl.formats import image, xmp

JSON = "application/json"
_TEXTS = ("text/", "application/xhtml", "application/xml", "application/json", "application/rsl+xml")
_PACKETS = {"xmp": "application/rdf+xml", "iptc": "application/x-iptc-iim", "c2pa": "application/c2pa"}
# Cookies are the taker's credentials, and say nothing about consent.
_SECRET = frozenset({"set-cookie", "set-cookie2"})


@dataclass(frozen=True, slots=True)
class Piece:
    """One document to be kept: what it is, its media type, and its bytes."""

    name: str
    media_type: str
    content: bytes


def fields_of(evidence: Evidence) -> Pairs:
    """The fields of an answer that may be kept."""
    return tuple(pair for pair in evidence.fields.pairs if pair[0].lower() not in _SECRET)


def is_work(content: bytes) -> bool:
    """Return whether a content is an image: somebody's work, of which only the packets are kept."""
    return bool(image.kind_of(content)[0])


def own(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The answers of the asset itself: those that no other asset shares."""
    return [each for each in evidence if each.need.gate is not Gate.LOOKUP]


def rests_on(verdict: Verdict, learnt: Sequence[Ground], each: Evidence) -> bool:
    """Return whether a ground, something learnt about another asset, or a gap rests on an answer."""
    asked = each.need.url or verdict.url
    return any(ground.source == each.url for ground in (*verdict.grounds, *learnt)) or any(
        gap.need in (asked, each.url) for gap in verdict.gaps
    )


def pieces(each: Evidence) -> Iterator[Piece]:
    """The documents that are kept of one of the asset's own answers."""
    if each.need.url:
        yield Piece(each.need.url.partition(":http")[0], JSON, each.content)
    elif each.need.gate is Gate.HEAD:
        yield from _head(each)
    else:
        yield from _content(each)


def _head(each: Evidence) -> Iterator[Piece]:
    """RFC 9112 §10.1: a head by itself, as message/http."""
    if each.status is not None:
        lines = [f"HTTP/1.1 {each.status} ", *(f"{name}: {value}" for name, value in fields_of(each)), "", ""]
        yield Piece("head", "message/http", "\r\n".join(lines).encode("utf-8", "surrogateescape"))


def _content(each: Evidence) -> Iterator[Piece]:
    """A page as far as it was read; of an image what is embedded in it."""
    if is_work(each.content):
        found = each.parsed(xmp.in_image).embedded
        manifest = b"".join(each.content[start : start + length] for start, length in found.c2pa)
        embedded = {"xmp": found.xmp, "iptc": found.iptc, "c2pa": (manifest,) if manifest else ()}
        for name, packets in embedded.items():
            yield from (Piece(name, _PACKETS[name], packet) for packet in packets)
    elif each.content and _is_text(each):
        yield Piece("content", each.content_type or "text/html", each.content)


def _is_text(each: Evidence) -> bool:
    return each.content_type.lower().startswith(_TEXTS) or each.content[:256].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"
