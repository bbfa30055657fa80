"""``consentcrawl run``: real programs, unchanged, against a site that lets some works be taken and others not."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import termios
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consentcrawl.cli import running
from consentcrawl.config import Config
from consentcrawl.ledger.reading import lines
from consentcrawl.proxy.launch import environment, isolated_child, program
from consentcrawl.proxy.launch.program import NOT_EXECUTABLE, NOT_FOUND, PROXY_FAILED, NotRun, run
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.live.request_log import State
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.proxy.summary import summary
from consentcrawl.steward import Steward
from tests.node import node
from tests.secure_site import Secure, serving_securely
from tests.website import Answer, noise

HOST = "https://art.example"
JPEG = (("Content-Type", "image/jpeg"),)
WORKS = {"/free.jpg": noise(120), "/noai.jpg": noise(121), "/private/denied.jpg": noise(122)}
REFUSED = [WORKS["/noai.jpg"], WORKS["/private/denied.jpg"]]
GALLERY = b"""<!doctype html><title>gallery</title>
<img src="/free.jpg"><img src="/noai.jpg"><img src="/private/denied.jpg">
<p id=seen></p><script>
addEventListener("load", () => {
  document.getElementById("seen").textContent =
    "seen:" + [...document.images].filter((i) => i.naturalWidth).map((i) => i.getAttribute("src"));
});
</script>"""
PAGES = {
    "/robots.txt": Answer(b"User-agent: *\nDisallow: /private/\n", fields=(("Content-Type", "text/plain"),)),
    "/free.jpg": Answer(WORKS["/free.jpg"], fields=JPEG),
    "/noai.jpg": Answer(WORKS["/noai.jpg"], fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/private/denied.jpg": Answer(WORKS["/private/denied.jpg"], fields=JPEG),
    "/gallery.html": Answer(GALLERY, fields=(("Content-Type", "text/html"),)),
}
URLS = [HOST + path for path in WORKS]

_PYTHON = f"""
import asyncio, pathlib, sys
for number, url in enumerate({URLS!r}):
    try:
        content = fetch(url)
    except Exception as error:
        print(type(error).__name__, error)
    else:
        if content is not None:
            pathlib.Path(str(number)).write_bytes(content)
