"""Usual clients, unchanged, behind the proxy: a refused work never reaches them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.node import node
from tests.proxy_web import IMAGE, Web, web

FREE = ("http://art.test/free.jpg", "https://art.test/free.jpg")
REFUSED = ("http://art.test/noai.jpg", "https://art.test/noai.jpg", "https://art.test/closed/a.jpg")
REDIRECTED = "https://art.test/hop"

URLLIB = """
import sys, urllib.error, urllib.request
for url in sys.argv[1:]:
    try:
        with urllib.request.urlopen(url) as answer: print(answer.status, len(answer.read()))
    except urllib.error.HTTPError as error: print(error.code, len(error.read()))
"""
REQUESTS = """
import sys, requests
with requests.Session() as session:
    for url in sys.argv[1:]:
        answer = session.get(url)
        print(answer.status_code, len(answer.content))
"""
HTTPX = REQUESTS.replace("requests", "httpx").replace("httpx.Session()", "httpx.Client(follow_redirects=True)")
AIOHTTP = """
import asyncio, sys, aiohttp
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        for url in sys.argv[1:]:
            async with session.get(url) as answer: print(answer.status, len(await answer.read()))
asyncio.run(main())
"""
NODE = Path(__file__).with_name("proxy_fetch.mjs")


def _python(code: str) -> Callable[[Web, list[str]], list[str]]:
    return lambda _, urls: [sys.executable, "-c", code, *urls]


def _curl(_: Web, urls: list[str]) -> list[str]:
    shown = ["-w", "%{http_code} %{size_download}\\n", "-o", os.devnull]
    return ["curl", "-sSL", *(part for url in urls for part in (*shown, url))]


def _node(site: Web, urls: list[str]) -> list[str]:
    return [node(), str(NODE), site.url, *urls]


CLIENTS: dict[str, Callable[[Web, list[str]], list[str]]] = {
    "aiohttp": _python(AIOHTTP),
    "curl": _curl,
    "httpx": _python(HTTPX),
    "node": _node,
    "requests": _python(REQUESTS),
    "urllib": _python(URLLIB),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with web(tmp_path_factory.mktemp("proxy")) as running:
        yield running


@pytest.mark.parametrize("name", CLIENTS)
def test_ours_a_refused_work_never_reaches_the_client(name: str, site: Web) -> None:
    command = CLIENTS[name](site, [*FREE, *REFUSED, REDIRECTED])
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    before = len(site.kept.verdicts)
    ran = subprocess.run(
        command, env=os.environ | site.environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    got = [tuple(map(int, line.split())) for line in ran.stdout.splitlines()]
    assert [status for status, _ in got] == [200, 200, 451, 451, 451, 451], ran.stderr
    assert [size for _, size in got[:2]] == [len(IMAGE)] * 2
    assert all(0 < size < 2_000 for _, size in got[2:])
    assert len(site.kept.verdicts) - before == 7  # the redirect is a request of its own
    assert not site.origin.count("/closed/a.jpg")


def test_ours_wget_writes_no_refused_work(site: Web, tmp_path: Path) -> None:
    rc = tmp_path / "wgetrc"
    rc.write_text(f"ca_certificate={site.bundle}\ntries=1\n")
    environment = os.environ | site.environment() | {"WGETRC": str(rc)}
    command = ["wget", "-q", *FREE[1:], *REFUSED]
    if shutil.which("wget") is None:
        pytest.skip("wget is not installed")
    ran = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert ran.returncode == 8  # a server said no
    assert {path.name for path in tmp_path.iterdir()} == {"wgetrc", "free.jpg"}
    assert (tmp_path / "free.jpg").read_bytes() == IMAGE
