"""Pages in XML syntax (HTML §14): their elements by the XML reader, as the tokens that the tokenizer makes of tags.

A page that is not well-formed has none here; what its document type, an entity or a prefix could hide is a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.entities import html5

from consentcrawl.formats import doctype, xml
from consentcrawl.formats.html.tokenizer import Token

_NAMESPACES = frozenset({"", "http://www.w3.org/1999/xhtml"})
_TAGS = frozenset({"meta", "link", "a", "script", "base", "title"})
_PROLOG = re.compile(rb"(?:\s++|<!--(?s:.*?)-->|<\?(?s:.*?)\?>)*+")
_XML_DECLARATION = re.compile(rb"<\?xml\s[^>]*+>")
_NOT_NEWLINE = re.compile(rb"[^\n]")
_META = re.compile(rb"<(?:[\w.-]+:)?meta[\s/>]", re.IGNORECASE)
# XHTML 1.0 appendix A.2. A character that is markup is written as a reference, so that it stays text.
_CHARACTERS = {
    name[:-1].encode(): "".join(f"&#{ord(c)};" if c in "<&" else c for c in text).encode()
    for name, text in html5.items()
    if name.endswith(";")
}
# What the tokenizer cannot read: prefixes, declarations, and references to what is not declared.
_HIDING = re.compile(
    rb"<[\w.-]+:meta[\s/>]|<!(?:ENTITY|ATTLIST)|<meta\s[^<>]*?&(?!(?:amp|lt|gt|quot|apos|#\w+);)[\w.:-]+;"
)


@dataclass(frozen=True, slots=True)
class Elements:
    """The tokens of a page in UTF-8, and the reason code of what could be hidden; ``read`` if it was well-formed."""

    page: bytes
    tokens: tuple[Token, ...] = ()
    read: bool = False
    gave_up: str = ""


def is_xml(content_type: str) -> bool:
    """Return whether a Content-Type is of XML (WHATWG MIME Sniffing, "XML MIME type")."""
    declared = content_type.partition(";")[0].strip().lower()
    return declared in {"text/xml", "application/xml"} or declared.endswith("+xml")


def read(page: bytes, codec: str) -> Elements:
    """Read a page whose bytes are in ``codec``; never raises."""
    text = _blanked(_utf8(page, codec), _XML_DECLARATION)
    start = _end_of(_PROLOG, text)
    declared: dict[bytes, bytes] | None = {}
    external = False
    if text[start : start + 9].upper() == b"<!DOCTYPE":
        declaration = doctype.DECLARATION.match(text, start)
        declared = doctype.entities(declaration[0]) if declaration else None
        external = declared is None and bool(declaration and doctype.EXTERNAL.fullmatch(declaration[0]))
        text = _blanked(text, doctype.DECLARATION, start)
    if declared is None and not (external and _META.search(text) is None):
        return Elements(text, gave_up="doctype")
    text, whole = doctype.resolve(text, _CHARACTERS | (declared or {}), xml.SIZE_LIMIT)
    if (declared or external) and not whole:
        return Elements(text, gave_up="doctype")
    document = xml.read(text)
    if document.root is None:
        return Elements(text, gave_up=document.gave_up if _HIDING.search(text) else "")
    return Elements(text, tuple(_tokens(text, document.root.node)), read=True)


def _utf8(page: bytes, codec: str) -> bytes:
    try:
        page.decode()
    except UnicodeDecodeError:
        return page.decode(codec, "replace").encode(errors="replace")
    return page


def _end_of(pattern: re.Pattern[bytes], text: bytes) -> int:
    match = pattern.match(text)
    return match.end() if match else 0


def _blanked(text: bytes, pattern: re.Pattern[bytes], start: int = 0) -> bytes:
    """Return the text with what ``pattern`` matches made blank, so that all else stays where it is."""
    match = pattern.match(text, start)
    return text if match is None else text[:start] + _NOT_NEWLINE.sub(b" ", match[0]) + text[match.end() :]


def _tokens(text: bytes, root: xml.Node) -> Iterator[Token]:
    hidden: set[xml.Node] = set()
    for start, node in zip(xml.start_tags(text.decode("latin-1")), root.iter(), strict=False):
        namespace, local = xml.split(node.tag)
        if namespace not in _NAMESPACES or node in hidden:
            continue
        if local == "template" and "shadowrootmode" not in node.attrib:
            hidden.update(node.iter())
        if local in _TAGS:
            yield _token(text, start, local, node)


def _token(text: bytes, start: int, local: str, node: xml.Node) -> Token:
    # A reference in a value is resolved already: its ampersand is text, and stays so.
    attributes = {name.encode(): value.replace("&", "&amp;").encode() for name, value in node.attrib.items()}
    end = text.find(b">", start) + 1
    closed = text[end - 2 : end - 1] == b"/"
    closing = None if closed else re.compile(rb"</(?:[\w.-]+:)?" + local.encode() + rb"\s*>").search(text, end)
    return Token(local.encode(), attributes, start, start, end, closing.start() if closing else end)
