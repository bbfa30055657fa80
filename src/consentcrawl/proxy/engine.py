"""What all requests of one proxy share: who decides, who fetches, who watches, and how much at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from consentcrawl.core import Gap, Verdict
from consentcrawl.formats.url import BadUrl
from consentcrawl.ledger.recording import Ended
from consentcrawl.ledger.recording.durable import durable
from consentcrawl.proxy.authority import Authority
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.proxy.upstream import Upstream
from consentcrawl.proxy.watch import Watch
from consentcrawl.steward import Steward

LOG = logging.getLogger("consentcrawl.proxy")
_LARGE_AT_ONCE = 16
_JUDGED_AT_ONCE = 16
_TOGETHER_SECONDS = 0.1


class Engine:
    """The shared parts. ``room`` is for contents too large to hold many of; ``pinned`` are origins as ``host:port``."""

    def __init__(self, steward: Steward, settings: ProxySettings, watch: Watch) -> None:
        """Open the authority. Raises BadPolicy, OSError."""
        self.steward, self.settings, self.watch = steward, settings, watch
        self.authority = Authority.open(settings.authority)
        self.upstream = Upstream(steward.config, connect=settings.limits.connect, silence=settings.limits.silence)
        self.user_agent = steward.config.user_agent
        self.room = asyncio.Semaphore(_LARGE_AT_ONCE)
        self.threads = ThreadPoolExecutor(_JUDGED_AT_ONCE, thread_name_prefix="consentcrawl-judge")
        self.pinned: set[str] = set()
        self._policy = steward.policy
        if steward.policy.mode == "observe":
            watch.observing = True
        self._behind: set[asyncio.Task[Any]] = set()
        self._delivered: list[Ended] = []

    def heed_switch(self) -> None:
        """Let what is asked from now on be stopped or only noted, as the watch's switch says."""
        mode = "observe" if self.watch.observing else "enforce"
        if self.steward.policy.mode != mode:
            self.steward.policy = replace(self._policy, mode=mode)

    async def not_asked(self, url: str, reason: str, note: str) -> Verdict:
        """Return the verdict about what is not even looked up, once the ledger has it. Raises LedgerBroken."""
        about = self.steward.unreadable(url, BadUrl(note), recorded=False)
        verdict = replace(about, gaps=(Gap(url, reason, holds=True, note=note),), enforced=True)
        return await self.recorded(verdict)

    async def recorded(self, verdict: Verdict) -> Verdict:
        """Return a verdict that no inquiry led to, once the ledger has it. Raises LedgerBroken."""
        if self.steward.record is not None:
            await durable(self.steward.record.record_verdict(verdict, ()))
        return verdict

    def delivered(self, ended: Ended) -> None:
        """Let the ledger know what was handed over: soon, and together with others, since nobody waits for it."""
        if not self._delivered:
            asyncio.get_running_loop().call_later(_TOGETHER_SECONDS, self._tell_delivered)
        self._delivered.append(ended)

    def _tell_delivered(self) -> None:
        told, self._delivered = self._delivered, []
        if told and self.steward.record is not None:
            self.steward.record.record_outcomes(told)

    def behind(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something that nobody waits for any more."""
        task = asyncio.get_running_loop().create_task(work)
        self._behind.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._behind.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("after the client had gone: %s", error)

    async def stop(self) -> None:
        """Finish what is under way behind the clients, and let go of connections and threads."""
        if self._behind:
            await asyncio.wait(self._behind, timeout=5)
        self._tell_delivered()
        await self.upstream.stop()
        self.threads.shutdown(wait=False, cancel_futures=True)
