"""The parts of the live page, and the stream of those that changed.

They are made here and nowhere else, so that the page shows the same with and without JavaScript.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from typing import Any

from consentcrawl import discovery
from consentcrawl.core import REASONS, name_of
from consentcrawl.dataset.writers import printable
from consentcrawl.proxy.live.activity import RECENT, Activity
from consentcrawl.proxy.live.markup import foreign, moment, shown_reason, table, text
from consentcrawl.proxy.live.request_log import ENDED, LoggedRequest, Refusal, State

_ROWS, _REFUSALS = 25, 12
_LINE_HEIGHT = 30
_TITLE = 120
"""Characters of a square's tooltip; the tables show the rest."""
_SECONDS_BETWEEN_EVENTS = 1.0
_NO_NEWS = b":\n\n"  # a comment, by which a viewer that is gone is noticed


def parts(activity: Activity) -> dict[str, str]:
    """Return every part that changes, by its id."""
    return {name: make(activity) for name, make in _PARTS.items()}


async def news(activity: Activity, every: float = _SECONDS_BETWEEN_EVENTS) -> AsyncIterator[bytes]:
    """Yield server-sent events (WHATWG HTML §9.2): everything at first, then what has changed, until it is closed."""
    shown: dict[str, str] = {}
    change = 0
    while True:
        now, changed = parts(activity), activity.since(change)
        fresh = {name: made for name, made in now.items() if shown.get(name) != made}
        recent = [(logged.number % RECENT, logged.state, title(logged)) for logged in changed]
        # Noted before it is sent: what happens meanwhile is news for the next time.
        shown, change = now, activity.change
        yield (
            _event({"parts": fresh, "squares": recent, "summary": headline(activity)}) if fresh or recent else _NO_NEWS
        )
        await asyncio.sleep(every)


