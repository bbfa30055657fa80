"""What the command line loads before it does anything: the proxy carries it for its whole life."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from consentcrawl.cli import verbs
from tests.website import Answer, noise, serving

# Not fsspec itself: where it is installed, warcio loads it for every ledger (1 MB).
_HEAVY = ("pyarrow", "numpy", "pandas", "consentcrawl.drivers.fsspec")
_SLOW = (*_HEAVY, "aiohttp", "consentcrawl.steward", "cryptography", "fsspec", "requests", "scrapy", "warcio")
_PAGES = {"/free.jpg": Answer(noise()), "/noai.jpg": Answer(noise(), fields=(("X-Robots-Tag", "noai"),))}
_FETCH = """
import sys, urllib.error, urllib.request
for url in sys.argv[1:]:
    try:
        with urllib.request.urlopen(url) as response:
            print(response.status)
    except urllib.error.HTTPError as error:
        with error:
            print(error.code)
"""


@pytest.mark.parametrize(
    ("module", "without"),
    [("consentcrawl.cli", _SLOW), ("consentcrawl.cli.proxying", _HEAVY), ("consentcrawl.cli.running", _HEAVY)],
)
def test_ours_nothing_is_loaded_that_is_not_used(module: str, without: tuple[str, ...]) -> None:
    assert _said(f"import sys, {module}; print(*(set({without!r}) & sys.modules.keys()))") == []


def test_ours_a_version_is_said_without_what_verbs_need() -> None:
    assert _said(_and_tell(_SLOW), "--version")[2:] == ["loaded:"]


def test_ours_a_proxy_that_answered_and_kept_evidence_has_loaded_nothing_heavy(tmp_path: Path) -> None:
    options = ("--quiet", "--ledger", str(tmp_path), "--allow-net", "127.0.0.0/8")
    with serving(_PAGES) as site:
        program = (sys.executable, "-c", _FETCH, *(site.origin + target for target in _PAGES))
        assert _said(_and_tell(_HEAVY), "run", *options, "--", *program) == ["200", "451", "loaded:"]
    assert list(tmp_path.glob("evidence/*.warc.gz"))


def test_ours_each_verb_is_in_the_file_of_its_name() -> None:
    loaded = verbs.Verbs(name="x").commands
    assert [command.name for command in loaded.values()] == list(verbs.NAMES)
    assert "no such verb" not in loaded
    assert len(loaded) == len(verbs.NAMES)


def _and_tell(without: tuple[str, ...]) -> str:
    """A program that is the command line, and says at its end what it loaded of these."""
    tell = f"atexit.register(lambda: print('loaded:', *(set({without!r}) & sys.modules.keys())))"
    return f"import atexit, sys; from consentcrawl.cli import app; {tell}; app()"


def _said(program: str, *words: str) -> list[str]:
    """The words that a fresh interpreter says."""
    ran = subprocess.run([sys.executable, "-c", program, *words], check=True, capture_output=True, text=True)
    return ran.stdout.split()
