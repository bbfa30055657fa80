"""The patterns a tag is read with, as the HTML standard §13.2.5.6 to 40 tells tags from text.

No pattern goes back, so that each is linear in what it reads.
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
    """Return a pattern for each of ``words``, ASCII case-insensitive, that reads no letter twice."""
    return _branches(words.split())


def _branches(words: list[str]) -> bytes:
    firsts = sorted({word[:1] for word in words})
    ways = [_letter(c) + _branches([w[1:] for w in words if w[:1] == c]) if c else b"" for c in firsts[::-1]]
    return ways[0] if len(ways) == 1 else b"(?:" + b"|".join(ways) + b")"


def _letter(character: str) -> bytes:
    return f"[{character}{character.upper()}]".encode() if character.isalpha() else character.encode()


def attributes(names: str) -> re.Pattern[bytes]:
    """Return a pattern that steps to the next attribute in ``names``, or over the end of the tag."""
    name = rb"(?:" + any_of(names) + rb")(?=[ \t\n\f\r/>=])" if names else rb"(?!)"
    value = rb"(?:" + _EQUALS + rb"""(?:"([^"]*+)"|'([^']*+)'|(""" + _BARE + rb")|(?=>))|" + _NO_VALUE + rb")"
    others = rb"(?:" + SPACE + rb"++|/(?!>)|(?!" + name + rb")" + _ATTRIBUTE + rb")*+"
    return re.compile(others + rb"(?:(" + name + rb")" + value + rb"|(/?)>)")


@dataclass(frozen=True, slots=True)
class TagSet:
    """How to find the next tag of a set: ``search`` for what looks like one, ``skip`` over every tag before it."""

    search: re.Pattern[bytes]
    skip: re.Pattern[bytes]


def tag_set(names: str) -> TagSet:
    """Return the set of the tags in ``names`` and of all that begins a comment."""
    # §13.2.5.6 to 7: "<!", "<?" and "</" before no letter begin comments. "</>" is nothing.
    wanted = rb"(?:(" + any_of(names) + rb")" + ENDS_NAME + rb"|[!?]|/[^a-zA-Z>])"
    skip = rb"(?:[^<]++|<(?!" + wanted + rb")(?:/?+" + TAG + rb"|(?!/?+[a-zA-Z])))*+"
    return TagSet(re.compile(rb"<" + _first_letters(names.split()) + wanted), re.compile(skip))


def _first_letters(names: list[str]) -> bytes:
    """Return a look-ahead at the first letters, which passes over most tags at once."""
    starts = b"".join(_letter(c)[1:-1] for c in sorted({w[0] for w in names} - {"/"}))
    ends = b"".join(_letter(c)[1:-1] for c in sorted({w[1] for w in names if w[0] == "/"}))
    return rb"(?!/(?=[a-zA-Z])[^" + ends + rb"])(?=[" + starts + rb"!?/])"
