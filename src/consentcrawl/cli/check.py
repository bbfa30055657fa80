"""``consentcrawl check``: says for each URL of a list whether it may be downloaded, and why not.

One row out for each row in, in order, with the URL as it stood in the list; rows that are finished stay written.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer

from consentcrawl.cli import ending, options, results
from consentcrawl.cli.options import Reach
from consentcrawl.cli.output import console
from consentcrawl.cli.tally import Tally
from consentcrawl.config import Config
from consentcrawl.core import Outcome, Verdict, origin_of
from consentcrawl.dataset.ordered import in_order
from consentcrawl.dataset.readers import FORMS, Columns, Row, read
from consentcrawl.dataset.writers import Writer
from consentcrawl.drivers.dry_run import judge
from consentcrawl.errors import BadInput
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.ledger.recording import Record
from consentcrawl.ledger.recording.batch import BatchRecord
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.ledger.recording.opening import PROCESS
from consentcrawl.ledger.recovery import LedgerTaken
from consentcrawl.net.pace import MINIMUM_SECONDS, Pace
from consentcrawl.steward import Steward
from consentcrawl.storage.sqlite import SqliteStore

INTERRUPTED = 130
ENDED = {INTERRUPTED, 129, 143}
FAILS = {"refused": (Outcome.REFUSE, 1), "undetermined": (Outcome.UNDETERMINED, 3)}
_LOT = 50


def check(  # noqa: PLR0913 (one per option)
    lists: Annotated[
        list[str],
        typer.Argument(help="Lists of URLs (.txt .csv .jsonl .parquet, also .gz), single URLs, or - for stdin."),
    ],
    *,
    url_column: Annotated[str, typer.Option(help="The column with the URL.")] = "url",
    page_column: Annotated[
        str | None, typer.Option(help="The column with the URL of the page that shows the file.")
    ] = None,
    input_format: Annotated[
        str | None, typer.Option(help=f"Format of the lists, if their suffix does not name it: {', '.join(FORMS)}.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help=f"Format of the output: {', '.join(results.FORMATS)} (default: the suffix of -o, else table).",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout.")] = None,
    gate: options.ReachOption = Reach.HEAD,
    all_grounds: Annotated[
        bool, typer.Option("--all-grounds", help="Collect every ground, also after the first that refuses.")
    ] = False,
    purpose: options.PurposeName = None,
    token: options.Token = None,
    policy: options.PolicyWords = None,
    config: options.ConfigFile = None,
    connect_to: options.ConnectTos = None,
    allow_net: options.AllowNets = None,
    store: Annotated[
        Path | None, typer.Option(help="Keep what was looked up in this SQLite file; processes may share it.")
    ] = None,
    ledger: options.LedgerDirectory = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever the verdicts are.")] = False,
    fail_on: Annotated[str, typer.Option(help="Outcomes that make the exit code other than 0.")] = ",".join(FAILS),
    workers: Annotated[int, typer.Option(min=1, max=256, help="How many origins to ask at the same time.")] = 16,
    skip: Annotated[int, typer.Option(min=0, help="Leave out this many rows at the beginning.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress and no summary.")] = False,
) -> None:
    """Say for each URL whether it may be downloaded, and why not.

    This is a dry run: no file is kept, and each origin gets one request at a time, at the pace that it asks for.

    Exits 0 if all is permitted, 1 if something is refused, 3 if nothing is refused but something is undetermined.
    In csv, cells that a spreadsheet would take for a formula get an apostrophe in front; the url column never does.
    """
    with options.one_line_errors():
        fails = _fails(fail_on)
        form = results.form(format_, output)
        settings = options.config_of(
            purpose=purpose, token=token, policy=policy, config=config, connect_to=connect_to, allow_net=allow_net
        )
        rows = _begun(read(lists, Columns(url_column, page_column), input_format), skip)
        if output is not None:
            results.must_be_free(output, lists, skip)
        settings = settings if ledger is None else replace(settings, ledger=str(ledger))
        asking = _Asking(settings, store, gate, settle=not all_grounds, workers=workers, single=_is_single(lists))
        with (
            ending.in_order(),
            results.opened(output, form) as stream,
            Tally(console(stderr=True), bar=_bar(form, output), quiet=quiet) as tally,
        ):
            code = asking.run(rows, results.writer(form, stream), tally)
    if code in ENDED:
        options.complain(f"interrupted: {tally.rows:,} rows are written; go on with --skip {skip + tally.rows}")
    tally.summary(asking.pace)
    raise typer.Exit(code or (0 if exit_zero else _exit_code(tally, fails)))


class _Asking:
    """One run over a list."""

    def __init__(  # noqa: PLR0913 (what was asked for)
        self, config: Config, store: Path | None, reach: Reach, *, settle: bool, workers: int, single: bool
    ) -> None:
        self.pace = Pace(minimum=MINIMUM_SECONDS)
        self._steward = Steward(
            replace(config, pace="robots"),
            pace=self.pace,
            store=_store(store) if store else None,
            record=_record(config, single=single),
        )
        self._reach, self._settle, self._workers = reach.gate, settle, workers

    def run(self, rows: Iterable[Row], writer: Writer, tally: Tally) -> int:
        """Judge and write every row; return the exit code of what went wrong, or 0."""
        faults: list[BadInput] = []
        answered = in_order(
            self._prepared(_until_fault(rows, faults)),
            _origin,
            self._judge,
            workers=self._workers,
            give_up=self.pace.stop,
        )
        try:
            with closing(answered), closing(writer):
                for row, verdict in answered:
                    writer.write(row, verdict)
                    tally.count(verdict)
        except KeyboardInterrupt as interrupt:
            return ending.exit_code(interrupt)
        except BrokenPipeError:
            options.let_go_of_stdout()
            return options.BROKEN_PIPE
        finally:
            self._steward.close()
        if faults:
            raise faults[0]
        return 0

    def _prepared(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Return the rows in lots, each after look-ups that platforms answer for several works at once."""
        while lot := list(islice(rows, self._steward.prepared_at_once or _LOT)):
            self._steward.prepare(row.url for row in lot)
            yield from lot

    def _judge(self, row: Row) -> Verdict:
        return judge(self._steward, row.url, row.page, reach=self._reach, settle=self._settle)


