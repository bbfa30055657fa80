"""An index of a ledger in SQLite: which entries speak of a URL, an origin, a signal, an outcome, a day.

The ledger is the truth; the index may be deleted and built again, and holds no URL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from consentcrawl.core import origin_of
from consentcrawl.ledger.reading import Line, lines

INDEX_FILE = "index.sqlite"
_GROUP = 20_000
_DAY = 86_400_000
_FIND = "select entry.id from entry join sort on sort.id = sort where {} order by entry.id"
_ADD = """insert into entry values (?, ?,
    (select id from sort where kind = ? and outcome = ? and purpose = ? and signals = ?),
    (select id from origin where name = ?))"""
_SCHEMA = """
create table sort (id integer primary key, kind text, outcome text, purpose text, signals text,
    unique (kind, outcome, purpose, signals));
create table origin (id integer primary key, name text unique);
create table entry (id integer primary key, at integer, sort integer references sort, origin integer references origin);
create table url (hash integer, entry integer, primary key (hash, entry)) without rowid;
create index entry_at on entry (at);
create index entry_origin on entry (origin);
"""


def rebuild(directory: Path) -> int:
    """Build the index anew and return how many entries are in it; what was erased from the ledger is gone from it."""
    (directory / INDEX_FILE).unlink(missing_ok=True)
    return update(directory)


def update(directory: Path) -> int:
    """Add the entries that came since; return how many are in the index."""
    with closing(_connect(directory)) as index:
        (known,) = index.execute("select count(*) from entry").fetchone()
        more = lines(directory, known)
        while group := list(islice(more, _GROUP)):
            with index:
                _insert(index, group)
            known += len(group)
        return int(known)


def find(  # noqa: PLR0913 (each narrows)
    directory: Path,
    *,
    url: str = "",
    origin: str = "",
    signal: str = "",
    outcome: str = "",
    day: str = "",
    kind: str = "",
) -> list[int]:
    """The indices of the entries that meet every condition given, in order; ``day`` is ``2026-11-24`` (UTC)."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000 if day else 0
    conditions = {
        "entry.id in (select entry from url where hash = ?)": _hash(url) if url else "",
        "origin = (select id from origin where name = ?)": origin,
        "signals like '% ' || ? || ' %'": signal,
        "outcome = ?": outcome,
        "at >= ?": midnight if day else "",
        "at < ?": midnight + _DAY if day else "",
        "kind = ?": kind,
    }
    given = {text: value for text, value in conditions.items() if value != ""}
    where = " and ".join(given) or "true"
    with closing(_connect(directory)) as index:
        rows = index.execute(_FIND.format(where), list(given.values()))
        return [row[0] for row in rows]


def _connect(directory: Path) -> sqlite3.Connection:
    path = directory / INDEX_FILE
    fresh = not path.exists()
    index = sqlite3.connect(path)
    index.execute("pragma synchronous = off")  # it can be built again
    if fresh:
        path.chmod(0o600)
        index.executescript(_SCHEMA)
    return index


def _insert(index: sqlite3.Connection, group: Sequence[Line]) -> None:
    """Add some entries; there are few sorts and origins, however many entries."""
    records = [inner(line.record) for line in group]
    origins = [origin_of(line.urls[0]) if line.urls else None for line in group]
    sorts = [_sort(record) for record in records]
    index.executemany("insert or ignore into origin (name) values (?)", {(o,) for o in origins if o})
    index.executemany("insert or ignore into sort (kind, outcome, purpose, signals) values (?, ?, ?, ?)", set(sorts))
    rows = [
        (line.index, int(record.get("at", 0)), *sort, origin)
        for line, record, sort, origin in zip(group, records, sorts, origins, strict=True)
    ]
    index.executemany(_ADD, rows)
    urls = [(_hash(url), line.index) for line in group for url in dict.fromkeys(line.urls)]
    index.executemany("insert or ignore into url values (?, ?)", sorted(urls))


def _sort(record: dict[str, Any]) -> tuple[str, str, str, str]:
    """What an entry is: its kind, and of a verdict outcome, purpose and the signals that spoke."""
    signals = sorted({ground["signal"] for ground in record.get("grounds", ())})
    spoke = f" {' '.join(signals)} " if signals else ""
    return record["kind"], record.get("outcome", ""), record.get("purpose", ""), spoke


def inner(record: dict[str, Any]) -> dict[str, Any]:
    """The record itself, or the one that was merged in."""
    while record["kind"] == "merged":
        record = record["entry"]
    return record


def _hash(url: str) -> int:
    """64 bits of the URL's SHA-256, as SQLite counts: enough to find by, and not the URL."""
    return int.from_bytes(sha256(url.encode()).digest()[:8], "big", signed=True)
