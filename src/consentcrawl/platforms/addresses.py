"""Where a URL points: its host, path and query taken apart, and the name that a platform gives to what lies there.

A form is compared with the whole of host and path; what matches no form has no name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

_SPLIT = re.compile(r"https?://([^/?#]*)([^?#]*)(\??[^#]*)", re.IGNORECASE).match
_PORT = re.compile(r":\d*$", re.ASCII)
MD5 = "[0-9A-Fa-f]{32}"
"""The pattern of an MD5, by which boorus name files."""
LIMIT = 8192
"""The most characters of a URL that are read, as in ``formats.url``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Host (lower case, no port or final dot), segments (percent-decoded, none empty), and query with its ``?``."""

    host: str
    segments: tuple[str, ...]
    query: str

    @property
    def path(self) -> str:
        """Host and segments joined by single slashes: what a form is compared with."""
        return "/".join((self.host, *self.segments))


NO_PLACE = Place("", (), "")


@dataclass(frozen=True, slots=True)
class Form:
    """One shape of address: ``path`` matches host and path whole, ``query`` is found in the query unless it is empty.

    ``made`` makes the name out of the groups of both; an empty name is none. Groups that took no part are left out.
    """

    path: str
    made: Callable[..., str] = "{}".format
    query: str = ""

    def names(self, place: Place) -> list[str]:
        """Return every name this form gives; a parameter that is repeated with two values gives two."""
        match = _compiled(self.path).fullmatch(place.path)
        if match is None:
            return []
        groups = [group for group in match.groups() if group is not None]
        if not self.query:
            return [self.made(*groups)]
        return [self.made(*groups, *found.groups()) for found in _compiled(self.query).finditer(place.query)]


def parameter(name: str, value: str = r"\d+", before: str = "") -> str:
    """Return the pattern of a parameter in a query: its whole value, or all that stands behind ``before``.

    It is found behind an ampersand that was left escaped (``&amp;``), too.
    """
    return rf"[?&;]{name}={before}({value})(?=[&;#]|$)"


def split(url: str | None) -> Place:
    """Take a canonical URL apart; ``NO_PLACE`` for what is no http(s) URL."""
    match = _SPLIT(url or "") if len(url or "") <= LIMIT else None
    if match is None:
        return NO_PLACE
    authority, path, query = match.groups()
    host = _PORT.sub("", authority).lower().removesuffix(".")
    return Place(host, tuple(unquote(segment) for segment in path.split("/") if segment), query)


def names(url: str | None, forms: Sequence[Form]) -> tuple[str, ...]:
    """Return the names by which the first form that fits knows the URL, each once; nothing where none fits."""
    place = split(url)
    for form in forms:
        if found := [name for name in form.names(place) if name]:
            return tuple(dict.fromkeys(found))
    return ()


def learnt(keys: Iterable[str], platform: str) -> tuple[str, ...]:
    """Return the names among work keys by which a platform knows works; numbers of files (``file:1``) are none."""
    found = (key.removeprefix(f"{platform}:") for key in keys if key.startswith(f"{platform}:"))
    return tuple(name for name in found if ":" not in name)


def fits(url: str | None, forms: Sequence[Form]) -> bool:
    """Return whether host and path of the URL have one of the forms, whatever name that makes."""
    path = split(url).path
    return any(_compiled(form.path).fullmatch(path) for form in forms)


def below(host: str, domains: Sequence[str]) -> bool:
    """Return whether ``host`` is one of ``domains`` or lies below it."""
    return any(host == domain or host.endswith("." + domain) for domain in domains)


def md5(digits: str) -> str:
    """Return the name of a file by its MD5, in lower case whatever the address has."""
    return f"md5:{digits.lower()}"


def number(*digits: str) -> str:
    """Return the decimal number that groups of digits make when joined, without leading zeros."""
    return "".join(digits).lstrip("0") or "0"


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern; they are few. ASCII digits and letters only, so that no two spellings name one work."""
    return re.compile(pattern, re.ASCII)