"""
FETCHES = {
    "urllib": """
        import urllib.request
        def fetch(url):
            return urllib.request.urlopen(url).read()
    """,
    "requests": """
        import requests
        def fetch(url):
            answer = requests.get(url)
            return answer.content if answer.ok else None
    """,
    "requests without trust_env": """
        import requests
        session = requests.Session()
        session.trust_env = False
        def fetch(url):
            answer = session.get(url)
            return answer.content if answer.ok else None
    """,
    "urllib3": """
        import urllib3
        web = urllib3.PoolManager()
        def fetch(url):
            answer = web.request("GET", url)
            return answer.data if answer.status == 200 else None
    """,
    "httpx": """
        import httpx
        def fetch(url):
            answer = httpx.get(url)
            return answer.content if answer.is_success else None
    """,
    "httpx with certifi, without trust_env": """
        import certifi, httpx, ssl
        def fetch(url):
            context = ssl.create_default_context(cafile=certifi.where())
            with httpx.Client(verify=context, trust_env=False) as web:
                answer = web.get(url)
            return answer.content if answer.is_success else None
    """,
    "aiohttp": """
        import aiohttp
        async def get(url):
            async with aiohttp.ClientSession(raise_for_status=True) as web, web.get(url) as answer:
                return await answer.read()
        def fetch(url):
            return asyncio.run(get(url))
    """,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    with serving_securely(PAGES, tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def steward(site: Secure) -> Iterator[Steward]:
    made = Steward(site.config)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program runs, as a user who has set nothing of his own."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (*environment._PROXY, *environment._ROOTS, "NO_PROXY", "SSL_CERT_DIR", "WGETRC", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return place


def under(steward: Steward, *words: str, isolated: bool = False) -> tuple[int, Activity]:
    activity = Activity()
    return run(words, steward, ProxySettings(), activity, isolated=isolated), activity


def python(steward: Steward, script: str, *, isolated: bool = False) -> tuple[int, Activity]:
    return under(steward, sys.executable, "-c", textwrap.dedent(script), isolated=isolated)


def contents(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


def only_the_free_one_was_kept(folder: Path, activity: Activity) -> None:
    kept = contents(folder)
    assert WORKS["/free.jpg"] in kept
    assert not [content for content in kept if any(work in content for work in REFUSED)]
    assert activity.states[State.REFUSED] == 2
    assert activity.states[State.DELIVERED] >= 1
    assert set(activity.signals) == {"robots_txt", "x_robots_tag"}


def needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"there is no {program} here")
    return found


@pytest.mark.parametrize("library", FETCHES)
def test_ours_python_library(library: str, steward: Steward, site: Secure, folder: Path) -> None:
    before = len(site.asked)

    code, activity = python(steward, textwrap.dedent(FETCHES[library]) + _PYTHON)

    assert code == 0
    only_the_free_one_was_kept(folder, activity)
    assert "/private/denied.jpg" not in {target for _, _, target in site.asked[before:]}


def test_ours_curl(steward: Steward, folder: Path) -> None:
    code, activity = under(
        steward, needs("curl"), "-sS", "--fail-early", "--fail", "--remote-name-all", URLS[0], *URLS[1:]
    )

    assert code == 22
    assert activity.states[State.REFUSED] == 1
    code, activity = under(steward, needs("curl"), "-sS", "--fail", "--remote-name-all", *URLS)
    only_the_free_one_was_kept(folder, activity)


def test_ours_wget(steward: Steward, folder: Path) -> None:
    code, activity = under(steward, needs("wget"), "-q", "--tries=1", *URLS)

    assert code == 8
    only_the_free_one_was_kept(folder, activity)


def test_ours_gallery_dl(steward: Steward, folder: Path) -> None:
    program = [sys.executable, "-m", "gallery_dl", "--config-ignore", "-d", "."]

    code, activity = under(steward, *program, f"generic:{HOST}/gallery.html")

    assert code == 4
    only_the_free_one_was_kept(folder, activity)


def test_ours_img2dataset(steward: Steward, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "urls.txt").write_text("\n".join(URLS))
    script = f"""
        from img2dataset import download
        if __name__ == "__main__":
            download(
                url_list={str(tmp_path / "urls.txt")!r}, output_folder="out", processes_count=1, thread_count=3,
                disallowed_header_directives=[], skip_reencode=True, min_image_size=0, resize_mode="no",
                enable_wandb=False, retries=0,
            )
    """
    (tmp_path / "load.py").write_text(textwrap.dedent(script))

    code, activity = under(steward, sys.executable, str(tmp_path / "load.py"))

    assert code == 0
    only_the_free_one_was_kept(folder, activity)


def test_ours_node(steward: Steward, folder: Path) -> None:
    script = f"""
        const {{ writeFileSync }} = require("node:fs");
        (async () => {{
          for (const [number, url] of {URLS!r}.entries()) {{
            const answer = await fetch(url);
            if (answer.ok) writeFileSync(String(number), Buffer.from(await answer.arrayBuffer()));
          }}
        }})();
    """

    code, activity = under(steward, node(), "-e", script)

    assert code == 0
    only_the_free_one_was_kept(folder, activity)


def test_ours_chromium(steward: Steward, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    flags = "--headless=new --no-sandbox --disable-gpu --disable-background-networking --user-data-dir=profile"
    trusting = '--ignore-certificate-errors-spki-list="$CONSENTCRAWL_SPKI"'

    code, activity = under(
        steward, "sh", "-c", f"{needs('chromium')} {flags} {trusting} --dump-dom {HOST}/gallery.html 2>/dev/null"
    )

    assert code == 0
    assert "seen:/free.jpg<" in capfd.readouterr().out
    assert set(activity.signals) == {"x_robots_tag", "robots_txt"}
    assert not [content for content in contents(folder) if any(work in content for work in REFUSED)]


def test_ours_playwright(steward: Steward, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("playwright")
    script = f"""
        from playwright.sync_api import sync_playwright
        with sync_playwright() as running:
            options = dict(executable_path={needs("chromium")!r}, args=["--no-sandbox"])
            browser = running.chromium.launch(**options)
            tab = browser.new_page()
            tab.goto("{HOST}/gallery.html")
            tab.wait_for_selector("#seen:has-text('seen')")
            print(tab.inner_text("#seen"))
            browser.close()
    """

    code, activity = python(steward, script)

    assert (code, capfd.readouterr().out) == (0, "seen:/free.jpg\n")
    assert set(activity.signals) == {"x_robots_tag", "robots_txt"}
    assert contents(folder) == []


def test_ours_the_sitecustomize_that_the_shim_hides_is_run(
    steward: Steward, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import pathlib; pathlib.Path('mine').touch()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    code, _ = python(steward, "import sitecustomize; print(sitecustomize.pathlib)")

    assert code == 0
    assert (folder / "mine").exists()


def test_ours_a_library_that_the_shim_does_not_know_goes_on(
    steward: Steward, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "urllib3").mkdir()
    (tmp_path / "urllib3" / "__init__.py").touch()
    (tmp_path / "urllib3" / "poolmanager.py").write_text("here = True")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    code, _ = python(steward, "from urllib3.poolmanager import here")

    assert code == 0
    assert "urllib3.poolmanager was left as it is" in capfd.readouterr().err
    assert list(folder.iterdir()) == []


@pytest.fixture
def isolating() -> None:
    """Skip where the system gives no network of one's own."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        words = program.isolated_command(["true"], 9, theirs.fileno())
        child = subprocess.Popen(words, pass_fds=[theirs.fileno()])
        theirs.close()
        said, descriptors, _, _ = socket.recv_fds(ours, 4096, 1)
        for descriptor in descriptors:
            os.close(descriptor)
    child.wait()
    if not descriptors:
        pytest.skip(said.decode())


