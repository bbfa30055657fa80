"""What these bytes and these fields say by themselves, without a look-up.

What was not looked up is no gap here; what is there is read whole, and all of it is weighed together.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from consentcrawl import config
from consentcrawl.core import Asset, Fields, Gate, Inquiry, Plan, Policy, Verdict, plan
from consentcrawl.discovery import active, general
from consentcrawl.download import Content, Download, Head, run
from consentcrawl.formats.url import canonical
from consentcrawl.sources import Source
from consentcrawl.steward import Pending, Steward

_UNNAMED = "https://unnamed.invalid/"


def inspect_bytes(  # noqa: PLR0913 (keywords, each optional)
    body: bytes,
    *,
    url: str = "",
    fields: Iterable[tuple[str, str]] = (),
    purpose: str = "train-ai",
    token: str = config.TOKEN,
    policy: Policy | None = None,
) -> Verdict:
    """Judge the content and header fields of one asset alone.

    ``url`` may be empty; ``fields`` are (name, value) pairs, repeats kept. Raises BadUrl and BadPurpose.
    """
    steward = _steward(purpose, token, policy or Policy())
    asset = canonical(url) if url else _UNNAMED
    download = Download(steward, asset, limit=len(body) or 1, before_end=Inquiry.forgo)
    return run(download, _OnDisk(body, Fields(fields)))


inspect = inspect_bytes


class _OnDisk:
    """The exchange that nothing is sent for."""

    def __init__(self, body: bytes, fields: Fields) -> None:
        self._body, self._fields = body, fields

    def send(self, _url: str) -> Head:
        return Head(200, self._fields)

    def read(self, _limit: int) -> Content:
        return Content(self._body, ended=True, decoded=True)


class _Offline(Steward):
    """A steward that looks nothing up."""

    def open(
        self,
        url: str,
        page: str | None = None,
        *,
        reach: Gate = Gate.BODY,
        settle: bool = True,  # noqa: ARG002 (all grounds are collected)
        policy: Policy | None = None,
    ) -> Inquiry:
        asset = Asset(url, page)
        _, head, content = plan(asset, self.purpose, general(active(self.policy)))
        # One gate for both: in TDMRep the more local statement supersedes only while all of it is weighed together.
        planned: Plan = ({}, {}, {**head, **content})
        return Inquiry(asset, self.purpose, policy or self.policy, planned, reach=reach, settle=False)

    def resolve(self, inquiry: Inquiry, *sources: Source, copies: tuple[Asset, ...] = ()) -> Pending:  # noqa: ARG002
        while needs := [need for need in inquiry.needs() if any(source.meets(need) for source in sources)]:
            yield from self._obtain(needs, inquiry, sources)


@lru_cache(16)
def _steward(purpose: str, token: str, policy: Policy) -> Steward:
    return _Offline(config.Config(purpose=config.purpose(purpose, token), policy=policy))
