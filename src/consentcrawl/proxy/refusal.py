"""What the client gets in the place of what it may not have: a status, a problem document, or a page for a person.

RFC 7725 gives 451 and the ``blocked-by`` link, RFC 9457 the problem document, RFC 9110 §10.2.3 Retry-After.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass

from consentcrawl.core import Outcome, Verdict
from consentcrawl.core.vocabulary import REASONS
from consentcrawl.drivers.shared import withheld
from consentcrawl.proxy.heads import Head
from consentcrawl.proxy.settings import SAFE_METHODS

_PASSING = frozenset({"timeout", "dns", "connect", "truncated", "unreachable", "parked"})
"""Reasons for gaps that may be gone when it is tried again."""
_RETRY_SECONDS = "60"
_FORBIDDEN, _UNAVAILABLE = 403, 503
_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer made here; Content-Length is left to whoever sends it."""

    status: int
    content: bytes
    fields: tuple[tuple[str, str], ...]


def withholding(verdict: Verdict, *, accept: str = "", retry_after: str = "") -> Answer:
    """Say why something is withheld: 451; 503 where it may be known later what is not now; 403 where nobody dials.

    ``retry_after`` is what the origin asked for, if it did.
    """
    status = _status(verdict, retry_after)
    document = json.loads(withheld.problem(verdict))
    document["status"] = status
    fields = tuple((n, v) for n, v in withheld.fields_of(verdict, b"") if n not in ("Content-Type", "Content-Length"))
    if status == _UNAVAILABLE:
        fields += (("Retry-After", retry_after or _RETRY_SECONDS),)
    if prefers_html(accept):
        return Answer(status, _page(verdict, status), (*fields, *_PAGE_FIELDS))
    return Answer(status, json.dumps(document).encode(), (*fields, ("Content-Type", withheld.CONTENT_TYPE)))


def problem(status: int, title: str, detail: str, *fields: tuple[str, str]) -> Answer:
    """Say what is wrong with a request that no verdict was asked for (RFC 9457 §3)."""
    document = {"type": "about:blank", "title": f"consentcrawl: {title}", "status": status, "detail": detail}
    return Answer(status, json.dumps(document).encode(), (*fields, ("Content-Type", withheld.CONTENT_TYPE)))


def not_passed(head: Head, methods: frozenset[str], *, paused: bool) -> Answer | None:
    """Answer what is not passed on whatever it is about; ``methods`` are passed beside the safe ones."""
    passed = methods | SAFE_METHODS
    if head.method not in passed:
        detail = f"{head.method} is not passed on; --methods can allow it"
        return problem(405, "method not passed on", detail, ("Allow", ", ".join(sorted(passed))))
    if head.length and head.method in SAFE_METHODS:
        return problem(400, "bad request", f"{head.method} with content")  # RFC 9110 §9.3.1
    if head.fields.lines("upgrade") and head.named("upgrade") - {"h2c"}:
        return problem(501, "no other protocol", "Upgrade is not passed on: what follows could not be judged")
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
    return _UNAVAILABLE if retry_after or reasons & _PASSING else withheld.STATUS


def _page(verdict: Verdict, status: int) -> bytes:
    """Return the page a person sees: in whose words, standing where."""
    refused = verdict.outcome is Outcome.REFUSE
    title = "Not taken" if refused else "Not known whether it may be taken"
    said = [
        f"<li><q>{_text(g.statement.quote)}</q><br><small>{_text(g.signal)}: {_text(g.statement.where)} of "
        f"{_text(g.source)}</small></li>"
        for g in verdict.deciding
    ]
    lacked = [
        f"<li>{_text(REASONS.get(g.reason, g.reason))}<br><small>{_text(g.need)}</small></li>" for g in verdict.gaps
    ]
    return _PAGE.format(
        title=title,
        status=status,
        url=_text(verdict.url),
        lead="What its makers say about this use:" if refused else "What could not be found out:",
        said="".join(said or lacked),
        purpose=_text(verdict.purpose),
        policy=_text(verdict.policy),
    ).encode()


def _text(text: str) -> str:
    """Escape a stranger's words; a control character is shown as what it is."""
    return html.escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))


_PAGE_FIELDS = (
    ("Content-Type", _HTML),
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
q {{ font-weight: 600 }} small, footer {{ opacity: .75; overflow-wrap: anywhere }}
</style></head><body>
<main><h1>{title}</h1><p><code>{url}</code></p>
<p>{lead}</p><ul>{said}</ul></main>
<footer><small>consentcrawl, status {status}, purpose {purpose}, policy {policy}</small></footer>
</body></html>
"""
