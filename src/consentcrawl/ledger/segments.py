"""Batch segments: the verdict rows of a batch run in one Parquet file, and one entry of the ledger that commits to all.

The root is over the rows and not over the file, so that a URL can be erased from the file and every proof stands. Each
row group is a subtree of its own: its rows are checked without reading the others.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import file_digest, sha256
from os import urandom
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.entry import ROW_SALT_BYTES, canonical, commitment, personal_part
from consentcrawl.ledger.files import OS_FILES, write_whole
from consentcrawl.ledger.proof import Row
from consentcrawl.ledger.tree import Frontier, complete_root, inclusion_path, leaf_hashes

GROUP = 2**14
"""Rows in a row group: a power of two, so that each group is a subtree (RFC 6962 §2.1)."""
_OURS = ("salt", "commitment")
_ROOTS = b"consentcrawl.roots"


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """What the ledger keeps of a segment: its rows' root, how many there are, which columns are personal, the file."""

    file: str
    rows: int
    root: str
    sha256: str
    personal: tuple[str, ...]

    def as_record(self, at: int) -> dict[str, Any]:
        """The record of the segment's entry; ``at`` is in milliseconds."""
        said = {"file": self.file, "rows": self.rows, "root": self.root, "sha256": self.sha256}
        return {"kind": "segment", "at": at, "personal_columns": list(self.personal), **said}


@dataclass(frozen=True, slots=True)
class Erased:
    """What entries say was erased from a segment: in which rows, and the SHA-256 of the files that were left."""

    rows: Collection[int] = ()
    digests: Collection[str] = ()


class SegmentReader:
    """A segment as its entry's ``record`` has it: what is read from it leads to the root there, or LedgerBroken."""

    def __init__(self, path: Path, record: Mapping[str, Any]) -> None:
        """Open the file, and compare how many rows it has, and the roots of its row groups, with the record."""
        self.path = path
        with _damage(path):
            self._personal = tuple(record["personal_columns"])
            self._file = pq.ParquetFile(path)
            footer = self._file.metadata
            self._sizes = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]
            self._roots = [b64decode(root) for root in json.loads(footer.metadata[_ROOTS])]
        rows = sum(self._sizes)
        if rows != record["rows"] or any(size != GROUP for size in self._sizes[:-1]):
            msg = f"{path} has {rows} rows, not {record['rows']}"
            raise LedgerBroken(msg)
        if len(self._roots) != len(self._sizes) or _root(self._roots) != record["root"]:
            raise LedgerBroken(_not_the_root(path))

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Every row with its number."""
        for group in range(len(self._sizes)):
            yield from enumerate(self.group(group), group * GROUP)

    def group(self, number: int) -> list[dict[str, Any]]:
        """The rows of one row group."""
        with _damage(self.path):
            values: list[dict[str, Any]] = self._file.read_row_group(number).to_pylist()
            leaves = leaf_hashes(canonical(_hashed(row, self._personal)) for row in values)
        if _root_of(leaves) != self._roots[number]:
            raise LedgerBroken(_not_the_root(self.path))
        return values

    def erased(self) -> set[int]:
        """The rows whose personal columns are gone."""
        return {number for number, row in self.rows() if row["salt"] is None}

    def naming(self, urls: Collection[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows in which a personal column is one of ``urls`` or lists it; groups that have none are not read."""
        for group in range(len(self._sizes)):
            with _damage(self.path):
                possible = any(self._may_name(group, name, url) for name in self._personal for url in urls)
            if possible:
                for number, row in enumerate(self.group(group), group * GROUP):
                    if any(_names(row[name], url) for name in self._personal for url in urls):
                        yield number, row

    def proved(self, index: int) -> Row:
        """A row, its path to the segment's root, and its personal part (empty once erased), for ``proof.prove``."""
        group, place = divmod(index, GROUP)
        values = self.group(group)
        leaves = leaf_hashes(canonical(_hashed(row, self._personal)) for row in values)
        path = [*_path(place, leaves), *_path(group, self._roots)]
        row = values[place]
        part = b"" if row["salt"] is None else _part(row, self._personal)
        return Row(_hashed(row, self._personal), index, path, part)

    def without(self, numbers: Collection[int]) -> bytes:
        """The content of the file without the personal columns of these rows."""
        kept = []
        for number, row in self.rows():
            if number in numbers and row["salt"] is not None:
                part = commitment(_part(row, self._personal))
                row = row | dict.fromkeys((*self._personal, "salt")) | {"commitment": part}  # noqa: PLW2901 (this row)
            kept.append(row)
        return _written(pa.Table.from_pylist(kept, self._file.schema_arrow), self._personal)

    def _may_name(self, group: int, name: str, url: str) -> bool:
        """Return whether a column may have a URL in a row group, by its statistics, or by that column alone."""
        column = self._file.metadata.row_group(group).column(self._columns[name])
        figures = column.statistics
        if figures is not None and figures.has_null_count and figures.null_count == column.num_values:
            return False
        if name == self._personal[0] and figures is not None and figures.has_min_max:
            return bool(figures.min <= url <= figures.max)  # sorted by it, and never a list
        cells = self._file.read_row_group(group, columns=[name]).column(0)
        found = pc.or_kleene(pc.equal(cells, url), pc.match_substring(cells, json.dumps(url)))
        return bool(pc.any(found).as_py())

    @cached_property
    def _columns(self) -> dict[str, int]:
        schema = self._file.metadata.schema
        return {schema.column(number).path: number for number in range(len(schema))}


