"""Text for a terminal: the table of verdicts, and the explanation of one.

What strangers wrote is shown escaped, and never read as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from consentcrawl import discovery
from consentcrawl.config import Config
from consentcrawl.core import REASONS, Gap, Gate, Ground, Outcome, Preference, Verdict, name_of
from consentcrawl.dataset.readers import Row
from consentcrawl.dataset.writers import printable

# Blue and orange differ for people with red-green colour blindness.
STYLES = {Outcome.PERMIT: "blue", Outcome.REFUSE: "bold dark_orange", Outcome.UNDETERMINED: "bold yellow"}
REACHED = {
    Gate.LOOKUP: "no request was sent for the file itself",
    Gate.HEAD: "the content was not read",
    Gate.BODY: "the beginning of the content was read",
}
_OUTCOME_WIDTH = len("undetermined")


def console(stream: IO[str] | None = None, *, stderr: bool = False) -> Console:
    """A console that shows text as it is: no markup, no emoji codes, no guessing at what is a number."""
    return _Console(file=stream, stderr=stderr, markup=False, emoji=False, highlight=False)


class _Console(Console):
    """A console that leaves a closed pipe to the caller: rich exits with 1, which means refused."""

    def on_broken_pipe(self) -> None:
        """Go on with the error that was raised."""
        self.quiet = True
        raise BrokenPipeError


class TableWriter:
    """The table of verdicts, a row as soon as it is known; readable at 80 columns."""

    def __init__(self, to: Console) -> None:
        """Print to ``to``."""
        self._to, self._began = to, False

    def write(self, row: Row, verdict: Verdict) -> None:
        """Print one row."""
        if not self._began:
            self._began = True
            self._print(Text("verdict", "bold"), Text("url, and why", "bold"))
            self._to.rule(style="dim")
        outcome = Text(str(verdict.outcome), STYLES[verdict.outcome])
        self._print(outcome, shown(row.url) + Text("\n") + why(verdict))

    def close(self) -> None:
        """Nothing is left."""

    def _print(self, outcome: Text, said: Text) -> None:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=_OUTCOME_WIDTH)
        table.add_column(overflow="fold")
        table.add_row(outcome, said)
        self._to.print(table)


def why(verdict: Verdict) -> Text:
    """Return in a few words what the verdict rests on: the maker's words and where they stand, or the gap."""
    if verdict.deciding:
        more = len(verdict.deciding) - 1
        return _quoted(verdict.deciding[0], verdict.url) + Text(f" (and {more} more)" if more else "", "dim")
    if verdict.outcome is Outcome.UNDETERMINED:
        return _not_known(next((gap for gap in verdict.gaps if gap.holds), verdict.gaps[0]), verdict.url)
    if verdict.agreement:
        return shown(f"under the agreement {verdict.agreement}")
    allowed = [ground for ground in verdict.grounds if ground.statement.preference is Preference.ALLOWED]
    if allowed:
        return _quoted(allowed[0], verdict.url)
    gaps = len(verdict.gaps)
    failed = f"; {gaps} look-up{'' if gaps == 1 else 's'} failed" if gaps else ""
    return Text(f"no opt-out found; {REACHED[verdict.gate]}{failed}", "dim")


def shown(text: str, style: str = "") -> Text:
    """Return text of strangers as it may be shown."""
    return Text(printable(text), style)


def explanation(row: Row, verdict: Verdict, config: Config) -> Iterator[Text | Padding | Table]:
    """Yield all of one verdict: every ground and gap, and the policy that weighed them."""
    yield shown(row.url, "bold")
    if row.page:
        yield shown(f"shown on {row.page}")
    yield _ending(verdict, config)
    for hop in verdict.hops:
        yield shown(f"redirected ({hop.status}) from {hop.url}", "dim")
    if verdict.hops:
        yield shown(f"to {verdict.url}", "dim")
    noted = [ground for ground in verdict.grounds if ground not in verdict.deciding]
    yield from _section("Refused because", _grounds(verdict.deciding))
    yield from _section("Other statements, which do not decide", _grounds(noted))
    yield from _section("Not known", (_gap(gap) for gap in verdict.gaps))
    yield Text(f"\nPolicy {verdict.policy}", "bold")
    yield Padding(_policy(config), (0, 0, 0, 2), expand=False)


def _ending(verdict: Verdict, config: Config) -> Text:
    purpose = config.purpose
    said = Text(str(verdict.outcome).upper(), STYLES[verdict.outcome])
    said += shown(f" for {verdict.purpose} ({', '.join(sorted(purpose.intends))}) as {purpose.token}")
    said += _line(f"reached the {verdict.gate.name.lower()} gate: {REACHED[verdict.gate]}")
    if verdict.agreement:
        said += _line(f"under the agreement {verdict.agreement}")
    return said if verdict.enforced else said + _line("observed only: the download is not stopped", "yellow")


def _section(title: str, parts: Iterable[Text]) -> Iterator[Text | Padding]:
    for n, part in enumerate(parts):
        if n == 0:
            yield Text(f"\n{title}", "bold")
        yield Padding(part, (0, 0, 0, 2), expand=False)


def _grounds(grounds: Iterable[Ground]) -> Iterator[Text]:
    """Show grounds; words that speak for several categories are shown once."""
    together: dict[tuple[str, ...], list[Ground]] = {}
    for ground in grounds:
        said = ground.statement
        key = (ground.signal, said.quote, said.where, ground.source, str(said.preference), said.note)
        together.setdefault(key, []).append(ground)
    for first, *more in together.values():
        said = first.statement
        categories = dict.fromkeys(str(ground.statement.category) for ground in (first, *more))
        text = _quoted(first) + _line(f"{', '.join(categories)}: {said.preference}, says {_standard(first.signal)}")
        yield text + _line(f"note: {said.note}") if said.note else text


def _standard(signal: str) -> str:
    """Name what a signal reads: a standard has its name, whatever the module is called."""
    spec = next((module.SPEC for module in discovery.signals() if name_of(module) == signal), None)
    return f"{spec.name} ({signal})" if spec else f"the {signal}"


def _quoted(ground: Ground, own: str = "") -> Text:
    """Return the words and where they stand; ``own`` is the URL that goes without saying."""
    said = ground.statement
    source = " of its own answer" if ground.source == own else f", {ground.source}"
    return shown(f"“{said.quote}”  ") + shown(said.where + source, "dim")


def _gap(gap: Gap) -> Text:
    text = _not_known(gap) + _line(f"{'leaves the verdict undetermined' if gap.holds else 'noted only'} ({gap.reason})")
    return text + _line(gap.note) if gap.note else text


def _not_known(gap: Gap, own: str = "") -> Text:
    return shown(f"{REASONS.get(gap.reason, gap.reason)}  ") + shown("" if gap.need == own else gap.need, "dim")


def _line(text: str, style: str = "dim") -> Text:
    return Text("\n") + shown(text, style)


def _policy(config: Config) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for key, source in config.origins.items():
        table.add_row(key, str(getattr(config.policy, key)), shown(source, "dim"))
    if config.policy.signals_off:
        table.add_row("signals_off", ", ".join(sorted(config.policy.signals_off)), "")
    return table
