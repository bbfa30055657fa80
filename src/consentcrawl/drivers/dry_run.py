"""The dry run: what would be decided about an asset, without taking it.

It asks the asset's own address at most once per redirect hop, in that origin's turn, and keeps no content.
"""

from __future__ import annotations

from contextlib import suppress

from consentcrawl.core import (
    BODY,
    Evidence,
    Gap,
    Gate,
    Hop,
    Inquiry,
    Outcome,
    Verdict,
)
from consentcrawl.download import Content, Download, Head, run
from consentcrawl.formats.url import BadUrl, join
from consentcrawl.steward import Steward

MOST_REDIRECTS = 10
_FOLLOWED = frozenset({301, 302, 303, 307, 308})  # RFC 9110 §15.4


def judge(
    steward: Steward,
    url: str,
    page: str | None = None,
    *,
    reach: Gate = Gate.HEAD,
    settle: bool = True,
) -> Verdict:
    """Return the verdict about the asset at ``url``, shown on ``page``, as far as the gate ``reach``.

    Blocks; never raises for what strangers send or for what ``url`` is. Redirects are followed, each hop an inquiry
    of its own; the verdict is that of the last and names those before it. ``settle`` as for ``Inquiry``.
    """
    hops: list[Hop] = []
    while True:
        asked = _Question(steward, reach, followed=len(hops))
        download = Download(
            steward, url, page=page or "", hops=hops, reach=reach, settle=settle, limit=BODY.limit,
            before_end=asked.conclude,
        )  # fmt: skip
        verdict = run(download, asked)
        if not asked.following or not _goes_on(verdict):
            return verdict
        hops.append(Hop(verdict.url, download.status))
        url = asked.following


class _Question:
    """The exchange that asks the asset's own address, once for both gates; ``following`` is where a redirect leads."""

    def __init__(self, steward: Steward, reach: Gate, *, followed: int) -> None:
        self._steward, self._reach, self._followed = steward, reach, followed
        self._answer: Evidence | None = None
        self.following = ""

    def send(self, url: str) -> Head:
        reader = self._steward.reader
        self._answer = answer = reader.prefix(url, BODY.limit) if self._reach is Gate.BODY else reader.head(url)
        gap = "" if answer.status is not None else answer.gap or "unreachable"
        return Head(answer.status or 0, answer.fields, gap, bodiless=not answer.successful)

    def read(self, _limit: int) -> Content:
        answer = self._answer
        assert answer is not None  # noqa: S101 (sent before it is read)
        return Content(answer.content, answer.whole, decoded=True, gap=answer.gap)

    def conclude(self, inquiry: Inquiry) -> None:
        """Find where a redirect leads; what cannot be followed, and an error page, leave a gap."""
        self.following = _following(self._answer, inquiry, self._followed)


def _following(answer: Evidence | None, inquiry: Inquiry, followed: int) -> str:
    """Return the URL that a redirect leads to, or nothing; a redirect that cannot be followed leaves a gap."""
    if answer is None or answer.status not in _FOLLOWED:
        _lack_asset(answer, inquiry)
        return ""
    locations = set(answer.fields.lines("location"))
    if len(locations) != 1 or followed >= MOST_REDIRECTS:
        inquiry.lack(Gap(answer.url, "redirects", holds=True))
        return ""
    location = locations.pop()
    with suppress(UnicodeError):  # then it was Latin-1
        location = location.encode("latin-1").decode()
    try:
        return join(answer.url, location)
    except BadUrl as error:
        inquiry.lack(Gap(answer.url, "bad_url", holds=True, note=str(error)))
        return ""


def _lack_asset(answer: Evidence | None, inquiry: Inquiry) -> None:
    """Leave a gap for an error page that no signal understood: it is not the asset, so nothing is known of that."""
    if answer is None or answer.status is None or answer.successful:
        return
    if inquiry.verdict().outcome is Outcome.PERMIT:
        inquiry.lack(Gap(inquiry.asset.url, "bad_status", holds=True, note=f"status {answer.status}"))


def _goes_on(verdict: Verdict) -> bool:
    """Return whether a redirect may be followed: unless something was said against, or could not be known.

    A policy that takes only what is allowed asks that of the asset, not of the signpost.
    """
    if verdict.outcome is Outcome.REFUSE:
        return all(ground.signal == "policy" for ground in verdict.deciding)
    return verdict.outcome is Outcome.PERMIT
