"""The dry run: what would be decided about an asset, without taking it.

It asks the asset's own address at most once per redirect hop, in that origin's turn, and keeps no content.
"""

from __future__ import annotations

from contextlib import suppress

from consentcrawl.core import (
    BODY,
    ROBOTS_TXT,
    Evidence,
    Gap,
    Gate,
    Hop,
    Inquiry,
    Need,
    Outcome,
    Verdict,
)
from consentcrawl.formats import robots
from consentcrawl.formats.url import BadUrl, join
from consentcrawl.net.pace import Pace
from consentcrawl.sources import manifests
from consentcrawl.steward import Steward

MOST_REDIRECTS = 10
_FOLLOWED = frozenset({301, 302, 303, 307, 308})  # RFC 9110 §15.4


def judge(  # noqa: PLR0913 (all but two have defaults)
    steward: Steward,
    url: str,
    page: str | None = None,
    *,
    reach: Gate = Gate.HEAD,
    settle: bool = True,
    pace: Pace | None = None,
) -> Verdict:
    """Return the verdict about the asset at ``url``, shown on ``page``, as far as the gate ``reach``.

    Blocks; never raises for what strangers send or for what ``url`` is. Redirects are followed, each hop an inquiry
    of its own; the verdict is that of the last and names those before it. ``settle`` as for ``Inquiry``. ``pace`` is
    what the steward's reader keeps (``PacedReader``): it is told each origin's Crawl-delay.
    """
    hops: list[Hop] = []
    while True:
        try:
            inquiry = steward.open(url, page, reach=reach, settle=settle)
        except BadUrl as error:
            return steward.unreadable(url, error)
        answer = _run(steward, inquiry, pace)
        following = _following(answer, inquiry, len(hops))
        verdict = steward.close(inquiry, hops)
        if not following or answer is None or answer.status is None or not _goes_on(verdict):
            return verdict
        hops.append(Hop(verdict.url, answer.status))
        url = following


def _run(steward: Steward, inquiry: Inquiry, pace: Pace | None) -> Evidence | None:
    """Meet every need; give what the asset's own address answered, if it was asked."""
    answer: Evidence | None = None
    while needs := inquiry.needs():
        if any(need.gate is Gate.LOOKUP for need in needs):
            steward.look_up(inquiry)
            continue
        if answer is None:
            _tell_pace(inquiry, pace)
            answer = _ask(steward, inquiry)
            if not _succeeded(answer):
                inquiry.reach = Gate.HEAD
        for need in needs:
            met = manifests.answer(need, answer, steward.policy) if manifests.meets(need) else _for(need, answer)
            inquiry.tell(met)
    if answer is None:
        _tell_pace(inquiry, pace)
    return answer


def _ask(steward: Steward, inquiry: Inquiry) -> Evidence:
    """Ask the asset's own address, once for both gates."""
    asset = inquiry.asset
    if inquiry.reach is Gate.BODY:
        return steward.reader.prefix(asset.url, BODY.limit)
    return steward.reader.head(asset.url)


def _tell_pace(inquiry: Inquiry, pace: Pace | None) -> None:
    """Tell the seconds that the origin's robots.txt wants between two requests."""
    if pace is None:
        return
    for evidence in inquiry.evidence:
        if evidence.need == ROBOTS_TXT and evidence.found:
            delay = evidence.parsed(robots.parse).crawl_delay(inquiry.purpose.token)
            pace.note(inquiry.asset.origin, delay=delay)


def _succeeded(answer: Evidence) -> bool:
    return answer.status is not None and 200 <= answer.status < 300  # noqa: PLR2004 (RFC 9110 §15.3)


def _for(need: Need, answer: Evidence) -> Evidence:
    """Return the one answer as the answer to one gate."""
    at_head = need.gate is Gate.HEAD
    gap = "" if at_head and answer.status is not None else answer.gap
    content = b"" if at_head else answer.content
    return Evidence(
        need, answer.url, status=answer.status, fields=answer.fields, content=content, at=answer.at, gap=gap,
        whole=answer.whole,
    )  # fmt: skip


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
    if answer is None or answer.status is None or _succeeded(answer):
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
