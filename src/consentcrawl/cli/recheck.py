"""``consentcrawl recheck``: asks again about everything that was permitted, and lists what must be deleted.

What could not be asked again is listed apart; only what was asked and permitted again is left out of both lists.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from consentcrawl.cli import options, results, tables
from consentcrawl.cli.check import INTERRUPTED
from consentcrawl.cli.ledger_options import Directory, day_and_time, existing, time_of
from consentcrawl.cli.options import Reach
from consentcrawl.cli.output import console
from consentcrawl.cli.tally import Tally
from consentcrawl.config import Config
from consentcrawl.core import REASONS, Gate, origin_of
from consentcrawl.errors import BadInput
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.ledger.recording.stored import stored_records
from consentcrawl.recheck.asking import Asking, Begun
from consentcrawl.recheck.register import DELETIONS, NOT_KNOWN, Permitted, Register, Wanted

OPTED_OUT, NOT_ASKED = 1, 3
_TIMES = frozenset({"permitted_at", "first_seen"})
_PRINTED = 10


def recheck(  # noqa: PLR0913 (one per option)
    directory: Directory,
    *,
    since: Annotated[
        str, typer.Option(metavar="DATE", help="Only what was permitted since this date, such as 2026-11-24 (UTC).")
    ] = "",
    origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN|HOST", help="Only files of this origin or host; may be repeated."),
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Only this many, drawn at random.")] = None,
    gate: Annotated[
        Reach | None, typer.Option(help="How far to go; by default as far as each earlier verdict went.")
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help=f"Format of the output: {', '.join(results.FORMATS)} (default: the suffix of -o, else table).",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the deletion list to this file.")] = None,
    not_known: Annotated[
        Path | None,
        typer.Option(help="Write what could not be asked to this file; otherwise the first few are printed."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Send no request: list the opt-outs that the ledger holds already.")
    ] = False,
    purpose: options.PurposeName = None,
    token: options.Token = None,
    policy: options.PolicyWords = None,
    config: options.ConfigFile = None,
    connect_to: options.ConnectTos = None,
    allow_net: options.AllowNets = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="How many origins to ask at the same time.")] = 16,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no summary.")] = False,
) -> None:
    """Find opt-outs that came after the download: ask again about all that was permitted, and list what is refused now.

    New verdicts go to the same ledger. With the same options an interrupted run continues where it stopped. Exits 1 if
    something is refused now, 3 if nothing is but something could not be asked.
    """
    with options.one_line_errors():
        settings = options.config_of(
            purpose=purpose, token=token, policy=policy, config=config, connect_to=connect_to, allow_net=allow_net
        )
        named = results.form(form, output)
        run = _Run(Wanted(_moment(since), _places(origin or ()), sample), gate.gate if gate else None, workers, quiet)
        with closing(Register(settings.purpose)) as register:
            if offline:
                register.fill(stored_records(existing(directory)))
                register.choose(run.wanted, 0)
            elif not run.ask(settings, existing(directory), register):
                raise typer.Exit(INTERRUPTED)
            opted_out = tables.write(map(_timed, register.opted_out()), DELETIONS, named, output)
            unknown = _write_not_known(register, not_known)
    if not quiet:
        for line in _summary(register, opted_out, unknown):
            options.complain(line)
    raise typer.Exit(OPTED_OUT if opted_out else NOT_ASKED if unknown else 0)


@dataclass(frozen=True, slots=True)
class _Run:
    """What is asked again, and how."""

    wanted: Wanted
    gate: Gate | None
    workers: int
    quiet: bool

    def ask(self, settings: Config, directory: Path, register: Register) -> bool:
        """Ask about all that is selected and not answered yet; return False if that was interrupted."""
        with closing(LedgerRecord.open(directory, settings, command="recheck")) as record:
            register.fill(stored_records(directory))
            begun = Begun.of(directory, register.entries, self._question(settings))
            register.choose(self.wanted, begun.at)
            left = register.left(begun.entries)
            if begun.entries < register.entries and not self.quiet:
                options.complain(f"goes on with the run begun on {day_and_time(begun.at)}: {len(left):,} are left")
            with closing(Asking(settings, directory, record)) as asking:
                if not self._ask(asking, left, register):
                    return False
        Begun.over(directory)
        return True

    def _ask(self, asking: Asking, left: list[Permitted], register: Register) -> bool:
        with Tally(console(stderr=True), bar=sys.stderr.isatty(), quiet=self.quiet) as tally:
            try:
                with closing(asking.answers(left, self.gate, self.workers)) as answers:
                    for permitted, verdict in answers:
                        register.answered(permitted.url, verdict)
                        tally.count(verdict)
            except KeyboardInterrupt:
                options.complain(f"interrupted: {tally.rows:,} of {len(left):,} were asked; the same command goes on")
                return False
        tally.summary(asking.pace)
        return True

    def _question(self, settings: Config) -> str:
        """Return the same text for the same options, by which an interrupted run is known again."""
        wanted, purpose = self.wanted, settings.purpose
        selected = [wanted.since, sorted(wanted.places), wanted.sample, self.gate]
        return json.dumps([*selected, purpose.name, purpose.token, settings.policy.digest])


def _write_not_known(register: Register, output: Path | None) -> int:
    """Write what could not be asked to a file; without one, print the first few."""
    rows = [_timed(row) for row in register.not_known()]
    if output is not None:
        return tables.write(rows, NOT_KNOWN, results.form(None, output), output)
    for row in rows[:_PRINTED]:
        options.complain(f"not known: {row['url']}: {REASONS.get(row['reason'], row['reason'])} ({row['need']})")
    if len(rows) > _PRINTED:
        options.complain(f"not known: and {len(rows) - _PRINTED:,} more; --not-known FILE lists them all")
    return len(rows)


def _summary(register: Register, opted_out: int, unknown: int) -> Iterator[str]:
    for purpose, number in register.others.most_common():
        yield f"{number:,} verdicts for {purpose} are left out: ask for those with --purpose {purpose}"
    yield f"{register.chosen:,} were permitted: {opted_out:,} to delete, {unknown:,} not known"


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its times as people read them."""
    return {name: time_of(value) if name in _TIMES else value for name, value in row.items()}


def _moment(since: str) -> int:
    if not since:
        return 0
    try:
        moment = datetime.fromisoformat(since)
    except ValueError as error:
        msg = f"--since {since}: not a date such as 2026-11-24, or date and time"
        raise BadInput(msg) from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _places(named: Sequence[str]) -> frozenset[str]:
    """Origins, and hosts by their name alone."""
    try:
        return frozenset(origin_of(canonical(name)) if "://" in name else name.lower() for name in named)
    except BadUrl as error:
        msg = f"--origin: {error}"
        raise BadInput(msg) from error
