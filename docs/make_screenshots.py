"""Makes the pictures of the live page and of a refusal, with the demo's small web and Debian's Chromium.

Run as ``python docs/make_screenshots.py``; it needs ``playwright`` and ``/usr/bin/chromium``.
"""  # noqa: INP001 (not a package)

from __future__ import annotations

import random
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from consentcrawl.cli.demo_sites import LIST
from consentcrawl.cli.demo_web import web
from consentcrawl.config import Config
from consentcrawl.net.guard import ConnectTo
from consentcrawl.proxy.launch.background import serving
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.proxy.upstream.crawl_delay import crawl_delays
from consentcrawl.steward import Steward

IMAGES = Path(__file__).parent / "images"
REFUSED = "http://studio.example/portfolio/1.png"
GIVEN = ("http://open.example/sunset.png", "http://giving.example/sunset.png")
_ROUNDS, _ROUNDS_GIVEN = 8, 220
_LARGEST = 200_000
_WIDE: ViewportSize = {"width": 1100, "height": 1250}
_NARROW: ViewportSize = {"width": 900, "height": 420}


@dataclass(frozen=True)
class Shown:
    """Where the proxy and its live page are."""

    proxy: str
    page: str


@contextmanager
def proxied() -> Iterator[Shown]:
    """Serve the demo's web through a proxy that has been busy for a while."""
    with TemporaryDirectory() as folder, web() as ways:
        steward = Steward(Config(connect_to=tuple(map(ConnectTo.parse, ways))))
        port = _free_port()
        settings = ProxySettings(port=0, ui=("127.0.0.1", port), authority=Path(folder) / "authority")
        try:
            with serving(steward, settings, Activity(delay=crawl_delays(steward))) as served:
                shown = Shown(f"http://127.0.0.1:{served.port}", f"http://127.0.0.1:{port}/")
                _fetch(shown.proxy)
                yield shown
        finally:
            steward.close()


def shoot(browser: Browser, shown: Shown) -> Iterator[Path]:
    """Take the pictures."""
    for scheme in ("light", "dark"):
        tab = browser.new_page(color_scheme=scheme, viewport=_WIDE)
        tab.goto(shown.page)
        tab.wait_for_selector("#hold:visible")
        yield _kept(tab.screenshot(type="png"), f"live-page-{scheme}.png")
    tab = browser.new_page(viewport=_NARROW, proxy={"server": shown.proxy})
    tab.goto(REFUSED)
    yield _kept(tab.screenshot(type="png"), "refusal-page.png")


def _fetch(proxy: str) -> None:
    """Ask for every work of the demo, over and over."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy}))
    rows = [url for url, _ in LIST] * _ROUNDS + list(GIVEN) * _ROUNDS_GIVEN
    random.Random(1).shuffle(rows)  # noqa: S311 (an order, no secret)
    for url in rows:
        with suppress(urllib.error.URLError):
            opener.open(url).read()


def _kept(picture: bytes, name: str) -> Path:
    if len(picture) > _LARGEST:
        sys.exit(f"{name} has {len(picture):,} bytes")
    (IMAGES / name).write_bytes(picture)
    return IMAGES / name


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def main() -> None:
    """Make all of them."""
    IMAGES.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("there is no chromium here (apt-get install chromium)")
    with proxied() as shown, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for path in shoot(browser, shown):
            sys.stdout.write(f"{path.name} {path.stat().st_size:,}\n")
        browser.close()


if __name__ == "__main__":
    main()
