"""What stands on the demo's small web: host by host, path by path. All of it is made up.

Every signal that speaks before an answer, in its head or in a page is there once, and so are the ways to fail.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path is answered with."""

    content: bytes = b""
    status: int = 200
    fields: Fields = field(default_factory=dict)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


_PIXEL = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\x7f"))
    + _chunk(b"IEND", b"")
)


def _image(status: int = 200, /, **fields: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return Answer(_PIXEL, status, {"Content-Type": "image/png", **named})


def _text(lines: str, content_type: str = "text/plain") -> Answer:
    return Answer(lines.encode(), fields={"Content-Type": content_type})


def _page(head: str) -> Answer:
    return _text(f"<!doctype html><title>A page</title>{head}<p><img src='/work.png'>", "text/html; charset=utf-8")


WEB: dict[str, dict[str, Answer]] = {
    "open.example": {"/sunset.png": _image()},
    "giving.example": {"/sunset.png": _image(Content_Usage="train-ai=y")},
    "studio.example": {
        "/robots.txt": _text("User-agent: *\nDisallow: /portfolio/\n"),
        "/portfolio/1.png": _image(),
    },
    "named.example": {
        "/robots.txt": _text("User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n\nUser-agent: *\nAllow: /\n"),
        "/1.png": _image(),
    },
    "usage.example": {
        "/robots.txt": _text("User-agent: *\nContent-Usage: train-ai=n\nAllow: /\n"),
        "/1.png": _image(),
    },
    "signal.example": {
        "/robots.txt": _text("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n"),
        "/1.png": _image(),
    },
    "draft.example": {"/robots.txt": _text("User-agent: *\nDisallowAITraining: /\n"), "/1.png": _image()},
    "archive.example": {
        "/.well-known/tdmrep.json": _text('[{"location": "/scans/*", "tdm-reservation": 1}]', "application/json"),
        "/scans/7.png": _image(),
    },
    "fields.example": {
        "/noai.png": _image(X_Robots_Tag="noai, noimageai"),
        "/usage.png": _image(Content_Usage="train-ai=n"),
        "/tdm.png": _image(tdm_reservation="1"),
    },
    "pages.example": {
        "/work.html": _page("<meta name=robots content=noimageai>"),
        "/work.png": _image(),
        "/noai.html": _page("<meta name=robots content='noai, noimageai'>"),
        "/tdm.html": _page("<meta name=tdm-reservation content=1>"),
    },
    "toll.example": {"/1.png": _image(402, crawler_price="USD 0.01")},
    "licensed.example": {"/1.png": _image(401, WWW_Authenticate='License realm="https://licensed.example/"')},
    "guarded.example": {"/1.png": _image(403, cf_mitigated="challenge")},
    "court.example": {"/1.png": _image(451)},
    "busy.example": {"/1.png": _image(429, Retry_After="3600")},
    "gone.example": {},
    "moved.example": {
        "/good.png": _image(301, Location="http://open.example/sunset.png"),
        "/bad.png": _image(302, Location="http://studio.example/portfolio/1.png"),
    },
    "broken.example": {"/robots.txt": Answer(b"try again later", 503), "/1.png": _image()},
}

DEAD = "dead.example"
"""A host whose address does not answer."""

LIST: tuple[tuple[str, str | None], ...] = (
    ("http://open.example/sunset.png", None),
    ("http://giving.example/sunset.png", None),
    ("http://moved.example/good.png", None),
    ("http://studio.example/portfolio/1.png", None),
    ("http://moved.example/bad.png", None),
    ("http://named.example/1.png", None),
    ("http://usage.example/1.png", None),
    ("http://signal.example/1.png", None),
    ("http://draft.example/1.png", None),
    ("http://archive.example/scans/7.png", None),
    ("http://fields.example/noai.png", None),
    ("http://fields.example/usage.png", None),
    ("http://fields.example/tdm.png", None),
    ("http://pages.example/work.png", "http://pages.example/work.html"),
    ("http://pages.example/noai.html", None),
    ("http://pages.example/tdm.html", None),
    ("http://toll.example/1.png", None),
    ("http://licensed.example/1.png", None),
    ("http://guarded.example/1.png", None),
    ("http://court.example/1.png", None),
    ("http://busy.example/1.png", None),
    ("http://gone.example/1.png", None),
    ("http://broken.example/1.png", None),
    (f"http://{DEAD}/1.png", None),
    ("http://open.example\\@other.example/1.png", None),
)
"""What the demo asks about: the URL, and the page that shows it where one is known."""