def _event(news: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(news).encode() + b"\n\n"


def headline(activity: Activity) -> str:
    """Return the counters as a sentence."""
    counted = ", ".join(f"{activity.states[state]:,} {state}" for state in ENDED if activity.states[state])
    return f"{activity.requests:,} requests{': ' if counted else ''}{counted}"


def squares(activity: Activity) -> str:
    """Return one square for each of the last requests."""
    return "".join(_square(logged) for logged in activity.recent)


def title(logged: LoggedRequest) -> str:
    """Return the tooltip of a square."""
    return printable(f"{logged.state}: {logged.method} {logged.url}"[:_TITLE])


def duration(seconds: float) -> str:
    """Return a duration in words."""
    if not seconds:
        return "none"
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _square(logged: LoggedRequest | None) -> str:
    return "<i></i>" if logged is None else f'<i class={logged.state} title="{text(title(logged))}"></i>'


def _state(activity: Activity) -> str:
    if activity.paused:
        return "<strong>Paused</strong>: every request is answered with status 503."
    if activity.observing:
        return "<strong>Observing</strong>: everything is delivered, and what would be refused is recorded."
    return "<strong>Enforcing</strong>: what publishers or makers refuse is not delivered."


_SWITCHES = (
    ("Opt-outs", (("Enforce", "enforce", "observing", False), ("Observe", "observe", "observing", True))),
    ("Requests", (("Resume", "resume", "paused", False), ("Pause", "pause", "paused", True))),
)


def _switches(activity: Activity) -> str:
    """Show the switches, those that are on as pressed."""
    groups = ((group, "".join(_switch(activity, *each) for each in buttons)) for group, buttons in _SWITCHES)
    return "".join(f'<div class=buttons role="group" aria-label="{group}">{shown}</div>' for group, shown in groups)


def _switch(activity: Activity, label: str, turn: str, name: str, state: bool) -> str:  # noqa: FBT001 (a table's row)
    pressed = "true" if getattr(activity, name) is state else "false"
    return f'<button name="turn" value="{turn}" aria-pressed="{pressed}">{label}</button>'


def _counters(activity: Activity) -> str:
    figures = {
        "requests": f"{activity.requests:,}",
        "delivered": f"{activity.delivered:,}",
        "refused": f"{activity.states[State.REFUSED]:,}",
        "undetermined": f"{activity.states[State.UNDETERMINED]:,}",
        "failed": f"{activity.states[State.FAILED]:,}",
        "pending": f"{activity.pending:,}",
        "per second": f"{activity.rate:.3g}",
        "time to decide, median": duration(activity.decision_time(0.5)),
        "time to decide, 99 %": duration(activity.decision_time(0.99)),
        "MB delivered": f"{activity.size / 1e6:,.1f}",
    }
    cells = "".join(f'<div class="{name}"><dt>{name}</dt><dd>{figure}</dd></div>' for name, figure in figures.items())
    return f"<dl>{cells}</dl>{_line(activity.by_second)}"


def _line(counts: list[int]) -> str:
    """Draw the requests per second of the last minute."""
    top = max(*counts, 1)
    points = " ".join(f"{x},{_LINE_HEIGHT - count * _LINE_HEIGHT / top:.3g}" for x, count in enumerate(counts))
    return (
        f'<svg class=line viewBox="0 -1 {len(counts) - 1} {_LINE_HEIGHT + 2}" preserveAspectRatio="none" role="img"'
        f' aria-label="Requests per second in the last minute, at most {top}"><polyline points="{points}"/></svg>'
    )


def _legend(activity: Activity) -> str:
    shown = "".join(f"<li><i class={state}></i> {activity.states[state]:,} {state}</li>" for state in ENDED)
    return f"<ul class=legend>{shown}<li><i class=pending></i> {activity.pending:,} pending</li></ul>"


def _refusals(activity: Activity) -> str:
    newest = list(reversed(activity.refusals))[:_REFUSALS]
    heads = ("Time (UTC)", "URL", "Reason", "Verdict")
    return table("Latest refusals", heads, map(_refusal, newest), nothing="Nothing has been refused yet.")


def _refusal(refusal: Refusal) -> tuple[str, ...]:
    why = "<br>".join(map(shown_reason, refusal.reasons))
    verdict = f"<i class={refusal.state}></i> {refusal.state}"
    return moment(refusal.at), f"<span class=url>{foreign(refusal.url)}</span>", why, verdict


def _signals(activity: Activity) -> str:
    refused = [(_standard(signal), "refused", n) for signal, n in activity.signals.most_common()]
    unknown = [(REASONS.get(code, code), "not known", n) for code, n in activity.gaps.most_common(_ROWS)]
    rows = ((text(name), kind, f"{n:,}") for name, kind, n in (*refused, *unknown))
    heads = ("Opt-out, or what is not known", "Outcome", "Requests#")
    return table("Requests by reason", heads, rows, nothing="No opt-out has been found yet.")


@cache
def _standard(signal: str) -> str:
    """Return the name of the standard that a signal reads."""
    spec = next((module.SPEC for module in discovery.signals() if name_of(module) == signal), None)
    return f"{spec.name} ({signal})" if spec else signal


def _origins(activity: Activity) -> str:
    heads = ("Origin", "Requests#", "Delivered#", "Withheld#", "Interval#", "Crawl-delay#")
    return table("Requests by origin", heads, _origin_rows(activity), nothing="There have been no requests yet.")


def _origin_rows(activity: Activity) -> Iterator[tuple[str, ...]]:
    for name, origin in activity.busiest(_ROWS):
        counts = (f"{n:,}" for n in (origin.requests, origin.delivered, origin.withheld))
        yield foreign(name), *counts, duration(origin.interval), duration(activity.delay(name))


def _requests(activity: Activity) -> str:
    newest = sorted((each for each in activity.recent if each), key=lambda each: each.number, reverse=True)[:_ROWS]
    rows = ((f"{each.number + 1:,}", text(each.method), foreign(each.url), str(each.state)) for each in newest)
    heads = ("No.", "Method", "URL", "State")
    return table("Latest requests", heads, rows, nothing="There have been no requests yet.")


_PARTS: dict[str, Callable[[Activity], str]] = {
    "state": _state,
    "counters": _counters,
    "legend": _legend,
    "refusals": _refusals,
    "signals": _signals,
    "origins": _origins,
    "requests": _requests,
    "switches": _switches,
}
