"""Lists of verdicts: .jsonl, .csv and .parquet, one row for each row asked about.

A row's URL is the input string, byte for byte; every other text that strangers wrote is escaped where it could be
taken for a control sequence or a formula.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import IO, Any, Protocol

from consentcrawl.core import Verdict
from consentcrawl.dataset.readers import Row

# C0, C1, DEL, marks that reorder or hide text, separators that end a line, halves of pairs.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

COLUMNS: dict[str, type] = {
    "url": str, "page": str, "outcome": str, "purpose": str, "gate": str, "enforced": bool,
    "signal": str, "category": str, "quote": str, "where": str, "source": str, "reason": str, "need": str,
    "grounds": str, "gaps": str, "hops": str, "decided_at": str, "policy": str, "version": str, "agreement": str,
}  # fmt: skip
"""The columns of .csv and .parquet: those of the verdict's JSON, and between them the first deciding ground (signal to
source) or the gap that left it undetermined (reason, need); grounds, gaps and hops are JSON."""


class Writer(Protocol):
    """Takes answered rows, in order."""

    def write(self, row: Row, verdict: Verdict) -> None:
        """Write one row."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


def printable(text: str) -> str:
    """Show control characters, marks that reorder text and halves of pairs as Python escapes."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def encoded(text: str) -> bytes:
    """Return the bytes that text was read from; a surrogate that no byte stands behind is shown as an escape."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def as_json(row: Row, verdict: Verdict) -> dict[str, Any]:
    """Return the verdict's JSON with the URL as it stood in the list, and the page if one was named."""
    said = verdict.as_json()
    del said["url"]
    return {"url": row.url, **({"page": row.page} if row.page is not None else {}), **said}


def as_cells(row: Row, verdict: Verdict) -> dict[str, Any]:
    """Return the row flat, as ``COLUMNS`` names it."""
    said = as_json(row, verdict)
    cells = dict.fromkeys(COLUMNS, "") | {name: said[name] for name in COLUMNS.keys() & said}
    if verdict.deciding:
        ground = verdict.deciding[0].as_json()
        cells |= {name: ground[name] for name in ("signal", "category", "quote", "where", "source")}
    elif gap := next((g for g in verdict.gaps if g.holds), None) or next(iter(verdict.gaps), None):
        cells |= {"reason": gap.reason, "need": gap.need}
    return cells | {name: json.dumps(said[name]) for name in ("grounds", "gaps", "hops")}


class JsonlWriter:
    """One JSON object a line, ASCII only: nothing in it can steer a terminal."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to ``stream``."""
        self._stream = stream

    def write(self, row: Row, verdict: Verdict) -> None:
        """Write one line."""
        self._stream.write(json.dumps(as_json(row, verdict)).encode() + b"\n")

    def close(self) -> None:
        """Nothing is left."""


class CsvWriter:
    """RFC 4180 with LF line ends; a cell that a spreadsheet would reckon with gets an apostrophe, the URL never."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write the header to ``stream``."""
        self._stream, self._line = stream, io.StringIO(newline="")
        self._csv = csv.writer(self._line, lineterminator="\n")
        self._put(list(COLUMNS))

    def write(self, row: Row, verdict: Verdict) -> None:
        """Write one line."""
        cells = as_cells(row, verdict)
        self._put([cells.pop("url"), *(safe_cell(cell) for cell in cells.values())])

    def close(self) -> None:
        """Nothing is left."""

    def _put(self, cells: list[str]) -> None:
        self._csv.writerow(cells)
        self._stream.write(encoded(self._line.getvalue()))
        self._line.seek(0)
        self._line.truncate()


class ParquetRows:
    """Row groups of the flat row."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write to ``stream``."""
        from consentcrawl.dataset.parquet import ParquetWriter  # noqa: PLC0415 (Arrow is heavy)

        self._writer = ParquetWriter(stream, COLUMNS)

    def write(self, row: Row, verdict: Verdict) -> None:
        """Take one row."""
        self._writer.write(as_cells(row, verdict))

    def close(self) -> None:
        """Write what is left, and the footer."""
        self._writer.close()


def safe_cell(cell: object) -> str:
    """Return a cell of a .csv as a spreadsheet may have it: printable, and no formula."""
    text = printable(str(cell).lower() if isinstance(cell, bool) else str(cell))
    return "'" + text if text.startswith(_FORMULA) else text
