"""What a user installs: an editable checkout and a built wheel hold the same packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import consentcrawl
import consentcrawl_plugins

ROOT = Path(__file__).parents[1]

_WITHOUT = """
import importlib, sys
for name in ("fsspec", "httpx", "httpx2", "playwright", "scrapy"):
    sys.modules[name] = None
    try:
        importlib.import_module(f"consentcrawl.drivers.{name}")
    except ImportError as error:
        print(f"{name}: {error}")
"""
_PROJECT = """
import consentcrawl
import consentcrawl.drivers.requests
from consentcrawl import Config, Outcome, Policy, Refused, Verdict

policy: Policy = consentcrawl.make_policy("strict", mode="observe")
config = Config(policy=policy, purpose=consentcrawl.make_purpose("tdm", token="ExampleLab"))


def quotes(verdict: Verdict) -> list[str]:
    if verdict.outcome is Outcome.PERMIT:
        return []
    return [ground.statement.quote for ground in verdict.deciding]


def fetch(url: str) -> bytes:
    with (
        consentcrawl.Steward(config) as steward,
        consentcrawl.drivers.requests.session(steward=steward) as session,
    ):
        try:
            return session.get(url, timeout=10).content
        except Refused as error:
            raise SystemExit(quotes(error.verdict)) from error


verdict: Verdict = consentcrawl.inspect_bytes(b"", fields=[("X-Robots-Tag", "noai")])
print(quotes(verdict), consentcrawl.load_config().user_agent)
"""
_TRUTH = """
import consentcrawl


def is_permitted(content: bytes) -> bool:
    if consentcrawl.inspect_bytes(content):
        return True
    return False
"""


def test_ours_all_names_the_public_api() -> None:
    assert consentcrawl.__all__ == sorted(consentcrawl.__all__, key=lambda name: (not name[0].isupper(), name))
    for name in consentcrawl.__all__:
        assert getattr(consentcrawl, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = consentcrawl.nothing


def test_ours_the_earlier_names_are_aliases() -> None:
    assert consentcrawl.load is consentcrawl.load_config
    assert consentcrawl.policy is consentcrawl.make_policy
    assert consentcrawl.purpose is consentcrawl.make_purpose
    assert consentcrawl.inspect is consentcrawl.inspect_bytes


def test_ours_a_missing_library_is_an_error_that_names_its_extra() -> None:
    ran = subprocess.run([sys.executable, "-c", _WITHOUT], check=True, capture_output=True, text=True)
    named = re.findall(
        r"^(\w+): (\w+)\S* is not installed: pip install 'consentcrawl-middleware\[(\w+)\]'$", ran.stdout, re.MULTILINE
    )
    assert named == [(name, name, name) for name in ("fsspec", "httpx", "httpx2", "playwright", "scrapy")]


def test_ours_a_users_project_type_checks(tmp_path: Path) -> None:
    assert _mypy(tmp_path, _PROJECT) == []


def test_ours_a_verdict_as_a_condition_is_an_error_for_mypy(tmp_path: Path) -> None:
    found = _mypy(tmp_path, _TRUTH)
    assert found
    assert all(line.endswith("error: Statement is unreachable  [unreachable]") for line in found)


def _mypy(folder: Path, program: str) -> list[str]:
    """Return what mypy says of a program that uses the installed package, as it is called in a user's project."""
    (folder / "program.py").write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unreachable", "--no-error-summary", "program.py"]
    cache = f"--cache-dir={ROOT / '.mypy_cache' / 'project'}"
    environment = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    ran = subprocess.run([*command, cache], check=False, capture_output=True, text=True, cwd=folder, env=environment)
    assert not ran.stderr
    return ran.stdout.splitlines()


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
