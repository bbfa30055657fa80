"""A tokenizer of HTML that reads only the tags asked for, as the HTML standard §13.2.5 tells tags from text; no tree.

The tokens of a page are the first ones of any page that begins with it; its time is linear in the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from consentcrawl.formats.html.content_models import (
    ELEMENTS,
    comment_end,
    follow_foreign,
    is_foreign,
    leave_foreign,
    raw_text_end,
)
from consentcrawl.formats.html.tag_patterns import ENDS_NAME, REST, SPACE, TAG, TagSet, any_of, attributes, tag_set

_NONE = attributes("")
_SOURCES = attributes("src srcset")
_LINK = attributes("rel href type")
META = attributes("name content http-equiv property itemprop charset")
# What is read of each tag; of the others only where it ends.
_READ = {
    b"meta": META,
    b"link": _LINK,
    b"a": _LINK,
    b"base": attributes("href"),
    b"img": _SOURCES,
    b"image": _SOURCES,
    b"source": _SOURCES,
    b"script": attributes("type id"),
    b"template": attributes("shadowrootmode"),
}
_STRUCTURE = f"template plaintext svg math /template /svg /math {ELEMENTS}"
METADATA = tag_set(f"meta link base {_STRUCTURE}")
METADATA_AND_ANCHORS = tag_set(f"meta link base a {_STRUCTURE}")
IMAGES = tag_set(f"img image source {_STRUCTURE}")
_MOST = 50_000  # tags read in one page


class Token(NamedTuple):
    """One tag, or ``!`` for a comment or a tag of SVG, or an empty name for the end of the page.

    ``name`` is in lower case. Text and tags not asked for stand from ``gap`` to ``start``; the tag ends at ``end``, and
    the raw text it begins, if any, at ``raw_end``.
    """

    name: bytes
    attributes: dict[bytes, bytes]
    gap: int
    start: int
    end: int
    raw_end: int

    @property
    def span(self) -> tuple[int, int]:
        """Where it begins and ends."""
        return self.start, self.end


def tokens(page: bytes, wanted: TagSet, *, xml: bool = False) -> Iterator[Token]:
    """Yield every tag of ``page`` in ``wanted`` and no template holds (HTML §4.12.3), in order; then the end.

    The end begins where a tag does that the page ends within. It is missing where ``_MOST`` tags were read before.
    With ``xml`` a tag that closes itself begins nothing, as in XML syntax.
    """
    position = 0
    foreign: list[bytes] = []
    hidden = [False]
    for _ in range(_MOST):
        token = _next_token(wanted, page, position, foreign, xml=xml)
        if token.name == b"template" and not (xml and b"/" in token.attributes):
            # §4.12.3: a declarative shadow root is shown; any other template holds nothing of the page.
            hidden.append(hidden[-1] or b"shadowrootmode" not in token.attributes)
        elif token.name == b"/template":
            _leave_template(hidden, foreign)
        elif not hidden[-1]:
            yield token
        elif not token.name:
            yield token._replace(gap=token.end)
        if not token.name:
            return
        position = token.raw_end


def _leave_template(hidden: list[bool], foreign: list[bytes]) -> None:
    if len(hidden) > 1:
        hidden.pop()
        foreign.clear()


def _next_token(wanted: TagSet, page: bytes, position: int, foreign: list[bytes], *, xml: bool) -> Token:
    found = _next(wanted, page, position)
    end = len(page)
    if found is not None:
        if foreign:
            leave_foreign(foreign, page, position, found.start())
        token = _token(page, position, found, foreign, xml=xml)
        if token is not None:
            follow_foreign(foreign, token.name, closed=b"/" in token.attributes)
            return token
    # §13.2.5: a tag that the page ends within is none.
    return Token(b"", {}, position, found.start() if found else end, end, end)


def _next(wanted: TagSet, page: bytes, position: int) -> re.Match[bytes] | None:
    found = wanted.search.search(page, position)
    if found is None or _outside(page, position, found.start()):
        return found
    # The rare and the odd: go over every tag in between.
    skipped = wanted.skip.match(page, position)
    return wanted.search.match(page, skipped.end()) if skipped else None


def _outside(page: bytes, begin: int, at: int) -> bool:
    """Return whether ``at`` is surely outside any tag, as ``begin`` is: the last ``>`` before it is in no quoted value.

    In a quoted value the last quote would be the one that opened it, and would stand behind ``=`` (§13.2.5.37).
    """
    opened = page.rfind(b"<", begin, at)
    if opened < 0:
        return True
    closed = page.rfind(b">", opened, at)
    return closed >= 0 and _unquoted(page, begin, closed, b'"') and _unquoted(page, begin, closed, b"'")


def _unquoted(page: bytes, begin: int, at: int, quote: bytes) -> bool:
    last = page.rfind(quote, begin, at)
    return last <= begin or page[last - 1] not in b"= \t\n\f\r"


def _token(page: bytes, gap: int, found: re.Match[bytes], foreign: list[bytes], *, xml: bool) -> Token | None:
    """Return the token that ``found`` begins, or None where the page ends within its tag (§13.2.5.32)."""
    start = found.start()
    if found[1] is None:
        end = comment_end(page, start, foreign=bool(foreign))
        return Token(b"!", {}, gap, start, end, end)
    name = found[1].lower()
    attributes: dict[bytes, bytes] = {}
    end = read_attributes(_READ.get(name, _NONE), page, found.end(), attributes)
    if end < 0:
        return None
    if is_foreign(foreign, name):
        return Token(b"!", attributes, gap, start, end, end)
    raw_end = end if xml and b"/" in attributes else raw_text_end(page, name, end)
    return Token(name, attributes, gap, start, end, raw_end)


def read_attributes(pattern: re.Pattern[bytes], page: bytes, position: int, attributes: dict[bytes, bytes]) -> int:
    """Read a tag's attributes into ``attributes`` and return where it ends, or -1; of two of a name the first counts.

    A tag that closes itself is given the attribute ``/``.
    """
    while (match := pattern.match(page, position)) is not None:
        position = match.end()
        name, double, single, bare, slash = match.groups()
        if name is None:
            if slash:
                attributes[b"/"] = b""
            return position
        # §13.2.5.33: a name that is there already is a duplicate, which is dropped.
        attributes.setdefault(name.lower(), double or single or bare or b"")
    return -1


# What may stand in a head between the tags that are read (§13.2.6.4.3 to 6); anything else begins the body.
_HEAD_NAMES = rb"(?:" + any_of("head") + rb"|/?" + any_of(f"html noscript basefont bgsound {ELEMENTS}") + rb")"
_HEAD = re.compile(rb"(?:" + SPACE + rb"++|<" + _HEAD_NAMES + ENDS_NAME + REST + rb")*+")
_TAG_OPEN, _TAG_WHOLE = re.compile(rb"</?(?:[a-zA-Z]|\Z)"), re.compile(rb"</?" + TAG)
_IN_HEAD = frozenset({b"", b"!", b"meta", b"link", b"base", b"script", b"style", b"title", b"noframes"})


def body_begins(page: bytes, token: Token) -> bool:
    """Return whether ``token``, or what stands before it, is not of a head; a tag cut off by the page's end is none."""
    at = _head_end(page, token)
    if at == token.start:
        return token.name not in _IN_HEAD
    return not _TAG_OPEN.match(page, at) or _TAG_WHOLE.match(page, at) is not None


def _head_end(page: bytes, token: Token) -> int:
    match = _HEAD.match(page, token.gap, token.start)
    return match.end() if match else token.gap
