"""Reads what an opt-out list is made of: CSV, JSONL (also ``.gz``) or Parquet, a line at a time.

A line that cannot be read is one bad row, whatever it holds; the next line is read afresh.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any, cast

from consentcrawl.errors import BadInput
from consentcrawl.lists.rows import BadRow, Row, row_of

LINE_LIMIT = 64 * 1024
"""The most bytes of a line."""
_COLUMNS = ("kind", "value", "source", "date", "category")
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error, csv.Error)

Cells = Mapping[str, Any] | BadRow


def read(path: Path) -> Iterator[Row | BadRow]:
    """Return every row of a file, good or bad. Raises BadInput where the file as a whole cannot be read."""
    reader = _READERS.get(Path(path.name.lower().removesuffix(".gz")).suffix)
    if reader is None or (reader is _parquet and path.suffix.lower() == ".gz"):
        msg = f"{path}: an opt-out list is .csv or .jsonl (+ .gz) or .parquet"
        raise BadInput(msg)
    try:
        for line, cells in reader(path):
            yield cells if isinstance(cells, BadRow) else row_of(line, cells)
    except _UNREADABLE as error:
        msg = f"{path}: {error}"
        raise BadInput(msg) from error


def _csv(path: Path) -> Iterator[tuple[int, Cells]]:
    """Read rows of comma-separated values; none goes on over the end of its line."""
    lines = _lines(path)
    _, first = next(lines, (1, ""))
    header = [] if isinstance(first, BadRow) else [name.strip().lower() for name in _cells(first)]
    _must_have(header)
    for number, line in lines:
        yield number, line if isinstance(line, BadRow) else _named(number, header, line)


def _named(number: int, header: list[str], line: str) -> Cells:
    try:
        cells = _cells(line)
    except csv.Error as error:
        return BadRow(number, str(error))
    if len(cells) > len(header):
        return BadRow(number, f"{len(cells)} cells under {len(header)} columns")
    return dict(zip(header, cells, strict=False))


def _cells(line: str) -> list[str]:
    return next(csv.reader((line,), strict=True), [])


def _jsonl(path: Path) -> Iterator[tuple[int, Cells]]:
    for number, line in _lines(path):
        yield number, line if isinstance(line, BadRow) else _object(number, line)


def _object(number: int, line: str) -> Cells:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadRow(number, str(error))
    return found if isinstance(found, dict) else BadRow(number, "not a JSON object")


def _lines(path: Path) -> Iterator[tuple[int, str | BadRow]]:
    """Return each line that holds anything, with its number."""
    gz = path.suffix.lower() == ".gz"
    with path.open("rb") as packed, gzip.open(packed) if gz else nullcontext(packed) as opened:
        file = cast("IO[bytes]", opened)
        for number, line in enumerate(iter(lambda: file.readline(LINE_LIMIT), b""), 1):
            if not line.endswith(b"\n") and len(line) == LINE_LIMIT:
                while (more := file.readline(LINE_LIMIT)) and not more.endswith(b"\n"):
                    pass
                yield number, BadRow(number, f"longer than {LINE_LIMIT:,} bytes")
            elif line.strip():
                yield number, _text(number, line)


def _text(number: int, line: bytes) -> str | BadRow:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        return BadRow(number, f"not UTF-8: {error.reason}")


def _parquet(path: Path) -> Iterator[tuple[int, Cells]]:
    import pyarrow.parquet as pq  # noqa: PLC0415 (Arrow is heavy)

    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        _must_have(names)
        batches = file.iter_batches(10_000, columns=[name for name in names if name in _COLUMNS])
        yield from enumerate((cells for batch in batches for cells in batch.to_pylist()), 1)


def _must_have(header: Iterable[str]) -> None:
    there = list(header)
    for name in _COLUMNS:
        if there.count(name) > 1 or (name in ("kind", "value") and name not in there):
            msg = f"there must be one column {name!r} among {', '.join(map(repr, there)) or 'none'}"
            raise ValueError(msg)


_READERS = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}
