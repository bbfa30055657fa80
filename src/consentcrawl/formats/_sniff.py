"""Whether bytes open as a page does (WHATWG MIME Sniffing §7.1); no more than 4 KiB are looked at.

XML that is no page does not look like one, whatever comment stands before it.
"""

from __future__ import annotations

import re

# WHATWG MIME Sniffing §7.1, where a blank or ">" ends the name; ours: any white space and "/" do too.
_SNIFF = re.compile(
    rb"(?:\xef\xbb\xbf)?[ \t\n\f\r]*+(?:(?:<!--(?s:.*?)-->|<\?xml[^>]*+>)[ \t\n\f\r]*+)*+"
    rb"<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)(?=[ \t\n\f\r/>])",
    re.IGNORECASE,
)
_SNIFFED = 4096  # bytes; the standard's 1,445 are too few for a page that opens with a long comment


def looks_html(content: bytes) -> bool:
    """Whether ``content`` opens as a page does, behind comments and an XML declaration; reads 4 KiB at most."""
    head = content[:_SNIFFED]
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        head = head.decode("utf-16", "replace").encode(errors="replace")
    return _SNIFF.match(head) is not None


# Ours: what nobody declares and what holds one of these near its start is read as the page it may be.
_TAGGED = re.compile(rb"<(?:meta|link|html|head|script|!doctype)[ \t\n\f\r/>]", re.IGNORECASE).search
_UNDECLARED = frozenset({"", "application/octet-stream", "unknown/unknown", "*/*"})


def is_page(content: bytes, content_type: str = "") -> bool:
    """Whether ``content`` is to be read as a page: it opens as one, is declared as one, or nobody says what it is."""
    if looks_html(content):
        return True
    declared = content_type.partition(";")[0].strip().lower()
    if "html" in declared or declared in {"text/xml", "application/xml"}:
        return bool(content)
    return declared in _UNDECLARED and _TAGGED(content, 0, _SNIFFED) is not None
