"""What stands in the place of something that is not delivered: a 451 with the verdict in it.

RFC 7725 gives the status and the ``blocked-by`` link, RFC 9457 the shape of the content.
"""

from __future__ import annotations

import json

from consentcrawl.core import Verdict
from consentcrawl.core.vocabulary import REASONS

STATUS = 451
REASON = "Unavailable For Legal Reasons"
CONTENT_TYPE = "application/problem+json"


def problem(verdict: Verdict) -> bytes:
    """The verdict as a problem document (RFC 9457 §3): its grounds and gaps in full, and one sentence for a person."""
    document = {
        "type": "about:blank",
        "title": f"consentcrawl: {verdict.outcome}",
        "status": STATUS,
        "detail": detail(verdict),
        "instance": verdict.url,
        "verdict": verdict.as_json(),
    }
    return json.dumps(document, ensure_ascii=True).encode("ascii")


def detail(verdict: Verdict) -> str:
    """Say in one sentence what the verdict rests on."""
    said = [f'"{g.statement.quote}" ({g.signal}: {g.statement.where} of {g.source})' for g in verdict.deciding]
    lacked = [f"{REASONS.get(gap.reason, gap.reason)} ({gap.need})" for gap in verdict.gaps]
    return "; ".join(said or lacked)


def fields_of(verdict: Verdict, content: bytes) -> list[tuple[str, str]]:
    """The header fields that go with ``content`` made by ``problem``."""
    sources = dict.fromkeys(ground.source for ground in verdict.deciding)
    links = [("Link", f'<{source}>; rel="blocked-by"') for source in sources]
    return [
        ("Content-Type", CONTENT_TYPE),
        ("Content-Length", str(len(content))),
        ("Consent-Verdict", str(verdict.outcome)),
        *links,
    ]
