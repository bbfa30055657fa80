"""SVG: the XML of ``<metadata>`` and the manifest in ``<c2pa:manifest>``, without reading the drawing."""

from __future__ import annotations

import re

from consentcrawl.formats.doctype import DECLARATION, entities, resolve
from consentcrawl.formats.image.finding import PACKET_LIMIT, PACKETS, Finding
from consentcrawl.formats.xml import plain

_STEPS = 64
_HEAD_LIMIT = 64 * 1024
_ROOT = re.compile(rb"<(?:[\w.-]+:)?svg(?=[\s>/])")
_DECLARED = re.compile(rb"""\sxmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*')""")
_METADATA = re.compile(rb"<((?:[\w.-]+:)?(?:metadata|RDF|xmpmeta))(?=[\s>])")
_MANIFEST = re.compile(rb"<[\w.-]+:manifest(?:\s[^<>]*)?>")


def root_of(text: bytes) -> int:
    """Return where the root element of an SVG document starts, or -1 when it is none."""
    at = 0
    for _ in range(_STEPS):
        at = _past_space(text, at)
        if _ROOT.match(text, at):
            return at
        end = _past_prolog(text, at)
        if end <= at:
            return -1
        at = end
    return -1


def _past_space(text: bytes, at: int) -> int:
    rest = text[at : at + _HEAD_LIMIT]
    return at + len(rest) - len(rest.lstrip())


def _past_prolog(text: bytes, at: int) -> int:
    """Step over a declaration, comment or document type; 0 when there is none or no end to it."""
    for opening, ending in _PROLOG:
        if text.startswith(opening, at):
            end = text.find(ending, at)
            return end + len(ending) if end >= 0 else 0
    if text[at : at + 9].upper() != b"<!DOCTYPE":
        return 0
    declaration = DECLARATION.match(text, at)
    return declaration.end() if declaration else 0


_PROLOG = ((b"<?", b"?>"), (b"<!--", b"-->"))


def read(found: Finding) -> None:
    """Cut the metadata out, and give each piece the namespaces that the root declares for it."""
    document = plain(found.content)
    text = document.encode() if isinstance(document, str) else found.content.removeprefix(b"\xef\xbb\xbf")
    at = root_of(text)
    declaration = DECLARATION.search(text, 0, at)
    names = entities(declaration[0]) if declaration else {}
    if names is None:
        found.give_up("doctype")
    declared = b"".join(_DECLARED.findall(_tag(text, at)))
    _pieces(text, at, declared, names or {}, found)
    for manifest in _MANIFEST.finditer(text, at):
        end = text.find(b"<", manifest.end())
        found.keep_span(manifest.end(), (end if end >= 0 else len(text)) - manifest.end())
    if not text.rstrip(b" \t\r\n\0").endswith((b"svg>", b"/>", b"-->")):
        found.give_up("truncated")


def _tag(text: bytes, at: int) -> bytes:
    """Return the start tag of the root, up to a bound."""
    end = text.find(b">", at, at + _HEAD_LIMIT)
    return text[at : end if end >= 0 else at + _HEAD_LIMIT]


def _pieces(text: bytes, at: int, declared: bytes, names: dict[bytes, bytes], found: Finding) -> None:
    for _ in range(PACKETS + 1):
        opening = _METADATA.search(text, at)
        if opening is None:
            return
        closing = b"</" + opening[1]
        end = text.find(closing, opening.end())
        if end < 0:
            found.give_up("malformed")
            end = len(text)
        at = end + len(closing)
        piece = b"<svg" + declared + b">" + text[opening.start() : end] + closing + b"></svg>"
        if names:
            piece, known = resolve(piece, names, PACKET_LIMIT)
            if not known:
                found.give_up("doctype")
        found.keep_xmp(piece)
    found.give_up("image_limit")
