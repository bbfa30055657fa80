"""Batch segments and the index: proofs of rows, what is erased, and look-ups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger import index
from consentcrawl.ledger.entry import BadEntry
from consentcrawl.ledger.erasure import erase
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.merge import merge
from consentcrawl.ledger.proof import check_proof, prove
from consentcrawl.ledger.reading import lines
from consentcrawl.ledger.recording.stored import at
from consentcrawl.ledger.records import verdict_entry
from consentcrawl.ledger.segments import check_segment, erase_row_url, row_of, write_segment
from tests.test_ledger_entry import PAGE, ROBOTS, URL, verdict


def table(count: int = 1000) -> pa.Table:
    """Some verdict rows."""
    rows = [
        {
            "url": f"https://h{n % 7}.example/{n}",
            "outcome": "permit" if n % 3 else "refuse",
            "decided_at": n,
            "grounds": [{"signal": "s", "n": n}],
        }
        for n in range(count)
    ]
    return pa.Table.from_pylist(rows)


@pytest.fixture
def record(tmp_path: Path) -> dict[str, Any]:
    """A segment's record, written to a ledger beside it."""
    with Ledger.open(tmp_path / "l") as ledger:
        written = write_segment(table(), tmp_path / "s.parquet").as_record(ledger.now())
        assert ledger.append(written) == 1
    return next(lines(tmp_path / "l", 1)).record


def test_ours_a_segment_is_sorted_by_origin_and_checked_by_its_rows(tmp_path: Path, record: dict[str, Any]) -> None:
    assert check_segment(tmp_path / "s.parquet", record) == ()
    urls = pq.read_table(tmp_path / "s.parquet")["url"].to_pylist()
    assert urls == sorted(urls)
    assert record["rows"] == 1000


def test_ours_a_row_is_proved_through_segment_and_ledger(tmp_path: Path, record: dict[str, Any]) -> None:
    row = row_of(tmp_path / "s.parquet", record, 123)
    proof = prove(tmp_path / "l", 1, row=row)
    result = check_proof(proof, (tmp_path / "l" / "key.pub").read_text().strip())
    assert result.problems == ()
    assert result.urls == (pq.read_table(tmp_path / "s.parquet")["url"][123].as_py(),)
    assert result.record["outcome"] in {"permit", "refuse"}


def test_ours_a_changed_row_is_found(tmp_path: Path, record: dict[str, Any]) -> None:
    changed = pq.read_table(tmp_path / "s.parquet").to_pylist()
    changed[5]["outcome"] = "permit" if changed[5]["outcome"] == "refuse" else "refuse"
    pq.write_table(pa.Table.from_pylist(changed, pq.read_schema(tmp_path / "s.parquet")), tmp_path / "s.parquet")
    assert "do not give the root" in check_segment(tmp_path / "s.parquet", record)[0]
    with pytest.raises(LedgerBroken):
        row_of(tmp_path / "s.parquet", record, 5)
    pq.write_table(pa.Table.from_pylist(changed[1:], pq.read_schema(tmp_path / "s.parquet")), tmp_path / "s.parquet")
    assert "999 rows" in check_segment(tmp_path / "s.parquet", record)[0]
    (tmp_path / "s.parquet").write_bytes(b"x")
    assert check_segment(tmp_path / "s.parquet", record)


def test_ours_an_erased_url_leaves_the_segment_whole(tmp_path: Path, record: dict[str, Any]) -> None:
    url = "https://h1.example/1"
    assert erase_row_url(tmp_path / "s.parquet", record, url) == 1
    assert erase_row_url(tmp_path / "s.parquet", record, url) == 0
    assert check_segment(tmp_path / "s.parquet", record) == ()
    urls = pq.read_table(tmp_path / "s.parquet")["url"].to_pylist()
    assert url not in urls
    result = check_proof(prove(tmp_path / "l", 1, row=row_of(tmp_path / "s.parquet", record, urls.index(None))))
    assert (result.problems, result.urls) == ((), ())


def test_ours_floats_in_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadEntry):
        write_segment(pa.table({"url": ["u"], "x": [1.5]}), tmp_path / "s.parquet")


def test_ours_the_index_finds_by_url_origin_signal_outcome_and_day(tmp_path: Path) -> None:
    directory = tmp_path / "l"
    with Ledger.open(directory) as ledger:
        first = ledger.submit([verdict_entry(verdict())]).result()
        second = ledger.submit(
            [verdict_entry(verdict(url="https://b.example/x", grounds=(), gaps=(), hops=(), deciding=()))]
        ).result()
        assert index.rebuild(directory) == 3
        third = ledger.submit([verdict_entry(verdict())]).result()
        assert index.update(directory) == 4
    assert index.find(directory, url=URL) == [first, third]
    assert index.find(directory, url=PAGE) == [first, third]
    assert index.find(directory, origin="https://b.example") == [second]
    assert index.find(directory, signal="robots_txt", outcome="refuse", day="2023-11-14") == [first, third]
    assert index.find(directory, signal="none") == []
    assert index.find(directory, kind="run-start") == [0]
    assert len(index.find(directory)) == 4


def test_ours_the_index_holds_no_url_and_forgets_what_was_erased(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.submit([verdict_entry(verdict())]).result()
        index.rebuild(tmp_path / "l")
        assert URL.encode() not in (tmp_path / "l" / index.INDEX_FILE).read_bytes()
        erase(ledger, URL)
    index.rebuild(tmp_path / "l")
    assert index.find(tmp_path / "l", url=URL) == []


def test_ours_merged_verdicts_are_found_and_read(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "a") as ledger:
        ledger.submit([verdict_entry(verdict())]).result()
    with Ledger.open(tmp_path / "all") as into:
        merge(into, tmp_path / "a")
    index.rebuild(tmp_path / "all")
    (found,) = index.find(tmp_path / "all", url=URL, outcome="refuse")
    stored = at(tmp_path / "all", found)
    assert (stored.kind, stored.urls[0], stored.index) == ("verdict", URL, found)
    assert ROBOTS in str(stored.record)
