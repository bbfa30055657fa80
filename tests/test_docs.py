"""The documents: every block runs, every table is what the program prints, every link leads somewhere."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from typer.testing import CliRunner

import consentcrawl
from consentcrawl import config, discovery
from consentcrawl.cli import app, verbs
from consentcrawl.core import Gap, Gate, Outcome, Policy, Verdict, name_of
from consentcrawl.core.policy import CHOICES
from tests import test_vectors
from tests.website import Answer, noise, serving

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *DOCS.rglob("*.md")]
WRITTEN = "https://art.example"
"""The site that the documents speak of; the tests put one on loopback in its place."""

ROBOTS = b"""User-agent: *
Disallow: /private/
Content-Usage: /sketches/ train-ai=n

User-agent: GPTBot
Disallow: /paintings/
"""
JPEG = (("Content-Type", "image/jpeg"),)
SITE = {
    "/robots.txt": Answer(ROBOTS, fields=(("Content-Type", "text/plain"),)),
    "/work/1.jpg": Answer(noise(), fields=JPEG),
    "/work/2.jpg": Answer(noise(), fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/work/4.jpg": Answer(noise(), fields=JPEG),
    "/private/3.jpg": Answer(noise(), fields=JPEG),
    "/sketches/5.jpg": Answer(noise(), fields=JPEG),
    "/paintings/6.jpg": Answer(noise(), fields=JPEG),
    "/gallery.html": Answer(
        b'<!doctype html><meta name="robots" content="noimageai"><img src="/work/4.jpg">',
        fields=(("Content-Type", "text/html"),),
    ),
}
NETWORK = '\n[network]\nallow = ["127.0.0.0/8"]\n'
NOT_RUN = {"git", "pip", "cd", "python", "source"}

WORDS = {
    "asset", "crawler", "product token", "group", "rule", "unavailable", "unreachable", "category", "purpose",
    "preference", "statement", "reservation", "signal", "platform plugin", "work key", "need", "evidence", "fields",
    "gate", "inquiry", "ground", "gap", "document", "source", "pace", "part", "unanswered", "verdict", "outcome",
    "policy", "agreement", "steward", "driver", "ledger", "entry", "checkpoint", "witness",
}  # fmt: skip

_fence = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_link = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_heading = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    title: str
    text: str


def blocks(page: Path, origin: str = WRITTEN) -> list[Block]:
    text = page.read_text("utf-8").replace(WRITTEN, origin)
    return [Block(*found) for found in _fence.findall(text)]


def loosely(expected: str, printed: str) -> None:
    """Every line that is shown was printed, wherever it was folded; ``…`` alone stands for what is left out."""
    bare = re.sub(r"\s", "", printed)
    for line in expected.splitlines():
        shown = re.sub(r"\s", "", line)
        assert shown == "…" or shown in bare, f"not printed: {line}\n{printed}"


class Reader:
    """Types in what a page shows, block by block."""

    def __init__(self, folder: Path) -> None:
        """Begin in ``folder``, where connections may go to loopback."""
        self.folder, self.printed, self.code = folder, "", 0
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.before = ""
        (folder / "consentcrawl.toml").write_text(NETWORK)

    def follow(self, block: Block) -> None:
        if block.title:
            self.write(block)
        elif (reader := getattr(self, block.language, None)) is not None:
            reader(block.text)
        self.before = "" if block.title else block.language

    def write(self, block: Block) -> None:
        path = self.folder / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        more = NETWORK if path.name == "consentcrawl.toml" else ""
        path.write_text(block.text + more, "utf-8")

    def python(self, text: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(text, "page", "exec"), self.names)  # noqa: S102 (our own documents)
        self.printed = printed.getvalue()

    def text(self, text: str) -> None:
        if self.before == "python":
            loosely(text, self.printed)

    def console(self, text: str) -> None:
        for turn in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, expected = turn.partition("\n")
            self.command(command)
            loosely(expected, self.printed)

    def sh(self, text: str) -> None:
        for line in text.splitlines():
            self.command(line)

    def command(self, line: str) -> None:
        name, *arguments = shlex.split(line, comments=True) or [""]
        if name == "consentcrawl":
            result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
            self.printed, self.code = result.output, result.exit_code
            assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
            assert not re.search(r"^ ?Usage:", self.printed, re.MULTILINE), self.printed
        elif name == "echo":
            self.printed = str(self.code)
        elif name == "make":
            assert re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        else:
            assert not name or name in NOT_RUN, line

    def toml(self, text: str) -> None:
        path = self.folder / "shown.toml"
        path.write_text(text)
        if tomllib.loads(text).keys() <= config._SECTIONS:
            consentcrawl.load(path, environment={})

    def json(self, text: str) -> None:
        json.loads(text)


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with serving(SITE) as site:
        yield site.origin


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


RUN = [
    page for page in PAGES if page != DOCS / "how-to" / "write-a-plugin.md" and _fence.search(page.read_text("utf-8"))
]


@pytest.mark.parametrize("page", RUN, ids=_name)
def test_ours_every_block_of_a_page_runs_in_order(
    page: Path, origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path)
    for block in blocks(page, origin):
        reader.follow(block)


def test_ours_the_first_signal_works_as_the_page_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titled = {Path(block.title).name: block.text for block in blocks(ROOT / "CONTRIBUTING.md") if block.title}
    for name, text in titled.items():
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    vectors = tomllib.loads(titled["no_training.toml"])["vector"]
    assert len(vectors) > 2
    for data in vectors:
        vector = test_vectors.Vector("no_training", data)
        test_vectors.test_ours_vector(vector)
        test_vectors.test_ours_vector_as_an_inquiry(vector)


def test_ours_a_signal_of_another_distribution_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = next(block.text for block in blocks(ROOT / "CONTRIBUTING.md") if block.title.endswith("no_training.py"))
    declared = next(
        block.text for block in blocks(DOCS / "how-to" / "add-a-signal.md") if block.title == "pyproject.toml"
    )
    points = tomllib.loads(declared)["project"]["entry-points"][discovery.GROUP]
    ((name, module),) = points.items()
    package = tmp_path / module.partition(".")[0]
    package.mkdir()
    (package / "__init__.py").touch()
    (package / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(discovery, "entry_points", lambda group: [EntryPoint(name, module, group)])

    found = discovery.signals.__wrapped__()

    assert importlib.import_module(module) in found


def test_ours_every_table_is_what_the_program_prints() -> None:
    tables = importlib.import_module("docs.make_tables")
    started = time.process_time()
    stale = [_name(page) for page in tables.PAGES if tables.filled(text := page.read_text("utf-8")) != text]
    assert not stale, "run: python docs/make_tables.py"
    shown = "".join(page.read_text("utf-8") for page in tables.PAGES)
    assert all(f"<!-- table: {name} -->" in shown for name in tables.TABLES)
    assert time.process_time() - started < 10


def _section(page: str, heading: str) -> str:
    text = (DOCS / page).read_text("utf-8")
    parts = re.split(r"^##+ ", text, flags=re.MULTILINE)
    found = [part for part in parts if part.partition("\n")[0].strip(" `") == heading]
    assert found, f"{page} has no section on {heading}"
    return found[0]


@pytest.mark.parametrize("key", [*CHOICES, "signals_off"])
def test_ours_every_policy_key_and_value_is_described(key: str) -> None:
    assert key in {field.name for field in fields(Policy)}
    section = _section("reference/policy.md", key)
    assert all(f"`{value}`" in section for value in CHOICES.get(key, ()))


def test_ours_every_setting_is_described() -> None:
    text = (DOCS / "reference" / "policy.md").read_text("utf-8")
    settings = {*config._SECTIONS, *config._NETWORK, *config._PURPOSE, "operator_ok", "CONSENTCRAWL_CONFIG"}
    assert [name for name in sorted(settings) if name not in text] == []


def test_ours_every_part_of_a_verdict_is_described() -> None:
    verdict = Verdict(
        "u", Outcome.PERMIT, "p", Gate.HEAD, enforced=True, grounds=(), gaps=(), agreement="a",
    )  # fmt: skip
    names = {*verdict.as_json(), *Gap("n", "r", note="x").as_json()}
    text = (DOCS / "reference" / "verdict.md").read_text("utf-8")
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_ours_every_exit_code_is_described() -> None:
    section = _section("reference/cli.md", "Exit codes")
    assert all(f"| {code} |" in section for code in (0, 1, 2, 3, 130, 141))


def test_ours_every_word_of_the_design_stands_in_the_glossary() -> None:
    explained = set(re.findall(r"^(\S.*)\n:   ", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE))
    assert explained >= WORDS


def test_ours_every_public_name_is_described() -> None:
    text = (DOCS / "reference" / "python.md").read_text("utf-8")
    assert [name for name in consentcrawl.__all__ if not re.search(rf"\b{name}\b", text)] == ["__version__"]


PLAIN = ["README.md", "SECURITY.md", *(f"docs/{name}.md" for name in (
    "architecture", "glossary", "index", "tutorial", "reference/policy", "reference/python", "reference/reasons",
    "reference/signals", "reference/verdict",
))]  # fmt: skip


@pytest.mark.parametrize("page", PLAIN)
def test_ours_a_page_names_the_actor(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert re.findall(r"\b(?:who|whoever|nobody|anybody|somebody|wishes|told)\b", text, re.IGNORECASE) == []


def test_ours_the_picture_is_what_its_command_draws() -> None:
    draw = importlib.import_module("docs.draw_path")
    assert draw.PICTURE.read_text("utf-8") == draw.picture()


def test_ours_the_call_path_begins_at_the_driver_and_ends_within_a_few_files() -> None:
    ran = subprocess.run([sys.executable, DOCS / "call_path.py"], check=True, capture_output=True, text=True)
    first, *_, summary = ran.stdout.splitlines()
    assert first == "drivers/requests.py  ConsentAdapter.send"
    assert 0 < int(summary.split()[-2]) < 20


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_ours_every_link_leads_somewhere(page: Path) -> None:
    for target in _link.findall(_fence.sub("", page.read_text("utf-8"))):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_file(), f"{_name(page)}: {target}"
        if anchor:
            assert anchor in {_anchor(heading) for heading in _heading.findall(there.read_text("utf-8"))}, target


def test_ours_every_page_stands_in_the_contents() -> None:
    listed = set(re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE))
    assert listed == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}


def test_ours_the_readme_begins_with_two_commands() -> None:
    first, second = (block.text for block in blocks(ROOT / "README.md")[:2])
    assert (first.strip(), second.strip()) == ("make demo", "make test")


@pytest.mark.parametrize(
    ("there", "denial"),
    [
        ("c2pa" in map(name_of, discovery.signals()), "C2PA manifests are not read"),
        ("c2pa" in map(name_of, discovery.signals()), "* C2PA manifests."),
        ("c2pa" in map(name_of, discovery.signals()), "no signal that is there now reads ingredients"),
        ("ledger" in verbs.NAMES, "no command and no driver writes to it"),
    ],
)
def test_ours_no_document_denies_what_is_there(there: bool, denial: str) -> None:  # noqa: FBT001 (pytest's own shape)
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert (denial in text) is not there


def test_ours_the_documents_name_no_place_of_this_machine() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    assert str(Path.home()) + "/" not in text
    assert sys.prefix not in text
