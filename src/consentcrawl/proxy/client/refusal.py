"""Responses that the proxy makes itself: refusals as a problem document or as a page for a person, and bad requests.

RFC 7725 gives 451 and the ``blocked-by`` link, RFC 9457 the problem document, RFC 9110 §10.2.3 Retry-After.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from consentcrawl.core import Outcome, Verdict
from consentcrawl.drivers.shared import withheld
from consentcrawl.proxy.client.request_head import RequestHead
from consentcrawl.proxy.live.markup import foreign, shown_reason, text
from consentcrawl.proxy.settings import SAFE_METHODS

_TEMPORARY = frozenset({"timeout", "dns", "connect", "truncated", "unreachable", "parked"})
"""Reasons for gaps that may be gone when it is tried again."""
_RETRY_SECONDS = "60"
_FORBIDDEN, _UNAVAILABLE = 403, 503
_REFUSED = "The publisher or maker says no to this use. These are the words, and where they stand:"
_UNKNOWN = "consentcrawl could not find out whether the publisher or maker allows this use. What is missing:"


@dataclass(frozen=True, slots=True)
class LocalResponse:
    """A whole response made by the proxy itself; ``Reply`` adds the Content-Length."""

    status: int
    content: bytes
    fields: tuple[tuple[str, str], ...]


def refusal_response(verdict: Verdict, *, accept: str = "", retry_after: str = "") -> LocalResponse:
    """Say why something is withheld: 451, 503 where trying later may help, 403 for an address that is never dialled.

    ``retry_after`` is what the origin asked for, if it did.
    """
    status = _status(verdict, retry_after)
    fields = tuple(withheld.blocked_by(verdict))
    if status == _UNAVAILABLE:
        fields += (("Retry-After", retry_after or _RETRY_SECONDS),)
    if prefers_html(accept):
        return LocalResponse(status, _page(verdict, status), (*fields, *_PAGE_FIELDS))
    content_type = ("Content-Type", withheld.CONTENT_TYPE)
    return LocalResponse(status, withheld.problem(verdict, status), (*fields, content_type))


def problem(status: int, title: str, detail: str, *fields: tuple[str, str]) -> LocalResponse:
    """Say what is wrong with a request that has no verdict (RFC 9457 §3)."""
    document = {"type": "about:blank", "title": f"consentcrawl: {title}", "status": status, "detail": detail}
    return LocalResponse(status, json.dumps(document).encode(), (*fields, ("Content-Type", withheld.CONTENT_TYPE)))


def rejection(head: RequestHead, methods: frozenset[str], *, paused: bool) -> LocalResponse | None:
    """Return the response to a request that is never passed on; ``methods`` are passed beside the safe ones."""
    passed = methods | SAFE_METHODS
    if head.method not in passed:
        detail = f"{head.method} is not passed on; --methods can allow it"
        return problem(405, "method not passed on", detail, ("Allow", ", ".join(sorted(passed))))
    if head.length and head.method in SAFE_METHODS:
        return problem(400, "bad request", f"{head.method} with content")  # RFC 9110 §9.3.1
    if head.fields.lines("upgrade") and head.named("upgrade") - {"h2c"}:
        return problem(501, "no other protocol", "Upgrade is not passed on: consentcrawl could not judge what follows")
    if paused:
        return problem(503, "paused", "the proxy is paused on its live page", ("Retry-After", "5"))
    return None


def prefers_html(accept: str) -> bool:
    """Return whether an Accept field puts a page before a problem document (RFC 9110 §12.5.1)."""
    weights = dict(_range(part) for part in accept.split(",") if part.strip())
    others = ("application/problem+json", "application/json", "application/*", "*/*")
    return weights.get("text/html", 0.0) > next((weights[kind] for kind in others if kind in weights), 0.0)


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((value for p in parameters for name, _, value in [p.partition("=")] if name == "q"), "1")
    try:
        return kind, float(weight)
    except ValueError:
        return kind, 0.0


def _status(verdict: Verdict, retry_after: str) -> int:
    if verdict.outcome is not Outcome.UNDETERMINED:
        return withheld.STATUS
    reasons = {gap.reason for gap in verdict.gaps if gap.holds} or {gap.reason for gap in verdict.gaps}
    if "address" in reasons:
        return _FORBIDDEN
    return _UNAVAILABLE if retry_after or reasons & _TEMPORARY else withheld.STATUS


def _page(verdict: Verdict, status: int) -> bytes:
    """Return the page that a person sees: whose words refuse, and where they stand."""
    refused = verdict.outcome is Outcome.REFUSE
    return _PAGE.format(
        title="Not available for this use" if refused else "Not known whether this may be used",
        status=status,
        url=foreign(verdict.url),
        lead=_REFUSED if refused else _UNKNOWN,
        reasons="".join(f"<li>{shown_reason(reason)}</li>" for reason in withheld.reasons(verdict)),
        purpose=text(verdict.purpose),
        policy=text(verdict.policy),
    ).encode("utf-8", "replace")


_PAGE_FIELDS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ("X-Content-Type-Options", "nosniff"),
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} ({status})</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
body {{ max-width: 42rem; margin: 12vh auto; padding: 0 1.5rem }}
h1 {{ font-size: 1.5rem; margin: 0 0 .25rem }}
code {{ overflow-wrap: anywhere }}
ul {{ padding: .75rem 1.25rem; list-style: none; border-left: .3rem solid #d9730d }}
q {{ font-weight: 600 }} li small {{ display: block }} small, footer {{ opacity: .75; overflow-wrap: anywhere }}
</style></head><body>
<main><h1>{title}</h1><p><code>{url}</code></p>
<p>{lead}</p><ul>{reasons}</ul></main>
<footer><small>Answered by the consentcrawl proxy, not by the site itself: status {status}, purpose {purpose}, policy
{policy}.</small></footer>
</body></html>
"""
