"""What stands behind a tag: comments, raw text up to its end tag (HTML §13.2.5), foreign elements (§13.2.6.5).

An end is found in one pass; what nothing ends goes on to the end of the page. Nesting in SVG and MathML, where the
content of no element is raw text, is counted to a bound, and a page that leaves it is read as HTML again.
"""

from __future__ import annotations

import re

from consentcrawl.formats.html.tag_patterns import ENDS_NAME, any_of, tag_set

# §13.2.6.2 and §13.2.6.4.4 to 7: elements whose content is text up to their own end tag. noscript is read as if there
# were no scripting: its content counts.
ELEMENTS = "script style title textarea iframe xmp noembed noframes"
_END = {w.encode(): re.compile(rb"</" + any_of(w) + ENDS_NAME) for w in ELEMENTS.split()}
_SCRIPT_PART = re.compile(rb"<!(?=--)|-->|<(/?)" + any_of("script") + ENDS_NAME)
_COMMENT_START, _COMMENT_END = re.compile(rb"<!---?>"), re.compile(rb"--!?>")


def comment_end(page: bytes, start: int, *, foreign: bool) -> int:
    """Return where the comment, doctype or CDATA section at ``start`` ends; ``foreign``: in SVG or MathML."""
    if page.startswith(b"<!--", start):
        match = _COMMENT_START.match(page, start) or _COMMENT_END.search(page, start + 4)
        return match.end() if match else len(page)
    # §13.2.5.42: only foreign content has CDATA sections, elsewhere they are bogus comments.
    mark = b"]]>" if foreign and page.startswith(b"<![CDATA[", start) else b">"
    end = page.find(mark, start)
    return end + len(mark) if end >= 0 else len(page)


def raw_text_end(page: bytes, name: bytes, end: int) -> int:
    """Return where the raw text behind the start tag ``name``, which ends at ``end``, ends: before its end tag."""
    if name == b"plaintext":
        return len(page)
    pattern = _END.get(name)
    if pattern is None:
        return end
    match = pattern.search(page, end)
    stop = match.start() if match else len(page)
    return _script_end(page, end) if name == b"script" and page.find(b"<!--", end, stop) >= 0 else stop


def _script_end(page: bytes, begin: int) -> int:
    """Return where a script with ``<!--`` in it ends: ``<script>`` behind it hides one ``</script>`` (§13.2.5.15)."""
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


_DEEPEST = 64
# Start tags that end foreign content.
_BREAKOUT = (
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    "nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
# Ours: behind these the content is HTML (§13.2.6 "HTML integration point"), and is read so until the next <svg>.
_LEAVES = {
    b"svg": tag_set(f"{_BREAKOUT} foreignobject"),
    b"math": tag_set(f"{_BREAKOUT} mi mo mn ms mtext annotation-xml"),
}
# The tags that are read in foreign content; the rest are elements of SVG or MathML, whatever HTML knows by the name.
_READ_IN_FOREIGN = frozenset({b"meta", b"img", *_LEAVES, b"/svg", b"/math", b"/template"})


def leave_foreign(foreign: list[bytes], page: bytes, begin: int, end: int) -> None:
    """Empty ``foreign`` when a tag between ``begin`` and ``end`` ends foreign content."""
    skipped = _LEAVES[foreign[-1]].skip.match(page, begin, end)
    if skipped and skipped.end() < end:
        foreign.clear()


def is_foreign(foreign: list[bytes], name: bytes) -> bool:
    """Return whether a tag ``name`` is an element of SVG or MathML there."""
    return bool(foreign) and name not in _READ_IN_FOREIGN


def follow_foreign(foreign: list[bytes], name: bytes, *, closed: bool) -> None:
    """Keep ``foreign``, the names of the open elements, up to date with a tag; ``closed`` if it closes itself."""
    if name in _LEAVES and not closed and len(foreign) < _DEEPEST:
        foreign.append(name)
    elif foreign and name in {b"meta", b"img"}:
        foreign.clear()
    elif name[:1] == b"/" and name[1:] in foreign:
        while foreign.pop() != name[1:]:
            pass
