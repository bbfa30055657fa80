"""The labelled works of ``tests/labelled``, run whole through ``consentcrawl check`` against a web on loopback."""

from __future__ import annotations

import csv
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from consentcrawl.cli import app
from tests.labelled.documents import as_toml
from tests.labelled.works import Settings, Work, load
from tests.platform_web import PlatformWeb, platforms
from tests.website import Answer

WORKS = load()
ENOUGH = 200
Verdicts = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verdicts]:
    """Every verdict by the name of its work: one run of the command for each way of asking."""
    directory = tmp_path_factory.mktemp("labelled")
    groups: dict[Settings, list[Work]] = {}
    for work in WORKS:
        groups.setdefault(work.settings, []).append(work)
    with platforms(directory) as web, _closed_port() as closed, pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("XDG_CONFIG_HOME", str(directory / "config"))
        web.show(_pages())
        _settings(directory)
        found: Verdicts = {}
        for settings, works in groups.items():
            found |= _run(directory, web, closed, settings, works)
        yield found


def _pages() -> dict[str, Answer]:
    """Everything that lies anywhere; two works of one site may share a document, and may not differ about it."""
    pages: dict[str, Answer] = {}
    for work in WORKS:
        for place, answer in work.documents():
            assert pages.setdefault(place, answer) == answer, f"{work.name}: {place} is another work's too"
    return pages


@contextmanager
def _closed_port() -> Iterator[int]:
    """A port at which nothing answers."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def _settings(directory: Path) -> None:
    """Write the settings that all runs share, and beside them those that name the list."""
    agreements = [work.data["agreement"] | {"hosts": [work.host]} for work in WORKS if "agreement" in work.data]
    text = f"[network]\nroots = {as_toml(str(directory / 'ca.pem'))}\n"
    for agreement in agreements:
        text += "[[agreements]]\n" + "".join(f"{key} = {as_toml(value)}\n" for key, value in agreement.items())
    (directory / "plain.toml").write_text(text)
    with (directory / "rows.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("kind", "value", "category"))
        rows.writerows(row for work in WORKS for row in work.rows)
    _command("lists", "add", "rows.csv", "--name", "opt-outs", "--to", str(directory))
    files = as_toml([str(path) for path in directory.glob("opt-outs.*")])
    (directory / "listed.toml").write_text(f"{text}[lists]\nfiles = {files}\n")


def _run(directory: Path, web: PlatformWeb, closed: int, settings: Settings, works: list[Work]) -> Verdicts:
    purpose, policy, token, listed = settings
    rows = [{"url": work.url, "page": work.page} for work in works]
    (directory / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dead = [f"{host}:80:127.0.0.1:{closed}" for work in works for host in work.dead]
    there = [*dead, f":443:127.0.0.1:{web.https}", f":80:127.0.0.1:{web.http}"]
    out = _command(
        "check", "list.jsonl", "--page-column", "page", "--gate", "body", "--format", "jsonl", "--exit-zero", "--quiet",
        "--config", "listed.toml" if listed else "plain.toml", "--purpose", purpose, "--token", token,
        *(word for each in policy for word in ("--policy", each)),
        *(word for each in there for word in ("--connect-to", each)),
    )  # fmt: skip
    answered = [json.loads(line) for line in out.splitlines()]
    assert [row["url"] for row in answered] == [work.url for work in works]
    return {work.name: verdict for work, verdict in zip(works, answered, strict=True)}


def _command(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def _wrong(verdicts: Verdicts, label: str, but: str) -> list[str]:
    """Name the works with this label that came out otherwise, with all that was found."""
    return [
        f"{work.said}\n  labelled {label}, came out {found['outcome']}: {_said(found)}"
        for work in WORKS
        if work.outcome == label and (found := verdicts[work.name])["outcome"] not in (label, but)
    ]


def _said(found: dict[str, Any]) -> str:
    said = [f"{g['signal']} {g['category']} {g['preference']} {g['quote']!r}" for g in found["grounds"]]
    said += [f"{gap['reason']} ({gap['need']})" for gap in found["gaps"]]
    return "; ".join(said) or "nothing was found"


def test_ours_no_refusal_is_missed(verdicts: Verdicts) -> None:
    wrong = _wrong(verdicts, "refuse", "")
    assert not wrong, "\n".join(wrong)


def test_ours_no_refusal_is_invented(verdicts: Verdicts) -> None:
    wrong = _wrong(verdicts, "permit", "")
    assert not wrong, "\n".join(wrong)


def test_ours_undetermined_exactly_where_labelled(verdicts: Verdicts) -> None:
    wrong = _wrong(verdicts, "undetermined", "")
    assert not wrong, "\n".join(wrong)


def test_ours_refused_in_the_words_of_the_signal_that_is_named(verdicts: Verdicts) -> None:
    wrong = [
        f"{work.said}\n  not by {work.data['by']}: {_said(verdicts[work.name])}"
        for work in WORKS
        if "by" in work.data and not _says(verdicts[work.name], work.data["by"], "disallowed")
    ]
    assert not wrong, "\n".join(wrong)


def test_ours_what_could_not_be_known_has_its_reason(verdicts: Verdicts) -> None:
    wrong = [
        f"{work.said}\n  not for {work.data['why']}: {_said(verdicts[work.name])}"
        for work in WORKS
        if "why" in work.data and work.data["why"] not in {gap["reason"] for gap in verdicts[work.name]["gaps"]}
    ]
    assert not wrong, "\n".join(wrong)


def test_ours_what_does_not_decide_is_noted(verdicts: Verdicts) -> None:
    wrong = [
        f"{work.said}\n  not noted by {work.data['noted']}: {_said(verdicts[work.name])}"
        for work in WORKS
        if work.data.get("noted", "") not in _notes(verdicts[work.name])
    ]
    assert not wrong, "\n".join(wrong)


def _notes(found: dict[str, Any]) -> str:
    return "\n".join(f"{ground['signal']}: {ground['note']}" for ground in found["grounds"])


def _says(found: dict[str, Any], signal: str, preference: str) -> bool:
    said = {(g["signal"], g["preference"]) for g in found["grounds"]}
    return (signal, preference) in said or ((signal, "unknown") in said and signal == "policy")


def test_ours_there_are_enough_labelled_works_and_half_of_them_look_dangerous() -> None:
    assert len(WORKS) >= ENOUGH
    permitted = sum(work.outcome == "permit" for work in WORKS)
    assert len(WORKS) * 0.4 <= permitted <= len(WORKS) * 0.6