def write_segment(table: pa.Table, path: Path, *, personal: Sequence[str] = ("url",)) -> SegmentRecord:
    """Write rows as a Parquet segment, sorted by the first personal column (and so by origin), durable on return.

    Columns hold integers, strings, Booleans, null, and lists and structs of these; BadEntry for anything else. The
    ``personal`` columns are strings; each row commits to them under a salt of its own.
    """
    table = table.sort_by(personal[0])
    salts = urandom(ROW_SALT_BYTES * table.num_rows)
    cut = [salts[at : at + ROW_SALT_BYTES] for at in range(0, len(salts), ROW_SALT_BYTES)]
    table = table.append_column("salt", pa.array(cut, pa.binary(ROW_SALT_BYTES)))
    table = table.append_column("commitment", pa.nulls(table.num_rows, pa.string()))
    roots = [
        _root_of(leaf_hashes(canonical(_hashed(row, personal)) for row in table.slice(at, GROUP).to_pylist()))
        for at in range(0, table.num_rows, GROUP)
    ]
    said = json.dumps([b64encode(root).decode() for root in roots])
    content = _written(table.replace_schema_metadata({_ROOTS: said}), personal)
    write_whole(OS_FILES, path, content)
    return SegmentRecord(path.name, table.num_rows, _root(roots), sha256(content).hexdigest(), tuple(personal))


def check_segment(path: Path, record: Mapping[str, Any], erased: Erased = Erased()) -> tuple[str, ...]:
    """What is wrong with a segment, given its entry's record and what entries say was erased from it."""
    try:
        reader = SegmentReader(path, record)
        gone = reader.erased()
        with path.open("rb") as file, _damage(path):
            digest = file_digest(file, "sha256").hexdigest()
    except LedgerBroken as error:
        return (str(error),)
    unexplained = gone.difference(erased.rows)
    wrong = []
    if unexplained:
        wrong.append(f"{path}: the URLs of row {min(unexplained)} are gone, and no entry says that they were erased")
    if digest != record["sha256"] and digest not in erased.digests:
        wrong.append(f"{path} is not the file that was written: its SHA-256 is {digest}")
    return tuple(wrong)


def column(path: Path, name: str) -> list[Any]:
    """Return the cells of a column, none where there is no such column. Raises LedgerBroken."""
    with _damage(path):
        return pq.read_table(path, columns=[name]).column(0).to_pylist() if name in pq.read_schema(path).names else []


def _hashed(row: Mapping[str, Any], personal: Sequence[str]) -> dict[str, Any]:
    """The row as it is hashed: its columns, with the commitment in place of the personal ones.

    A commitment is worked out from what it commits to wherever that is there. ValueError for personal columns that
    nothing commits to.
    """
    record = {name: value for name, value in row.items() if name not in personal and name not in _OURS}
    if row["salt"] is not None:
        return record | {"personal": commitment(_part(row, personal))}
    if any(row[name] is not None for name in personal) or not row["commitment"]:
        msg = "personal columns without a salt"
        raise ValueError(msg)
    return record | {"personal": row["commitment"]}


def _part(row: Mapping[str, Any], personal: Sequence[str]) -> bytes:
    return personal_part([row[name] for name in personal], row["salt"])


def _names(cell: str | None, url: str) -> bool:
    """Return whether a personal cell is a URL, or a JSON list that has it."""
    return cell == url or (cell is not None and cell.startswith("[") and url in json.loads(cell))


def _root_of(hashes: Iterable[bytes]) -> bytes:
    edge = Frontier()
    edge.extend(list(hashes))
    return edge.root()


def _root(groups: Sequence[bytes]) -> str:
    """The root over all rows: the roots of full groups are nodes of the tree, and only the last may be smaller."""
    return b64encode(_root_of(groups)).decode()


def _path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    def node(height: int, number: int) -> bytes:
        return complete_root(hashes[number << height : (number + 1) << height])

    return inclusion_path(index, len(hashes), node)


def _not_the_root(path: Path) -> str:
    return f"the rows of {path} do not give the root"


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Raise LedgerBroken for whatever a damaged file makes its reader raise."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, IndexError, pa.ArrowException) as error:
        msg = f"{path}: {error}"
        raise LedgerBroken(msg) from error


def _written(table: pa.Table, personal: Sequence[str]) -> bytes:
    """The content of the file."""
    plain = {"salt": "PLAIN"} | dict.fromkeys(personal, "DELTA_BYTE_ARRAY")  # sorted URLs begin alike
    out = pa.BufferOutputStream()
    pq.write_table(
        table, out, compression="zstd", compression_level=9, column_encoding=plain, row_group_size=GROUP,
        use_dictionary=[name for name in table.column_names if name not in plain], write_statistics=list(personal),
    )  # fmt: skip
    content: bytes = out.getvalue().to_pybytes()
    return content
