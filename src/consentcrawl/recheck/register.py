"""Who has opted out since: what a ledger says was let through, what of it was refused later, and what is not known.

What could not be asked again is not known; it never counts as still permitted.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from heapq import nsmallest
from typing import Any
from zlib import crc32

from consentcrawl.core import Gate, Outcome, Preference, Purpose, Verdict, host_of, origin_of
from consentcrawl.ledger.recording.stored import StoredRecord
from consentcrawl.ledger.records import verdict_record

_SCHEMA = """
pragma journal_mode = off;
pragma synchronous = off;
create table verdict (asked text, url text, at integer, entry integer, hops integer, outcome text, gate integer,
    let integer, page text, evidence text, said text);
create table taken (url text, file text, sha256 text, size integer, unique (url, file, sha256));
create table chosen (asked text primary key, at integer, gate integer, page text, evidence text);
create index verdict_asked on verdict (asked, at);
"""
_ADD = "insert into verdict values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# A permit that led on to a redirect is not how the asset was judged: the verdict behind it is.
_LED_ON = """delete from verdict where rowid in (select
    (select before.rowid from verdict as before where before.asked = after.asked and before.hops = after.hops - 1
        and before.outcome = 'permit' and (before.at, before.entry) <= (after.at, after.entry)
        order by before.at desc, before.entry desc limit 1)
    from verdict as after where after.hops > 0)"""
_LET = """select asked, max(at), (select max(gate) from verdict as each where each.asked = verdict.asked and each.let),
    page, evidence from verdict where let and at >= ? group by asked"""
_LEFT = "select * from chosen where not exists (select 1 from verdict where asked = chosen.asked and entry >= ?)"
_NEWEST = "select outcome, said from verdict where asked = ? order by at desc, entry desc, rowid desc limit 1"
_PERMIT = """select at, entry, rowid from verdict where asked = ? and outcome = 'permit'
    order by at desc, entry desc, rowid desc limit 1"""
# One that is not determined takes no refusal back.
_REFUSED = """select at, said from verdict where asked = ? and outcome = 'refuse' and (at, entry, rowid) > (?, ?, ?)
    order by at, entry, rowid"""
_TAKEN = "select distinct file, sha256, size from taken where url in (select url from verdict where asked = ?)"

DELETIONS: dict[str, type] = {
    "url": str, "file": str, "sha256": str, "size": int, "signal": str, "category": str, "quote": str, "where": str,
    "source": str, "permitted_at": str, "first_seen": str,
}  # fmt: skip
NOT_KNOWN: dict[str, type] = {"url": str, "file": str, "sha256": str, "reason": str, "need": str, "permitted_at": str}


@dataclass(frozen=True, slots=True)
class Permitted:
    """An asset that was let through: when (in milliseconds), to which gate at the furthest, and what that rested on."""

    url: str
    at: int
    gate: Gate
    page: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of what was let through: since a time (in milliseconds), at these origins or hosts, so many by lot."""

    since: int = 0
    places: frozenset[str] = frozenset()
    sample: int | None = None

    def fits(self, url: str) -> bool:
        """Return whether a URL lies where it is asked for."""
        return not self.places or not self.places.isdisjoint((origin_of(url), host_of(url)))


