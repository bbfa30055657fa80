"""``consentcrawl ledger``: what it shows of a ledger, what it proves, and what it changes."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
from base64 import b64encode
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from consentcrawl.cli import app, tables
from consentcrawl.cli.excerpt import excerpt
from consentcrawl.core import Category, Gate, Ground, Hop, Outcome, Verdict, disallow
from consentcrawl.ledger.checkpoint import Checkpoint, new_key, sign
from consentcrawl.ledger.evidence import Document, EvidenceStore, evidence_list
from consentcrawl.ledger.evidence.evidence_list import LookedUp
from consentcrawl.ledger.files import OS_FILES
from consentcrawl.ledger.index import INDEX_FILE
from consentcrawl.ledger.key_files import load_key
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.proof import prove
from consentcrawl.ledger.recording.stored import about, at, stored_records
from consentcrawl.ledger.records import outcome_entry, verdict_entry, verdict_record
from consentcrawl.ledger.segment_rows import PERSONAL, SCHEMA, as_row
from consentcrawl.ledger.segments import write_segment

URL, OTHER, OLD = "https://art.example/private/1.jpg", "https://art.example/2.jpg", "https://art.example/old"
ROBOTS = "https://art.example/robots.txt"
RULES = b"# \x1b[31mours\nUser-agent: *\nAllow: /\nDisallow: /private/\nCrawl-delay: 1\n"
AT = 1_700_000_000.0
SEGMENT_ROW = "https://b.example/1"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger with a refusal and a permit, what they rest on, a delivery and a batch segment."""
    directory = tmp_path / "l"
    make(directory)
    return directory


def make(directory: Path) -> None:
    with Ledger.open(directory) as log:
        listed = documents(directory)
        log.submit([verdict_entry(permit(), [listed])]).result()
        log.submit(
            [outcome_entry(OTHER, verdict=1, status=200, size=3, digest="cd" * 32, file="images/2.jpg", at=1.0)]
        ).result()
        log.submit([verdict_entry(refusal(), [listed])]).result()
        log.append(segment(directory).as_record(log.now()))


def documents(directory: Path) -> str:
    with EvidenceStore(directory / "evidence") as store:
        digest = store.put(ROBOTS, 200, [("Content-Type", "text/plain")], RULES, AT)
        looked_up = [
            LookedUp(ROBOTS, 200, 1_700_000_000_000, digest=digest),
            LookedUp("https://art.example/ai.txt", None, 1_700_000_000_000, gap="timeout"),
        ]
        return store.note("look-ups", evidence_list.MEDIA_TYPE, evidence_list.written(looked_up), AT)


def segment(directory: Path) -> Any:
    ground = Ground("ai_txt", disallow(Category.TRAIN, "Disallow: *", "line 2"), "https://b.example/ai.txt")
    refused = {"outcome": Outcome.REFUSE, "grounds": (ground,), "deciding": (ground,)}
    verdicts = [permit(url=f"https://b.example/{n}", hops=(), **({} if n else refused)) for n in range(19)]
    verdicts.append(permit(url="https://b.example/moved", hops=(Hop("https://b.example/old", 301),)))
    rows = [as_row(*verdict_record(verdict)) for verdict in verdicts]
    (directory / "segments").mkdir(mode=0o700)
    table = pa.Table.from_pylist(rows, SCHEMA)
    return write_segment(table, directory / "segments" / "s.parquet", personal=PERSONAL)


def permit(**more: Any) -> Verdict:
    parts: dict[str, Any] = {
        "url": OTHER, "outcome": Outcome.PERMIT, "purpose": "train-ai", "gate": Gate.HEAD, "enforced": True,
        "grounds": (), "gaps": (), "decided_at": AT, "version": "1", "hops": (Hop(OLD, 301),),
    }  # fmt: skip
    return Verdict(**parts | more)


def refusal() -> Verdict:
    ground = Ground("robots_txt", disallow(Category.ACQUIRE, "Disallow: /private/", "line 4"), ROBOTS)
    return permit(url=URL, outcome=Outcome.REFUSE, gate=Gate.LOOKUP, grounds=(ground,), deciding=(ground,), hops=())