def _origin(row: Row) -> str:
    """Return the origin of a row, whose worker judges it."""
    try:
        return origin_of(canonical(row.url))
    except BadUrl:
        return ""


def _begun(rows: Iterator[Row], skip: int) -> Iterator[Row]:
    """Read the first row, so that a list that cannot be read is known before anything is written."""
    left = islice(rows, skip, None)
    return chain(list(islice(left, 1)), left)


def _until_fault(rows: Iterable[Row], faults: list[BadInput]) -> Iterator[Row]:
    """Return the rows before a fault, and keep the fault until they are answered."""
    try:
        yield from rows
    except BadInput as error:
        faults.append(error)


def _fails(fail_on: str) -> set[str]:
    named = {name.strip() for name in fail_on.split(",") if name.strip()}
    if unknown := sorted(named - FAILS.keys()):
        msg = f"--fail-on {unknown[0]}: it is one or both of {', '.join(FAILS)}"
        raise BadInput(msg)
    return named


def _exit_code(tally: Tally, fails: set[str]) -> int:
    return next((code for name, (outcome, code) in FAILS.items() if name in fails and tally.outcomes[outcome]), 0)


def _bar(form: str, output: Path | None) -> bool:
    """Show a bar on a terminal, unless the table is growing on the same one."""
    return sys.stderr.isatty() and not (form == "table" and output is None)


def _is_single(lists: list[str]) -> bool:
    """Return whether URLs were given by themselves: then each verdict is an entry of the ledger, and no row."""
    return all("://" in source for source in lists)


def _record(config: Config, *, single: bool) -> Record | None:
    if not config.ledger:
        return None
    kind = LedgerRecord if single else BatchRecord
    try:
        return kind.open(config.ledger, config, command="check")
    except LedgerTaken:
        record = kind.open(f"{config.ledger}-{PROCESS}", config, command="check")
    own = record.ledger.directory
    options.complain(
        f"another run writes {config.ledger}; this one writes {own}. "
        f"Join them afterwards: consentcrawl ledger merge {own} -o {config.ledger}"
    )
    return record


def _store(path: Path) -> SqliteStore:
    try:
        return SqliteStore(path)
    except sqlite3.Error as error:
        msg = f"--store {path}: {error}"
        raise BadInput(msg) from error
