"""Programs that know nothing of it: activated in every Python they start, and left as they were after."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
from requests.adapters import HTTPAdapter

import consentcrawl
from consentcrawl import activate
from consentcrawl.drivers import aiohttp as aiohttp_driver
from consentcrawl.drivers import requests as requests_driver
from tests.website import Answer, Site, noise, serving

IMAGE = noise()
JPEG = (("Content-Type", "image/jpeg"),)
HTML = (("Content-Type", "text/html"),)
PAGES = {
    "/robots.txt": Answer(b"User-agent: *\nDisallow: /closed/\n", fields=(("Content-Type", "text/plain"),)),
    "/free.jpg": Answer(IMAGE, fields=JPEG),
    "/noai.jpg": Answer(IMAGE, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/noai.html": Answer(b'<meta name="robots" content="noai">', fields=HTML),
    "/closed/a.jpg": Answer(IMAGE, fields=JPEG),
    "/hop": Answer(status=302, fields=(("Location", "/closed/a.jpg"),)),
}
LOCAL = consentcrawl.Config(allow=("127.0.0.0/8",))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


@pytest.fixture
def activated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("PYTHONPATH", "CONSENTCRAWL_ACTIVATE", "CONSENTCRAWL_CONFIG"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    activate.install(LOCAL)
    yield
    activate.uninstall()


Answered = tuple[int, bytes]


def by_urllib(url: str) -> Answered:
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 (loopback)
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def by_private_opener(url: str) -> Answered:
    try:
        with urllib.request.build_opener().open(url) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def by_requests(url: str) -> Answered:
    answer = requests.get(url, timeout=10)
    return answer.status_code, answer.content


def by_own_adapter(url: str) -> Answered:
    class Mine(HTTPAdapter):
        def send(self, request: Any, *args: Any, **more: Any) -> Any:
            flags = (more.pop("stream"), more.pop("timeout"))
            return super().send(request, *flags, *args, **more)

    with requests.Session() as session:
        session.mount("http://127.0.0.1", Mine())
        answer = session.get(url)
    return answer.status_code, answer.content


def by_httpx(url: str) -> Answered:
    answer = httpx.get(url, follow_redirects=True)
    return answer.status_code, answer.content


def by_httpx2(url: str) -> Answered:
    async def get() -> Answered:
        async with httpx2.AsyncClient(follow_redirects=True) as client:
            answer = await client.get(url)
            return answer.status_code, answer.content

    return asyncio.run(get())


def by_aiohttp(url: str, **more: Any) -> Answered:
    async def get() -> Answered:
        async with aiohttp.ClientSession() as session, session.get(url, **more) as answer:
            return answer.status, await answer.read()

    return asyncio.run(get())


def by_aiohttp_without_middlewares(url: str) -> Answered:
    return by_aiohttp(url, middlewares=())


CLIENTS: dict[str, Callable[[str], Answered]] = {
    name.removeprefix("by_"): client for name, client in globals().items() if name.startswith("by_")
}


@pytest.mark.usefixtures("activated")
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_ours_a_library_answers_451_for_what_is_withheld(client: Callable[[str], Answered], site: Site) -> None:
    assert client(site.origin + "/free.jpg") == (200, IMAGE)
    for path in ("/noai.jpg", "/noai.html", "/closed/a.jpg", "/hop"):
        status, content = client(site.origin + path)
        assert status == 451
        assert b'"outcome": "refuse"' in content
    assert site.count("/closed/a.jpg") == 0
    assert site.count("/robots.txt") == 1


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_ours_uninstall_leaves_a_library_as_it_was(client: Callable[[str], Answered], site: Site) -> None:
    before = (HTTPAdapter.send, urllib.request.OpenerDirector.open, httpx.HTTPTransport.handle_request)
    finders = list(sys.meta_path)
    activate.install(LOCAL)
    activate.install(LOCAL)
    client(site.origin + "/free.jpg")
    activate.uninstall()
    activate.uninstall()
    assert client(site.origin + "/noai.jpg") == (200, IMAGE)
    assert before == (HTTPAdapter.send, urllib.request.OpenerDirector.open, httpx.HTTPTransport.handle_request)
    assert sys.meta_path == finders
    assert "CONSENTCRAWL_ACTIVATE" not in os.environ


@pytest.mark.usefixtures("activated")
def test_ours_our_own_sessions_ask_once_and_raise_as_ever(site: Site) -> None:
    steward = consentcrawl.Steward(LOCAL)
    with requests_driver.session(steward=steward) as session, pytest.raises(requests_driver.Refused):
        session.get(site.origin + "/noai.jpg")

    async def get() -> None:
        async with aiohttp_driver.session(steward=steward) as session:
            with pytest.raises(aiohttp_driver.Refused):
                await session.get(site.origin + "/noai.jpg")

    asyncio.run(get())
    steward.close()
    assert site.count("/robots.txt") == 1


PROGRAM = """
import multiprocessing, os, subprocess, sys, urllib.request, urllib.error

