"""The pattern language of RFC 9309 §2.2.2-3: percent-normal forms, ``*``, ``$``, and sets of patterns.

Used by robots.txt rules and by every format that borrowed them: Content-Usage, Content-Signal, TDMRep, RSL, ai.txt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from consentcrawl.formats.pattern_index import Index

_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
# RFC 9309 §2.2.2, second row of the table: in a query these mean the same with and without percent-encoding.
_SAME_IN_QUERY = ":/?@[]!'(),;"
_HEX = "0123456789ABCDEFabcdef"

_plain_path = re.compile(r"[!#$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*").fullmatch
_SAME = r"[!&'()+,\-./0-9:;=?@A-Z\[\]_a-z~]*+"
_KEPT = "%(?:[0189A-F][0-9A-F]|2[02-6AB]|3[C-E]|5[CE]|60|7[B-DF])"  # what neither a path nor a query decodes
is_plain = re.compile(f"/{_SAME}(?:{_KEPT}{_SAME})*+").fullmatch
"""Matches a path with query that is its own form in every reading; most are."""

_odd = re.compile(r"%[0-9A-Fa-f]{2}|[^!#$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]").sub
_odd_ascii = re.compile(r"%[0-9A-Fa-f]{2}|[\x00-\x20\"%<>\\^`{|}\x7f]").sub


def _table(decoded: str) -> dict[str, str]:
    """What each percent-encoded octet becomes: itself with upper-case digits, or one of the ``decoded`` characters."""
    table = {}
    for digits in (high + low for high in _HEX for low in _HEX):
        character = chr(int(digits, 16))
        table["%" + digits] = character if character in decoded else "%" + digits.upper()
    return table


class _Forms(dict[str, str]):
    """A table that percent-encodes what is not in it, octet by octet of its UTF-8."""

    def __missing__(self, character: str) -> str:
        # A lone surrogate has no UTF-8; its three octets as they would be are as good as any.
        return "".join(f"%{octet:02X}" for octet in character.encode("utf-8", "surrogatepass"))


_in_path = _Forms(_table(_UNRESERVED))
_in_query = _Forms(_table(_UNRESERVED + _SAME_IN_QUERY))
_kept = _Forms(_table(""))


def normal(path: str) -> str:
    """The percent-normal form of a path or pattern (RFC 9309 §2.2.2); two spellings of one path have the same.

    Percent-encoded unreserved characters are decoded, hexadecimal digits are upper-case, and what cannot stand in a
    URI is percent-encoded: octets of UTF-8, blanks, ``<``, a ``%`` that begins no octet. ``*`` and ``$`` stay as they
    are, and so do ``%2A`` and ``%24``. Linear; the normal form of a normal form is itself.
    """
    if _plain_path(path):
        return path
    path, mark, query = path.partition("?")
    return _odd(lambda m: _in_path[m[0]], path) + mark + _odd(lambda m: _in_query[m[0]], query)


def as_written(path: str) -> str:
    """The form of a path or pattern in which nothing is decoded and nothing but ASCII is encoded."""
    return _odd_ascii(lambda m: _kept[m[0]], path)


def literal(target: str) -> str:
    """A path in which ``*`` and ``$`` mean themselves, as patterns write them (RFC 9309 §2.2.3)."""
    return target.replace("*", "%2A").replace("$", "%24")


class Patterns:
    """A set of patterns, compiled once, compared with paths (with query, without fragment) from their start.

    A pattern matches as RFC 9309 §2.2.2-3 says: as a prefix, ``*`` any run of octets, a final ``$`` the end; the empty
    pattern matches everything. Comparing takes a bounded number of steps. Patterns that the bound left uncompared are
    given as if they matched, and ``gave_up`` tells so from then on: a caller that would permit on their strength must
    not.
    """

    __slots__ = ("_index", "_octets", "gave_up")

    def __init__(self, patterns: Sequence[str]) -> None:
        """Compile ``patterns``; their positions are their numbers."""
        forms = [normal(pattern) for pattern in patterns]
        self._octets = [len(form) for form in forms]
        self._index = Index([(form, len(form) + 1) for form in forms])
        self.gave_up = ""
        """"robots_budget" once a comparison was cut short, else empty."""

    def longest(self, target: str) -> tuple[int, ...]:
        """The numbers of all patterns of the most octets among those that match, ascending; none: empty."""
        found = self._matching(target)
        most = max((self._octets[number] for number in found), default=0)
        return tuple(sorted(number for number in found if self._octets[number] == most))

    def first(self, target: str) -> int | None:
        """The lowest number among the patterns that match (TDMRep §5.4: the first in sequence), or None."""
        return min(self._matching(target), default=None)

    def _matching(self, target: str) -> list[int]:
        if not is_plain(target):
            target = literal(normal(target))
        found, spent = self._index.matching(target)
        if spent:
            self.gave_up = "robots_budget"
        return found
