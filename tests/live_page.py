"""The live page for tests: counters of made-up requests, and the page on a port of its own."""

from __future__ import annotations

import asyncio
import http.client
import threading
from typing import Self
from urllib.parse import urlencode

from aiohttp import web

from consentcrawl.core import Category, Gap, Gate, Ground, Outcome, Verdict, disallow
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.live.site import respond

NASTY = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202e&amp;\x1b[31m'


def verdict(
    url: str = "https://art.example/1.jpg",
    outcome: Outcome = Outcome.REFUSE,
    *,
    quote: str = "noai",
    enforced: bool = True,
    reason: str = "timeout",
) -> Verdict:
    ground = Ground("x_robots_tag", disallow(Category.TRAIN, quote, "X-Robots-Tag field 1"), url)
    grounds = (ground,) if outcome is Outcome.REFUSE else ()
    gaps = (Gap("https://art.example/robots.txt", reason, holds=True),) if outcome is Outcome.UNDETERMINED else ()
    return Verdict(
        url=url, outcome=outcome, purpose="train-ai", gate=Gate.HEAD, enforced=enforced, grounds=grounds, gaps=gaps,
        decided_at=1e9, deciding=grounds,
    )  # fmt: skip


def pass_by(
    activity: Activity, ended: Verdict | None, *, status: int = 200, size: int = 0, decision_seconds: float = 0.002
) -> int:
    number = activity.started("GET", ended.url if ended is not None else "nonsense")
    activity.ended(number, verdict=ended, status=status, size=size, seconds=0.01, decision_seconds=decision_seconds)
    return number


class Page:
    """The live page on a port of its own, asked as a browser or a stranger would."""

    def __init__(self, activity: Activity) -> None:
        """Show ``activity``."""
        self.activity, self.port = activity, 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await respond(request, self.activity)

        server = web.Server(answer, access_log=None)
        self._loop = asyncio.get_running_loop()
        listening = await self._loop.create_server(server, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        self._ended = asyncio.Event()
        self._ready.set()
        await self._ended.wait()
        listening.close()
        await server.shutdown(0.1)

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(
        self, target: str, method: str = "GET", content: str = "", **fields: str
    ) -> tuple[int, str, dict[str, str]]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        if content:
            named["Content-Type"] = "application/x-www-form-urlencoded"
        link.request(method, target, content or None, named)
        answer = link.getresponse()
        text = answer.read().decode()
        link.close()
        return answer.status, text, dict(answer.headers)

    def switch(self, turn: str, token: str | None = None, **fields: str) -> int:
        form = urlencode({"turn": turn, "token": self.activity.token if token is None else token})
        return self.ask("/switch", "POST", form, **fields)[0]
