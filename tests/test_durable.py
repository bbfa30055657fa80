"""Waiting for the ledger on an event loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.recording.durable import durable


def test_ours_every_entry_wakes_whoever_waits_for_it_whichever_thread_writes() -> None:
    entries: list[Future[int]] = [Future() for _ in range(2_000)]

    def write(part: int) -> None:
        for number in range(part, len(entries), 4):
            entries[number].set_result(number)

    async def wait() -> list[int]:
        waiting = asyncio.gather(*map(durable, entries))
        await asyncio.sleep(0)
        for part in range(4):
            threading.Thread(target=write, args=(part,)).start()
        return await asyncio.wait_for(waiting, 10)

    assert asyncio.run(wait()) == list(range(2_000))


def test_ours_who_stops_waiting_leaves_the_entry_to_the_ledger() -> None:
    entry: Future[int] = Future()

    async def stop_waiting() -> None:
        waiting = asyncio.create_task(durable(entry))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not entry.cancelled()
        entry.set_result(7)
        await asyncio.sleep(0.01)

    asyncio.run(stop_waiting())
    assert asyncio.run(durable(entry)) == 7


def test_ours_an_entry_that_could_not_be_written_says_so() -> None:
    entry: Future[int] = Future()

    async def wait() -> int:
        asyncio.get_running_loop().call_later(0.01, entry.set_exception, LedgerBroken("disk full"))
        return await durable(entry)

    with pytest.raises(LedgerBroken, match="disk full"):
        asyncio.run(wait())


def test_ours_an_entry_may_come_after_the_loop_has_ended() -> None:
    entry: Future[int] = Future()

    async def leave() -> None:
        waiting = asyncio.create_task(durable(entry))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(leave())
    entry.set_result(1)
