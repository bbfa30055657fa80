"""What robots.txt says about fetching: the rules for our own product token, and what its absence means.

RFC 9309 is about access, so everything here speaks of acquiring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import (
    ROBOTS_TXT,
    SILENT,
    Asset,
    Category,
    Evidence,
    Gap,
    Gate,
    Need,
    Purpose,
    Said,
    Spec,
    allow,
    disallow,
    remark,
)
from consentcrawl.formats import challenge
from consentcrawl.formats.robots import Access, RobotsTxt, parse

SPEC = Spec(
    name="Robots Exclusion Protocol",
    version="RFC 9309",
    url="https://www.rfc-editor.org/rfc/rfc9309",
    gates=(Gate.LOOKUP,),
    cost="one request per origin and day",
)

_REDIRECTS = range(300, 400)
_UNAVAILABLE = range(400, 500)  # RFC 9309 §2.3.1.3
_UNREAD = ("robots_limit", "unsupported")
_DENIED, _GONE, _TOO_MANY, _LEGAL = (401, 403), (404, 410), 429, 451


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (same for all)
    """Need the origin's robots.txt."""
    return (ROBOTS_TXT,)


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
    """Read the rules for the purpose's token; /robots.txt itself is always permitted (RFC 9309 §2.2.2)."""
    target = asset.target
    if target == "/robots.txt":
        return ()
    if not evidence.successful or evidence.gap not in ("", "body_limit"):
        return _absent(evidence)
    robots: RobotsTxt = evidence.parsed(parse)
    access = robots.access(target, purpose.token)
    if access.rule is None and not robots.gave_up and not robots.looks_html and not evidence.gap:
        return ()
    return _present(robots, access, evidence, target, purpose.token)


def _present(robots: RobotsTxt, access: Access, evidence: Evidence, target: str, token: str) -> Iterator[Said]:
    # The rest of a file that is cut, and a file that is packed, may disallow what nothing here does.
    if evidence.gap:
        yield Gap(evidence.url, "robots_limit", holds=True)
    elif robots.gave_up:
        yield Gap(evidence.url, robots.gave_up, holds=robots.gave_up in _UNREAD)
    if robots.looks_html:
        if words := _challenge(evidence):
            yield _withheld(evidence, "blocked", words)
        words = evidence.content[:80].decode("utf-8", "replace").strip() or "html"
        yield remark(Category.ACQUIRE, words, "robots.txt", "a page stands there: not a robots file")
    if access.rule is None:
        return
    if not access.allowed:
        yield disallow(Category.ACQUIRE, access.rule.text, f"line {access.rule.line}", note=access.gave_up)
    elif tied := robots.tie_flip(target, token):
        yield disallow(Category.ACQUIRE, tied.text, f"line {tied.line}", note="tie_flip")
    elif not robots.looks_html:
        yield allow(Category.ACQUIRE, access.rule.text, f"line {access.rule.line}")


def _absent(evidence: Evidence) -> Iterable[Said]:
    """Say what follows when there is no file that can be read.

    RFC 9309 §2.3.1.4 has everything disallowed then. No words of the site say so: it is a gap, and stops the request.
    """
    status = evidence.status
    if status == _LEGAL:
        return (disallow(Category.ACQUIRE, "451", "status of robots.txt", note="RFC 7725"),)
    if status in _GONE:
        return SILENT
    if words := _challenge(evidence):
        return (_withheld(evidence, "blocked", words),)
    if status in _DENIED:
        note = "unavailable: no rules (RFC 9309 §2.3.1.3)"
        return (remark(Category.ACQUIRE, str(status), "status of robots.txt", note),)
    if status in _UNAVAILABLE and status != _TOO_MANY:
        return SILENT
    reason = evidence.gap or ("redirects" if status in _REDIRECTS else "unreachable")
    return (_withheld(evidence, reason, str(status or "no answer")),)


def _challenge(evidence: Evidence) -> str:
    """Return what shows a wall in front of the server: RFC 9309 speaks of the server's own answer."""
    error = not evidence.successful
    return challenge.in_fields(evidence.fields.lines, error=error) or evidence.parsed(challenge.in_page)


def _withheld(evidence: Evidence, reason: str, note: str) -> Gap:
    return Gap(evidence.url, reason, holds=True, note=note, stops=True)
