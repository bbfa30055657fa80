"""The pages that show how to write a signal and a plugin: each is two files, here or in another distribution."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from consentcrawl import discovery
from consentcrawl.core import Asset, Policy

ROOT = Path(__file__).parents[1]
PLUGIN, SIGNAL = ROOT / "docs" / "how-to" / "write-a-plugin.md", ROOT / "CONTRIBUTING.md"
TREE = ("src", "plugins", "tests")
"""What the suite needs of a tree, besides its pyproject.toml."""
OF_PLUGINS = ("vectors", "walks", "work_keys", "plugin_reading", "platforms")
OF_SIGNALS = ("vectors", "signal_laws")
_OF_ALL = ("every_signal", "no_table", "every_platform", "every_address", "in_the_file", "the_lists", "keys_or_none")
"""Parts of the names of tests of all modules together."""


def _shown(page: Path) -> dict[str, str]:
    """Return the files that a page shows, by their place in the tree."""
    return dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', page.read_text("utf-8"), re.MULTILINE | re.DOTALL))


def _suite(tree: Path, tests: Sequence[str], name: str) -> subprocess.CompletedProcess[str]:
    """Run what concerns one module, and what concerns all of them at once, in a copy of the tree."""
    chosen = ("-k", " or ".join((name, *_OF_ALL)), *(f"tests/test_{each}.py" for each in tests))
    environment = os.environ | {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *chosen]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("page", "name", "tests", "fewest"),
    [(PLUGIN, "pictures", OF_PLUGINS, 40), (SIGNAL, "no_training", OF_SIGNALS, 10)],
    ids=["plugin", "signal"],
)
def test_ours_the_two_files_of_the_page_are_all_that_the_suite_asks_for(
    page: Path, name: str, tests: Sequence[str], fewest: int, tmp_path: Path
) -> None:
    for part in TREE:
        shutil.copytree(ROOT / part, tmp_path / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shown = _shown(page)
    assert len(shown) == 2
    for place, text in shown.items():
        assert not (tmp_path / place).exists()
        (tmp_path / place).write_text(text, "utf-8")
    run = _suite(tmp_path, tests, name)
    assert run.returncode == 0, run.stdout
    assert int(re.findall(r"(\d+) passed", run.stdout)[-1]) >= fewest


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module of the page, in a distribution that names it by its entry point."""
    (tmp_path / "pictures.py").write_text(_shown(PLUGIN)["plugins/pictures.py"], "utf-8")
    about = tmp_path / "pictures_plugin-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pictures-plugin\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{discovery.GROUP}]\npictures = pictures\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("pictures")
    sys.modules.pop("pictures")


def test_ours_the_plugin_of_the_page_is_short() -> None:
    assert len(_shown(PLUGIN)["plugins/pictures.py"].splitlines()) <= 60


def test_ours_the_plugin_of_another_distribution_is_found(plugin: ModuleType) -> None:
    found = discovery.signals.__wrapped__()
    assert plugin in found
    hosts = discovery.Hosts((*discovery.active(Policy()), plugin))
    assert hosts.plugins("cdn.pictures.example") == (plugin,)
    asset = Asset("https://cdn.pictures.example/f/7_full.jpg")
    assert discovery.keys_among((plugin,), asset) == ("pictures:7",)


def test_ours_the_program_has_the_plugin_of_another_distribution_once_that_is_installed(
    plugin: ModuleType, tmp_path: Path
) -> None:
    assert discovery.hosts_of(plugin) == ("pictures.example",)
    path = os.pathsep.join((str(tmp_path), *sys.path))
    command = [sys.executable, "-m", "consentcrawl", "signals"]
    listed = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert "pictures.example" in listed.stdout
