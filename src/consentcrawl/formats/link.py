"""The Link field (RFC 8288 §3): the relations of an answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = r"[\w!#$&+.^`|~*-]+"
_PARAMETER = rf'\s*;[\s;]*+({_NAME})(?:\s*=\s*(?:"((?:[^"\\]|\\.)*+)"|([^\s",;]*)))?'
_link = re.compile(rf"<([^<>]*)>((?:{_PARAMETER})*)").findall
_parameter = re.compile(_PARAMETER).findall


@dataclass(frozen=True, slots=True)
class Link:
    """One link: the reference as it stood, its relations in lower case, and its media type without parameters."""

    href: str
    rel: frozenset[str]
    type: str


def read(lines: Iterable[str]) -> list[Link]:
    """Read every Link field line; never raises, and passes over what is no link."""
    return [_read(found[0].strip(), found[1]) for line in lines for found in _link(line)]


def _read(href: str, parameters: str) -> Link:
    given: dict[str, str] = {}
    for name, quoted, plain in _parameter(parameters):
        given.setdefault(name.lower(), (quoted or plain.strip("'")).lower())  # §3.3: the first one counts
    return Link(href, frozenset(given.get("rel", "").split()), given.get("type", "").partition(";")[0].strip())