def status(url):
    try:
        return urllib.request.urlopen(url).status
    except urllib.error.HTTPError as error:
        return error.code

def by_requests(url):
    import requests
    return requests.get(url).status_code

def by_httpx(url):
    import httpx
    return httpx.get(url).status_code

if __name__ == "__main__":
    url = sys.argv[1]
    os.chdir("/")
    print("here", status(url), by_requests(url), by_httpx(url))
    for way in ("spawn", "fork", "forkserver"):
        with multiprocessing.get_context(way).Pool(1) as pool:
            print(way, pool.apply(status, (url,)), pool.apply(by_requests, (url,)), pool.apply(by_httpx, (url,)))
    code = "import sys; sys.path.insert(0, sys.argv[2]); import program; print('child', program.status(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, url, os.path.dirname(__file__)])
"""


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "consentcrawl.toml").write_text('[network]\nallow = ["127.0.0.0/8"]\n')
    inherited = {name: value for name, value in os.environ.items() if "CONSENTCRAWL" not in name}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env={**inherited, **environment}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


def test_ours_every_process_of_a_program_is_reached(site: Site, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = run(tmp_path, "-m", "consentcrawl.activate", "program.py", site.origin + "/closed/a.jpg")
    assert done.stderr == ""
    ways = ("here", "spawn", "fork", "forkserver")
    assert done.stdout.splitlines() == [*(f"{way} 451 451 451" for way in ways), "child 451"]
    assert site.count("/closed/a.jpg") == 0


ASKS = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1])"


def test_ours_the_variable_activates_with_the_folder_on_the_path(site: Site, tmp_path: Path) -> None:
    folder = run(tmp_path, "-m", "consentcrawl.activate", "--path").stdout.strip()
    (tmp_path / "sitecustomize.py").write_text("print('hidden')")
    places = os.pathsep.join([folder, str(tmp_path)])
    for variable, ends in (("1", 1), ("0", 0)):
        done = run(
            tmp_path, "-c", ASKS, site.origin + "/closed/a.jpg", PYTHONPATH=places, CONSENTCRAWL_ACTIVATE=variable
        )
        assert done.stdout == "hidden\n"
        assert (done.returncode, "HTTP Error 451" in done.stderr) == (ends, bool(ends)), done.stderr


def test_ours_a_hidden_sitecustomize_that_fails_does_not_hinder(site: Site, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise ValueError('mine')")
    done = run(tmp_path, "-m", "consentcrawl.activate", "-c", ASKS, site.origin + "/noai.jpg", PYTHONPATH=str(tmp_path))
    assert "ValueError: mine" in done.stderr
    assert "HTTP Error 451" in done.stderr


def test_ours_where_it_cannot_be_had_nothing_starts() -> None:
    bare = sys._base_executable  # type: ignore[attr-defined]  # the Python that this environment was made of
    environment = {"PYTHONPATH": str(activate.STARTUP), "CONSENTCRAWL_ACTIVATE": "1"}
    done = subprocess.run([bare, "-c", "print('on')"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "has no consentcrawl" in done.stderr


def test_ours_settings_that_cannot_be_read_let_nothing_through(site: Site, tmp_path: Path) -> None:
    command = ("-m", "consentcrawl.activate", "-c", ASKS, site.origin + "/free.jpg")
    done = run(tmp_path, *command, CONSENTCRAWL_POLICY_GAPS="maybe")
    assert (done.returncode, "policy.gaps" in done.stderr) == (2, True)
    hooked = {"PYTHONPATH": str(activate.STARTUP), "CONSENTCRAWL_ACTIVATE": "1"}
    done = run(tmp_path, "-c", ASKS, site.origin + "/free.jpg", CONSENTCRAWL_POLICY_GAPS="maybe", **hooked)
    assert (done.returncode, "BadPolicy" in done.stderr) == (1, True)
    assert site.asked == []


def test_ours_a_ledger_that_would_not_be_written_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "consentcrawl.activate", "-c", "print('on')", CONSENTCRAWL_LEDGER_DIRECTORY="ledger")
    assert (done.returncode, done.stdout) == (2, "")
    assert "writes no ledger" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [([], 2, "usage:"), (["--help"], 2, "usage:"), (["no-such-program"], 127, "no program called 'no-such-program'")],
)
def test_ours_wrong_use_is_told(arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert activate.main(arguments) == code
    assert told in capsys.readouterr().err


def test_ours_commands_are_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "scraper"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert activate._command(["scraper", "-x"]) == [str(command), "-x"]
    assert activate._command(["-m", "scraper"]) == [sys.executable, "-m", "scraper"]
