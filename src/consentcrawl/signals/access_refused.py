"""Refusals in the answer for the asset itself: a licence or payment asked for, a challenge, too many requests, the law.

They are never met with another name, address or a second try.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from consentcrawl.core import HEAD, Asset, Category, Evidence, Fields, Gap, Gate, Need, Purpose, Said, Spec, disallow
from consentcrawl.formats import challenge

SPEC = Spec(
    name="Access refused",
    version="RFC 9110, RFC 6585, RFC 7725; RSL 1.0 (401 License); crawler-price (402)",
    url="https://www.rfc-editor.org/rfc/rfc9110#section-15.5",
    gates=(Gate.HEAD,),
    cost="nothing",
)

_ERRORS = 400
_UNAUTHORIZED, _PAYMENT, _FORBIDDEN, _PROXY, _TOO_MANY, _LEGAL = 401, 402, 403, 407, 429, 451

_LICENSE = re.compile(r"(?:^|,)\s*license(?=[\s,]|$)", re.IGNORECASE).search  # several challenges share a line


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the head of the answer."""
    return (HEAD,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:  # noqa: ARG001 (status is its own)
    """Read the status and the fields that explain it; an answer below 400 refuses nothing."""
    status = evidence.status
    if status is None or status < _ERRORS:
        return ()
    if words := _refusal(status, evidence.fields):
        return (disallow(Category.ACQUIRE, words, f"status {status}", note="access_refused"),)
    if words := challenge.in_fields(evidence.fields.lines, error=True):
        return (Gap(evidence.url, "blocked", holds=True, note=f"{status}, {words}"),)
    if status in (_UNAUTHORIZED, _FORBIDDEN, _PROXY, _TOO_MANY):
        return (Gap(evidence.url, "access_refused", holds=True, note=str(status)),)
    return ()


def _refusal(status: int, fields: Fields) -> str:
    """Return the words in which the answer itself says no, or an empty string."""
    if status == _UNAUTHORIZED:
        # RSL 1.0, Crawler Authorization Protocol: the scheme License asks for a licence, not for a password.
        asked = (line for line in fields.lines("www-authenticate") if _LICENSE(line))
        return next(asked, "")
    if status == _PAYMENT:
        price = fields.first("crawler-price") or fields.first("crawler-error")
        return f"crawler-price: {price}" if price else "402 Payment Required"
    return "451 Unavailable For Legal Reasons" if status == _LEGAL else ""
