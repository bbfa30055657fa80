"""The proxy on a thread of its own, with its own event loop.

It is served from before the block begins until after it ends.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from consentcrawl.proxy.authority import Authority
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.server import Proxy
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.steward import Steward

_THREADS = 32
"""For blocking work beside the event loop, such as the beginnings of works of which a part is requested."""


@dataclass(frozen=True, slots=True)
class RunningProxy:
    """A proxy that serves on ``port``, of use from any other thread."""

    port: int
    _proxy: Proxy
    _loop: asyncio.AbstractEventLoop
    _ended: asyncio.Event

    @property
    def authority(self) -> Authority:
        """Whose certificates its clients are shown."""
        return self._proxy.authority

    def serve_socket(self, listening: socket.socket) -> None:
        """Serve another listener as well, and wait until it is."""
        asyncio.run_coroutine_threadsafe(self._proxy.serve_socket(listening), self._loop).result()

    def end(self) -> None:
        """Ask it to end."""
        with suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(self._ended.set)


@contextmanager
def serving(steward: Steward, settings: ProxySettings, activity: Activity) -> Iterator[RunningProxy]:
    """Serve until the block ends. Raises what kept it from starting: BadPolicy, OSError."""
    ready: Future[RunningProxy] = Future()

    def thread() -> None:
        # Signals are for the thread that waits for the program.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            asyncio.run(_serve(steward, settings, activity, ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    running = threading.Thread(target=thread, name="consentcrawl-proxy", daemon=True)
    running.start()
    served = ready.result()
    try:
        yield served
    finally:
        served.end()
        running.join()


async def _serve(steward: Steward, settings: ProxySettings, activity: Activity, ready: Future[RunningProxy]) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    proxy, ended = Proxy(steward, settings, activity), asyncio.Event()
    try:
        ready.set_result(RunningProxy(await proxy.start(), proxy, asyncio.get_running_loop(), ended))
        await ended.wait()
    finally:
        await proxy.stop()
