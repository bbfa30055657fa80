"""Draw the path of one URL through the modules, as docs/images/path-of-a-url.svg.

Run as ``python docs/draw_path.py`` after a change; a test fails where the picture differs.
"""  # noqa: INP001 (not a package)

from __future__ import annotations

from html import escape
from pathlib import Path

PICTURE = Path(__file__).parent / "images" / "path-of-a-url.svg"
SIZE = (760, 640)
BOX = (240, 64)
STYLE = """
.box { fill: #f4f6fa; stroke: #44506b } text { fill: #1b2233; font: 13px sans-serif }
.name { font-weight: bold } .line { stroke: #44506b; fill: none } .head { fill: #44506b }
@media (prefers-color-scheme: dark) {
  .box { fill: #232a38; stroke: #a9b6d3 } text { fill: #e8ecf5 } .line { stroke: #a9b6d3 } .head { fill: #a9b6d3 }
}
"""

# The place of each box in columns and rows, its module, and what the module does.
BOXES = {
    "program": (0, 0, "your program", "session.get(url)"),
    "driver": (0, 1, "drivers/requests.py", "an exchange: send, read"),
    "download": (0, 2, "download.py", "Wait · Send · Read · verdict"),
    "steward": (0, 3, "steward.py", "open · resolve · end"),
    "sources": (0, 4, "sources/", "meets · known · obtain"),
    "net": (0, 5, "net/", "guard, pace, bounded reader"),
    "origin": (1, 1, "the asset's origin", "the answer to your request"),
    "inquiry": (1, 2, "core/inquiry.py", "needs · tell · verdict"),
    "signals": (1, 3, "signals/, plugins/", "evidence to statements"),
    "ledger": (1, 4, "ledger/", "one entry for each verdict"),
    "documents": (1, 5, "policy files and pages", "robots.txt, tdmrep.json …"),
}
ARROWS = (
    ("program", "driver", "the request"),
    ("driver", "download", "run"),
    ("download", "steward", "needs"),
    ("steward", "sources", "needs to meet"),
    ("sources", "net", "documents"),
    ("driver", "origin", "Send, Read"),
    ("download", "inquiry", "evidence"),
    ("inquiry", "signals", "read"),
    ("steward", "ledger", "verdict"),
    ("net", "documents", "GET"),
)


def place(name: str) -> tuple[int, int]:
    """Return the upper left corner of a box."""
    column, row, *_ = BOXES[name]
    return 40 + column * 420, 24 + row * 102


def box(name: str) -> str:
    """Return a box with its two lines of text."""
    (x, y), (width, height), (*_, module, does) = place(name), BOX, BOXES[name]
    return (
        f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>'
        f'<text class="name" x="{x + 14}" y="{y + 27}">{escape(module)}</text>'
        f'<text x="{x + 14}" y="{y + 48}">{escape(does)}</text>\n'
    )


def arrow(start: str, end: str, label: str) -> str:
    """Return an arrow from box to box, down, across, or from one to the next column's row below."""
    (x, y), (to_x, to_y), (width, height) = place(start), place(end), BOX
    points: tuple[tuple[int, int], ...]
    if x == to_x:
        points, text = ((x + width // 2, y + height), (x + width // 2, to_y)), (x + width // 2 + 10, y + height + 24)
    else:
        left, middle = x + width, (x + width + to_x) // 2
        points = (
            (left, y + height // 2),
            (middle, y + height // 2),
            (middle, to_y + height // 2),
            (to_x, to_y + height // 2),
        )
        text = (left + 8, y + height // 2 - 8)
    path = " ".join(f"{a},{b}" for a, b in points)
    line = f'<polyline class="line" points="{path}" marker-end="url(#head)"/>'
    return f'{line}<text x="{text[0]}" y="{text[1]}">{escape(label)}</text>\n'


def picture() -> str:
    """Return the picture as SVG."""
    tip = '<path class="head" d="M0 0L9 4L0 8z"/>'
    head = f'<marker id="head" markerWidth="9" markerHeight="8" refX="9" refY="4" orient="auto">{tip}</marker>'
    title = "The path of a URL: from the program through driver, download, steward and sources to the network, and back"
    drawn = "".join(arrow(*each) for each in ARROWS) + "".join(map(box, BOXES))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE[0]} {SIZE[1]}" role="img">\n'
        f"<title>{title}</title><style>{STYLE}</style><defs>{head}</defs>\n{drawn}</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
