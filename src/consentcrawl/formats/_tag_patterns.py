"""The patterns a tag is read with, as the HTML standard §13.2.5.6 to 40 tells tags from text.

No pattern looks back, so that each is linear in what it reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SPACE = rb"[ \t\n\f\r]"
ENDS_NAME = rb"(?=[ \t\n\f\r/>])"
_BARE = rb"""[^ \t\n\f\r>"'][^ \t\n\f\r>]*+"""
_EQUALS = SPACE + rb"*+=" + SPACE + rb"*+"
_NO_VALUE = rb"(?!" + SPACE + rb"*+=)"
# §13.2.5.32: the first character of an attribute's name may be "=" or a quote.
_ATTRIBUTE = (
    rb"[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+(?:"
    + _EQUALS
    + rb"""(?:"[^"]*+"|'[^']*+'|"""
    + _BARE
    + rb"|(?=>))|"
    + _NO_VALUE
    + rb")"
)
# A tag from its name to its end. A value whose quote is never closed does not match: the tag has no end.
REST = rb"(?:[ \t\n\f\r/]++|" + _ATTRIBUTE + rb")*+>"
TAG = rb"[a-zA-Z][^ \t\n\f\r/>]*+" + REST


def any_of(words: str) -> bytes:
    """A pattern for each of ``words``, ASCII case-insensitive, that looks at no letter twice."""
    return _branches(words.split())


def _branches(words: list[str]) -> bytes:
    firsts = sorted({word[:1] for word in words})
    ways = [_letter(c) + _branches([w[1:] for w in words if w[:1] == c]) if c else b"" for c in firsts[::-1]]
    return ways[0] if len(ways) == 1 else b"(?:" + b"|".join(ways) + b")"


def _letter(character: str) -> bytes:
    return f"[{character}{character.upper()}]".encode() if character.isalpha() else character.encode()


def attributes(names: str) -> re.Pattern[bytes]:
    """A pattern that leaps to the next attribute in ``names``, or over the end of the tag."""
    name = rb"(?:" + any_of(names) + rb")(?=[ \t\n\f\r/>=])" if names else rb"(?!)"
    value = rb"(?:" + _EQUALS + rb"""(?:"([^"]*+)"|'([^']*+)'|(""" + _BARE + rb")|(?=>))|" + _NO_VALUE + rb")"
    others = rb"(?:" + SPACE + rb"++|/(?!>)|(?!" + name + rb")" + _ATTRIBUTE + rb")*+"
    return re.compile(others + rb"(?:(" + name + rb")" + value + rb"|(/?)>)")


@dataclass(frozen=True, slots=True)
class Net:
    """Two ways to the next tag looked at: ``leap`` to what looks like one, ``walk`` over every tag before it."""

    leap: re.Pattern[bytes]
    walk: re.Pattern[bytes]


def net(names: str) -> Net:
    """The net that catches the tags in ``names``, and all that begins a comment."""
    # §13.2.5.6 to 7: "<!", "<?" and "</" before no letter begin comments. "</>" is nothing.
    looked_at = rb"(?:(" + any_of(names) + rb")" + ENDS_NAME + rb"|[!?]|/[^a-zA-Z>])"
    walk = rb"(?:[^<]++|<(?!" + looked_at + rb")(?:/?+" + TAG + rb"|(?!/?+[a-zA-Z])))*+"
    return Net(re.compile(rb"<" + _glance(names.split()) + looked_at), re.compile(walk))


def _glance(names: list[str]) -> bytes:
    """A look at the first letters, which lets most tags go by at once."""
    starts = b"".join(_letter(c)[1:-1] for c in sorted({w[0] for w in names} - {"/"}))
    ends = b"".join(_letter(c)[1:-1] for c in sorted({w[1] for w in names if w[0] == "/"}))
    return rb"(?!/(?=[a-zA-Z])[^" + ends + rb"])(?=[" + starts + rb"!?/])"
