"""How deep a page is in SVG or MathML, where no element's content is raw text (HTML §13.2.6.5).

Nesting is counted to a bound, and a page that leaves it is read as HTML again.
"""

from __future__ import annotations

from consentcrawl.formats._tag_patterns import net

_DEEPEST = 64
# Start tags that end foreign content.
_BREAKOUT = (
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    "nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
# Ours: behind these the content is HTML (§13.2.6 "HTML integration point"), and is read so until the next <svg>.
_LEAVES = {
    b"svg": net(f"{_BREAKOUT} foreignobject"),
    b"math": net(f"{_BREAKOUT} mi mo mn ms mtext annotation-xml"),
}
# What means something inside: the rest is an element of SVG or MathML, whatever HTML knows under its name.
_MEANS = frozenset({b"meta", b"img", *_LEAVES, b"/svg", b"/math", b"/template"})


def leave(inside: list[bytes], page: bytes, begin: int, end: int) -> None:
    """Empty ``inside`` when a tag between ``begin`` and ``end`` ends foreign content."""
    walked = _LEAVES[inside[-1]].walk.match(page, begin, end)
    if walked and walked.end() < end:
        inside.clear()


def means_nothing(inside: list[bytes], name: bytes) -> bool:
    """Whether a tag ``name`` is one of SVG or MathML there."""
    return bool(inside) and name not in _MEANS


def follow(inside: list[bytes], name: bytes, *, closed: bool) -> None:
    """Keep ``inside``, the names of the open elements, up to date with a tag; ``closed`` if it closes itself."""
    if name in _LEAVES and not closed and len(inside) < _DEEPEST:
        inside.append(name)
    elif inside and name in {b"meta", b"img"}:
        inside.clear()
    elif name[:1] == b"/" and name[1:] in inside:
        while inside.pop() != name[1:]:
            pass
