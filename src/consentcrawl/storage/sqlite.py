"""Shared evidence on disk, for any number of processes: the same mapping as in memory, with leases that run out.

One process fetches a document, the others wait for it; a process that dies holding a lease holds it ten seconds.
A file that is locked for long, full or damaged is a store that knows nothing; what this process knows it keeps.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from consentcrawl.core import Category, Evidence, Fields, Ground, Need, Preference, Statement
from consentcrawl.storage import CLOCK_SKEW, Learnt, serves, serves_at
from consentcrawl.storage.memory import MemoryStore
from consentcrawl.storage.turns import FURTHEST, HELD_SECONDS, POLL_SECONDS, wait_of

LEASE_SECONDS = 10.0
_WAIT_SECONDS = 10.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS evidence (
    url TEXT PRIMARY KEY, need TEXT NOT NULL, source TEXT NOT NULL, status INTEGER, fields TEXT NOT NULL,
    content BLOB NOT NULL, at REAL NOT NULL, gap TEXT NOT NULL, whole INTEGER NOT NULL, until REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lease (url TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS learnt (
    key TEXT NOT NULL, ground TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (key, ground)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pace (origin TEXT PRIMARY KEY, next_at REAL, held_until REAL) WITHOUT ROWID;
"""
# Whatever is no number, or no time that a clock now may have written, is not there.
_TAKE = """
INSERT INTO pace VALUES (:origin, :now + :delay, :now + :held) ON CONFLICT (origin) DO UPDATE
SET next_at = :now + :delay, held_until = :now + :held
WHERE NOT (typeof(next_at) = 'real' AND next_at > :now AND next_at <= :now + :furthest)
  AND NOT (typeof(held_until) = 'real' AND held_until > :now AND held_until <= :now + :held)
"""
_END = """
INSERT INTO pace VALUES (:origin, :next_at, 0) ON CONFLICT (origin) DO UPDATE
SET next_at = CASE WHEN typeof(next_at) = 'real' AND next_at <= :next_at + :furthest
    THEN max(next_at, :next_at) ELSE :next_at END,
    held_until = CASE WHEN :held THEN held_until ELSE 0 END
"""


