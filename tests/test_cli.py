"""The command line: what goes in, what comes out, and the exit codes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from consentcrawl.cli import app, output
from consentcrawl.cli.demo_sites import Answer
from consentcrawl.cli.demo_web import web
from consentcrawl.cli.tally import Tally
from consentcrawl.config import VERSION, Config
from consentcrawl.core import Category, Gap, Gate, Ground, Hop, Outcome, Verdict, allow, disallow, remark
from consentcrawl.dataset.readers import Row
from consentcrawl.net.pace import Pace

OPEN, NOAI, LOST = "http://open.example/1", "http://noai.example/1", "http://open.example/none"
SITES = {
    "open.example": {"/1": Answer(b"words", fields={"Content-Type": "text/plain"})},
    "noai.example": {
        "/1": Answer(fields={"X-Robots-Tag": "noai", "Content-Usage": "train-ai=n"}),
        "/p": Answer(b"<meta name=robots content=noai>", fields={"Content-Type": "text/html"}),
    },
}


@pytest.fixture(scope="module")
def connect_to() -> Iterator[list[str]]:
    """The options that lead to a small web."""
    with web(SITES) as values:
        yield [option for value in values for option in ("--connect-to", value)]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def run(*words: str, stdin: bytes = b"") -> Result:
    result = CliRunner().invoke(app, list(words), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_ours_every_url_of_a_list_is_a_row_in_order(connect_to: list[str], tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_bytes(f"{OPEN}\r\n{NOAI}\nnot a url\n\n HTTP://OPEN.example:80/1\n{LOST}\n".encode())

    result = run("check", "l.txt", "--format", "jsonl", *connect_to)

    rows = [(row["url"], row["outcome"]) for row in lines(result)]
    assert rows == [
        (OPEN, "permit"),
        (NOAI, "refuse"),
        ("not a url", "undetermined"),
        (" HTTP://OPEN.example:80/1", "permit"),
        (LOST, "undetermined"),
    ]
    assert result.stderr.splitlines()[-1] == "5 rows: 2 permit, 1 refuse, 2 undetermined"
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("urls", "options", "code"),
    [
        ([OPEN], [], 0),
        ([OPEN, NOAI, LOST], [], 1),
        ([OPEN, LOST], [], 3),
        ([NOAI, LOST], ["--exit-zero"], 0),
        ([NOAI, LOST], ["--fail-on", "undetermined"], 3),
        ([NOAI, OPEN], ["--fail-on", "undetermined"], 0),
        ([LOST, OPEN], ["--fail-on", "refused"], 0),
        ([OPEN], ["--fail-on", "everything"], 2),
        ([OPEN], ["--format", "xml"], 2),
        ([OPEN], ["--input-format", "xml", "x"], 2),
        ([OPEN], ["--purpose", "fun"], 2),
        ([OPEN], ["--token", "a b"], 2),
        ([OPEN], ["--policy", "soft"], 2),
        ([OPEN], ["--policy", "gap=hold"], 2),
        ([OPEN], ["--policy", "gaps=maybe"], 2),
        ([OPEN], ["--connect-to", "nowhere"], 2),
        ([OPEN], ["--allow-net", "nowhere"], 2),
        ([OPEN], ["--config", "none.toml"], 2),
        ([OPEN], ["--store", "no/such/folder"], 2),
        ([OPEN], ["-o", "no/such/folder.csv"], 2),
        ([OPEN], ["--gate", "tail"], 2),
        (["none.csv"], [], 2),
        ([], [], 2),
    ],
)
def test_ours_exit_codes(connect_to: list[str], urls: list[str], options: list[str], code: int) -> None:
    assert run("check", *urls, *options, *connect_to).exit_code == code


def test_ours_wrong_use_is_one_line_that_names_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "l\x1b[1m.csv").write_text("link\nx\n")

    result = run("check", "l\x1b[1m.csv", "-o", "out.csv")

    assert result.stderr == "consentcrawl: l\\x1b[1m.csv: line 1: no column 'url' among 'link'\n"
    assert not (tmp_path / "out.csv").exists()


def test_ours_rows_before_a_fault_are_written(connect_to: list[str], tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_text(json.dumps({"url": OPEN}) + "\n{oops\n")

    result = run("check", "l.jsonl", "--format", "jsonl", *connect_to)

    assert [row["url"] for row in lines(result)] == [OPEN]
    assert "l.jsonl: line 2, column 2" in result.stderr
    assert result.exit_code == 2


def test_ours_columns_are_named_and_the_page_speaks_for_the_image(connect_to: list[str], tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text(f"image,shown\n{OPEN},http://noai.example/p\n{OPEN},\n")
    options = ["--url-column", "image", "--page-column", "shown", "--format", "jsonl"]

    first, second = lines(run("check", "l.csv", *options, *connect_to))

    assert (first["outcome"], first["page"]) == ("refuse", "http://noai.example/p")
    assert (second["outcome"], "page" in second) == ("permit", False)


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet", "out.jsonl.gz", "out.csv.gz", "out.txt"])
def test_ours_the_suffix_says_the_format(connect_to: list[str], tmp_path: Path, name: str) -> None:
    result = run("check", OPEN, NOAI, "-o", name, *connect_to)
    content = (tmp_path / name).read_bytes()

    assert (result.exit_code, result.stdout) == (1, "")
    assert _urls(name.removesuffix(".gz"), gzip.decompress(content) if name.endswith(".gz") else content) == [
        OPEN,
        NOAI,
    ]


def _urls(name: str, content: bytes) -> list[str]:
    if name.endswith("jsonl"):
        return [json.loads(line)["url"] for line in content.splitlines()]
    if name.endswith("csv"):
        return [row["url"] for row in csv.DictReader(io.StringIO(content.decode()))]
    if name.endswith("parquet"):
        return [row["url"] for row in pq.read_table(io.BytesIO(content)).to_pylist()]
    return [line.split()[-1] for line in content.decode().splitlines() if "http" in line and "of its" not in line]


def test_ours_parquet_in_and_out(connect_to: list[str], tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": [OPEN, None, NOAI]}), tmp_path / "l.parquet")

    assert run("check", "l.parquet", "-o", "out.parquet", *connect_to).exit_code == 1
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("outcome").to_pylist() == ["permit", "undetermined", "refuse"]
    assert table.column("signal").to_pylist()[2] in ("x_robots_tag", "content_usage")


def test_ours_what_is_read_or_was_written_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "done.jsonl").write_text("{}\n")
    (tmp_path / "l.txt").write_text("x\n")

    assert "written over" in run("check", "l.txt", "-o", "l.txt").stderr
    assert "name another file" in run("check", "l.txt", "--skip", "1", "-o", "done.jsonl").stderr
    assert (tmp_path / "l.txt").read_text() == "x\n"


def test_ours_rows_are_skipped(connect_to: list[str]) -> None:
    result = run("check", "-", "--skip", "2", "--format", "jsonl", *connect_to, stdin=f"a\n\nb\n{OPEN}\n".encode())

    assert [row["url"] for row in lines(result)] == [OPEN]


def test_ours_an_empty_list_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("\n")

    result = run("check", "l.txt", "--format", "csv")

    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)


def test_ours_a_lookup_asks_nothing_of_the_asset_and_all_grounds_are_collected(connect_to: list[str]) -> None:
    (lookup,) = lines(run("check", NOAI, "--gate", "lookup", "--format", "jsonl", *connect_to))
    (head,) = lines(run("check", NOAI, "--all-grounds", "--format", "jsonl", *connect_to))

    assert (lookup["outcome"], lookup["gate"]) == ("permit", "lookup")
    assert {"x_robots_tag", "content_usage"} <= {ground["signal"] for ground in head["grounds"]}  # type: ignore[attr-defined]


def test_ours_look_ups_are_kept_in_a_file(connect_to: list[str], tmp_path: Path) -> None:
    assert run("check", OPEN, "--store", "kept.sqlite", *connect_to).exit_code == 0
    assert (
        run("check", OPEN, "--gate", "lookup", "--store", "kept.sqlite", "--connect-to", "::127.0.0.1:1").exit_code == 0
    )
    assert (tmp_path / "kept.sqlite").stat().st_size > 0


def test_ours_a_private_network_is_dialled_only_when_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        server.close()
        (closed,) = lines(run("check", url, "--format", "jsonl"))
        (named,) = lines(run("check", url, "--format", "jsonl", "--allow-net", "127.0.0.0/8"))

    assert "address" in json.dumps(closed)
    assert "address" not in json.dumps(named)


def test_ours_the_table_is_readable_at_80_columns_and_has_no_control_characters(connect_to: list[str]) -> None:
    result = run("check", OPEN, NOAI, "http://x/\x1b[31m[red]", "http://open.example/" + "x" * 200, *connect_to)

    assert "of its own answer" in result.stdout
    assert "http://x/\\x1b[31m[red]" in result.stdout
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_ours_a_terminal_that_knows_only_ascii_is_no_fault(connect_to: list[str]) -> None:
    result = CliRunner(charset="ascii").invoke(app, ["check", NOAI, *connect_to])

    assert (result.exit_code, "\\u201c" in result.stdout) == (1, True)


def test_ours_quiet_says_nothing(connect_to: list[str]) -> None:
    assert run("check", OPEN, "-q", *connect_to).stderr == ""


def test_ours_explain_tells_grounds_gaps_and_where_the_policy_came_from(
    connect_to: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "consentcrawl.toml").write_text("[policy]\nsearch_tags = 'refuse'\nsignals_off = ['rsl']\n")
    monkeypatch.setenv("CONSENTCRAWL_POLICY_INHERIT", "all")

    result = run("explain", NOAI, "--page", OPEN, "--policy", "strict", "--policy", "mode=observe", *connect_to)
    text = " ".join(result.stdout.split())

    assert result.exit_code == 1
    assert "REFUSE for train-ai (acquire, train-generative) as consentcrawl" in text
    assert "“noai” X-Robots-Tag field 1, http://noai.example/1" in text
    assert "observed only" in text
    for setting in (
        "search_tags refuse consentcrawl.toml",
        "inherit all environment",
        "mode observe command line",
        "gaps hold preset strict",
        "signals_off rsl",
    ):
        assert setting in text


@pytest.mark.parametrize(("url", "code"), [(OPEN, 0), (LOST, 3), ("no url", 3)])
def test_ours_explain_exits_as_check_does(connect_to: list[str], url: str, code: int) -> None:
    assert run("explain", url, *connect_to).exit_code == code


def test_ours_explain_wants_settings_that_can_be_read() -> None:
    assert run("explain", OPEN, "--policy", "soft").exit_code == 2


def test_ours_inspect_tells_what_a_file_says(tmp_path: Path) -> None:
    (tmp_path / "p.html").write_text("<meta name=robots content=noai>")

    page = run("inspect", "p.html")
    field = run("inspect", "-", "--field", "X-Robots-Tag: noai", "--url", OPEN, "--json", stdin=b"words")

    assert (page.exit_code, field.exit_code) == (1, 1)
    assert "p.html" in page.stdout
    assert json.loads(field.stdout)["grounds"][0]["quote"] == "noai"
    assert run("inspect", "-", stdin=b"words").exit_code == 0
    assert run("inspect", "p.html", "--field", "content-type: text/plain").exit_code == 0


@pytest.mark.parametrize("words", [["none"], ["-", "--field", "noai"], ["-", "--field", ": x"], ["-", "--url", "x"]])
def test_ours_inspect_used_wrongly(words: list[str]) -> None:
    assert run("inspect", *words).exit_code == 2


def test_ours_signals_are_listed_with_their_standards() -> None:
    every = lines(run("signals", "--format", "jsonl"))

    assert {"robots_txt", "x_robots_tag", "tdm_field"} <= {one["signal"] for one in every}
    assert all(one["what"] and one["standard"] and one["url"] and one["gates"] for one in every)
    assert "`robots_txt`" in run("signals", "--format", "markdown").stdout
    assert "RFC 9309" in run("signals").stdout
    assert run("signals", "--format", "xml").exit_code == 2


def test_ours_version_and_help() -> None:
    assert run("--version").stdout == f"consentcrawl {VERSION}\n"
    for words in (["--help"], ["check", "--help"], ["explain", "--help"], ["inspect", "--help"]):
        assert run(*words).exit_code == 0


# Output that these sites do not bring about


def test_ours_every_kind_of_verdict_can_be_explained() -> None:
    said = Ground("x_robots_tag", disallow(Category.TRAIN, "no\x07ai", "line 1", note="a note"), OPEN)
    also = Ground("x_robots_tag", disallow(Category.AI_USE, "no\x07ai", "line 1", note="a note"), OPEN)
    ours = Ground("policy", remark(Category.TRAIN, "unknown = refuse", "policy", "nothing allows it"), OPEN)
    gap = Gap(OPEN, "a_new_reason", holds=True, note="why\x1b")
    verdict = Verdict(
        OPEN, Outcome.REFUSE, "tdm", Gate.BODY, True, (said, also, ours), (gap,), (Hop(NOAI, 301),),  # noqa: FBT003 (a field)
        deciding=(said, also), agreement="a licence",
    )  # fmt: skip
    stream = io.StringIO()
    to = output.console(stream)
    for part in output.explanation(Row(OPEN, NOAI), verdict, Config()):
        to.print(part)
    text = " ".join(stream.getvalue().split())

    for words in (
        "shown on " + NOAI, "redirected (301) from", "under the agreement a licence", "“no\\x07ai” line 1, " + OPEN,
        "train, ai-use: disallowed", "note: a note", "says the policy", "a_new_reason",
        "leaves the verdict undetermined", "why\\x1b",
    ):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"agreement": "a licence"}, "under the agreement a licence"),
        (
            {"gaps": (Gap(OPEN, "timeout"),)},
            "no opt-out found; the content was not read; 1 look-up failed",
        ),
        ({"grounds": (Ground("x", allow(Category.TRAIN, "yes", "here"), OPEN),)}, "“yes”  here of its own answer"),
    ],
)
def test_ours_a_permit_says_what_it_rests_on(more: dict[str, object], words: str) -> None:
    parts: dict[str, object] = {"grounds": (), "gaps": (), **more}

    assert output.why(Verdict(OPEN, Outcome.PERMIT, "tdm", Gate.HEAD, True, **parts)).plain == words  # type: ignore[arg-type]  # noqa: FBT003 (a field)


def _verdicts(url: str, times: int) -> Iterator[Verdict]:
    for _ in range(times):
        yield Verdict(url, Outcome.PERMIT, "tdm", Gate.HEAD, True, (), ())  # noqa: FBT003 (a field)


@pytest.mark.parametrize(
    ("rows", "delay", "says"),
    [
        (100, 0.0, "at least 100 seconds: http://open.example at one request a second"),
        (100, 2.5, "at least 4 minutes: http://open.example at one request every 2.5 seconds"),
        (10_000, 1.0, "at least 3 hours"),
        (10, 0.0, ""),
    ],
)
def test_ours_a_summary_says_how_long_a_polite_fetch_takes(rows: int, delay: float, says: str) -> None:
    stream, pace = io.StringIO(), Pace()
    tally = Tally(output.console(stream), bar=False, quiet=False)
    pace.note("http://open.example", delay=delay)
    for verdict in _verdicts(OPEN, rows):
        tally.count(verdict)
    tally.summary(pace)

    assert says in stream.getvalue()
    assert stream.getvalue().count("\n") == (2 if says else 1)


def test_ours_progress_is_a_line_now_and_then_or_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consentcrawl.cli.tally._LINE_SECONDS", 0)
    monkeypatch.setattr("consentcrawl.cli.tally._BAR_SECONDS", 0)
    monkeypatch.setattr("consentcrawl.cli.tally._ORIGINS_COUNTED", 1)
    for bar, shown in ((False, "2 rows: 2 permit"), (True, "")):
        stream = io.StringIO()
        with Tally(output.console(stream), bar=bar, quiet=False) as tally:
            for verdict in (*_verdicts(OPEN, 1), *_verdicts(NOAI, 1)):
                tally.count(verdict)
        assert shown in stream.getvalue()


# The real thing

_CLI = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from consentcrawl.cli import app; app()"
)


def started(*words: str, **more: object) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-c", _CLI, *words],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment, **more},
    )


def test_ours_an_interrupt_leaves_finished_rows_and_says_where_to_go_on(connect_to: list[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (tmp_path / "l.txt").write_text(f"{OPEN}\n{NOAI}\nhttp://silent.example/\n{OPEN}\n")
        mapped = f"silent.example:80:127.0.0.1:{silent.getsockname()[1]}"
        running = started("check", "l.txt", "-o", "out.parquet", "--connect-to", mapped, *connect_to)
        dialled = silent.accept()[0]
        threading.Event().wait(0.3)
        running.send_signal(signal.SIGINT)
        threading.Timer(0.1, dialled.close).start()
        _, said = running.communicate(timeout=20)

    assert running.returncode == 130
    assert b"interrupted: 2 rows are written; go on with --skip 2" in said
    assert pq.read_table(tmp_path / "out.parquet").column("url").to_pylist() == [OPEN, NOAI]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="nothing is always full here")
@pytest.mark.parametrize("words", [["explain", "x"], ["inspect", "l.html"], ["signals"], ["check", "http://"]])
def test_ours_a_full_disk_is_no_refusal(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "l.html").write_text("<p>nothing")
    with Path("/dev/full").open("wb") as full:
        running = started(*words, stdout=full)
    _, said = running.communicate(timeout=20)
    assert (running.returncode, said.count(b"\n")) == (2, 1), said


@pytest.mark.parametrize("form", ["table", "jsonl"])
def test_ours_a_reader_that_has_seen_enough_is_no_fault(tmp_path: Path, form: str) -> None:
    (tmp_path / "l.txt").write_text("not a url\n" * 5000)
    running = started("check", "l.txt", "--format", form, "-q")
    assert running.stdout is not None
    assert running.stderr is not None

    running.stdout.readline()
    running.stdout.close()
    said = running.stderr.read()

    assert (running.wait(20), said) == (141, b"")
    running.stderr.close()


def test_ours_settings_may_break_the_file_and_never_the_program(tmp_path: Path) -> None:
    for content in ("policy = 3\n", "[policy]\nunknown = ['x']\n", "x = \n", "[network]\nallow = 7\n"):
        (tmp_path / "consentcrawl.toml").write_text(content)
        assert run("check", OPEN).exit_code == 2
