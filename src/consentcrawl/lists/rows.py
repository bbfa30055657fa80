"""The rows of an opt-out list: kind, value, source, date, category, each in the one form that is compared.

A row is read whole or is counted as bad, with its line and the reason; none is dropped silently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from consentcrawl.core import Category
from consentcrawl.core.asset import host_of
from consentcrawl.formats.url import BadUrl, canonical

PERCEPTUAL = ("dhash", "phash")
KINDS = ("url", "prefix", "host", "maker", "sha256", *PERCEPTUAL)
ROW_LIMIT = 12_000
"""The most bytes of one row as it is kept; a URL alone may have 8,192."""
EVERYTHING = "all"
CATEGORIES = (EVERYTHING, *map(str, Category))
_PROOF = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One opt-out: what it is about, who says so and when, and the category of use that it disallows."""

    kind: str
    value: str
    source: str = ""
    date: str = ""
    category: str = str(Category.TRAIN)

    def text(self) -> bytes:
        """The row as one line, with a checksum in front."""
        cells = (self.kind, self.value, self.source, self.date, self.category)
        text = json.dumps(cells, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return b"%08x%b\n" % (crc32(text), text)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: its line (or number, in Parquet), and why."""

    line: int
    reason: str


def of_text(text: bytes) -> Row:
    """Return the row that ``Row.text`` wrote. Raises ValueError where it is not as it was written."""
    proof, cells = text[:_PROOF], text[_PROOF:].partition(b"\n")[0]
    if not cells or b"%08x" % crc32(cells) != proof:
        msg = "it is not as it was written"
        raise ValueError(msg)
    return Row(*json.loads(cells))


def row_of(line: int, cells: Mapping[str, Any]) -> Row | BadRow:
    """Return the row that the cells of a line mean."""
    kind, value = _cell(cells, "kind").lower(), _cell(cells, "value")
    category = _cell(cells, "category").lower() or str(Category.TRAIN)
    if kind not in KINDS:
        return BadRow(line, f"kind {kind[:100]!r} is none of {', '.join(KINDS)}")
    if category not in CATEGORIES:
        return BadRow(line, f"category {category[:100]!r} is none of {', '.join(CATEGORIES)}")
    try:
        row = Row(kind, normal(kind, value), _cell(cells, "source"), _cell(cells, "date"), category)
    except (BadUrl, ValueError) as error:
        return BadRow(line, f"{kind} {value[:100]!r}: {error}")
    if sum(map(len, (row.value, row.source, row.date))) > ROW_LIMIT // 2 and len(row.text()) > ROW_LIMIT:
        return BadRow(line, f"longer than {ROW_LIMIT} bytes")
    return row


def normal(kind: str, value: str) -> str:
    """Return a value in the one form that is compared. Raises ValueError for one that cannot be meant."""
    return _NORMAL[kind](value.strip())


def _cell(cells: Mapping[str, Any], name: str) -> str:
    value = cells.get(name)
    return "" if value is None else str(value).strip()


def _url(value: str) -> str:
    """Return a URL; the scheme is not compared and may be missing."""
    return canonical(value if "://" in value else f"https://{value}")


def _prefix(value: str) -> str:
    """Return a prefix, which names a whole host at least; a star at its end is how many people write one."""
    return _url(value.removesuffix("*"))


def _host(value: str) -> str:
    """Return a host name, written alone, with ``*.`` in front, or as the URL of its start page."""
    name = value.removeprefix("*.").removeprefix(".")
    url = canonical(name if "://" in name else f"https://{name}/")
    host = host_of(url)
    if url.partition("://")[2] != f"{host}/" or not ("." in host or host.startswith("[")):
        msg = "it is not the name of a host alone"
        raise ValueError(msg)
    return host


def _hexadecimal(digits: int) -> Callable[[str], str]:
    fits = re.compile(rf"[0-9a-f]{{{digits}}}").fullmatch

    def checked(value: str) -> str:
        if not fits(value.lower()):
            msg = f"it is not {digits} hexadecimal digits"
            raise ValueError(msg)
        return value.lower()

    return checked


def _maker(value: str) -> str:
    if not value:
        msg = "it is empty"
        raise ValueError(msg)
    return value


_NORMAL: dict[str, Callable[[str], str]] = {
    "url": _url,
    "prefix": _prefix,
    "host": _host,
    "maker": _maker,
    "sha256": _hexadecimal(64),
    "dhash": _hexadecimal(16),
    "phash": _hexadecimal(16),
}
