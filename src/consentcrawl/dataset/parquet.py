"""Parquet in and out; apart from the other forms, because Arrow takes longer to import than a short list to check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as kinds

from consentcrawl.dataset.readers import Columns, decoded
from consentcrawl.errors import BadInput

_BATCH = 4096
GROUP_ROWS = 10_000
"""Rows of a row group: what is held in memory until it is written."""
_TEXT = (
    kinds.is_string, kinds.is_large_string, kinds.is_string_view,
    kinds.is_binary, kinds.is_large_binary, kinds.is_binary_view,
    kinds.is_null,
)  # fmt: skip


def texts(file: IO[bytes], columns: Columns, name: str) -> Iterator[tuple[str | None, ...]]:
    """Return the cells of ``columns``, row by row, in batches. Raises BadInput, which calls the file ``name``."""
    try:
        table = pq.ParquetFile(file)
        schema = table.schema_arrow
        if missing := columns.missing(schema.names):
            msg = f"{name}: {missing}"
            raise BadInput(msg)
        for column in columns.names:
            _must_be_text(schema.field(column), name)
        for batch in table.iter_batches(_BATCH, columns=columns.names):
            yield from zip(*(_texts(batch.column(column)) for column in columns.names), strict=True)
    except pa.ArrowException as error:
        msg = f"{name}: {str(error).splitlines()[0]}"
        raise BadInput(msg) from error


class ParquetWriter:
    """Rows of text, Booleans and integers, in row groups; a file that was closed can be read however far it came."""

    def __init__(self, stream: IO[bytes], columns: Mapping[str, type]) -> None:
        """Write to ``stream`` the ``columns``, each of type str, bool or int."""
        kind = {str: pa.string(), bool: pa.bool_(), int: pa.int64()}
        self._schema = pa.schema([(name, kind[column]) for name, column in columns.items()])
        self._writer = pq.ParquetWriter(stream, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, row: dict[str, Any]) -> None:
        """Take one row; every ``GROUP_ROWS`` are written at once."""
        self._rows.append({name: _valid(cell) for name, cell in row.items()})
        if len(self._rows) >= GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_batch(pa.RecordBatch.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()


def _must_be_text(field: Any, name: str) -> None:  # noqa: ANN401 (an Arrow field)
    kind = field.type.value_type if kinds.is_dictionary(field.type) else field.type
    if not any(fits(kind) for fits in _TEXT):
        msg = f"{name}: column {field.name!r} holds {field.type}, not text"
        raise BadInput(msg)


def _texts(column: Any) -> list[str | None]:  # noqa: ANN401 (an Arrow array)
    """Return an Arrow column as text; by way of bytes, since it was not checked that a file's strings are UTF-8."""
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    return [None if cell is None else decoded(cell) for cell in column.cast(pa.large_binary()).to_pylist()]


def _valid(cell: Any) -> Any:  # noqa: ANN401 (text or Boolean)
    """Show lone surrogates as escapes: an Arrow string must be UTF-8."""
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) and not cell.isascii() else cell
