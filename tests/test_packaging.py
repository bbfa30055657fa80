"""What a user installs: an editable checkout and a built wheel hold the same packages."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import consentcrawl
import consentcrawl_plugins

ROOT = Path(__file__).parents[1]


def test_ours_all_names_the_public_api() -> None:
    assert consentcrawl.__all__ == sorted(consentcrawl.__all__, key=lambda name: (not name[0].isupper(), name))
    for name in consentcrawl.__all__:
        assert getattr(consentcrawl, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = consentcrawl.nothing


def test_ours_every_folder_with_code_is_packaged() -> None:
    folders = {path.parent for path in (ROOT / "src" / "consentcrawl").rglob("*.py")}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_ours_an_editable_install_finds_plugins_in_their_folder() -> None:
    assert Path(str(consentcrawl_plugins.__file__)).parent.resolve() == ROOT / "plugins"


@pytest.mark.slow
def test_ours_a_wheel_carries_plugins_and_data(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("consentcrawl_middleware-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {"consentcrawl/py.typed", "consentcrawl/signals/ai_agents.toml", "consentcrawl_plugins/__init__.py"} <= held
    assert {f"consentcrawl_plugins/{path.name}" for path in (ROOT / "plugins").iterdir() if path.is_file()} <= held
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", wheel], check=True)
    shown = subprocess.run([python, "-m", "consentcrawl", "signals"], check=True, capture_output=True, text=True)
    assert "robots_txt" in shown.stdout