class Register:
    """All verdicts for one purpose and all deliveries that a ledger tells, by the URL that was asked about first."""

    def __init__(self, purpose: Purpose) -> None:
        """Keep what is told for ``purpose`` in a temporary database."""
        self._purpose = purpose
        self._database = sqlite3.connect("")  # on disk where it grows, and gone with the connection
        self._database.executescript(_SCHEMA)
        self.others: Counter[str] = Counter()
        """How many verdicts were for another purpose, and so tell nothing."""
        self.entries = 0
        self.chosen = 0

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def fill(self, records: Iterable[StoredRecord]) -> None:
        """Take note of all that a ledger tells; what was erased cannot be asked about."""
        for told in records:
            self._take(told)
        self._database.execute(_LED_ON)

    def answered(self, asked: str, verdict: Verdict) -> None:
        """Take note of a new verdict about what was asked."""
        holding_first = tuple(sorted(verdict.gaps, key=lambda gap: not gap.holds))
        record, urls = verdict_record(replace(verdict, gaps=holding_first))
        # The newest, even if the clock was set back since.
        (newest,) = self._database.execute("select max(at) from verdict where asked = ?", (asked,)).fetchone()
        said = {**record, "at": max(record["at"], newest or 0)}
        self._insert(StoredRecord(self.entries, said, tuple(urls)), asked)

    def choose(self, wanted: Wanted, seed: int) -> None:
        """Choose what was let through and is wanted; a sample is the same for the same ``seed``."""
        found: Iterable[tuple[Any, ...]] = self._database.execute(_LET, (wanted.since,)).fetchall()
        found = [row for row in found if wanted.fits(row[0])]
        if wanted.sample is not None:
            found = nsmallest(wanted.sample, found, lambda row: sha256(f"{seed} {row[0]}".encode()).digest())
        self._database.executemany("insert into chosen values (?, ?, ?, ?, ?)", found)
        self.chosen = len(found)

    def left(self, entries: int) -> list[Permitted]:
        """What was chosen and has no verdict among the entries from the ``entries``-th on."""
        rows = self._database.execute(_LEFT, (entries,))
        left = [Permitted(row[0], row[1], Gate(row[2]), row[3], tuple(json.loads(row[4]))) for row in rows]
        # Segments are sorted by origin, and one worker at a time works for an origin: mixed, many have something to do.
        return sorted(left, key=lambda each: crc32(each.url.encode("utf-8", "replace")))

    def opted_out(self) -> Iterator[dict[str, Any]]:
        """What was chosen and is refused now, one row of ``DELETIONS`` for each file that was taken of it."""
        for asked, at in self._chosen():
            if refusals := self._refusals(asked):
                ground = json.loads(refusals[-1][1]).get("ground", {})
                said = {name: ground.get(name, "") for name in ("signal", "category", "quote", "where", "source")}
                yield from self._of_each_file({"url": asked, **said, "permitted_at": at, "first_seen": refusals[0][0]})

    def not_known(self) -> Iterator[dict[str, Any]]:
        """What was chosen, is not refused, and could not be asked again: rows of ``NOT_KNOWN``."""
        for asked, at in self._chosen():
            outcome, said = self._database.execute(_NEWEST, (asked,)).fetchone()
            if outcome == Outcome.UNDETERMINED and not self._refusals(asked):
                gap = {"reason": "", "need": "", **json.loads(said).get("gap", {})}
                yield from self._of_each_file({"url": asked, **gap, "permitted_at": at})

    def _refusals(self, asked: str) -> list[tuple[int, str]]:
        """The refusals since the last permit, the oldest first."""
        permit = self._database.execute(_PERMIT, (asked,)).fetchone() or (-1, -1, -1)
        return self._database.execute(_REFUSED, (asked, *permit)).fetchall()

    def _take(self, told: StoredRecord) -> None:
        self.entries = told.index + 1
        if told.kind == "outcome" and told.urls:
            file = told.urls[1] if len(told.urls) > 1 else ""
            row = (told.urls[0], file, told.record["sha256"], told.record["size"])
            self._database.execute("insert or ignore into taken values (?, ?, ?, ?)", row)
        elif told.kind == "verdict" and told.asked:
            if told.record["purpose"] == self._purpose.name:
                self._insert(told, told.asked)
            else:
                self.others[told.record["purpose"]] += 1

    def _chosen(self) -> list[tuple[str, int]]:
        return self._database.execute("select asked, at from chosen order by asked").fetchall()

    def _of_each_file(self, row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The row once for each file, or once where the ledger tells of none."""
        taken: Iterable[tuple[Any, ...]] = self._database.execute(_TAKEN, (row["url"],)).fetchall()
        for file, digest, size in taken or [("", "", None)]:
            yield {**row, "file": file, "sha256": digest, "size": size}

    def _insert(self, told: StoredRecord, asked: str) -> None:
        record = told.record
        let = record["outcome"] == Outcome.PERMIT or not record["enforced"]
        evidence, said = json.dumps(record.get("evidence") or ()), json.dumps(self._said(told))
        self._database.execute(_ADD, (
            asked, told.urls[0], told.at, told.index, len(told.hops), record["outcome"], Gate[record["gate"].upper()],
            let, told.url(record.get("page")), evidence, said,
        ))  # fmt: skip

    def _said(self, told: StoredRecord) -> dict[str, Any]:
        """The ground that refuses and the gap that leaves open, as far as the record tells them apart."""
        grounds = [g for g in told.record.get("grounds") or () if g["preference"] == Preference.DISALLOWED]
        said: dict[str, Any] = {}
        if grounds:
            ground = min(grounds, key=lambda ground: ground["category"] not in self._purpose.heeds)
            said["ground"] = {**ground, "source": told.url(ground["source"])}
        if gaps := told.record.get("gaps"):
            said["gap"] = {"reason": gaps[0]["reason"], "need": told.url(gaps[0]["need"])}
        return said
