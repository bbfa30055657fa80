"""What stands in the place of something that is not delivered: a 451 with the verdict in it.

RFC 7725 gives the status and the ``blocked-by`` link, RFC 9457 the shape of the content.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from consentcrawl.core import Verdict
from consentcrawl.core.vocabulary import REASONS

STATUS = 451
REASON = "Unavailable For Legal Reasons"
CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why something is withheld: a ground's words, or a gap with its code (then the words are empty)."""

    source: str
    signal: str = ""
    quote: str = ""
    where: str = ""
    gap: str = ""

    @property
    def said(self) -> str:
        """The very words that refuse, or the gap in plain words."""
        return REASONS.get(self.gap, self.gap) if self.gap else self.quote

    @property
    def place(self) -> str:
        """Where in ``source`` the words stand; empty for a gap."""
        return f"{self.where} of " if self.where else ""

    def __str__(self) -> str:
        """Return it as a part of a sentence."""
        if self.gap:
            return f"{self.said} ({self.source})"
        return f'"{self.quote}" ({self.signal}: {self.place}{self.source})'


def reasons(verdict: Verdict) -> list[Reason]:
    """Return the grounds that decide, else the gaps that leave the verdict open, else every gap; each once."""
    grounds = [Reason(g.source, g.signal, g.statement.quote, g.statement.where) for g in verdict.deciding]
    gaps = [gap for gap in verdict.gaps if gap.holds] or verdict.gaps
    return list(dict.fromkeys(grounds or (Reason(gap.need, gap=gap.reason) for gap in gaps)))


def problem(verdict: Verdict, status: int = STATUS) -> bytes:
    """Return the verdict as a problem document (RFC 9457 §3): its grounds and gaps, and one sentence for a person."""
    document = {
        "type": "about:blank",
        "title": f"consentcrawl: {verdict.outcome}",
        "status": status,
        "detail": detail(verdict),
        "instance": verdict.url,
        "verdict": verdict.as_json(),
    }
    return json.dumps(document, ensure_ascii=True).encode("ascii")


def detail(verdict: Verdict) -> str:
    """Say in one sentence what the verdict rests on."""
    return "; ".join(map(str, reasons(verdict)))


def blocked_by(verdict: Verdict) -> list[tuple[str, str]]:
    """Return the fields that say who refused (RFC 7725 §4), and what the verdict is."""
    sources = dict.fromkeys(ground.source for ground in verdict.deciding)
    links = [("Link", f'<{source}>; rel="blocked-by"') for source in sources]
    return [("Consent-Verdict", str(verdict.outcome)), *links]


def fields_of(verdict: Verdict, content: bytes) -> list[tuple[str, str]]:
    """Return the header fields that go with ``content`` made by ``problem``."""
    return [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(content))), *blocked_by(verdict)]
