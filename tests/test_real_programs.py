"""Programs that people use, unchanged, against a site with a real name on loopback: nothing refused reaches disk."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests import test_docs
from tests.callers import playwright as browser
from tests.website import Answer, Site, noise, serving

JPEG = (("Content-Type", "image/jpeg"),)
HTML = (("Content-Type", "text/html"),)
HOST = "http://art.example"
FREE, NOAI, CLOSED, MOVED = (HOST + path for path in ("/1.jpg", "/2.jpg", "/private/3.jpg", "/4.jpg"))
IMAGE = noise()
PAGES = {
    # ContentPrefix-ups dial the site itself; the programs reach it by their proxy, and ask for whole URLs.
    "/robots.txt": Answer(b"User-agent: *\nDisallow: /private/\n", fields=(("Content-Type", "text/plain"),)),
    FREE: Answer(IMAGE, fields=JPEG),
    NOAI: Answer(IMAGE, fields=(*JPEG, ("X-Robots-Tag", "noai, noimageai"))),
    CLOSED: Answer(IMAGE, fields=JPEG),
    MOVED: Answer(status=302, fields=(("Location", "/private/3.jpg"),)),
    HOST + "/": Answer(
        b'<img src="/1.jpg"><img src="/2.jpg"><img src="/private/3.jpg"><img src="/4.jpg">', fields=HTML
    ),
}


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Path:
    write_settings(site, tmp_path)
    return tmp_path


def write_settings(site: Site, folder: Path) -> None:
    port = site.origin.rpartition(":")[2]
    (folder / "consentcrawl.toml").write_text(f'[network]\nconnect_to = ["art.example:80:127.0.0.1:{port}"]\n')


def needs(module: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        find_spec(module) is None, reason=f"{module} is not installed (dependency group programs)"
    )


def run(site: Site, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    own = {"PATH": path, "http_proxy": site.origin, "HTTP_PROXY": site.origin, "HOME": str(folder)}
    quiet = {"NO_ALBUMENTATIONS_UPDATE": "1", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        command, cwd=folder, env={**inherited, **own, **quiet}, capture_output=True, text=True, check=False, timeout=60
    )


def activated(site: Site, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return run(site, folder, sys.executable, "-m", "consentcrawl.activate", *command)


def images(folder: Path) -> list[Path]:
    """Return every file that holds a JPEG, whatever it is called."""
    return [path for path in folder.rglob("*") if path.is_file() and path.read_bytes()[:3] == b"\xff\xd8\xff"]


def untouched(site: Site) -> bool:
    """Tell that nobody asked for what may not be asked for."""
    return site.count(CLOSED) == 0


@needs("gallery_dl")
def test_ours_gallery_dl_does_not_try_again(site: Site, folder: Path) -> None:
    done = activated(site, folder, "gallery-dl", "--dest", "out", f"generic:{HOST}/")
    assert "451 Unavailable For Legal Reasons" in done.stderr
    assert [path.stem for path in images(folder / "out")] == ["1"]
    assert site.count(NOAI) == 1
    assert untouched(site)


SPIDER = """
import scrapy


class ArtSpider(scrapy.Spider):
    name = "art"
    start_urls = ["http://art.example/"]

    def parse(self, response):
        yield {"image_urls": [response.urljoin(src) for src in response.css("img::attr(src)").getall()]}
"""
SETTINGS = """
ITEM_PIPELINES = {"scrapy.pipelines.images.ImagesPipeline": 1}
IMAGES_STORE = "out"
MEDIA_ALLOW_REDIRECTS = True
DOWNLOAD_DELAY = 0
ADDONS = {"consentcrawl.drivers.scrapy.Addon": 500}
"""


@needs("scrapy")
def test_ours_a_stock_scrapy_project_with_one_line(site: Site, folder: Path) -> None:
    run(site, folder, "scrapy", "startproject", "gallery", ".")
    (folder / "gallery" / "spiders" / "art.py").write_text(SPIDER)
    with (folder / "gallery" / "settings.py").open("a") as settings:
        settings.write(SETTINGS)
    done = run(site, folder, "scrapy", "crawl", "art", "-O", "items.json")
    assert "Traceback" not in done.stderr
    assert "'consentcrawl/refuse': 3" in done.stderr, done.stderr
    assert len(images(folder / "out")) == 1
    assert [len(item["images"]) for item in json.loads((folder / "items.json").read_text())] == [1]
    assert untouched(site)


READER = """
import sys
from datasets import Dataset, Image

rows = Dataset.from_dict({"image": sys.argv[1:]}).cast_column("image", Image())
for number in range(len(rows)):
    try:
        rows[number]["image"].load()
        print("had", sys.argv[1 + number])
    except Exception as error:
        print(type(error).__name__, error)
"""


@needs("datasets")
def test_ours_an_image_column_of_datasets(site: Site, folder: Path) -> None:
    (folder / "read.py").write_text(READER)
    done = activated(site, folder, "read.py", FREE, NOAI, CLOSED, MOVED)
    had = [line for line in done.stdout.splitlines() if line.startswith("had")]
    assert had == [f"had {FREE}"], done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 4
    assert images(folder) == []
    assert untouched(site)


TOLD_IN = {"use-with-img2dataset.md": "images/00000_stats.json"}


@pytest.mark.parametrize(
    ("page", "arguments"),
    [
        pytest.param("use-with-scrapy.md", (), marks=needs("scrapy")),
        pytest.param("use-with-gallery-dl.md", (), marks=needs("gallery_dl")),
        pytest.param("use-with-img2dataset.md", (), marks=needs("img2dataset")),
        pytest.param(
            "use-with-playwright.md",
            (browser.CHROMIUM, "--no-sandbox"),
            marks=pytest.mark.skipif(browser.CHROMIUM is None, reason=browser.MISSING),
        ),
    ],
)
def test_ours_what_a_page_types_in_does_what_it_shows(page: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    blocks = test_docs.blocks(test_docs.DOCS / "how-to" / page, HOST)
    for block in blocks:
        if block.title:
            (tmp_path / block.title).write_text(block.text)
    with serving(dict(of_documents())) as site:
        write_settings(site, tmp_path)
        told, before = "", ""
        for block in blocks:
            if block.language == "sh":
                told += typed_in(site, tmp_path, block.text, arguments)
            if block.language == "text" and before == "sh":
                file = tmp_path / TOLD_IN.get(page, "")
                test_docs.loosely(block.text, told + (file.read_text() if file.is_file() else ""))
            before = before if block.title else block.language
        assert site.count(HOST + "/private/3.jpg") == 0
    assert len(images(tmp_path)) == (0 if "scrapy" in page or "playwright" in page else 1)


def of_documents() -> Iterator[tuple[str, Answer]]:
    """Return the site of the documents, as look-ups ask for it and as programs do behind a proxy."""
    for path, answer in test_docs.SITE.items():
        yield path, answer
        yield HOST + path, answer


def typed_in(site: Site, folder: Path, lines: str, arguments: tuple[str, ...]) -> str:
    told = ""
    for line in lines.splitlines():
        name, *words = shlex.split(line)
        assert name == "python"
        done = run(site, folder, sys.executable, *words, *arguments)
        told += done.stdout + done.stderr
    return told
