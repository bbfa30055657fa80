"""The live page's news, once a second: what has changed and nothing else (server-sent events, WHATWG HTML §9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from consentcrawl.proxy.live.parts import parts, summary, title
from consentcrawl.proxy.watch import SQUARES, Watch

EVERY = 1.0
"""Seconds between two pieces of news."""
_NOTHING = b":\n\n"  # a comment: who is gone is noticed by it


async def news(watch: Watch, every: float = EVERY) -> AsyncIterator[bytes]:
    """Return all at first, then what has changed since, until it is closed."""
    shown: dict[str, str] = {}
    change = 0
    while True:
        now, squares = parts(watch), _squares(watch, change)
        fresh = {name: made for name, made in now.items() if shown.get(name) != made}
        # Taken note of before it is sent: what happens meanwhile is news for the next time.
        shown, change = now, watch.change
        yield _event({"parts": fresh, "squares": squares, "summary": summary(watch)}) if fresh or squares else _NOTHING
        await asyncio.sleep(every)


def _squares(watch: Watch, change: int) -> list[tuple[int, str, str]]:
    return [(seen.number % SQUARES, seen.state, title(seen)) for seen in watch.since(change)]


def _event(said: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(said).encode() + b"\n\n"