@pytest.mark.usefixtures("isolating")
def test_ours_isolated_programs_fetch_through_the_proxy(steward: Steward, folder: Path) -> None:
    code, activity = python(steward, textwrap.dedent(FETCHES["aiohttp"]) + _PYTHON, isolated=True)

    assert code == 0
    only_the_free_one_was_kept(folder, activity)


@pytest.mark.usefixtures("isolating")
@pytest.mark.parametrize(
    "way", ["--noproxy '*' https://127.0.0.1:{port}/", "-x '' --connect-to ::127.0.0.1:{port} {url}"]
)
def test_ours_an_isolated_program_cannot_go_round_the_proxy(
    way: str, steward: Steward, site: Secure, folder: Path
) -> None:
    before = len(site.asked)
    words = way.format(port=site.port, url=URLS[1])

    code, _ = under(steward, "sh", "-c", f"{needs('curl')} -sS -k -m 5 -o got {words}", isolated=True)

    assert code == 7  # could not connect
    assert len(site.asked) == before
    assert contents(folder) == []


@pytest.mark.usefixtures("isolating", "folder")
def test_ours_an_isolated_program_cannot_enter_the_network_it_came_from(steward: Steward) -> None:
    code, _ = under(steward, "sh", "-c", f"{needs('nsenter')} --net=/proc/$PPID/ns/net true 2>/dev/null", isolated=True)

    assert code == 1


@pytest.mark.usefixtures("isolating")
def test_ours_an_isolated_node_that_heeds_no_variable_gets_nothing(
    steward: Steward, site: Secure, folder: Path
) -> None:
    before = len(site.asked)
    script = f"fetch('https://127.0.0.1:{site.port}/noai.jpg').then(() => process.exit(0), () => process.exit(9))"

    code, _ = under(steward, "env", "-u", "NODE_USE_ENV_PROXY", node(), "-e", script, isolated=True)

    assert code == 9
    assert len(site.asked) == before
    assert contents(folder) == []


@pytest.mark.usefixtures("isolating", "folder")
def test_ours_isolated_exit_codes_are_the_same(steward: Steward, tmp_path: Path) -> None:
    (tmp_path / "plain").touch(mode=0o600)

    codes = [
        under(steward, *words, isolated=True)[0]
        for words in (["sh", "-c", "exit 5"], ["none-such"], [str(tmp_path / "plain")])
    ]

    assert codes == [5, NOT_FOUND, NOT_EXECUTABLE]


