"""What passes between the proxy and an origin that answers early, twice, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from consentcrawl.proxy.settings import SAFE_METHODS
from consentcrawl.proxy.transaction import Transaction
from tests.proxy_web import HOST, IMAGE, PAGES, ROBOTS, Origin, until, web
from tests.website import Answer

AT = f"http://{HOST}"
FREE = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b" % (len(IMAGE), IMAGE)
HINTS = b"HTTP/1.1 103 Early Hints\r\nX-Robots-Tag: noai\r\nLink: </a.css>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
Serve = Callable[[Origin, asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def test_rfc9110_15_2_interim_answers_are_not_the_answer(tmp_path: Path) -> None:
    with web(tmp_path, PAGES | {"/hints.jpg": Answer(HINTS + CONTINUE + FREE, 0)}) as site:
        status, fields, content = site.get(f"{AT}/hints.jpg")
    assert (status, content) == (200, IMAGE)
    assert "x-robots-tag" not in fields


@pytest.mark.parametrize(
    ("method", "lost", "status"), [("GET", 1, 200), ("HEAD", 1, 200), ("GET", 2, 503), ("POST", 1, 503)]
)
def test_rfc9112_9_3_1_what_changes_nothing_is_asked_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, lost: int, status: int
) -> None:
    monkeypatch.setattr(Origin, "serve", _losing(lost))
    with web(tmp_path, methods=SAFE_METHODS | {"POST"}) as site:
        site.get(f"{AT}/robots.txt")
        assert site.get(f"{AT}/free.jpg", method=method)[0] == status
        asked = [seen for seen in site.origin.asked if seen == (method, "/free.jpg")]
    assert len(asked) == (1 if method == "POST" else 2)


def _losing(times: int) -> Serve:
    """An origin that takes a request for the picture and closes without a word, so many times."""
    left = [times]

    async def serve(self: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            self.raw.append(head)
            picture = b"/free.jpg" in head
            if picture and left[0]:
                left[0] -= 1
                break
            writer.write(_plain(ROBOTS) if not picture else FREE.partition(IMAGE)[0] if head[:1] == b"H" else FREE)
        writer.close()

    return serve


def test_rfc9112_9_6_content_that_is_left_unread_is_not_taken_for_the_next_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve(self: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await _head(reader):
            self.raw.append(head)
            if head.startswith(b"POST"):  # answered before its content has come, and the connection is kept
                writer.write(b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n")
                continue
            writer.write(_plain(ROBOTS) if b"/robots.txt" in head else FREE)
        writer.close()

    monkeypatch.setattr(Origin, "serve", serve)
    smuggled = b"GET /closed/a.jpg HTTP/1.1\r\nHost: x\r\n\r\n"
    with web(tmp_path, methods=SAFE_METHODS | {"POST"}) as site:
        head = f"POST {AT}/up HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100000\r\n\r\n".encode()
        assert b" 413 " in site.say(head)
        assert site.get(f"{AT}/free.jpg")[2] == IMAGE
        head = f"POST {AT}/up HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(smuggled)}\r\n\r\n".encode()
        assert b" 413 " in site.say(head + smuggled)
        assert site.get(f"{AT}/free.jpg")[2] == IMAGE
        assert [verdict.url for verdict in site.kept.verdicts].count(f"{AT}/closed/a.jpg") == 0


@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_rfc9112_9_2_what_nobody_asked_for_is_not_taken_for_the_next_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    async def serve(self: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while head := await _head(reader):
            if b"/free.jpg" in head:
                writer.write(FREE)
                await asyncio.sleep(pause)
                writer.write(_plain(b"of another work"))
            else:
                writer.write(_plain(ROBOTS) if b"/robots.txt" in head else _plain(b"its own"))
        writer.close()

    monkeypatch.setattr(Origin, "serve", serve)
    with web(tmp_path) as site:
        assert site.get(f"{AT}/free.jpg")[2] == IMAGE
        connections = site.origin.connections
        time.sleep(0.3)
        assert site.get(f"{AT}/own.jpg")[2] == b"its own"
        assert site.origin.connections == connections + 1


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, OSError):
        return b""


def _plain(content: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)


def test_ours_content_that_stops_for_whatever_reason_ends_its_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stops(_: Transaction) -> AsyncIterator[bytes]:
        yield b"GET "
        raise RuntimeError

    monkeypatch.setattr(Transaction, "_content", stops)
    with web(tmp_path, methods=SAFE_METHODS | {"POST"}) as site:
        head = f"POST {AT}/gone.jpg HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 60\r\n\r\n".encode()
        assert b" 503 " in site.say(head)
        until(lambda: ("POST", "/gone.jpg") in site.origin.asked)  # it may be heard of after the answer
        connections = site.origin.connections
        assert site.get(f"{AT}/free.jpg")[2] == IMAGE
        assert site.origin.connections == connections + 1
