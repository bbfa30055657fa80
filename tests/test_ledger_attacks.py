"""Attacks on a closed ledger: what was changed is found by every command that reads it, and never shown as it is."""

from __future__ import annotations

import gzip
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from consentcrawl.core import BODY, Evidence
from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.evidence import EvidenceStore, NoEvidence
from consentcrawl.ledger.evidence.removal import remove
from consentcrawl.ledger.files import OS_FILES
from consentcrawl.ledger.journal import Journal
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.log_files import LOG, PERSONAL, packed, sealed_batches, segments
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.ledger.records import verdict_entry
from tests.test_cli_ledger import SEGMENT_ROW, URL, make, run
from tests.test_ledger_record import URL as ASSET
from tests.test_ledger_record import answer, ground, robots, verdict
from tests.test_ledger_segments import ATTACKS, blanked, rewrite, same

NEVER_ASKED = "https://evil.example/never-asked"
Attack = Callable[[list[dict[str, Any]]], None]


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A closed ledger with verdicts, documents and a segment."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "l")
    run("head", tmp_path / "l", "-o", tmp_path / "head.txt")
    return tmp_path / "l"


@pytest.mark.parametrize("attack", ATTACKS)
def test_ours_a_changed_segment_is_found_by_verify_with_and_without_a_witness(ledger: Path, attack: Attack) -> None:
    _change(ledger, attack)
    for more in ([], ["--witness", ledger.parent / "head.txt"]):
        result = run("verify", ledger, *more)
        assert result.exit_code == 1
        assert "s.parquet" in result.stdout


@pytest.mark.parametrize("attack", [each for each in ATTACKS if each not in (blanked, same)])
def test_ours_a_changed_segment_is_neither_shown_nor_proved_nor_exported(ledger: Path, attack: Attack) -> None:
    row = _change(ledger, attack)
    for words in (["show", row, ledger], ["prove", row, ledger, "-o", "p"], ["show", NEVER_ASKED, ledger]):
        result = run(*words)
        assert result.exit_code != 0, words
        assert "PERMIT" not in result.stdout
    result = run("export", ledger, "--format", "jsonl")
    assert result.exit_code == 2
    assert "do not give the root" in result.stderr or "without a salt" in result.stderr


def _change(ledger: Path, attack: Attack) -> str:
    path = ledger / "segments" / "s.parquet"
    rows = pq.read_table(path).to_pylist()
    row = str(rows[5]["url"])
    attack(rows)
    rewrite(path, rows)
    return row


def test_ours_a_forged_entry_in_the_log_is_not_shown(ledger: Path) -> None:
    _forge(ledger, LOG, "entries", b'"outcome":"refuse"', b'"outcome":"permit"')
    for words in (["show", URL, ledger], ["prove", URL, ledger, "-o", "p"], ["export", ledger]):
        result = run(*words)
        assert result.exit_code == 2, words
        assert "signed" in result.stderr or "cannot be proved" in result.stderr


def test_ours_a_forged_url_beside_an_entry_is_not_shown(ledger: Path) -> None:
    _forge(ledger, PERSONAL, "personal", b"private/1.jpg", b"private/9.jpg")
    for words in (["show", URL.replace("1.jpg", "9.jpg"), ledger], ["export", ledger]):
        result = run(*words)
        assert result.exit_code == 2, words
        assert "not the one it commits to" in result.stderr


def _forge(ledger: Path, folder: str, side: str, old: bytes, new: bytes) -> None:
    """Replace bytes in a packed segment, and pack it again with right lengths and checksums."""
    (segment,) = segments(OS_FILES, ledger)
    parts = [part for batch in sealed_batches(OS_FILES, ledger, segment) for part in getattr(batch, side)]
    (ledger / folder / segment.name).write_bytes(packed(part.replace(old, new) for part in parts))


def test_ours_verify_makes_a_forged_index_anew(ledger: Path) -> None:
    assert run("show", URL, ledger).exit_code == 0
    with closing(sqlite3.connect(ledger / "index.sqlite")) as index, index:
        index.execute("delete from url")
    assert run("show", URL, ledger).exit_code == 1
    assert run("verify", ledger).exit_code == 0
    assert run("show", URL, ledger).exit_code == 0


