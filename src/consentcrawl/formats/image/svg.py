"""SVG: the XML of ``<metadata>`` and the manifest in ``<c2pa:manifest>``, without reading the drawing."""

from __future__ import annotations

import re

from consentcrawl.formats.image.finding import PACKET_LIMIT, PACKETS, Finding
from consentcrawl.formats.xml import plain

_STEPS = 64
_HEAD_LIMIT = 64 * 1024
_ROOT = re.compile(rb"<(?:[\w.-]+:)?svg(?=[\s>/])")
_DECLARED = re.compile(rb"""\sxmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*')""")
_METADATA = re.compile(rb"<((?:[\w.-]+:)?(?:metadata|RDF|xmpmeta))(?=[\s>])")
_MANIFEST = re.compile(rb"<[\w.-]+:manifest(?:\s[^<>]*)?>")
# XML 1.0 §2.8: quotes and comments may hold what would end the declaration.
_DECLARATION = re.compile(
    rb"""<!DOCTYPE(?:[^\["'>]++|"[^"]*+"|'[^']*+')*+"""
    rb"""(?:\[(?:<!--(?s:.*?)-->|<\?(?s:.*?)\?>|"[^"]*+"|'[^']*+'|[^\]"'])*+\]\s*+)?>""",
    re.IGNORECASE,
)
# The document types of SVG itself declare nothing that metadata could use, and drawing programs add names for
# namespaces: entities without markup, references or quotes, whose text stands for them as it is.
_ENTITY = rb"""<!ENTITY\s+([\w.:-]{1,64})\s+["']([^"'<&%]{0,200})["']\s*>"""
_ENTITIES = re.compile(_ENTITY)
_OWN_DOCTYPE = re.compile(
    rb"""<!DOCTYPE\s+svg\s*(?:PUBLIC\s+["']-//W3C//DTD\ SVG[^"'\[\]<>]*["']\s*(?:["'][^"'\[\]<>]*["']\s*)?)?"""
    rb"(?:\[(?:\s++|<!--(?:(?!-->)[^\]])*+-->|" + _ENTITY + rb")*+\]\s*)?>",
    re.DOTALL,
)
_REFERENCE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([\w.:-]+);")


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
    declaration = _DECLARATION.match(text, at)
    return declaration.end() if declaration else 0


_PROLOG = ((b"<?", b"?>"), (b"<!--", b"-->"))


def read(found: Finding) -> None:
    """Cut the metadata out, and give each piece the namespaces that the root declares for it."""
    document = plain(found.content)
    text = document.encode() if isinstance(document, str) else found.content.removeprefix(b"\xef\xbb\xbf")
    at = root_of(text)
    doctype = _OWN_DOCTYPE.search(text, 0, at)
    if doctype is None and _DOCTYPE.search(text, 0, at):
        found.give_up("doctype")
    entities = dict(_ENTITIES.findall(doctype[0])) if doctype else {}
    declared = b"".join(_DECLARED.findall(_tag(text, at)))
    _pieces(text, at, declared, entities, found)
    for manifest in _MANIFEST.finditer(text, at):
        end = text.find(b"<", manifest.end())
        found.keep_span(manifest.end(), (end if end >= 0 else len(text)) - manifest.end())
    if not text.rstrip(b" \t\r\n\0").endswith((b"svg>", b"/>", b"-->")):
        found.give_up("truncated")


_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


def _tag(text: bytes, at: int) -> bytes:
    """Return the start tag of the root, up to a bound."""
    end = text.find(b">", at, at + _HEAD_LIMIT)
    return text[at : end if end >= 0 else at + _HEAD_LIMIT]


def _pieces(text: bytes, at: int, declared: bytes, entities: dict[bytes, bytes], found: Finding) -> None:
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
        found.keep_xmp(_resolved(piece, entities, found) if entities else piece)
    found.give_up("image_limit")


def _resolved(piece: bytes, entities: dict[bytes, bytes], found: Finding) -> bytes:
    """Put the text of an entity where it is named; a name that is not declared is a gap, and so is too long a piece."""
    names = _REFERENCE.findall(piece)
    if not entities.keys() >= set(names) or len(piece) + sum(len(entities[name]) for name in names) > PACKET_LIMIT:
        found.give_up("doctype")
        return piece
    return _REFERENCE.sub(lambda match: entities[match[1]], piece)
