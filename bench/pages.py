"""Reading a page for its meta tags: ours, Lexbor (through selectolax) and BeautifulSoup, on found and on made pages."""

from __future__ import annotations

import importlib
import random
import statistics
import sys
import sysconfig
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from bs4 import BeautifulSoup

from consentcrawl.formats import html

Reader = Callable[[bytes], int]

ROUNDS = 7
_WORDS = ["lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "elit", "sed", "do", "tempor's", "&amp;", "labore"]


def ours(page: bytes) -> int:
    """How many metas our reader finds."""
    return len(html.parse(page).metas)


def ours_and_images(page: bytes) -> int:
    """How many metas and images it finds: images are read in a second pass, when asked for."""
    parsed = html.parse(page)
    return len(parsed.metas) + len(parsed.images)


def soup(page: bytes) -> int:
    """How many metas BeautifulSoup finds with Python's own parser."""
    return len(BeautifulSoup(page, "html.parser", from_encoding="utf-8").find_all("meta"))


def peers() -> dict[str, Reader]:
    """Every reader that is installed."""
    readers: dict[str, Reader] = {"ours": ours, "ours, with images": ours_and_images}
    try:
        lexbor = importlib.import_module("selectolax.lexbor").LexborHTMLParser
        readers["selectolax Lexbor"] = lambda page: len(lexbor(page).css("meta"))
    except ImportError:
        print("selectolax is not installed", file=sys.stderr)
    return readers | {"BeautifulSoup html.parser": soup}


def found_pages(most: int = 12) -> list[bytes]:
    """Pages that installed packages bring along, 2 to 300 KB each."""
    roots = dict.fromkeys((sysconfig.get_path("purelib"), sys.base_prefix, "/usr/share/doc"))
    paths = (path for root in roots for path in islice(sorted(Path(root).rglob("*.htm*")), most))
    return [path.read_bytes() for path in paths if path.is_file() and 2_000 <= path.stat().st_size <= 300_000]


def made_page(seed: int, size: int) -> bytes:
    """A page of about ``size`` bytes: 30 metas, stylesheets and scripts in the head; nested blocks in the body."""
    chance = random.Random(seed)
    parts = [_head(chance), '<body class="home page">\n']
    length = sum(map(len, parts))
    while length < size:
        parts.append(_block(chance))
        length += len(parts[-1])
    return "".join([*parts, "</body></html>"]).encode()


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(_WORDS, k=count))


def _head(chance: random.Random) -> str:
    metas = [f'<meta property="og:x{i}" content="{_words(chance, 8)}" />\n' for i in range(28)]
    sheets = [f'<link rel="stylesheet" href="/css/{i}.css?v={i}" media="all">\n' for i in range(15)]
    scripts = [f'<script>var a = 1; if (a < 2 && "x") {{ {_words(chance, 150)} }}</script>\n' for _ in range(6)]
    style = f"<style>{'a > b { color: red }' * 200}</style>"
    opening = f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{_words(chance, 6)}</title>\n'
    return "".join([opening, *metas, '<meta name="robots" content="noai">', *sheets, *scripts, style, "</head>"])


def _block(chance: random.Random) -> str:
    number = chance.randrange(9999)
    items = "".join(
        f'<li class="i"><a href="https://e.example/{number}/{i}">{_words(chance, 3)}</a></li>' for i in range(6)
    )
    script = f"<script>var q = '{_words(chance, 30)}'</script><!-- {_words(chance, 9)} -->" if number % 8 == 0 else ""
    return (
        f'<div class="c {_words(chance, 1)}" id="i{number}"><div class="inner"><h2>{_words(chance, 5)}</h2>\n'
        f'<p>{_words(chance, 40)} <a href="/p/{number}?a=b&amp;c=d" rel="nofollow">{_words(chance, 4)}</a></p>\n'
        f'<ul>{items}</ul><img src="/i/{number}.jpg" srcset="/a.jpg 1x, /b.jpg 2x" alt="{_words(chance, 3)}" width="9">'
        f"</div></div>{script}\n"
    )


def medians(pages: list[bytes], readers: dict[str, Reader]) -> dict[str, float]:
    """Milliseconds a page: the median over runs in which the readers take turns."""
    runs: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(ROUNDS):
        for name, read in readers.items():
            begun = time.perf_counter()
            for page in pages:
                read(page)
            runs[name].append((time.perf_counter() - begun) / len(pages) * 1000)
    return {name: statistics.median(times) for name, times in runs.items()}


def main() -> dict[str, float]:
    """Print the table, and return milliseconds a page by reader and kind of page."""
    readers = peers()
    kinds = {"made": [made_page(seed, 150_000) for seed in range(8)], "found": found_pages()}
    figures: dict[str, float] = {}
    for kind, pages in kinds.items():
        if pages:
            print(f"{kind} pages: {len(pages)}, mean {sum(map(len, pages)) / len(pages) / 1000:.0f} KB")
            times = medians(pages, readers)
            _show(times)
            figures |= {f"html: {name}, {kind} pages, ms a page": value for name, value in times.items()}
    return figures


def _show(times: dict[str, float]) -> None:
    for name, value in times.items():
        print(f"  {name:<28}{value:>9.3f} ms a page{value / times.get('selectolax Lexbor', value):>8.2f}x Lexbor")


if __name__ == "__main__":
    main()
