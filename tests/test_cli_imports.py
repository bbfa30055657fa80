"""What the command line loads before it does anything: the proxy carries it for its whole life."""

from __future__ import annotations

import subprocess
import sys

import pytest

from consentcrawl.cli import verbs

_HEAVY = ("pyarrow", "numpy", "pandas")
_SLOW = (*_HEAVY, "aiohttp", "cryptography", "fsspec", "requests", "scrapy", "warcio")


@pytest.mark.parametrize(
    ("module", "without"),
    [("consentcrawl.cli", _SLOW), ("consentcrawl.cli.proxying", _HEAVY), ("consentcrawl.cli.running", _HEAVY)],
)
def test_ours_nothing_is_loaded_that_is_not_used(module: str, without: tuple[str, ...]) -> None:
    said = f"import sys, {module}; print(*(set({without!r}) & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == []


def test_ours_each_verb_is_in_the_file_of_its_name() -> None:
    loaded = verbs.Verbs(name="x").commands
    assert [command.name for command in loaded.values()] == list(verbs.NAMES)
    assert "no such verb" not in loaded
    assert len(loaded) == len(verbs.NAMES)