def test_ours_a_ledger_that_cannot_be_written_is_verified_and_its_index_doubted(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> int:
        raise PermissionError

    assert run("show", URL, ledger).exit_code == 0
    monkeypatch.setattr("consentcrawl.ledger.index.rebuild", refused)
    result = run("verify", ledger)
    assert result.exit_code == 0
    assert "The index could not be made anew" in result.stdout


@pytest.mark.parametrize("suffix", [".warc.gz", ".digests", ".parquet", "key.pub", "heads.log", "checkpoint", ".zst"])
def test_ours_verify_and_show_never_crash_on_changed_bytes(ledger: Path, suffix: str) -> None:
    chance = random.Random(suffix)  # noqa: S311 (seeded, repeatable)
    (path,) = [each for each in sorted(ledger.rglob(f"*{suffix}")) if "personal" not in str(each)]
    content = path.read_bytes()
    for _ in range(25):
        changed = bytearray(content)
        for _ in range(chance.choice([1, 1, 4, 40])):
            changed[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(changed[: chance.choice([len(content), len(content), chance.randrange(len(content))])])
        for words in (["verify", ledger], ["show", URL, ledger], ["show", SEGMENT_ROW, ledger], ["export", ledger]):
            assert run(*words).exit_code in {0, 1, 2}
        if bytes(changed) != content and suffix != ".digests":
            assert run("verify", ledger).exit_code == 1
    path.write_bytes(content)
    assert run("verify", ledger).exit_code == 0


@pytest.mark.parametrize(
    "deleted", [["checkpoint"], ["heads.log"], ["log"], ["key.pub"], ["checkpoint", "heads.log", "log", "key.pub"]]
)
def test_ours_log_files_deleted_beside_a_key_are_damage_and_the_key_stays(ledger: Path, deleted: list[str]) -> None:
    key = (ledger / "key").read_bytes()
    for name in deleted:
        shutil.rmtree(ledger / name) if name == "log" else (ledger / name).unlink()
    with pytest.raises((LedgerBroken, OSError)):
        Ledger.open(ledger)
    assert (ledger / "key").read_bytes() == key
    assert run("verify", ledger).exit_code == 1


def test_ours_a_key_deleted_beside_entries_is_damage(ledger: Path) -> None:
    (ledger / "key").unlink()
    with pytest.raises(LedgerBroken, match="has entries and no key"):
        Ledger.open(ledger)


def test_ours_erasing_takes_the_documents_that_only_the_erased_named(tmp_path: Path) -> None:
    record = LedgerRecord.open(tmp_path / "l")
    pages = {url: page(url) for url in (f"{ASSET}?a", f"{ASSET}?b")}
    for url, shown in pages.items():
        record.record_verdict(verdict(ground(url), url=url), [robots(), shown]).result()
    record.close()
    store = EvidenceStore(tmp_path / "l" / "evidence")
    digests = {url: sha256(shown.content).hexdigest() for url, shown in pages.items()}
    assert run("erase", tmp_path / "l", "--url", f"{ASSET}?a").stdout.startswith("Erased from 1 entries and 0 rows")
    store = EvidenceStore(tmp_path / "l" / "evidence")
    with pytest.raises(NoEvidence):
        store.get(digests[f"{ASSET}?a"])
    assert store.get(digests[f"{ASSET}?b"]).content == pages[f"{ASSET}?b"].content
    assert store.get(sha256(robots().content).hexdigest()).content  # what others rest on stays
    assert all(b"of ?a" not in gzip.decompress(path.read_bytes()) for path in tmp_path.rglob("*.warc.gz"))
    assert run("verify", tmp_path / "l").exit_code == 0
    assert EvidenceStore(tmp_path / "l" / "evidence").rebuild() == 3
    # One that is missing without an erasure is found.
    remove(OS_FILES, tmp_path / "l" / "evidence", {digests[f"{ASSET}?b"]})
    assert digests[f"{ASSET}?b"] in run("verify", tmp_path / "l").stdout


def page(url: str) -> Evidence:
    return answer(
        BODY, url, f"<meta name=robots content=noai> of {url[len(ASSET) :]}".encode(), Content_Type="text/html"
    )


def test_ours_verify_names_rows_that_a_killed_run_left(ledger: Path) -> None:
    journal = Journal(OS_FILES, ledger / "segments" / "1.journal")
    journal.write([verdict_entry(verdict(url=f"{ASSET}?{n}")) for n in range(3)])
    journal.close()
    assert "3 rows are in the journal" in run("verify", ledger).stdout
    assert run("erase", ledger, "--url", f"{ASSET}?1").stdout.startswith("Erased from 0 entries and 1 rows")
    assert "journal" not in run("verify", ledger).stdout
