"""What all requests of one proxy share: the steward, the way to the origins, the counters, and the limits."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from consentcrawl.core import Gap, Policy, Verdict
from consentcrawl.formats.url import BadUrl
from consentcrawl.ledger.recording import Ended
from consentcrawl.ledger.recording.durable import durable
from consentcrawl.proxy.authority import Authority
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.proxy.upstream.origin_pool import Upstream
from consentcrawl.proxy.upstream.prefix_budget import PrefixBudget
from consentcrawl.steward import Steward

LOG = logging.getLogger("consentcrawl.proxy")
_JUDGED_AT_ONCE = 16
_TOGETHER_SECONDS = 0.1


Pin = tuple[str, str, str, str]
"""An origin, and the address, credentials and User-Agent of a client."""


class Engine:
    """The shared parts. ``prefix_budget`` bounds the memory of the beginnings of answers.

    ``pinned`` are clients that did not take our certificate, each for one origin and up to a time (monotonic).
    """

    def __init__(self, steward: Steward, settings: ProxySettings, activity: Activity) -> None:
        """Open the authority. Raises BadPolicy, OSError."""
        self.steward, self.settings, self.activity = steward, settings, activity
        self.authority = Authority.open(settings.authority)
        self.upstream = Upstream(steward.config, connect=settings.limits.connect, silence=settings.limits.silence)
        self.user_agent = steward.config.user_agent
        self.prefix_budget = PrefixBudget(settings.limits.room)
        self.threads = ThreadPoolExecutor(_JUDGED_AT_ONCE, thread_name_prefix="consentcrawl-judge")
        self.pinned: dict[Pin, float] = {}
        self._enforcing = replace(steward.policy, mode="enforce")
        self._observing = replace(steward.policy, mode="observe")
        if steward.policy.mode == "observe":
            activity.observing = True
        self._delivered: list[Ended] = []

    @property
    def policy(self) -> Policy:
        """The steward's policy, in the mode that the switch of the live page says."""
        return self._observing if self.activity.observing else self._enforcing

    async def without_lookup(self, url: str, reason: str, note: str) -> Verdict:
        """Return the verdict about a URL that is not looked up, once the ledger has it. Raises LedgerBroken."""
        about = self.steward.unreadable(url, BadUrl(note), recorded=False, policy=self.policy)
        verdict = replace(about, gaps=(Gap(url, reason, holds=True, note=note),), enforced=True)
        return await self.recorded(verdict)

    async def recorded(self, verdict: Verdict) -> Verdict:
        """Return a verdict that no inquiry led to, once the ledger has it. Raises LedgerBroken."""
        if self.steward.record is not None:
            await durable(self.steward.record.record_verdict(verdict, ()))
        return verdict

    def record_delivery(self, ended: Ended) -> None:
        """Let the ledger know what was handed over: soon, and together with others, since no request waits for it."""
        if not self._delivered:
            asyncio.get_running_loop().call_later(_TOGETHER_SECONDS, self._record_delivered)
        self._delivered.append(ended)

    def _record_delivered(self) -> None:
        deliveries, self._delivered = self._delivered, []
        if deliveries and self.steward.record is not None:
            self.steward.record.record_outcomes(deliveries)

    async def stop(self) -> None:
        """Tell the ledger what was delivered, and let go of connections and threads."""
        self._record_delivered()
        await self.upstream.stop()
        self.threads.shutdown(wait=False, cancel_futures=True)
