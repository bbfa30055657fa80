"""The demo: a small web with every signal in it, and the verdicts about it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from consentcrawl.cli import app
from consentcrawl.cli.demo_sites import LIST
from consentcrawl.cli.demo_web import web

_CLI = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from consentcrawl.cli import app
app()
"""

WORDS = (
    "Disallow: /portfolio/", "Disallow: /", "Content-Usage", "ai-train=no", "DisallowAITraining: /", "tdmrep.json",
    "noai", "tdm-reservation field 1", "noimageai", "crawler-price", "License realm", "451", "challenge", "robots.txt",
    "the address cannot be read in one way only", "consentcrawl check urls.txt",
)  # fmt: skip


def test_ours_the_demo_shows_what_is_refused_by_which_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    started = time.process_time()

    result = CliRunner().invoke(app, ["demo"])

    assert result.exit_code == 0, result.output
    assert time.process_time() - started < 5
    assert all(words in result.stdout for words in WORDS)
    assert all(url in result.stdout for url, _ in LIST)
    assert "25 rows: 3 permit, 16 refuse, 6 undetermined" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_ours_the_web_is_gone_when_the_block_ends() -> None:
    with web() as first:
        pass
    with web() as second:
        assert len(second) == 2

    assert first != second


def test_ours_the_web_stays_up_when_asked() -> None:
    running = subprocess.Popen(
        [sys.executable, "-u", "-c", _CLI, "demo", "--serve"],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert running.stdout is not None
    while b"--connect-to" not in (line := running.stdout.readline()):
        assert line
    seen = CliRunner().invoke(app, ["explain", "http://fields.example/noai.png", *line.decode().split()[-2:]])
    running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=10)

    assert (seen.exit_code, running.returncode, rest.strip()) == (1, 0, b"")
