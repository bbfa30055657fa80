"""The parts of the live page, each made anew from the watch.

Made here and nowhere else, so that the page without JavaScript and the one with it show the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from consentcrawl import discovery
from consentcrawl.core import REASONS, name_of
from consentcrawl.dataset.writers import printable
from consentcrawl.proxy.live.markup import foreign, link, moment, table, text
from consentcrawl.proxy.seen import ENDED, Refusal, Seen, State, Why
from consentcrawl.proxy.watch import Watch

_ROWS, _REFUSALS = 25, 12
_LINE_HEIGHT = 30
# What a title cannot show in a line is left to the tables.
_TITLE = 120


def parts(watch: Watch) -> dict[str, str]:
    """Every part that changes, by its id."""
    return {name: make(watch) for name, make in _PARTS.items()}


def summary(watch: Watch) -> str:
    """The counters in a sentence, for who listens instead of looking."""
    counted = ", ".join(f"{watch.states[state]:,} {state}" for state in ENDED if watch.states[state])
    return f"{watch.asked:,} asked{': ' if counted else ''}{counted}"


def squares(watch: Watch) -> str:
    """The wall as it is now."""
    return "".join(_square(seen) for seen in watch.wall)


def title(seen: Seen) -> str:
    """What a square says when pointed at."""
    return printable(f"{seen.state}: {seen.method} {seen.url}"[:_TITLE])


def spoken(seconds: float) -> str:
    """Return a duration as it is read."""
    if not seconds:
        return "none"
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def reason(why: Why) -> str:
    """Show one reason: the very words and where they stand, or what could not be known."""
    if why.reason:
        return f"<span>{text(REASONS.get(why.reason, why.reason))}</span> <small>{link(why.source)}</small>"
    place = f"<small>{text(why.signal)}: {text(why.where)} of {link(why.source)}</small>"
    return f"<q>{foreign(why.quote)}</q> {place}"


def _square(seen: Seen | None) -> str:
    return "<i></i>" if seen is None else f'<i class={seen.state} title="{text(title(seen))}"></i>'


def _state(watch: Watch) -> str:
    if watch.paused:
        return "<strong>Paused</strong>: requests are answered with 503 until the proxy goes on."
    if watch.observing:
        return "<strong>Observing</strong>: everything is delivered, and what would be refused is noted."
    return "<strong>Enforcing</strong>: what its makers refused is not delivered."


def _counters(watch: Watch) -> str:
    figures = {
        "asked": f"{watch.asked:,}",
        "delivered": f"{watch.taken:,}",
        "refused": f"{watch.states[State.REFUSED]:,}",
        "undetermined": f"{watch.states[State.UNDETERMINED]:,}",
        "failed": f"{watch.states[State.FAILED]:,}",
        "waiting": f"{watch.waiting:,}",
        "a second": f"{watch.rate:.3g}",
        "added, median": spoken(watch.added(0.5)),
        "added, 99 %": spoken(watch.added(0.99)),
        "delivered, MB": f"{watch.size / 1e6:,.1f}",
    }
    cells = "".join(f'<div class="{name}"><dt>{name}</dt><dd>{figure}</dd></div>' for name, figure in figures.items())
    return f"<dl>{cells}</dl>{_line(watch.by_second)}"


def _line(counts: list[int]) -> str:
    """Draw requests a second over the last minute."""
    top = max(*counts, 1)
    points = " ".join(f"{x},{_LINE_HEIGHT - count * _LINE_HEIGHT / top:.3g}" for x, count in enumerate(counts))
    return (
        f'<svg class=line viewBox="0 -1 {len(counts) - 1} {_LINE_HEIGHT + 2}" preserveAspectRatio="none" role="img"'
        f' aria-label="Requests a second over the last minute, at most {top}"><polyline points="{points}"/></svg>'
    )


def _legend(watch: Watch) -> str:
    shown = "".join(f"<li><i class={state}></i> {watch.states[state]:,} {state}</li>" for state in ENDED)
    return f"<ul class=legend>{shown}<li><i class=waiting></i> {watch.waiting:,} waiting</li></ul>"


def _refusals(watch: Watch) -> str:
    newest = list(reversed(watch.refusals))[:_REFUSALS]
    heads = ("At (UTC)", "What", "Why, in the maker's words", "Verdict")
    return table("Latest refusals", heads, map(_refusal, newest), nothing="Nothing was refused so far.")


def _refusal(refusal: Refusal) -> tuple[str, ...]:
    why = "<br>".join(map(reason, refusal.why))
    verdict = f"<i class={refusal.state}></i> {refusal.state}"
    return moment(refusal.at), f"<span class=url>{foreign(refusal.url)}</span>", why, verdict


def _signals(watch: Watch) -> str:
    said = [(_standard(signal), "refused", n) for signal, n in watch.signals.most_common()]
    lacked = [(REASONS.get(code, code), "not known", n) for code, n in watch.reasons.most_common(_ROWS)]
    rows = ((text(name), kind, f"{n:,}") for name, kind, n in (*said, *lacked))
    return table("By signal", ("Signal", "Outcome", "Requests#"), rows, nothing="No signal has spoken so far.")


@cache
def _standard(signal: str) -> str:
    """Name what a signal reads."""
    spec = next((module.SPEC for module in discovery.signals() if name_of(module) == signal), None)
    return f"{spec.name} ({signal})" if spec else signal


def _origins(watch: Watch) -> str:
    heads = ("Origin", "Asked#", "Taken#", "Withheld#", "One every#", "Wished: one every#")
    return table("By origin", heads, _origin_rows(watch), nothing="Nothing was asked so far.")


def _origin_rows(watch: Watch) -> Iterator[tuple[str, ...]]:
    for name, origin in watch.busiest(_ROWS):
        counts = (f"{n:,}" for n in (origin.asked, origin.taken, origin.withheld))
        yield foreign(name), *counts, spoken(origin.every), spoken(watch.delay(name))


def _requests(watch: Watch) -> str:
    newest = sorted((seen for seen in watch.wall if seen), key=lambda seen: seen.number, reverse=True)[:_ROWS]
    rows = ((f"{seen.number + 1:,}", text(seen.method), foreign(seen.url), str(seen.state)) for seen in newest)
    return table("Latest requests", ("No.", "Method", "What", "State"), rows, nothing="Nothing was asked so far.")


_PARTS: dict[str, Callable[[Watch], str]] = {
    "state": _state,
    "counters": _counters,
    "legend": _legend,
    "refusals": _refusals,
    "signals": _signals,
    "origins": _origins,
    "requests": _requests,
}
