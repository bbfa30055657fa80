"""Rows of named cells, as several verbs print them: a table for a person, .jsonl, .csv or .parquet for a program.

The cells named ``url`` stay as they are; every other text of strangers is escaped.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from rich.table import Table
from rich.text import Text

from consentcrawl.cli import results
from consentcrawl.cli.output import console, shown
from consentcrawl.dataset.writers import encoded, safe_cell

Cells = Mapping[str, Any]
Columns = Mapping[str, type]
"""The names of the cells, and whether they are text, Booleans or integers; None may stand for any."""


def write(rows: Iterable[Cells], columns: Columns, form: str, output: Path | None) -> int:
    """Write rows to a file or stdout in one of ``results.FORMATS``; return how many there were."""
    number = 0

    def counted() -> Iterator[Cells]:
        nonlocal number
        for row in rows:
            number += 1
            yield row

    with results.opened(output, form) as stream:
        _WRITERS[form](counted(), columns, stream)
    return number


def _jsonl(rows: Iterator[Cells], columns: Columns, stream: IO[bytes]) -> None:
    for row in rows:
        stream.write(json.dumps({name: row[name] for name in columns}).encode() + b"\n")


def _csv(rows: Iterator[Cells], columns: Columns, stream: IO[bytes]) -> None:
    stream.write(_csv_line(columns))
    for row in rows:
        stream.write(_csv_line(_csv_cell(name, row[name]) for name in columns))


def _csv_line(cells: Iterable[object]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(cells)
    return encoded(line.getvalue())


def _csv_cell(name: str, value: object) -> object:
    if value is None:
        return ""
    return value if name == "url" or type(value) is int else safe_cell(value)


def _parquet(rows: Iterator[Cells], columns: Columns, stream: IO[bytes]) -> None:
    from consentcrawl.dataset.parquet import ParquetWriter  # noqa: PLC0415 (Arrow is heavy)

    writer = ParquetWriter(stream, columns)
    for row in rows:
        writer.write(dict(row))
    writer.close()


def _table(rows: Iterator[Cells], columns: Columns, stream: IO[bytes]) -> None:
    """A table on a terminal; tabs between cells elsewhere, so that other programs can cut it."""
    if not (stream is sys.stdout.buffer and sys.stdout.isatty()):
        for row in rows:
            stream.write(encoded("\t".join(_text(row[name]).plain for name in columns)) + b"\n")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name, kind in columns.items():
        table.add_column(name, overflow="fold", justify="right" if kind is int else "left")
    for row in rows:
        table.add_row(*(_text(row[name]) for name in columns))
    console().print(table)


def _text(value: object) -> Text:
    return shown("" if value is None else str(value))


_WRITERS: Mapping[str, Callable[[Iterator[Cells], Columns, IO[bytes]], None]] = {
    "table": _table,
    "jsonl": _jsonl,
    "csv": _csv,
    "parquet": _parquet,
}
