"""Memory of the proxy under slow and leaving clients: what one transfer holds is bounded, given back, and never all."""

from __future__ import annotations

import asyncio
import gc
import re
import socket
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from consentcrawl.core import Outcome
from consentcrawl.net.unreached import Unreached
from consentcrawl.proxy.settings import Limits
from consentcrawl.proxy.upstream import prefix_budget
from consentcrawl.proxy.upstream.prefix_budget import CRAWLING_BYTES, SMALL, PrefixBudget, Reservation
from tests.proxy_web import HOST, IMAGE, ROBOTS, Origin, Web, until, web
from tests.test_proxy_garbage import garbage

HUGE = 300_000_000
BEGINNING = 16 * 1024 * 1024
IMAGE_2_MB = IMAGE + bytes(2_000_000 - len(IMAGE))
PIECE = bytes(64 * 1024)
Serve = Callable[[Origin, asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def _head(length: int, kind: str = "image/jpeg") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()


async def serve(self: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An origin of a picture of 300 MB, of one that comes fast for so many MB and then crawls, and of one of 2 MB."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            self.raw.append(head)
            target = head.split(b" ")[1]
            if target.startswith(b"/huge"):
                writer.write(_head(HUGE) + IMAGE)
                while True:
                    writer.write(PIECE)
                    await writer.drain()
            elif crawling := re.match(rb"/crawl-([0-9]+)-mb", target):
                writer.write(_head(HUGE) + IMAGE)
                for _ in range(int(crawling[1]) * 16):
                    writer.write(PIECE)
                    await writer.drain()
                while True:
                    await writer.drain()
                    await asyncio.sleep(0.2)
                    writer.write(b"\0")
            elif target.startswith(b"/image"):
                writer.write(_head(len(IMAGE_2_MB)) + IMAGE_2_MB)
            else:
                robots = ROBOTS if target == b"/robots.txt" else b""
                status = b"HTTP/1.1 200 OK" if robots else b"HTTP/1.1 404 Not Found"
                writer.write(
                    b"%b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (status, len(robots), robots)
                )
    except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
        writer.close()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(Origin, "serve", serve)
    with web(tmp_path) as running:
        assert running.get(f"http://{HOST}/robots.txt")[0] == 200
        yield running


def resident() -> int:
    """Bytes of this process in memory, the proxy among them."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def asked(site: Web, target: str) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", site.port), 30)
    link.sendall(f"GET http://{HOST}{target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    return link


@contextmanager
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_ours_clients_that_leave_a_large_download_leave_no_memory_behind(site: Web) -> None:
    def leave(number: int) -> None:
        with closing(asked(site, f"/huge{number}.jpg")) as link:
            assert link.recv(12) == b"HTTP/1.1 200"

    leave(0)
    until(lambda: not site.proxy.clients)
    with no_collector():
        before = resident()
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(leave, range(48)))
        until(lambda: not site.proxy.clients)
        until(lambda: resident() - before < 100_000_000)


@pytest.mark.parametrize("target", ["/huge.jpg", "/crawl-12-mb.jpg"])
def test_ours_a_client_that_leaves_takes_its_beginning_with_it(site: Web, target: str) -> None:
    def leave() -> None:
        with closing(asked(site, target)) as link:
            if target.startswith("/huge"):
                assert link.recv(12) == b"HTTP/1.1 200"
            else:
                until(lambda: site.proxy._engine.prefix_budget.held > 0)

    leave()
    until(lambda: not site.proxy.clients)
    with garbage() as left:
        for _ in range(3):
            leave()
            until(lambda: not site.proxy.clients)
            until(lambda: not site.proxy._engine.prefix_budget.held)
    assert {kind for kind in left if kind.startswith(("consentcrawl", "aiohttp"))} == set()


def test_ours_no_more_than_sixteen_beginnings_are_held(site: Web) -> None:
    before = resident()
    with ExitStack() as stack:
        links = [stack.enter_context(closing(asked(site, f"/huge{n}.jpg"))) for n in range(40)]
        until(lambda: site.proxy._engine.prefix_budget.held >= 6 * BEGINNING)
        assert site.proxy._engine.prefix_budget.held <= 8 * BEGINNING  # the share of one origin
        assert resident() - before < 16 * BEGINNING
        del links


@pytest.mark.parametrize("target", ["/crawl-0-mb", "/crawl-1-mb", "/crawl-3-mb", "/crawl-12-mb", "/huge"])
def test_ours_an_image_of_2_mb_passes_200_crawling_transfers(site: Web, target: str) -> None:
    """By the same client from the same origin; the origin crawls, or the client, which takes nothing of a huge one."""
    with ExitStack() as stack:
        for number in range(200):
            stack.enter_context(closing(asked(site, f"{target}-{number}.jpg")))
        until(lambda: sum(head.startswith(b"GET " + target.encode()) for head in site.origin.raw) > 100, 30)
        before = len(site.kept.verdicts)
        status, _, content = site.get(f"http://{HOST}/image.jpg")
        ended = [verdict for verdict in site.kept.verdicts[before:] if verdict.outcome is Outcome.UNDETERMINED]
    assert (status, len(content)) == (200, len(IMAGE_2_MB))
    assert len(ended) < 100  # it did not wait until they had gone


def test_ours_a_beginning_that_finds_no_room_is_undetermined_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Origin, "serve", serve)
    monkeypatch.setattr(prefix_budget, "TOTAL", 1)
    with web(tmp_path, limits=Limits(room=0.2)) as site:
        status, fields, _ = site.get(f"http://{HOST}/image.jpg")
        assert (status, fields["retry-after"]) == (503, "60")
        assert site.kept.verdicts[-1].gaps[-1].reason == "timeout"


def test_ours_a_beginning_that_comes_too_slowly_is_undetermined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Origin, "serve", serve)
    with web(tmp_path, limits=Limits(beginning=0.5)) as site:
        status, fields, _ = site.get(f"http://{HOST}/crawl-1-mb.jpg")
        assert (status, fields["retry-after"]) == (503, "60")
        assert site.kept.verdicts[-1].gaps[-1].reason == "timeout"
        assert not site.proxy._engine.prefix_budget.held


def room(origin: str, client: str, size: int, ended: list[Reservation] | None = None) -> Reservation:
    made = Reservation(origin, client, size)
    made.end = None if ended is None else lambda: ended.append(made)
    return made


def test_ours_one_origin_and_one_client_have_their_share_and_small_ones_a_quarter() -> None:
    async def kept() -> None:
        budget = PrefixBudget(0.01)
        for _ in range(6):
            await budget.reserve(room("a", "1", BEGINNING))
        with pytest.raises(Unreached):
            await budget.reserve(room("a", "2", BEGINNING))
        await budget.reserve(room("a", "2", SMALL))
        for _ in range(3):
            await budget.reserve(room("b", "1", BEGINNING))
        with pytest.raises(Unreached):
            await budget.reserve(room("c", "1", BEGINNING))
        await budget.reserve(room("c", "1", SMALL))
        await budget.reserve(room("c", "3", BEGINNING))

    asyncio.run(kept())


def test_ours_only_what_crawls_makes_room_and_the_smallest_is_served_first() -> None:
    async def served() -> None:
        loop, ended, order = asyncio.get_running_loop(), list[Reservation](), list[int]()
        budget = PrefixBudget(10)
        held = [room("a", "1", BEGINNING, ended) for _ in range(6)]
        for each in held:
            await budget.reserve(each)

        async def wait(size: int) -> None:
            await budget.reserve(room("a", "1", size))
            order.append(size)

        waiting = [asyncio.create_task(wait(size)) for size in (BEGINNING, BEGINNING // 2)]
        while not ended:
            for each in held[1:]:
                each.progress(CRAWLING_BYTES, loop.time())
            await asyncio.sleep(0.05)
        assert ended == held[:1]
        budget.release(held[0])
        await asyncio.wait([waiting[1]])
        assert order == [BEGINNING // 2]
        for task in waiting:
            task.cancel()

    asyncio.run(served())
