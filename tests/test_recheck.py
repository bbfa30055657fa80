"""Asking again: who has opted out since, what of theirs was taken, and what could not be asked."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from consentcrawl.cli import app
from consentcrawl.config import Config, purpose
from consentcrawl.core import BODY, HEAD, ROBOTS_TXT, Evidence, Fields, Gate, Need, Outcome, Policy
from consentcrawl.core.evidence import Pairs
from consentcrawl.drivers.dry_run import judge
from consentcrawl.ledger.evidence import Document
from consentcrawl.ledger.evidence.evidence_list import LookedUp
from consentcrawl.ledger.recording import Delivered
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.ledger.recording.stored import about, stored_records
from consentcrawl.ledger.verify import verify
from consentcrawl.recheck.asking import STATE_FILE, _origin
from consentcrawl.recheck.register import Permitted, Register, Wanted
from consentcrawl.recheck.revalidation import RevalidatingReader
from consentcrawl.steward import Steward
from tests.test_cli_ledger import permit
from tests.website import Answer, Site, serving

TEXT = (("Content-Type", "text/plain"),)
HTML = (("Content-Type", "text/html"),)
CONFIG = Config(allow=("127.0.0.0/8",))
CLOSED = Answer(b"User-agent: *\nDisallow: /a/\n", fields=TEXT)
AT = 1_700_000_000.0


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def pages() -> dict[str, Answer]:
    """What the site says: at first nothing against anything."""
    return {
        "/robots.txt": Answer(b"User-agent: *\nAllow: /\n", fields=TEXT),
        "/a/1": Answer(b"one", fields=TEXT),
        "/a/2": Answer(b"two", fields=TEXT),
        "/b/3": Answer(b"three", fields=TEXT),
        "/page": Answer(b"<title>x</title>", fields=HTML),
    }


@pytest.fixture
def site(pages: dict[str, Answer]) -> Iterator[Site]:
    """The site."""
    with serving(pages) as running:
        yield running


def judged(
    directory: Path, *urls: str, config: Config = CONFIG, page: str = "", reach: Gate = Gate.HEAD, taken: bool = True
) -> None:
    """Let a ledger tell of some URLs, and of what was taken of them."""
    record = LedgerRecord.open(directory, config, command="test")
    steward = Steward(config, record=record)
    for url in urls:
        verdict = judge(steward, url, page or None, reach=reach)
        entry = about(directory, url)[0].index
        if taken and verdict.outcome is Outcome.PERMIT:
            digest = sha256(url.encode()).hexdigest()
            record.record_outcomes([(verdict, entry, Delivered(200, 3, digest, f"kept{verdict.url[-2:]}"))]).result()
    steward.close()


def recheck(directory: Path, *words: object) -> Result:
    words = ("recheck", directory, "--allow-net", "127.0.0.0/8", *words)
    result = CliRunner().invoke(app, list(map(str, words)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def listed(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_ours_who_has_opted_out_since_is_a_deletion_list(site: Site, pages: dict[str, Answer], tmp_path: Path) -> None:
    ledger = tmp_path / "l"
    judged(ledger, f"{site.origin}/a/1", f"{site.origin}/b/3")
    pages["/robots.txt"] = CLOSED

    result = recheck(ledger, "--format", "jsonl")

    (row,) = listed(result)
    assert result.exit_code == 1
    assert (row["url"], row["file"]) == (f"{site.origin}/a/1", "kept/1")
    assert row["sha256"] == sha256(f"{site.origin}/a/1".encode()).hexdigest()
    assert (row["signal"], row["quote"], row["where"]) == ("robots_txt", "Disallow: /a/", "line 2")
    assert row["source"] == f"{site.origin}/robots.txt"
    assert row["permitted_at"] < row["first_seen"]
    assert "2 were permitted: 1 to delete, 0 not known" in result.stderr
    assert [each.record["outcome"] for each in about(ledger, row["url"]) if each.kind == "verdict"] == [
        "refuse",
        "permit",
    ]
    assert verify(ledger).holds
    assert not (ledger / STATE_FILE).exists()


def test_ours_an_opt_out_stays_on_the_list_until_it_is_taken_back(
    site: Site, pages: dict[str, Answer], tmp_path: Path
) -> None:
    ledger, url = tmp_path / "l", f"{site.origin}/a/1"
    judged(ledger, url)
    opened, pages["/robots.txt"] = pages["/robots.txt"], CLOSED
    (first,) = listed(recheck(ledger, "--format", "jsonl"))
    pages["/robots.txt"] = Answer(status=503)

    (again,) = listed(recheck(ledger, "--format", "jsonl"))
    pages["/a/1"] = Answer(status=503)
    pages["/robots.txt"] = Answer(status=404)
    (still,) = listed(recheck(ledger, "--format", "jsonl"))
    assert first["first_seen"] == again["first_seen"] == still["first_seen"]

    offline = recheck(ledger, "--offline", "--format", "jsonl")
    assert listed(offline) == [still]
    assert offline.exit_code == 1
    pages["/robots.txt"], pages["/a/1"] = opened, Answer(b"one", fields=TEXT)
    assert recheck(ledger).exit_code == 0


def test_ours_what_could_not_be_asked_is_listed_apart(site: Site, pages: dict[str, Answer], tmp_path: Path) -> None:
    ledger, apart = tmp_path / "l", tmp_path / "apart.csv"
    judged(ledger, f"{site.origin}/a/1", f"{site.origin}/b/3", taken=False)
    del pages["/a/1"]

    result = recheck(ledger, "--format", "jsonl", "--not-known", apart)

    assert (result.exit_code, listed(result)) == (3, [])
    (row,) = csv.DictReader(apart.read_text().splitlines())
    assert (row["url"], row["reason"], row["file"]) == (f"{site.origin}/a/1", "bad_status", "")
    told_of = recheck(ledger)
    assert f"not known: {site.origin}/a/1" in told_of.stderr
    assert "2 were permitted: 0 to delete, 1 not known" in told_of.stderr


def test_ours_of_many_that_are_not_known_the_first_are_told(
    site: Site, pages: dict[str, Answer], tmp_path: Path
) -> None:
    urls = [f"{site.origin}/x/{n}" for n in range(12)]
    pages |= {f"/x/{n}": Answer(b"x", fields=TEXT) for n in range(12)}
    judged(tmp_path / "l", *urls)
    for n in range(12):
        del pages[f"/x/{n}"]
    result = recheck(tmp_path / "l")
    assert result.stderr.count("not known: http") == 10
    assert "and 2 more" in result.stderr


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl", "txt"])
def test_ours_every_form_of_the_list(site: Site, pages: dict[str, Answer], tmp_path: Path, form: str) -> None:
    judged(tmp_path / "l", f"{site.origin}/a/1", f"{site.origin}/a/2")
    pages["/robots.txt"] = CLOSED
    to = tmp_path / f"deletions.{form}"

    assert recheck(tmp_path / "l", "-o", to).exit_code == 1

    text = to.read_text("utf-8", "replace")
    read = {
        "csv": lambda: [row["url"] for row in csv.DictReader(text.splitlines())],
        "parquet": pq.read_table(to)["url"].to_pylist if form == "parquet" else list,
        "jsonl": lambda: [json.loads(line)["url"] for line in text.splitlines()],
        "txt": lambda: [line.split("\t")[0] for line in text.splitlines()],
    }
    assert read[form]() == [f"{site.origin}/a/1", f"{site.origin}/a/2"]


def test_ours_only_some_are_asked_again(site: Site, pages: dict[str, Answer], tmp_path: Path) -> None:
    ledger = tmp_path / "l"
    urls = [f"{site.origin}/a/1", f"{site.origin}/a/2", f"{site.origin}/b/3"]
    judged(ledger, *urls)
    pages["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /\n", fields=TEXT)

    def number(*words: str) -> int:
        return len(listed(recheck(ledger, "--offline", "--format", "jsonl", *words)))

    assert recheck(ledger, "--since", "2999-01-01").exit_code == 0
    assert recheck(ledger, "--origin", "https://other.example").exit_code == 0
    assert len(listed(recheck(ledger, "--sample", "1", "--format", "jsonl"))) == 1
    assert number() == 1
    assert len(listed(recheck(ledger, "--origin", site.origin, "--format", "jsonl"))) == 3
    assert number("--origin", "127.0.0.1", "--since", "2020-01-01T00:00:00+00:00") == 3
    assert number("--origin", "localhost") == 0


def test_ours_verdicts_for_another_purpose_are_left_out(site: Site, tmp_path: Path) -> None:
    judged(tmp_path / "l", f"{site.origin}/a/1", config=replace(CONFIG, purpose=purpose("search")))
    result = recheck(tmp_path / "l")
    assert result.exit_code == 0
    assert "1 verdicts for search are left out" in result.stderr
    assert "0 were permitted" in result.stderr


def test_ours_what_was_only_observed_is_on_the_list(site: Site, pages: dict[str, Answer], tmp_path: Path) -> None:
    pages["/robots.txt"] = CLOSED
    judged(tmp_path / "l", f"{site.origin}/a/1", config=replace(CONFIG, policy=Policy(mode="observe")))
    (row,) = listed(recheck(tmp_path / "l", "--offline", "--format", "jsonl"))
    assert row["first_seen"] == row["permitted_at"]


def test_ours_it_goes_as_far_as_the_permit_did_or_as_asked(
    site: Site, pages: dict[str, Answer], tmp_path: Path
) -> None:
    judged(tmp_path / "l", f"{site.origin}/page", reach=Gate.BODY)
    pages["/page"] = Answer(b'<meta name="robots" content="noai">', fields=HTML)
    assert recheck(tmp_path / "l", "--gate", "head").exit_code == 0
    assert recheck(tmp_path / "l").exit_code == 1
    judged(tmp_path / "m", f"{site.origin}/a/1", reach=Gate.LOOKUP)
    seen = site.count("/a/1")
    assert recheck(tmp_path / "m").exit_code == 0
    assert site.count("/a/1") == seen
    judged(tmp_path / "n", f"{site.origin}/b/3", reach=Gate.BODY)
    pages["/b/3"] = Answer(b'<meta name="robots" content="noai">', fields=HTML)
    assert recheck(tmp_path / "n").exit_code == 1


def test_ours_the_page_that_showed_it_is_asked_again(site: Site, pages: dict[str, Answer], tmp_path: Path) -> None:
    judged(tmp_path / "l", f"{site.origin}/a/1", page=f"{site.origin}/page")
    pages["/page"] = Answer(b'<meta name="robots" content="noimageai"><img src="/a/1">', fields=HTML)

    (row,) = listed(recheck(tmp_path / "l", "--format", "jsonl"))

    assert (row["signal"], row["source"]) == ("robots_meta", f"{site.origin}/page")


def test_ours_what_was_redirected_is_asked_from_its_first_address(
    site: Site, pages: dict[str, Answer], tmp_path: Path
) -> None:
    pages["/old"] = Answer(status=301, fields=(("Location", "/a/1"),))
    judged(tmp_path / "l", f"{site.origin}/old")
    assert recheck(tmp_path / "l").exit_code == 0
    pages["/old"] = Answer(status=301, fields=(("Location", "/b/3"),))
    pages["/b/3"] = Answer(b"x", fields=(*TEXT, ("X-Robots-Tag", "noai")))

    (row,) = listed(recheck(tmp_path / "l", "--format", "jsonl"))

    assert (row["url"], row["file"], row["quote"]) == (f"{site.origin}/old", "kept/1", "noai")


def test_ours_a_refusal_behind_a_redirect_was_never_a_permit(
    site: Site, pages: dict[str, Answer], tmp_path: Path
) -> None:
    pages["/old"] = Answer(status=301, fields=(("Location", "/a/1"),))
    pages["/robots.txt"] = CLOSED
    judged(tmp_path / "l", f"{site.origin}/old")
    result = recheck(tmp_path / "l")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 were permitted" in result.stderr


def test_ours_an_interrupted_run_goes_on(
    site: Site, pages: dict[str, Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tmp_path / "l"
    urls = [f"{site.origin}/a/1", f"{site.origin}/a/2", f"{site.origin}/b/3"]
    judged(ledger, *urls)
    pages["/robots.txt"] = CLOSED
    answered = Register.answered

    def interrupted(register: Register, asked: str, verdict: Any) -> None:
        answered(register, asked, verdict)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Register, "answered", interrupted)
    broken_off = recheck(ledger, "--workers", "1")
    assert broken_off.exit_code == 130
    assert "the same command goes on" in broken_off.stderr
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    before = sum(each.kind == "verdict" for each in stored_records(ledger))

    result = recheck(ledger, "--format", "jsonl")

    assert "goes on with the run begun on" in result.stderr
    assert f": {6 - before} are left" in result.stderr
    assert [row["url"] for row in listed(result)] == urls[:2]
    assert sum(each.kind == "verdict" for each in stored_records(ledger)) == 6
    assert not (ledger / STATE_FILE).exists()


def test_ours_another_question_begins_anew(site: Site, tmp_path: Path) -> None:
    judged(tmp_path / "l", f"{site.origin}/a/1")
    (tmp_path / "l" / STATE_FILE).write_text('{"at": 1, "entries": 0, "asked": "another"}')
    assert "goes on" not in recheck(tmp_path / "l").stderr
    (tmp_path / "l" / STATE_FILE).write_text("broken")
    assert recheck(tmp_path / "l", "--quiet").stderr == ""
    assert site.count("/a/1") == 3


@pytest.mark.parametrize(
    "words",
    [
        ["nowhere"],
        ["l", "--since", "soon"],
        ["l", "--origin", "http://"],
        ["l", "--format", "xml"],
        ["l", "--policy", "x"],
    ],
)
def test_ours_wrong_use_exits_2(site: Site, tmp_path: Path, words: list[str]) -> None:
    judged(tmp_path / "l", f"{site.origin}/a/1")
    result = recheck(tmp_path / words[0], *words[1:])
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)


def test_ours_the_newest_verdict_is_the_last_one_even_when_the_clock_was_set_back() -> None:
    with closing(Register(CONFIG.purpose)) as register:
        register.answered("x", permit(decided_at=AT))
        register.choose(Wanted(), 0)
        register.answered("x", permit(decided_at=1.0, outcome=Outcome.REFUSE))
        (row,) = register.opted_out()
    assert row["permitted_at"] == row["first_seen"] == AT * 1000


class Says:
    """A reader that answers what it is told to, and keeps what it was asked."""

    def __init__(self, *answers: Evidence) -> None:
        """Answer so, one after the other."""
        self.answers, self.asked = list(answers), list[Pairs]()

    def read(self, need: Need, url: str) -> Evidence:  # noqa: ARG002 (a reader's shape)
        self.asked.append(need.fields)
        return self.answers.pop(0)

    def head(self, url: str, fields: Pairs = ()) -> Evidence:
        return self.read(replace(HEAD, fields=fields), url)

    def prefix(self, url: str, limit: int = BODY.limit, fields: Pairs = ()) -> Evidence:
        return self.read(replace(BODY, fields=fields, limit=limit), url)


ROBOTS = "https://art.example/robots.txt"


def document(*fields: tuple[str, str], content: bytes = b"rules") -> Document:
    return Document(ROBOTS, 200, fields, content, AT)


def answer(status: int, *fields: tuple[str, str], url: str = ROBOTS) -> Evidence:
    return Evidence(
        ROBOTS_TXT, url, status=status, fields=Fields(fields), content=b"new" if status == 200 else b"", at=AT
    )


def reading(says: Says, kept: Document, **more: Any) -> RevalidatingReader:
    reader = RevalidatingReader(says)
    reader.keep(LookedUp(**{"url": ROBOTS, "status": 200, "at": 0, "digest": "x", **more}), kept)
    return reader


def test_rfc9110_13_1_2_policy_files_are_asked_for_only_if_they_changed(
    site: Site, pages: dict[str, Answer], tmp_path: Path
) -> None:
    pages["/robots.txt"].fields = (*TEXT, ("ETag", '"v1"'))
    judged(tmp_path / "l", f"{site.origin}/a/1")
    before = len(site.asked)

    recheck(tmp_path / "l")

    asked = dict(zip((target for _, target in site.asked[before:]), site.heads[before:], strict=True))
    assert asked["/robots.txt"]["if-none-match"] == '"v1"'
    assert not {"if-none-match", "if-modified-since"} & asked["/a/1"].keys()


def test_rfc9110_13_1_2_what_was_not_modified_is_what_was_kept_with_its_fresh_fields() -> None:
    says = Says(answer(304, ("ETag", '"2"'), ("Content-Length", "0")))
    evidence = reading(says, document(("ETag", '"1"'), ("Content-Type", "text/plain"))).read(ROBOTS_TXT, ROBOTS)
    assert (evidence.status, evidence.content, evidence.need) == (200, b"rules", ROBOTS_TXT)
    assert evidence.fields.pairs == (("Content-Type", "text/plain"), ("ETag", '"2"'))
    assert says.asked == [(("If-None-Match", '"1"'),)]


def test_rfc9110_13_1_2_what_was_modified_answers_the_need_as_it_was() -> None:
    evidence = reading(Says(answer(200)), document(("ETag", '"1"'))).read(ROBOTS_TXT, ROBOTS)
    assert (evidence.content, evidence.need) == (b"new", ROBOTS_TXT)


def test_ours_not_modified_from_elsewhere_is_not_believed() -> None:
    says = Says(answer(304, url="https://art.example/other"), answer(200))
    assert reading(says, document(("ETag", '"1"'))).read(ROBOTS_TXT, ROBOTS).content == b"new"
    assert says.asked[1] == ()


@pytest.mark.parametrize(
    ("modified", "asked"),
    [
        ("Tue, 14 Nov 2023 22:12:20 GMT", True), ("Tue, 14 Nov 2023 22:12:21 GMT", False), ("yesterday", False),
        ("Tue, 14 Nov 99999 22:12:21 GMT", False),
    ],
)  # fmt: skip
def test_rfc9110_8_8_2_2_a_young_date_is_no_validator(modified: str, asked: bool) -> None:  # noqa: FBT001 (a case)
    says = Says(answer(200))
    reading(says, document(("Last-Modified", modified))).read(ROBOTS_TXT, ROBOTS)
    assert says.asked == [(("If-Modified-Since", modified),) if asked else ()]


@pytest.mark.parametrize(
    "more", [{"gap": "truncated"}, {"whole": False}, {"status": 404}, {"url": "https://art.example/"}]
)
def test_ours_only_what_was_kept_whole_is_asked_about(more: dict[str, Any]) -> None:
    says = Says(answer(200))
    reading(says, document(("ETag", '"1"')), **more).read(ROBOTS_TXT, ROBOTS)
    assert says.asked == [()]


def test_ours_pages_and_assets_are_asked_without_conditions() -> None:
    says = Says(*(answer(200) for _ in range(4)))
    reader = reading(says, document(("ETag", '"1"')))
    reader.read(replace(ROBOTS_TXT, polite=True), ROBOTS)
    reader.read(replace(ROBOTS_TXT, limit=5), ROBOTS)
    reader.head(ROBOTS)
    reader.prefix(ROBOTS)
    assert says.asked == [(), (), (), ()]
    reader.keep(LookedUp(ROBOTS, 200, 0), None)


def test_ours_what_is_kept_is_bounded() -> None:
    says = Says(answer(200), answer(200))
    reader = RevalidatingReader(says, most_bytes=5)
    reader.keep(LookedUp(ROBOTS, 200, 0), document(("ETag", '"1"')))
    reader.keep(LookedUp(ROBOTS + "2", 200, 0), document(("ETag", '"1"')))
    reader.read(ROBOTS_TXT, ROBOTS)
    reader.read(ROBOTS_TXT, ROBOTS + "2")
    assert [bool(asked) for asked in says.asked] == [False, True]


def test_ours_what_cannot_be_read_of_the_evidence_is_asked_as_if_it_was_never_kept(site: Site, tmp_path: Path) -> None:
    judged(tmp_path / "l", f"{site.origin}/a/1", page=f"{site.origin}/page")
    for path in (tmp_path / "l" / "evidence").iterdir():
        path.unlink()
    assert recheck(tmp_path / "l").exit_code == 0


def test_ours_an_address_that_is_none_any_more_is_not_known() -> None:
    assert _origin(Permitted("http://", 0, Gate.HEAD, "", ())) == ""


def test_ours_a_page_that_did_not_come_is_asked_again(site: Site, pages: dict[str, Answer], tmp_path: Path) -> None:
    there, pages["/page"] = pages["/page"], Answer(status=503)
    judged(tmp_path / "l", f"{site.origin}/a/1", page=f"{site.origin}/page")
    pages["/page"] = replace(there, content=b'<meta name="robots" content="noimageai"><img src="/a/1">')
    assert recheck(tmp_path / "l").exit_code == 1
