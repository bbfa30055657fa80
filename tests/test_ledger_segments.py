"""Batch segments and the index: proofs of rows, what is erased, and look-ups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger import index
from consentcrawl.ledger.entry import BadEntry, commitment, personal_part
from consentcrawl.ledger.erasure import erase, erase_rows
from consentcrawl.ledger.erasures import SegmentErasures
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.merge import merge
from consentcrawl.ledger.proof import check_proof, prove
from consentcrawl.ledger.reading import lines
from consentcrawl.ledger.recording.stored import at
from consentcrawl.ledger.records import verdict_entry
from consentcrawl.ledger.segments import GROUP, Erased, SegmentReader, check_segment, write_segment
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
    row = SegmentReader(tmp_path / "s.parquet", record).proved(123)
    proof = prove(tmp_path / "l", 1, row=row)
    result = check_proof(proof, (tmp_path / "l" / "key.pub").read_text().strip())
    assert result.problems == ()
    assert result.urls == (pq.read_table(tmp_path / "s.parquet")["url"][123].as_py(),)
    assert result.record["outcome"] in {"permit", "refuse"}


def test_ours_a_changed_row_is_found(tmp_path: Path, record: dict[str, Any]) -> None:
    path = tmp_path / "s.parquet"
    changed = pq.read_table(path).to_pylist()
    changed[5]["outcome"] = "permit" if changed[5]["outcome"] == "refuse" else "refuse"
    rewrite(path, changed)
    assert "do not give the root" in check_segment(path, record)[0]
    with pytest.raises(LedgerBroken):
        SegmentReader(path, record).proved(5)
    rewrite(path, changed[1:])
    assert "999 rows" in check_segment(path, record)[0]
    path.write_bytes(b"x")
    assert check_segment(path, record)


def rewrite(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write other rows into a segment, as an attacker would: everything else stays."""
    pq.write_table(pa.Table.from_pylist(rows, pq.read_schema(path)), path, row_group_size=GROUP)


def committed(row: dict[str, Any]) -> str:
    """The commitment to the personal columns of a row."""
    return commitment(personal_part([row[name] for name in ("url", "more") if name in row], row["salt"]))


def forged(rows: list[dict[str, Any]]) -> None:
    """Fill in the commitment, and put another URL in the place of the one that it commits to."""
    rows[5] |= {"commitment": committed(rows[5]), "url": "https://evil.example/never-asked"}


def blanked(rows: list[dict[str, Any]]) -> None:
    """Take a URL out as an erasure does, and write no entry about it."""
    rows[5] |= {"commitment": committed(rows[5]), "url": None, "salt": None}
    rows[5] |= {"more": None} if "more" in rows[5] else {}


def unsalted(rows: list[dict[str, Any]]) -> None:
    """Put another URL into a row that looks erased."""
    blanked(rows)
    rows[5]["url"] = "https://evil.example/never-asked"


def swapped(rows: list[dict[str, Any]]) -> None:
    """Exchange two rows."""
    rows[5], rows[6] = rows[6], rows[5]


def exchanged(rows: list[dict[str, Any]]) -> None:
    """Exchange the personal columns of two rows."""
    for name in ("url", "salt"):
        rows[5][name], rows[6][name] = rows[6][name], rows[5][name]


def same(_rows: list[dict[str, Any]]) -> None:
    """Change nothing: the file is written anew, and has other bytes."""


ATTACKS = [forged, blanked, unsalted, swapped, exchanged, same]


@pytest.mark.parametrize("attack", ATTACKS)
def test_ours_whatever_is_changed_in_a_segment_is_found(
    tmp_path: Path, record: dict[str, Any], attack: Callable[[list[dict[str, Any]]], None]
) -> None:
    path = tmp_path / "s.parquet"
    rows = pq.read_table(path).to_pylist()
    attack(rows)
    rewrite(path, rows)
    assert check_segment(path, record, Erased({6, 7}))


@pytest.mark.parametrize("attack", [forged, unsalted, swapped, exchanged])
def test_ours_nothing_is_read_that_does_not_lead_to_the_root(
    tmp_path: Path, record: dict[str, Any], attack: Callable[[list[dict[str, Any]]], None]
) -> None:
    path = tmp_path / "s.parquet"
    rows = pq.read_table(path).to_pylist()
    attack(rows)
    rewrite(path, rows)
    reader = SegmentReader(path, record)
    reads: list[Callable[[], object]] = [
        lambda: list(reader.rows()), lambda: list(reader.naming([str(rows[5]["url"])])), lambda: reader.proved(5),
    ]  # fmt: skip
    for read in reads:
        with pytest.raises(LedgerBroken, match=r"do not give the root|without a salt"):
            read()


def test_ours_one_row_is_read_by_its_row_group_and_proved_to_the_root_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 2 * GROUP + 5
    rows = {"url": [f"https://h.example/{n:06}" for n in range(count)], "n": list(range(count))}
    segment = write_segment(pa.table(rows), tmp_path / "s.parquet")
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append(segment.as_record(ledger.now()))
    reader = SegmentReader(tmp_path / "s.parquet", segment.as_record(1))
    read: list[int] = []
    group = SegmentReader.group

    def counted(self: SegmentReader, number: int) -> list[dict[str, Any]]:
        read.append(number)
        return group(self, number)

    monkeypatch.setattr(SegmentReader, "group", counted)
    assert [number for number, _ in reader.naming([f"https://h.example/{GROUP:06}"])] == [GROUP]
    assert list(reader.naming(["https://other.example/"])) == []
    assert read == [1]
    for number in (0, GROUP - 1, GROUP, 2 * GROUP, count - 1):
        result = check_proof(prove(tmp_path / "l", 1, row=reader.proved(number)))
        assert (result.problems, result.record["n"]) == ((), number)


def test_ours_an_erased_url_leaves_the_segment_whole(tmp_path: Path, record: dict[str, Any]) -> None:
    url, path = "https://h1.example/1", tmp_path / "s.parquet"
    with Ledger.open(tmp_path / "l") as ledger:
        assert erase_rows(ledger, 1, SegmentReader(path, record), [url]) == 1
        assert erase_rows(ledger, 1, SegmentReader(path, record), [url]) == 0
    erasures = SegmentErasures()
    for line in lines(tmp_path / "l"):
        erasures.note(line.record)
    assert check_segment(path, record, erasures.of(1, record)) == ()
    assert check_segment(path, record)
    urls = pq.read_table(path)["url"].to_pylist()
    assert url not in urls
    result = check_proof(prove(tmp_path / "l", 1, row=SegmentReader(path, record).proved(urls.index(None))))
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
