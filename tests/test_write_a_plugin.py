"""The page that shows how to write a plugin: its module passes its vectors, also as another distribution's."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import consentcrawl
from consentcrawl import discovery
from consentcrawl.core import Asset, Gate, Policy
from tests import test_vectors
from tests.platform_web import platforms
from tests.website import Answer

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "write-a-plugin.md"
SHOWN = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module of the page, in a distribution that names it by its entry point."""
    (tmp_path / "pictures.py").write_text(SHOWN["pictures.py"], "utf-8")
    about = tmp_path / "pictures_plugin-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pictures-plugin\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{discovery.GROUP}]\npictures = pictures\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("pictures")
    sys.modules.pop("pictures")


def test_ours_the_plugin_of_the_page_is_short() -> None:
    assert len(SHOWN["pictures.py"].splitlines()) <= 60


def test_ours_the_plugin_of_the_page_passes_its_vectors(plugin: ModuleType) -> None:
    vectors = tomllib.loads(SHOWN["pictures.toml"])["vector"]
    assert len(vectors) == 3
    for data in vectors:
        vector = test_vectors.Vector(plugin.__name__, data)
        test_vectors.test_ours_vector(vector)
        test_vectors.test_ours_vector_as_an_inquiry(vector)


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
    assert plugin.HOSTS == ("pictures.example",)
    path = os.pathsep.join((str(tmp_path), *sys.path))
    command = [sys.executable, "-m", "consentcrawl", "signals"]
    listed = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert "pictures.example" in listed.stdout


def test_ours_the_plugin_of_the_page_decides_about_files_on_a_server_behind_its_host_name(
    plugin: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = (*discovery.active(Policy()), plugin)
    monkeypatch.setattr(discovery, "active", lambda *_: found)
    vectors = tomllib.loads(SHOWN["pictures.toml"])["vector"]
    (tmp_path / "web").mkdir()
    with platforms(tmp_path / "web") as web:
        pages = [(page, answer) for vector in vectors for page, answer in _served(vector)]
        web.show(dict(pages))
        steward = consentcrawl.Steward(web.config())
        urls = [vector["url"] for vector in vectors] * 2
        inquiries = [steward.open(url, reach=Gate.LOOKUP) for url in urls]
        for inquiry in inquiries:
            steward.look_up(inquiry)
        outcomes = [str(steward.close(inquiry).outcome) for inquiry in inquiries]
        steward.shut()
    assert outcomes == [vector["outcome"] for vector in vectors] * 2
    assert sorted(web.look_ups) == sorted(place for place, _ in pages)


def _served(vector: dict[str, Any]) -> Iterator[tuple[str, Answer]]:
    for found in vector["found"]:
        fields = tuple((name, value) for name, value in found["fields"])
        yield found["need"].removeprefix("https://"), Answer(found["content"].encode(), 200, fields)