def test_ours_where_namespaces_are_off_nothing_is_run(
    steward: Steward, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "import socket, sys; socket.socket(fileno=int(sys.argv[1])).sendall(b'Operation not permitted')"
    monkeypatch.setattr(program, "isolated_command", lambda *asked: [sys.executable, "-c", script, str(asked[2])])

    with pytest.raises(NotRun, match="no network of its own for the program: Operation not permitted") as refused:
        under(steward, "touch", "ran", isolated=True)

    assert refused.value.code == PROXY_FAILED
    assert list(folder.iterdir()) == []


def test_ours_a_system_without_namespaces_is_told_so(steward: Steward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(NotRun, match="darwin has no network namespaces"):
        under(steward, "true", isolated=True)


def test_ours_what_cannot_isolate_itself_says_why_and_becomes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(isolated_child, "_isolate", denied)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert isolated_child.main(theirs, 8080, ["true"]) == PROXY_FAILED
        assert b"user namespaces may be turned off" in ours.recv(1000)


@pytest.mark.usefixtures("folder")
def test_ours_exit_codes_are_those_of_the_program_and_of_env(steward: Steward, tmp_path: Path) -> None:
    (tmp_path / "plain").touch(mode=0o600)

    assert under(steward, "sh", "-c", "exit 7")[0] == 7
    assert under(steward, "sh", "-c", "kill -9 $$")[0] == 128 + signal.SIGKILL
    for words, code in ((["none-such"], NOT_FOUND), ([str(tmp_path / "plain")], NOT_EXECUTABLE)):
        with pytest.raises(NotRun) as refused:
            under(steward, *words)
        assert refused.value.code == code


def test_ours_a_signal_is_passed_on(steward: Steward, folder: Path) -> None:
    script = "trap 'exit 9' TERM; touch ready; while :; do sleep 0.05; done"

    def send() -> None:
        appears(folder / "ready")
        os.kill(os.getpid(), signal.SIGTERM)

    sending = threading.Thread(target=send)
    sending.start()
    code, _ = under(steward, "sh", "-c", script)
    sending.join()

    assert code == 9
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_ours_the_keyboard_interrupts_the_program_once(site: Secure, folder: Path, tmp_path: Path) -> None:
    script = "trap 'echo once >> interrupts' INT; touch ready; while [ ! -e stop ]; do sleep 0.05; done; exit 3"
    keys, terminal = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    words = [*start(site, tmp_path), "--no-ledger", "--", "sh", "-c", script]
    child = subprocess.Popen(words, stdin=terminal, stdout=terminal, stderr=terminal, preexec_fn=take_terminal)  # noqa: PLW1509 (no threads here)
    appears(folder / "ready")
    os.write(keys, b"\x03")
    appears(folder / "interrupts")
    (folder / "stop").touch()

    assert child.wait(10) == 3
    assert (folder / "interrupts").read_text() == "once\n"
    os.close(keys)
    os.close(terminal)


def appears(file: Path) -> None:
    for _ in range(500):
        if file.exists():
            return
        time.sleep(0.02)
    pytest.fail(f"{file.name} never came")


def test_ours_nothing_is_left_of_a_run(steward: Steward, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    threads = threading.active_count()

    under(steward, "sh", "-c", 'echo "$CONSENTCRAWL_ROOTS"')

    roots = Path(capfd.readouterr().out.strip())
    assert roots.name == "roots.pem"
    assert not roots.parent.exists()
    assert threading.active_count() <= threads
    assert list(folder.iterdir()) == []


def written(folder: Path, base: dict[str, str]) -> tuple[environment.RunFiles, dict[str, str]]:
    files = environment.RunFiles.write(
        folder, b"-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----", "http://p:1", base
    )
    return files, environment.variables("http://p:1", files, "pin", base)


def test_ours_every_variable_is_set_in_both_cases_and_nothing_goes_round(tmp_path: Path) -> None:
    base = {
        "NO_PROXY": "*",
        "no_proxy": "art.example",
        "SSL_CERT_DIR": "/none",
        "HTTPS_PROXY": "http://corp:1",
        "A": "b",
    }

    files, said = written(tmp_path, base)

    names = {name for name, value in said.items() if value == "http://p:1"}
    both = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"}
    assert names == both | {"CONSENTCRAWL_PROXY"}
    assert said["NO_PROXY"] == said["no_proxy"] == ""
    assert "SSL_CERT_DIR" not in said
    assert {said[name] for name in environment._ROOTS} == {str(files.roots)}
    assert (said["NODE_USE_ENV_PROXY"], said["WGETRC"], said["A"]) == ("1", str(files.wgetrc), "b")
    assert environment.proxy_of(base) == "http://corp:1"
    assert environment.proxy_of({}) == ""


def test_ours_the_users_own_roots_and_settings_stay(tmp_path: Path) -> None:
    names = ("one", "two", "three")
    for name in names:
        text = f"# {name}\n-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n"
        (tmp_path / f"{name}.pem").write_text(text)
    (tmp_path / "more").mkdir()
    (tmp_path / "three.pem").rename(tmp_path / "more" / "three.pem")
    (tmp_path / ".wgetrc").write_bytes(b"user_agent = caf\xe9\nhttp_proxy = http://corp:1")
    base = {
        "HOME": str(tmp_path),
        "SSL_CERT_FILE": str(tmp_path / "one.pem"),
        "REQUESTS_CA_BUNDLE": str(tmp_path / "two.pem"),
        "CURL_CA_BUNDLE": str(tmp_path / "one.pem"),
        "SSL_CERT_DIR": str(tmp_path / "more"),
        "PIP_CERT": str(tmp_path / "missing.pem"),
        "PYTHONPATH": "/mine",
    }

    files, said = written(tmp_path, base)

    roots = files.roots.read_text()
    assert [roots.count(f"\n{name}\n") for name in (*names, "ours")] == [1, 1, 1, 1]
    assert roots.count("BEGIN CERTIFICATE") > 50
    settings = files.wgetrc.read_bytes()
    assert settings.startswith(b"user_agent = caf\xe9\n")
    assert settings.index(b"http://corp:1") < settings.index(b"http_proxy = http://p:1")
    assert said["PYTHONPATH"] == os.pathsep.join((str(environment.SHIM), "/mine"))


def test_ours_the_proxy_verifies_origins_with_its_own_roots(
    steward: Steward, site: Secure, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untrusting = Steward(Config(connect_to=site.config.connect_to))
    monkeypatch.setenv("SSL_CERT_FILE", str(site.roots))

    try:
        code, activity = under(untrusting, needs("curl"), "-sS", "--fail", "-o", "got", URLS[0])
    finally:
        untrusting.close()

    assert code == 22
    assert activity.delivered == 0
    assert not (folder / "got").exists()
    assert steward.config.roots


def start(site: Secure, tmp_path: Path) -> list[str]:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[network]\nroots = "{site.roots}"\nconnect_to = ["{site.leads_here}"]\n')
    return [sys.executable, "-m", "consentcrawl", "run", "--config", str(settings)]


def command(site: Secure, tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*start(site, tmp_path), *words], check=False, capture_output=True, text=True, timeout=60)


def test_ours_the_command_says_on_one_screen_what_came_of_it(site: Secure, folder: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"

    done = command(
        site, tmp_path, "--ledger", str(ledger), "--", needs("curl"), "-sS", "--fail", "--remote-name-all", *URLS
    )

    assert done.returncode == 22
    assert "3 requests: 1 delivered, 2 refused" in done.stderr
    assert re.search(r"1  x_robots_tag: \"noai\", X-Robots-Tag field 1 of https://art.example/noai.jpg", done.stderr)
    assert re.search(r"1  robots_txt: \"Disallow: /private/\", line 2 of https://art.example/robots.txt", done.stderr)
    assert f"the ledger is in {ledger}" in done.stderr
    assert done.stdout == ""
    kinds = [line.record["kind"] for line in lines(ledger)]
    assert (kinds.count("verdict"), kinds.count("outcome")) == (3, 1)
    assert (folder / "free.jpg").read_bytes() == WORKS["/free.jpg"]


def test_ours_the_ledger_is_in_the_users_state_unless_it_is_not_wanted(
    site: Secure, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    without = command(site, tmp_path, "--no-ledger", "true").stderr
    assert "the ledger is in" not in without
    assert "no request came to the proxy" in without
    assert not (tmp_path / "state").exists()
    done = command(site, tmp_path, "--", "true")
    assert (done.returncode, list(folder.iterdir())) == (0, [])
    assert f"the ledger is in {tmp_path}/state/consentcrawl/ledger" in done.stderr


def test_ours_what_is_wrong_is_one_line_and_an_exit_code(
    site: Secure, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert running.run(["none-such"], running.RunOptions(site.config, ProxySettings())) == NOT_FOUND
    assert capsys.readouterr().err == "consentcrawl: none-such: No such file or directory\n"
    (tmp_path / "file").touch()
    assert (
        running.run(["true"], running.RunOptions(site.config, ProxySettings(), ledger=tmp_path / "file"))
        == PROXY_FAILED
    )
    assert str(tmp_path / "file") in capsys.readouterr().err
    monkeypatch.setenv("HTTPS_PROXY", "http://corp:1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        page = ("127.0.0.1", taken.getsockname()[1])
        assert (
            running.run(["true"], running.RunOptions(site.config, ProxySettings(ui=page), quiet=True)) == PROXY_FAILED
        )
    said = capsys.readouterr().err
    assert "http://corp:1 is not used" in said
    assert f"live page: http://127.0.0.1:{page[1]}/#token=" in said
    assert list(folder.iterdir()) == []
    assert "ADDR:PORT" in command(site, tmp_path, "--ui", "nowhere", "true").stderr


def test_ours_the_live_page_is_there_by_its_name(
    steward: Steward, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, activity = under(steward, needs("curl"), "-sS", "--fail", "http://consentcrawl.local/healthz")

    assert (code, capfd.readouterr().out.strip()) == (0, "ok")
    assert (activity.requests, list(folder.iterdir())) == (0, [])


def test_ours_a_summary_stays_on_one_screen_whatever_strangers_wrote() -> None:
    activity = Activity()
    activity.signals.update({f"signal_{number}": number for number in range(30)})

    said = list(summary(activity))

    assert len(said) < 20
    assert all(len(line) <= 160 for line in said)
