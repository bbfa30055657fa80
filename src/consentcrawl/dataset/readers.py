"""Lists of URLs: .txt, .csv, .jsonl and .parquet, plain or ``.gz``, read as a stream.

A row's URL is the input string, byte for byte; no row is dropped, and what cannot be read as a list says so with
file, line and column. Bytes that are no UTF-8 are kept as lone surrogates (PEP 383).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from typing import IO

from consentcrawl.errors import BadInput

LINE_LIMIT = 8 * 1024 * 1024
"""The most bytes of one line or cell."""
STDIN = "-"
_BOM = b"\xef\xbb\xbf"
_UNREADABLE = (OSError, EOFError, zlib.error, csv.Error)


@dataclass(frozen=True, slots=True)
class Row:
    """One asset asked about: its URL as it stood in the list, and the URL of its page or None."""

    url: str
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns that hold the URL and, if any, the page."""

    url: str = "url"
    page: str | None = None

    @property
    def names(self) -> list[str]:
        """The names, that of the URL first."""
        return [self.url] if self.page is None else [self.url, self.page]

    def missing(self, present: Iterable[str]) -> str:
        """Say which column is not there, or more than once; empty when all is well."""
        there = list(present)
        for name in self.names:
            if name not in there:
                return f"no column {name!r} among {', '.join(map(repr, there)) or 'none'}"
            if there.count(name) > 1:
                return f"more than one column {name!r}"
        return ""


def decoded(text: bytes) -> str:
    """Return bytes as text, whatever they are; ``encoded`` gives them back."""
    return text.decode("utf-8", "surrogateescape")


def read(sources: Iterable[str], columns: Columns | None = None, form: str | None = None) -> Iterator[Row]:
    """Return the rows of every source in turn: a URL itself, a file by its suffix (or ``form``), ``-`` for stdin.

    A line of a .txt that holds white space only is no row. Raises BadInput, at the first row that cannot be given.
    """
    for source in sources:
        if "://" in source:
            yield Row(source)
        else:
            yield from _file(source, columns or Columns(), form)


def _file(source: str, columns: Columns, form: str | None) -> Iterator[Row]:
    name = "standard input" if source == STDIN else source
    reader = _READERS.get(form or _form(source))
    if reader is None:
        msg = f"{name}: a list is {', '.join(_READERS)} (+ .gz): rename it, or say --input-format"
        raise BadInput(msg)
    try:
        with _opened(source) as stream:
            yield from reader(stream, columns, name)
    except _UNREADABLE as error:
        msg = f"{name}: {getattr(error, 'strerror', None) or error}"
        raise BadInput(msg) from error


def _form(source: str) -> str:
    """The form that a file's suffix names; stdin is a list of lines."""
    return "txt" if source == STDIN else Path(source.removesuffix(".gz")).suffix.removeprefix(".").lower()


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    if source == STDIN:
        yield sys.stdin.buffer
        return
    with Path(source).open("rb") as stream:
        if source.endswith(".gz"):
            with gzip.open(stream) as unpacked:
                yield unpacked  # type: ignore[misc]  # (GzipFile reads bytes)
        else:
            yield stream


def _txt(stream: IO[bytes], columns: Columns, name: str) -> Iterator[Row]:  # noqa: ARG001 (lines have none)
    for _, line in _lines(stream, name):
        if not line.isspace():
            yield Row(line.removesuffix("\n").removesuffix("\r"))


def _jsonl(stream: IO[bytes], columns: Columns, name: str) -> Iterator[Row]:
    for number, line in _lines(stream, name):
        if line.isspace():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            column = getattr(error, "colno", 1)
            msg = f"{name}: line {number}, column {column}: {getattr(error, 'msg', None) or error}"
            raise BadInput(msg) from error
        missing = columns.missing(record) if isinstance(record, dict) else "not a JSON object"
        if missing:
            msg = f"{name}: line {number}: {missing}"
            raise BadInput(msg)
        yield _row(*(record[column] for column in columns.names))


def _csv(stream: IO[bytes], columns: Columns, name: str) -> Iterator[Row]:
    reader = csv.reader((line for _, line in _lines(stream, name)), strict=True)
    csv.field_size_limit(LINE_LIMIT)
    try:
        header = next(reader, [])
        if missing := columns.missing(header):
            msg = f"{name}: line 1: {missing}"
            raise BadInput(msg)
        places = [header.index(column) for column in columns.names]
        for cells in reader:
            if cells:
                yield _row(*(cells[place] if place < len(cells) else None for place in places))
    except csv.Error as error:
        msg = f"{name}: line {reader.line_num}: {error}"
        raise BadInput(msg) from error


def _parquet(stream: IO[bytes], columns: Columns, name: str) -> Iterator[Row]:
    from consentcrawl.dataset.parquet import texts  # noqa: PLC0415 (Arrow is heavy)

    with _seekable(stream) as file:
        yield from starmap(_row, texts(file, columns, name))


@contextmanager
def _seekable(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Return a stream that can be read from its end, as Parquet is; packed and piped ones by way of a file."""
    if isinstance(stream, io.BufferedReader) and stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        yield file


def _lines(stream: IO[bytes], name: str) -> Iterator[tuple[int, str]]:
    """Return each line with its number and its end; a line ends at LF and nowhere else."""
    number = 0
    while line := stream.readline(LINE_LIMIT + 1):
        number += 1
        if len(line) > LINE_LIMIT:
            msg = f"{name}: line {number}: longer than {LINE_LIMIT:,} bytes"
            raise BadInput(msg)
        yield number, decoded(line.removeprefix(_BOM) if number == 1 else line)


def _row(url: object, page: object = None) -> Row:
    """Make a row of two cells: what is no text is shown as text, for every row is answered."""
    return Row(_cell(url), _cell(page) or None)


def _cell(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


_READERS: dict[str, Callable[[IO[bytes], Columns, str], Iterator[Row]]] = {
    "txt": _txt,
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}
FORMS = tuple(_READERS)
