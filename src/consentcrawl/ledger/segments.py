"""Batch segments: the verdict rows of a batch run in one Parquet file, and one entry of the ledger that commits to all.

The root is over the rows and not over the file, so that a URL can be erased from the file and every proof stands.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from os import urandom
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.entry import ROW_SALT_BYTES, canonical, commitment, personal_part
from consentcrawl.ledger.files import OS_FILES, write_whole
from consentcrawl.ledger.proof import Row
from consentcrawl.ledger.tree import Frontier, complete_root, inclusion_path, leaf_hashes

SEGMENTS = "segments"
"""Where the segments of a ledger lie, below its directory."""
_CHUNK = 8192
_OURS = ("salt", "commitment")


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
    edge = Frontier()
    edge.extend(leaf_hashes(canonical(record) for record in _records(table, personal)))
    digest = _write(table, path, personal)
    return SegmentRecord(path.name, table.num_rows, b64encode(edge.root()).decode(), digest, tuple(personal))


def check_segment(path: Path, record: dict[str, Any]) -> tuple[str, ...]:
    """What is wrong with a segment, given its entry's record; nothing when its rows give the root.

    A file whose digest changed and whose rows still give the root had URLs erased: that is nothing wrong.
    """
    try:
        leaves = _leaves(path, record["personal_columns"])
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        return (f"{path}: {error}",)
    edge = Frontier()
    edge.extend(leaves)
    if edge.size != record["rows"]:
        return (f"{path} has {edge.size} rows, not {record['rows']}",)
    return () if b64encode(edge.root()).decode() == record["root"] else (f"the rows of {path} do not give the root",)


def row_of(path: Path, record: dict[str, Any], index: int) -> Row:
    """A row, its path to the segment's root, and its personal part (empty once erased), for ``proof.prove``."""
    wrong = check_segment(path, record)
    if wrong:
        raise LedgerBroken(wrong[0])
    personal = record["personal_columns"]
    leaves = _leaves(path, personal)

    def node(height: int, number: int) -> bytes:
        return complete_root(leaves[number << height : (number + 1) << height])

    row = pq.read_table(path).slice(index, 1)
    path_up = inclusion_path(index, len(leaves), node)
    values = row.to_pylist()[0]
    part = _personal_part_of(values, personal) if values["salt"] else b""
    return Row(next(_records(row, personal)), index, path_up, part)


def erase_row_url(path: Path, record: dict[str, Any], url: str) -> int:
    """Erase the personal columns of every row in which one is ``url`` or lists it; return how many rows there were."""
    personal = record["personal_columns"]
    rows = pq.read_table(path)
    schema, values = rows.schema, rows.to_pylist()
    gone = [value for value in values if any(_names(value[name], url) for name in personal)]
    for value in gone:
        value["commitment"] = commitment(_personal_part_of(value, personal))
        value.update(dict.fromkeys((*personal, "salt")))
    if gone:
        _write(pa.Table.from_pylist(values, schema), path, personal)
    return len(gone)


def _names(cell: str | None, url: str) -> bool:
    """Return whether a personal cell is a URL, or a JSON list that has it."""
    return cell == url or (cell is not None and cell.startswith("[") and url in json.loads(cell))


def _records(table: pa.Table, personal: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Each row as it is hashed: its columns, with the commitment in place of the personal ones."""
    hidden = {*personal, *_OURS}
    for part in table.to_batches(max_chunksize=_CHUNK):
        for row in part.to_pylist():
            record = {name: value for name, value in row.items() if name not in hidden}
            record["personal"] = row["commitment"] or commitment(_personal_part_of(row, personal))
            yield record


def _personal_part_of(row: dict[str, Any], personal: Sequence[str]) -> bytes:
    return personal_part([row[name] for name in personal], row["salt"])


def _leaves(path: Path, personal: Sequence[str]) -> list[bytes]:
    return leaf_hashes(canonical(record) for record in _records(pq.read_table(path), personal))


def _write(table: pa.Table, path: Path, personal: Sequence[str]) -> str:
    """Write the file in one step, durably, and return its SHA-256 in hex."""
    plain = {"salt": "PLAIN"} | dict.fromkeys(personal, "DELTA_BYTE_ARRAY")  # sorted URLs begin alike
    out = pa.BufferOutputStream()
    pq.write_table(
        table, out, compression="zstd", compression_level=9, column_encoding=plain,
        use_dictionary=[name for name in table.column_names if name not in plain], write_statistics=False,
    )  # fmt: skip
    content = out.getvalue().to_pybytes()
    write_whole(OS_FILES, path, content)
    return sha256(content).hexdigest()
