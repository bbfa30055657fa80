"""Opens the output of a list, stdout or a file, in the format asked for.

Nothing is written over that is being read, or that an interrupted run has written.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from consentcrawl.cli.output import TableWriter, console
from consentcrawl.dataset.readers import STDIN
from consentcrawl.dataset.writers import CsvWriter, JsonlWriter, ParquetRows, Writer
from consentcrawl.errors import BadInput

_WRITERS: dict[str, Callable[[IO[bytes]], Writer]] = {"jsonl": JsonlWriter, "csv": CsvWriter, "parquet": ParquetRows}
FORMATS = ("table", *_WRITERS)


def form(named: str | None, output: Path | None) -> str:
    """Return the form asked for, or that of the file's suffix; a table for a person otherwise."""
    suffix = output.name.removesuffix(".gz").rpartition(".")[2].lower() if output else ""
    form = named or (suffix if suffix in _WRITERS else "table")
    if form not in FORMATS:
        msg = f"--format {form}: it is one of {', '.join(FORMATS)}"
        raise BadInput(msg)
    return form


def must_be_free(output: Path, lists: list[str], skip: int) -> None:
    """Refuse to write over what is being read, or over what an interrupted run has written."""
    if not output.exists():
        return
    if any(name != STDIN and Path(name).exists() and output.samefile(name) for name in lists):
        msg = f"{output}: is one of the lists, and would be written over; name another file"
        raise BadInput(msg)
    if skip:
        msg = f"{output}: holds the rows before --skip; name another file"
        raise BadInput(msg)


@contextmanager
def opened(output: Path | None, form: str) -> Iterator[IO[bytes]]:
    """Open the file, or stdout; a name that ends in ``.gz`` is packed."""
    if output is None:
        if form == "parquet" and sys.stdout.isatty():
            msg = "--format parquet: name a file with -o, a terminal cannot show it"
            raise BadInput(msg)
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with output.open("wb") as file:
        if output.suffix == ".gz" and form in ("jsonl", "csv"):
            with gzip.open(file, "wb") as packed:
                yield cast("IO[bytes]", packed)
        else:
            yield file


def writer(form: str, stream: IO[bytes]) -> Writer:
    """Return the writer of a form."""
    if form in _WRITERS:
        return _WRITERS[form](stream)
    if stream is sys.stdout.buffer:
        return TableWriter(console())
    return TableWriter(console(cast("IO[str]", _Text(stream))))


class _Text:
    """A text stream over a binary one, which its owner closes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text.encode())

    def flush(self) -> None:
        self._stream.flush()