class SqliteStore:
    """Evidence and grounds in one SQLite file. Safe for threads, forks and processes on one machine, not for NFS.

    What was read is kept in memory too, so that a document is parsed once in each process.
    """

    def __init__(self, path: str | Path) -> None:
        """Open or make the file at ``path``; raises sqlite3.Error when it is no such file."""
        self._path = str(path)
        self._front = MemoryStore()
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._database().executescript(_SCHEMA)

    def get(self, url: str, need: Need, now: float) -> Evidence | None:
        """Return the evidence kept for ``url`` and this need, while it serves."""
        kept = self._front.get(url, need, now)
        if kept is not None:
            return kept
        with suppress(sqlite3.Error):
            query = "SELECT * FROM evidence WHERE url = ? AND until > ? AND at <= ?"
            row = self._database().execute(query, (url, now, now + CLOCK_SKEW)).fetchone()
            if row is not None and row["need"] == _need_text(need):
                evidence = _evidence(row, need)
                self._front.put(url, evidence)
                return evidence
        return None

    def put(self, url: str, evidence: Evidence) -> None:
        """Keep the evidence, and let those who wait for it go on."""
        self._front.put(url, evidence)
        row = (
            url, _need_text(evidence.need), evidence.url, evidence.status, json.dumps(evidence.fields.pairs),
            zlib.compress(evidence.content, 1), evidence.at, evidence.gap, evidence.whole, serves(evidence),
        )  # fmt: skip
        with suppress(sqlite3.Error), self._database() as database:
            database.execute("INSERT OR REPLACE INTO evidence VALUES (?,?,?,?,?,?,?,?,?,?)", row)
            database.execute("DELETE FROM lease WHERE url = ?", (url,))

    def lease(self, url: str, now: float) -> bool:
        """Take the lease on ``url`` unless another process holds it."""
        with suppress(sqlite3.Error), self._database() as database:
            taken = database.execute(
                "INSERT INTO lease VALUES (:url, :owner, :until) ON CONFLICT (url) DO UPDATE"
                " SET owner = :owner, until = :until WHERE lease.until <= :now OR lease.until > :now + 2 * :lease",
                {"url": url, "owner": _me(), "until": now + LEASE_SECONDS, "now": now, "lease": LEASE_SECONDS},
            )
            return taken.rowcount == 1
        return True

    def release(self, url: str) -> None:
        """Return the lease back, if it is still this process's."""
        with suppress(sqlite3.Error), self._database() as database:
            database.execute("DELETE FROM lease WHERE url = ? AND owner = ?", (url, _me()))

    def learn(self, learnt: Iterable[tuple[str, Learnt]]) -> None:
        """Keep grounds about keys, each once."""
        learnt = list(learnt)
        rows = [(key, _ground_text(ground), until) for key, (ground, until) in learnt]
        try:
            with self._database() as database:
                database.executemany("INSERT OR REPLACE INTO learnt VALUES (?,?,?)", rows)
        except sqlite3.Error:
            self._front.learn(learnt)

    def recall(self, keys: Sequence[str], now: float) -> list[Ground]:
        """Return what still serves about any of ``keys``."""
        marks = ",".join("?" * len(keys))
        query = f"SELECT ground, until FROM learnt WHERE key IN ({marks})"  # noqa: S608 (question marks only)
        found = self._front.recall(keys, now)
        with suppress(sqlite3.Error):
            rows = self._database().execute(query, keys).fetchall()
            found += [_ground(text) for text, until in rows if serves_at(until, now)]
        return found

    def take_turn(self, origin: str, now: float, delay: float) -> float:
        """Hold ``origin`` among all processes of this file and return 0, or return when to try again."""
        with suppress(sqlite3.Error), self._database() as database:
            asked = {"origin": origin, "now": now, "delay": delay, "held": HELD_SECONDS, "furthest": FURTHEST}
            if database.execute(_TAKE, asked).rowcount == 1:
                return 0.0
            row = database.execute("SELECT next_at, held_until FROM pace WHERE origin = ?", (origin,)).fetchone()
            next_at, held_until = (value if isinstance(value, float) else 0.0 for value in row or (0.0, 0.0))
            return wait_of(next_at, held_until, now) or POLL_SECONDS
        return self._front.take_turn(origin, now, delay)

    def end_turn(self, origin: str, next_at: float, *, held: bool = False) -> None:
        """Let go of ``origin``, unless it stays ``held``, and send it nothing before ``next_at``."""
        self._front.end_turn(origin, next_at, held=held)
        with suppress(sqlite3.Error), self._database() as database:
            database.execute(_END, {"origin": origin, "next_at": next_at, "held": held, "furthest": FURTHEST})

    def close(self) -> None:
        """Close the connections that this process opened."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._local = threading.local()

    def _database(self) -> sqlite3.Connection:
        """Return this thread's own connection; SQLite connections are not carried across a fork."""
        mine: tuple[int, sqlite3.Connection] | None = getattr(self._local, "mine", None)
        if mine is None or mine[0] != os.getpid():
            connection = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
            mine = self._local.mine = (os.getpid(), connection)
            self._opened.append(connection)
        return mine[1]


def _me() -> str:
    return f"{os.getpid()}"


def _need_text(need: Need) -> str:
    sent = (int(need.gate), need.url, need.serves, need.limit, need.polite, need.holds, need.fields, need.content.hex())
    return json.dumps(sent)


def _evidence(row: sqlite3.Row, need: Need) -> Evidence:
    pairs = ((name, value) for name, value in json.loads(row["fields"]))
    return Evidence(
        need, row["source"], status=row["status"], fields=Fields(pairs), content=zlib.decompress(row["content"]),
        at=row["at"], gap=row["gap"], whole=bool(row["whole"]),
    )  # fmt: skip


def _ground_text(ground: Ground) -> str:
    return json.dumps({"signal": ground.signal, "source": ground.source, **asdict(ground.statement)}, sort_keys=True)


def _ground(text: str) -> Ground:
    kept: dict[str, Any] = json.loads(text)
    signal, source = kept.pop("signal"), kept.pop("source")
    kept["category"], kept["preference"] = Category(kept["category"]), Preference(kept["preference"])
    kept["under"] = tuple(kept["under"])
    return Ground(signal, Statement(**kept), source)
