"""Where comments and raw text end, as the HTML standard §13.2.5 has it.

An end is found in one pass; what nothing ends goes on to the end of the page.
"""

from __future__ import annotations

import re

from consentcrawl.formats._tag_patterns import ENDS_NAME, any_of

# §13.2.6.2 and §13.2.6.4.4 to 7: elements whose content is text up to their own end tag. noscript is read as if there
# were no scripting: what it says counts.
ELEMENTS = "script style title textarea iframe xmp noembed noframes"
_END = {w.encode(): re.compile(rb"</" + any_of(w) + ENDS_NAME) for w in ELEMENTS.split()}
_SCRIPT_PART = re.compile(rb"<!(?=--)|-->|<(/?)" + any_of("script") + ENDS_NAME)
_COMMENT_START, _COMMENT_END = re.compile(rb"<!---?>"), re.compile(rb"--!?>")


def comment_end(page: bytes, start: int, *, foreign: bool) -> int:
    """Where the comment, doctype or CDATA section at ``start`` ends; ``foreign`` inside SVG or MathML."""
    if page.startswith(b"<!--", start):
        match = _COMMENT_START.match(page, start) or _COMMENT_END.search(page, start + 4)
        return match.end() if match else len(page)
    # §13.2.5.42: only foreign content has CDATA sections, elsewhere they are bogus comments.
    mark = b"]]>" if foreign and page.startswith(b"<![CDATA[", start) else b">"
    end = page.find(mark, start)
    return end + len(mark) if end >= 0 else len(page)


def raw_text_end(page: bytes, name: bytes, end: int) -> int:
    """Where the raw text behind the start tag ``name``, which ends at ``end``, ends: before its end tag."""
    if name == b"plaintext":
        return len(page)
    pattern = _END.get(name)
    if pattern is None:
        return end
    match = pattern.search(page, end)
    stop = match.start() if match else len(page)
    return _script_end(page, end) if name == b"script" and page.find(b"<!--", end, stop) >= 0 else stop


def _script_end(page: bytes, begin: int) -> int:
    """Where a script with ``<!--`` in it ends: behind that, ``<script>`` hides one ``</script>`` (§13.2.5.15 to 31)."""
    escaped = doubly = False
    for part in _SCRIPT_PART.finditer(page, begin):
        if part[1] is None:
            escaped = part[0] != b"-->"
            doubly = doubly and escaped
        elif part[1] and not doubly:
            return part.start()
        else:
            doubly = escaped and not part[1]
    return len(page)
