"""Runs over lists that are killed, ended, or two at once: every row that was put out is in the ledger."""

from __future__ import annotations

import errno
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.journal import journals
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.recording.audit import audit
from consentcrawl.ledger.recording.batch import BatchRecord
from consentcrawl.ledger.recording.stored import about, stored_records
from tests.faults import FaultyFiles
from tests.test_ledger_record import URL, robots, verdict
from tests.website import Answer, Site, serving

ROWS = 4000


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A site where a robots.txt is all that is asked for."""
    with serving({"/robots.txt": Answer(b"User-agent: *\nDisallow: /b\n")}) as running:
        yield running


@pytest.fixture
def urls(site: Site, tmp_path: Path) -> Path:
    """A long list."""
    path = tmp_path / "urls.txt"
    path.write_text("".join(f"{site.origin}/{'ab'[n % 2]}/{n}.jpg\n" for n in range(ROWS)))
    return path


def check(urls: Path, ledger: Path, **more: Any) -> subprocess.Popen[str]:
    """A run over the list that asks for nothing but robots.txt."""
    words = ["check", "--gate", "lookup", "--allow-net", "127.0.0.0/8", "--format", "jsonl", "-q"]
    return subprocess.Popen(
        [sys.executable, "-m", "consentcrawl", *words, "--ledger", str(ledger), str(urls)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1, cwd=urls.parent, **more,
    )  # fmt: skip


def put_out(run: subprocess.Popen[str], rows: int) -> list[str]:
    """The URLs of so many rows, as they come."""
    assert run.stdout is not None
    return [json.loads(run.stdout.readline())["url"] for _ in range(rows)]


def rest(run: subprocess.Popen[str]) -> tuple[list[str], str]:
    """The URLs that were put out until the end, without a row that was cut off, and what was said on stderr."""
    assert run.stdout is not None
    assert run.stderr is not None
    with run:
        out = [json.loads(line)["url"] for line in run.stdout if line.endswith("\n")]
        return out, run.stderr.read()


def kept(ledger: Path) -> set[str]:
    """The URLs of the verdicts in a ledger, each once."""
    urls = [each.urls[0] for each in stored_records(ledger) if each.kind == "verdict"]
    assert len(urls) == len(set(urls))
    return set(urls)


@pytest.mark.parametrize("seed", range(4))
def test_ours_whatever_was_put_out_by_a_killed_run_is_in_the_ledger(urls: Path, tmp_path: Path, seed: int) -> None:
    run = check(urls, tmp_path / "l")
    out = put_out(run, random.Random(seed).randint(1, ROWS * 3 // 4))  # noqa: S311 (seeded, repeatable)
    run.send_signal(signal.SIGKILL)
    out += rest(run)[0]
    assert len(journals(tmp_path / "l")) == 1
    BatchRecord.open(tmp_path / "l").close()
    assert journals(tmp_path / "l") == []
    assert audit(tmp_path / "l").report.findings == []
    assert set(out) <= kept(tmp_path / "l")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_ours_a_run_that_is_asked_to_end_ends_in_order(urls: Path, tmp_path: Path, number: signal.Signals) -> None:
    run = check(urls, tmp_path / "l")
    out = put_out(run, 50)
    run.send_signal(number)
    more, said = rest(run)
    assert run.returncode == 128 + number
    # A signal between writing a row and counting it: then that row comes once more.
    assert any(f"go on with --skip {len(out + more) - again}\n" in said for again in (0, 1))
    assert journals(tmp_path / "l") == []
    assert set(out + more) <= kept(tmp_path / "l")
    assert [each.kind for each in stored_records(tmp_path / "l")][-1] == "run-stop"


def test_ours_a_second_run_writes_a_ledger_of_its_own_and_is_merged(urls: Path, tmp_path: Path) -> None:
    first = check(urls, tmp_path / "l")
    out = put_out(first, 1)
    second = check(urls, tmp_path / "l")
    others, said = rest(second)
    out += rest(first)[0]
    assert len(others) == ROWS
    (own,) = tmp_path.glob("l-*")
    assert f"this one writes {own}" in said
    assert f"ledger merge {own} -o {tmp_path / 'l'}" in said
    words = ["ledger", "merge", str(own), "-o", str(tmp_path / "l")]
    subprocess.run([sys.executable, "-m", "consentcrawl", *words], check=True, capture_output=True)
    assert audit(tmp_path / "l").report.findings == []
    assert len(about(tmp_path / "l", out[7])) == 2


def test_ours_a_row_is_not_acknowledged_before_it_is_durable(tmp_path: Path) -> None:
    for at in range(1, 12):
        record = BatchRecord.open(tmp_path / f"{at}")
        record.ledger.files = files = FaultyFiles(at, errno.ENOSPC)
        numbers = [record.record_verdict(verdict(url=f"{URL}?{n}"), [robots()]) for n in range(3)]
        wait(numbers)
        acknowledged = [n for n, each in enumerate(numbers) if each.exception() is None]
        if acknowledged != [0, 1, 2]:
            assert files.failed
        with suppress(LedgerBroken, OSError):
            record.close()
        BatchRecord.open(tmp_path / f"{at}").close()
        there = kept(tmp_path / f"{at}")
        assert {f"{URL}?{n}" for n in acknowledged} <= there
        assert audit(tmp_path / f"{at}").report.findings == []


def test_ours_a_journal_that_was_sealed_is_not_sealed_again(tmp_path: Path) -> None:
    record = BatchRecord.open(tmp_path / "l")
    record.record_verdict(verdict(), [robots()]).result()
    (journal,) = journals(tmp_path / "l")
    content = journal.read_bytes()
    record.close()
    journal.write_bytes(content)  # as if the run had been killed before it was removed
    BatchRecord.open(tmp_path / "l").close()
    assert journals(tmp_path / "l") == []
    assert len(kept(tmp_path / "l")) == 1
    assert [each.kind for each in stored_records(tmp_path / "l")].count("segment") == 1


def test_ours_a_torn_row_at_the_end_of_a_journal_is_cut_and_the_rest_is_kept(tmp_path: Path) -> None:
    record = BatchRecord.open(tmp_path / "l")
    for n in range(3):
        record.record_verdict(verdict(url=f"{URL}?{n}"), [robots()]).result()
    (journal,) = journals(tmp_path / "l")
    content = journal.read_bytes().rstrip(b"\0")
    record.close()
    with Ledger.open(tmp_path / "other"):
        (tmp_path / "other" / "segments").mkdir()
    (tmp_path / "other" / "segments" / journal.name).write_bytes(content[:-3])
    (tmp_path / "l" / "evidence").rename(tmp_path / "other" / "evidence")
    BatchRecord.open(tmp_path / "other").close()
    assert kept(tmp_path / "other") == {f"{URL}?0", f"{URL}?1"}
    assert audit(tmp_path / "other").report.findings == []