def run(*words: object) -> Result:
    result = CliRunner().invoke(app, ["ledger", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def damage(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_ours_verify_says_what_it_proves_and_what_it_does_not(ledger: Path) -> None:
    result = run("verify", ledger)

    assert result.exit_code == 0
    assert "The 6 entries are those that the key's holder signed" in result.stdout
    assert "Documents: 2" in result.stdout
    assert "Batch segments: 1 with 20 rows" in result.stdout
    assert "Not shown: that the key's holder did not rewrite" in result.stdout
    report = json.loads(run("verify", ledger, "--json").stdout)
    assert (report["holds"], report["documents"], report["rows"], report["witnessed"]) == (True, 2, 20, False)


@pytest.mark.parametrize(
    ("path", "at", "words"),
    [
        ("log/*.zst", 40, "The ledger is not what was signed"),
        ("evidence/*.warc.gz", 300, "is missing or damaged"),
        ("segments/s.parquet", 30, "s.parquet"),
    ],
)
def test_ours_verify_finds_a_change_in_log_documents_and_segments(ledger: Path, path: str, at: int, words: str) -> None:
    (file,) = ledger.glob(path)
    damage(file, at)

    result = run("verify", ledger)

    assert result.exit_code == 1
    assert words in result.stdout
    assert "Not shown" not in result.stdout


def test_ours_verify_finds_documents_and_segments_that_are_gone(ledger: Path) -> None:
    for path in (*ledger.glob("evidence/*"), *ledger.glob("segments/*")):
        path.unlink()

    result = run("verify", ledger)

    assert result.exit_code == 1
    assert result.stdout.count("wrong: ") == 2


def test_ours_an_index_that_can_neither_be_written_nor_removed_is_done_without(ledger: Path, tmp_path: Path) -> None:
    (ledger / "index.sqlite").unlink(missing_ok=True)
    (ledger / "index.sqlite").mkdir()
    assert run("show", URL, ledger).exit_code == 0
    assert run("prove", URL, ledger, "-o", tmp_path / "p").exit_code == 0


def test_ours_a_head_kept_elsewhere_finds_a_rewrite(ledger: Path, tmp_path: Path) -> None:
    kept = tmp_path / "head.txt"
    assert run("head", ledger, "-o", kept).exit_code == 0
    assert kept.read_text() == run("head", ledger).stdout
    assert "kept elsewhere is one of them" in run("verify", ledger, "--witness", kept).stdout
    make(tmp_path / "m")

    result = run("verify", tmp_path / "m", "--witness", kept)

    assert result.exit_code == 1
    assert "the witness" in result.stdout
    key = (ledger / "key.pub").read_text().strip()
    assert run("verify", ledger, "--key", key).exit_code == 0
    assert run("verify", ledger, "--key", ledger / "key.pub").exit_code == 0
    assert run("verify", ledger, "--key", "nowhere/key.pub").exit_code == 2
    assert run("verify", tmp_path / "m", "--key", key).exit_code == 1


def test_ours_show_prints_every_verdict_newest_first_with_the_line_marked(ledger: Path) -> None:
    with Ledger.open(ledger) as log:
        log.submit([verdict_entry(permit(url=URL, hops=()))]).result()

    result = run("show", "HTTPS://art.example:443/private/1.jpg", ledger)

    assert result.exit_code == 0
    assert result.stdout.index("PERMIT") < result.stdout.index("REFUSE")
    assert ">      4  Disallow: /private/" in result.stdout
    assert "       3  Allow: /" in result.stdout
    assert "Crawl-delay" in result.stdout
    assert "no complete answer came in time" in result.stdout
    assert "\x1b[31m" not in result.stdout
    assert f"sha256 {sha256(RULES).hexdigest()[:16]}" in result.stdout


def test_ours_show_finds_what_was_redirected_delivered_and_in_segments(ledger: Path) -> None:
    delivered = run("show", OTHER, ledger).stdout
    assert "3 bytes delivered" in delivered
    assert "images/2.jpg" in delivered
    assert f"redirected from {OLD}" in run("show", OLD, ledger).stdout
    assert "row 0" in (shown := run("show", "https://b.example/0", ledger).stdout)
    assert "Disallow: *" in shown
    said = json.loads(run("show", "https://b.example/0", ledger, "--json").stdout)
    assert (said["entry"], said["row"], said["grounds"][0]["signal"]) == (4, 0, "ai_txt")
    assert "https://b.example/moved" in run("show", "https://b.example/old", ledger).stdout


@pytest.mark.parametrize(
    ("ground", "fields", "content", "shown"),
    [
        ({"quote": "noai", "where": "X-Robots-Tag field 1"}, [("X-Robots-Tag", "noai")], b"", [(0, True)]),
        ({"quote": "X-Robots-Tag: noai", "where": ""}, [("x-robots-tag", "noai")], b"", [(0, True)]),
        ({"quote": "noai", "where": "X-Robots-Tag field 1"}, [("X-Robots-Tag", "none")], b"", []),
        ({"quote": "NoAI", "where": "meta"}, [], b"a\r\nb\rnoai\n", [(1, False), (2, False), (3, True)]),
        ({"quote": "noai", "where": "line 9"}, [], b"a\nnoai", [(1, False), (2, True)]),
        ({"quote": "", "where": ""}, [], b"a", []),
        ({"quote": "elsewhere", "where": "meta"}, [], b"a", []),
    ],
)
def test_ours_the_words_are_marked_where_they_are_found(
    ground: dict[str, str], fields: list[tuple[str, str]], content: bytes, shown: list[tuple[int, bool]]
) -> None:
    document = Document(ROBOTS, 200, tuple(fields), content, AT)
    assert [(line.number, line.marked) for line in excerpt(document, [ground])] == shown


def test_ours_a_long_line_is_cut_around_the_words() -> None:
    document = Document(ROBOTS, 200, (), b"x" * 500 + b"noai" + b"y" * 500, AT)
    (line,) = excerpt(document, [{"quote": "noai", "where": "meta"}])
    assert "noai" in line.text
    assert len(line.text) < 200
    assert (line.text[0], line.text[-1]) == ("\u2026", "\u2026")


def test_ours_an_agreement_is_shown(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as log:
        log.submit([verdict_entry(permit(agreement="Archive 12", enforced=False))]).result()
    shown = run("show", OTHER, tmp_path / "l").stdout
    assert "under the agreement Archive 12" in shown
    assert "observed only" in shown


def test_ours_verify_tells_what_is_not_signed_yet(ledger: Path) -> None:
    log = Ledger.open(ledger)
    log.submit([verdict_entry(permit())]).result()
    assert "2 entries came after the newest head" in run("verify", ledger).stdout
    log.close()
    with (ledger / "heads.log").open("ab") as heads:
        heads.write(bytes(100))
    assert "100 bytes at the end were never acknowledged" in run("verify", ledger).stdout


def test_ours_a_table_on_a_terminal(ledger: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    tables.write([{"url": "u", "size": 3, "file": None}], {"url": str, "size": int, "file": str}, "table", None)
    printed = re.sub("\x1b[^m]*m", "", capsys.readouterr().out).split()
    assert printed == ["url", "size", "file", "u", "3"]
    assert ledger.exists()


def test_ours_show_gives_the_very_bytes(ledger: Path, tmp_path: Path) -> None:
    digest = sha256(RULES).hexdigest()

    assert run("show", URL, ledger, "--raw", digest[:10], "-o", tmp_path / "r").exit_code == 0

    assert (tmp_path / "r").read_bytes() == RULES
    assert run("show", URL, ledger, "--raw", digest).stdout_bytes == RULES
    assert run("show", URL, ledger, "--raw", "00000000").exit_code == 2
    assert run("show", URL, ledger, "--raw", digest[:4]).exit_code == 2


def test_ours_show_says_when_a_document_is_missing_or_nothing_is_told(ledger: Path) -> None:
    for path in ledger.glob("evidence/*"):
        path.unlink()
    assert "is missing or damaged" in run("show", URL, ledger).stdout
    result = run("show", "https://nobody.example/", ledger)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is nothing about" in result.stderr
    assert run("show", "not a url", ledger).exit_code == 1


def test_ours_the_index_is_not_needed(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_index = about(ledger, URL)
    (ledger / INDEX_FILE).write_bytes(b"no database at all, but long enough to be taken for one" * 40)
    assert about(ledger, URL) == with_index
    with closing(sqlite3.connect(ledger / INDEX_FILE)) as index:
        index.execute("update entry set id = id + 100")
        index.execute("update url set entry = entry + 100")
        index.commit()
    assert about(ledger, URL) == with_index
    with closing(sqlite3.connect(ledger / INDEX_FILE)) as index:
        index.execute("drop table url")
    assert about(ledger, URL) == with_index

    def nothing(*_: object) -> None:
        raise sqlite3.OperationalError

    monkeypatch.setattr("consentcrawl.ledger.index.update", nothing)
    monkeypatch.setattr("consentcrawl.ledger.index.rebuild", nothing)
    assert about(ledger, URL) == with_index
    assert about(ledger, SEGMENT_ROW)[0].row == 1


def proof_of(ledger: Path, url: str, *more: object) -> Path:
    to = ledger.parent / "proof"
    result = run("prove", url, ledger, "-o", to, *more)
    assert result.exit_code == 0, result.output
    return to


@pytest.mark.parametrize("form", [[], ["--text"]])
def test_ours_a_proof_is_checked_without_the_ledger(ledger: Path, tmp_path: Path, form: list[str]) -> None:
    proof = proof_of(ledger, URL, *form)
    key = tmp_path / "key.pub"
    key.write_bytes((ledger / "key.pub").read_bytes())
    ledger.rename(tmp_path / "away")

    trusting = run("check-proof", proof)
    result = run("check-proof", proof, "--key", key)

    assert (trusting.exit_code, result.exit_code) == (0, 0)
    assert f"REFUSE {URL}" in result.stdout
    assert "“Disallow: /private/”" in result.stdout
    assert "whose key that is" in trusting.stdout
    assert "whose key that is" not in result.stdout
    assert "signed one ledger only" in result.stdout
    said = json.loads(run("check-proof", proof, "--json").stdout)
    assert (said["holds"], said["entry"], said["urls"][0], said["key_from_elsewhere"]) == (True, 3, URL, False)


def test_ours_a_row_is_proved_through_segment_and_ledger(ledger: Path) -> None:
    result = run("check-proof", proof_of(ledger, SEGMENT_ROW))
    assert result.exit_code == 0
    assert f"PERMIT {SEGMENT_ROW}" in result.stdout
    assert "“Disallow: *”" in run("check-proof", proof_of(ledger, "https://b.example/0")).stdout


def test_ours_a_proof_that_was_changed_or_is_of_another_key_does_not_hold(ledger: Path) -> None:
    proof = proof_of(ledger, URL)
    assert run("check-proof", proof, "--key", str(new_key("other").verifier)).exit_code == 1
    damage(proof, -1)
    result = run("check-proof", proof)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "The proof does not hold."
    assert json.loads(run("check-proof", proof, "--json").stdout)["holds"] is False


def test_ours_a_proof_can_lead_to_a_head_that_was_kept_elsewhere(ledger: Path, tmp_path: Path) -> None:
    kept = tmp_path / "head.txt"
    run("head", ledger, "-o", kept)
    with Ledger.open(ledger) as log:
        log.submit([verdict_entry(permit())]).result()
    newest = run("check-proof", proof_of(ledger, URL), "--witness", kept)
    assert newest.exit_code == 1
    assert "ask for a proof made with --witness" in newest.stdout

    result = run("check-proof", proof_of(ledger, URL, "--witness", kept), "--witness", kept)

    assert result.exit_code == 0
    assert "signed one ledger only" not in result.stdout
    assert run("prove", OTHER, ledger, "--witness", kept, "-o", tmp_path / "p").exit_code == 2
    assert run("prove", OTHER, ledger, "--entry", 1, "--witness", kept, "-o", tmp_path / "p").exit_code == 0
    kept.write_text("no head")
    assert run("prove", URL, ledger, "--witness", kept, "-o", tmp_path / "p").exit_code == 2
    assert run("check-proof", tmp_path / "p", "--witness", kept).exit_code == 1


def test_ours_two_ledgers_under_one_key_are_found(ledger: Path, tmp_path: Path) -> None:
    other, kept = tmp_path / "other", tmp_path / "head.txt"
    shutil.copytree(ledger, other)
    for directory, url in ((ledger, URL), (other, OTHER)):
        with Ledger.open(directory) as log:
            log.submit([verdict_entry(permit(url=url, hops=()))]).result()
    run("head", other, "-o", kept)

    result = run("check-proof", proof_of(ledger, URL), "--witness", kept)

    assert result.exit_code == 1
    assert "there are two ledgers" in result.stdout
    signer = load_key(OS_FILES, ledger)
    kept.write_text(sign(Checkpoint("another", 9, bytes(32)), [signer]))
    assert "is one of another" in run("check-proof", tmp_path / "proof", "--witness", kept).stdout


def test_ours_a_proof_that_says_odd_things_is_still_checked(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as log:
        log.append({"kind": "verdict", "at": 1, "outcome": "refuse", "grounds": 3}, [URL])
        log.append({"kind": "outcome"}, [OTHER])
    (tmp_path / "p").write_bytes(prove(tmp_path / "l", 1))
    result = run("check-proof", tmp_path / "p")
    assert result.exit_code == 0
    assert "It says something that no ledger of this version says" in result.stdout


def test_ours_there_may_be_no_head(ledger: Path) -> None:
    (ledger / "checkpoint").unlink()
    assert run("head", ledger).exit_code == 2
    assert run("verify", ledger).exit_code == 1


def test_ours_a_damaged_segment_ends_an_export(ledger: Path) -> None:
    (ledger / "segments" / "s.parquet").write_bytes(b"x")
    assert run("export", ledger).exit_code == 2
    assert at(ledger, 3).urls == (URL,)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_ours_export_gives_every_record_as_a_row(ledger: Path, tmp_path: Path, form: str) -> None:
    to = tmp_path / f"out.{form}"

    result = run("export", ledger, "-o", to)

    assert result.exit_code == 0
    rows = read(to)
    assert len(rows) == 6 + 20
    refused = next(row for row in rows if row["url"] == URL)
    assert (refused["outcome"], refused["signal"], refused["source"]) == ("refuse", "robots_txt", ROBOTS)
    assert next(row for row in rows if row["url"] == "https://b.example/0")["quote"] == "Disallow: *"
    assert json.loads(refused["record"])["kind"] == "verdict"
    assert run("export", ledger, "--format", form, "--kind", "outcome").exit_code == 0


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["--kind", "outcome"], 1), (["--outcome", "refuse"], 2), (["--signal", "ai_txt"], 1),
        (["--origin", "https://b.example"], 20), (["--day", "2023-11-14"], 22), (["--day", "2023-11-15"], 0),
        (["--origin", "https://b.example", "--outcome", "refuse"], 1),
    ],
)  # fmt: skip
def test_ours_export_can_be_narrowed(ledger: Path, words: list[str], number: int) -> None:
    assert len(run("export", ledger, *words).stdout.splitlines()) == number


def test_ours_the_index_is_built_and_built_anew(ledger: Path) -> None:
    result = run("index", ledger)
    assert (result.exit_code, result.stdout) == (0, f"{ledger / INDEX_FILE}\n")
    (ledger / INDEX_FILE).write_bytes(b"no database" * 1000)
    assert run("index", ledger).exit_code == 0
    with closing(sqlite3.connect(ledger / INDEX_FILE)) as index:
        index.execute("delete from entry")
        index.commit()
    assert run("index", ledger, "--rebuild").exit_code == 0
    with closing(sqlite3.connect(ledger / INDEX_FILE)) as index:
        assert index.execute("select count(*) from entry").fetchone() == (6,)


def test_ours_an_index_that_cannot_be_written_is_told(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consentcrawl.cli.ledger_tables.fresh_index", lambda _: None)
    assert run("index", ledger).exit_code == 2


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(path.read_text())))
    return list(pq.read_table(path).to_pylist())


def test_ours_stats_counts(ledger: Path) -> None:
    figures = json.loads(run("stats", ledger, "--json").stdout)
    assert figures["records"] == {
        "row of a batch segment": 20, "verdict": 2, "run-start": 1, "outcome": 1, "segment": 1, "run-stop": 1,
    }  # fmt: skip
    assert figures["verdicts"] == {"permit": 20, "refuse": 2}
    assert figures["signals that spoke"] == {"robots_txt": 1, "ai_txt": 1}
    assert figures["origins"] == {"judged": 2}
    assert "robots_txt" in run("stats", ledger).stdout


def test_ours_erase_takes_the_url_out_and_proofs_stand(ledger: Path) -> None:
    proof = proof_of(ledger, URL)

    result = run("erase", ledger, "--url", URL)

    assert result.exit_code == 0
    assert "from 1 entries and 0 rows" in result.stdout
    assert run("erase", ledger, "--url", SEGMENT_ROW).stdout.startswith("Erased from 0 entries and 1 rows")
    assert run("erase", ledger, "--url", "https://b.example/old").stdout.startswith("Erased from 0 entries and 1 rows")
    assert run("erase", ledger, "--url", ROBOTS).stdout.startswith("Erased from 0 entries")
    assert run("show", URL, ledger).exit_code == 1
    assert run("show", SEGMENT_ROW, ledger).exit_code == 1
    assert run("verify", ledger).exit_code == 0
    assert run("check-proof", proof).exit_code == 0
    assert all(URL not in each.urls for each in stored_records(ledger))


def test_ours_erase_tells_of_documents_that_name_the_url(tmp_path: Path) -> None:
    page = "https://art.example/page"
    with Ledger.open(tmp_path / "l") as log, EvidenceStore(tmp_path / "l" / "evidence") as store:
        digest = store.put(page, 200, [], b"<meta>", AT)
        ground = Ground("robots_meta", disallow(Category.TRAIN, "noai", "meta"), page)
        log.submit([verdict_entry(permit(grounds=(ground,)), [digest])]).result()
        log.submit([verdict_entry(permit(url="https://c.example/", hops=()), [digest])]).result()

    result = run("erase", tmp_path / "l", "--url", page)

    assert "name it still" in result.stdout
    assert digest in result.stdout
    assert digest not in run("erase", tmp_path / "l", "--url", "https://c.example/").stdout
    assert run("verify", tmp_path / "l").exit_code == 0


def test_ours_merge_brings_entries_segments_and_documents(ledger: Path, tmp_path: Path) -> None:
    into = tmp_path / "all"
    (tmp_path / "b").mkdir()
    with Ledger.open(tmp_path / "b" / "l") as log:
        log.submit([verdict_entry(permit(url="https://c.example/"))]).result()

    assert run("merge", ledger, tmp_path / "b" / "l", "-o", into).exit_code == 0
    assert run("merge", ledger, "-o", into).stdout.split(": ")[1].startswith("0 entries")

    assert run("verify", into).exit_code == 0
    assert ">      4  Disallow: /private/" in run("show", URL, into).stdout
    assert f"PERMIT {SEGMENT_ROW}" in run("check-proof", proof_of(into, SEGMENT_ROW)).stdout
    assert f"REFUSE {URL}" in run("check-proof", proof_of(into, URL)).stdout
    assert json.loads(run("stats", into, "--json").stdout)["verdicts"] == {"permit": 21, "refuse": 2}
    assert run("erase", into, "--url", SEGMENT_ROW).stdout.startswith("Erased from 0 entries and 1 rows")
    assert run("merge", into, "-o", into).exit_code == 2
    segment_file = into / "segments" / "s.parquet"
    segment_file.write_bytes(b"another")
    assert run("merge", ledger, "-o", into).exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "nowhere"], ["show", URL, "nowhere"], ["head", "nowhere"], ["export", "nowhere"],
        ["stats", "nowhere"], ["erase", "nowhere", "--url", URL], ["merge", "nowhere", "-o", "x"],
        ["prove", URL, "nowhere", "-o", "p"], ["check-proof", "nowhere"], ["prove", URL, "l"],
        ["prove", "https://nobody.example/", "l", "-o", "p"], ["prove", URL, "l", "--entry", "1", "-o", "p"],
        ["verify", "l", "--witness", "nowhere"], ["export", "l", "--format", "xml"],
        ["check-proof", "l/key.pub", "--key", "nowhere"],
    ],
)  # fmt: skip
@pytest.mark.usefixtures("ledger")
def test_ours_wrong_use_exits_2(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    if "Usage" not in result.stderr:
        assert len(result.stderr.splitlines()) == 1


def test_ours_a_segment_named_elsewhere_is_not_read(ledger: Path) -> None:
    root = b64encode(bytes(32)).decode()
    with Ledger.open(ledger) as log:
        log.append({"kind": "outcome", "like": {"kind": "segment"}})
        log.append({"kind": "segment", "personal_columns": 3, "file": "s.parquet"})
        said = {"kind": "segment", "at": 1, "file": "../../x", "rows": 1, "root": root, "sha256": ""}
        log.append({**said, "personal_columns": ["url"]})
    found = run("verify", ledger).stdout
    assert "in another place" in found
    assert found.count("wrong: ") == 2
    assert run("export", ledger).exit_code == 2


def test_ours_the_queries_of_the_datasette_recipe_run_on_the_index(ledger: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "browse-with-datasette.md").read_text("utf-8")
    metadata = json.loads(re.findall(r'^```json title="metadata.json"$(.*?)^```$', page, re.MULTILINE | re.DOTALL)[0])
    queries = metadata["databases"]["index"]["queries"]
    by_field, *_ = re.findall(r"^```sql$(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    run("index", ledger)
    with closing(sqlite3.connect(ledger / INDEX_FILE)) as index:
        found = {name: index.execute(query).fetchall() for name, query in queries.items()}
        by_robots = index.execute(by_field.replace("x_robots_tag", "robots_txt")).fetchall()
    assert found["outcomes_by_day"] == [("2023-11-14", "permit", 1), ("2023-11-14", "refuse", 1)]
    assert found["refusals_by_origin"] == [("https://art.example", 1)]
    assert found["what_spoke"] == [("robots_txt", "refuse", 1)]
    assert by_robots == [(3, "2023-11-14 22:13:20")]
