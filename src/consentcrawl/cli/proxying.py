"""What ``consentcrawl proxy`` does once its options are read: listen, print how to use it, end on a signal."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from consentcrawl.cli.options import complain
from consentcrawl.config import Config
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.proxy.launch.process import tune
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.server import Proxy
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.proxy.summary import summary
from consentcrawl.proxy.upstream.crawl_delay import crawl_delays
from consentcrawl.steward import Steward

_THREADS = 32
"""For blocking work beside the event loop, such as the beginnings of works of which a part is requested."""


def serve(config: Config, settings: ProxySettings, ledger: Path | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises BadPolicy, LedgerBroken, OSError."""
    record = LedgerRecord.open(ledger, config, command="proxy") if ledger is not None else None
    steward = Steward(replace(config, ledger=""), record=record)
    activity = Activity(ledger=ledger, delay=crawl_delays(steward))
    tune()
    try:
        asyncio.run(_serve(steward, settings, activity))
    finally:
        steward.close()
    for line in summary(activity):
        complain(line)


async def _serve(steward: Steward, settings: ProxySettings, activity: Activity) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    proxy = Proxy(steward, settings, activity)
    try:
        _say(await proxy.start(), settings, activity)
        await ended.wait()
    finally:
        await proxy.stop()


def _say(port: int, settings: ProxySettings, activity: Activity) -> None:
    host = f"[{settings.listen}]" if ":" in settings.listen else settings.listen
    complain(f"proxy: http://{host}:{port} for HTTP and HTTPS")
    complain(f"certificate for programs to trust: consentcrawl proxy ca export --authority {settings.authority}")
    complain(f"live page: http://consentcrawl.local/#token={activity.token} through the proxy")
    if settings.ui is not None:
        complain(f"live page: http://{settings.ui[0]}:{settings.ui[1]}/#token={activity.token}")
