"""``consentcrawl ledger``: look at what a ledger holds, and at what it proves.

Every command that checks says what it shows and what it does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from consentcrawl.cli import options
from consentcrawl.cli.ledger_change import erase, merge
from consentcrawl.cli.ledger_check import check_proof
from consentcrawl.cli.ledger_options import WRONG, Directory, Witness, existing, kept_elsewhere, keys_known, say
from consentcrawl.cli.ledger_proofs import head, prove
from consentcrawl.cli.ledger_show import show
from consentcrawl.cli.ledger_tables import export, index, stats
from consentcrawl.ledger.recording.audit import Audit, audit

ledger = typer.Typer(help="What was known when it was decided: look at it, prove it, check it.", no_args_is_help=True)


@ledger.command()
def verify(
    directory: Directory,
    *,
    witness: Witness = None,
    key: Annotated[
        str,
        typer.Option(metavar="KEY|FILE", help="The first key of the ledger or its key.pub, as had from elsewhere."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON, on one line.")] = False,
) -> None:
    """Read everything again: log, heads, batch segments, documents. Exits 1 if anything is not what was signed.

    Shows what the key's holder signed, not that they signed it once only: give a head that was kept elsewhere.
    """
    with options.one_line_errors():
        first = next(map(str, keys_known(key)), None)
        found = audit(existing(directory), witness=kept_elsewhere(witness), key=first)
    if as_json:
        typer.echo(json.dumps(_as_json(found)))
    else:
        for line in _sentences(found, with_key=bool(key)):
            say(line)
    raise typer.Exit(0 if found.report.holds else WRONG)


def _sentences(found: Audit, *, with_key: bool) -> Iterator[str]:
    report = found.report
    yield from (f"wrong: {finding}" for finding in report.findings)
    yield report.proves
    if not report.holds:
        return
    yield from (line for said, line in _notes(found) if said)
    yield report.does_not_prove
    if not with_key:
        yield "Nor whose key it is: compare key.pub with what you were given, or give that with --key."


def _notes(found: Audit) -> Iterator[tuple[object, str]]:
    """What is said of a ledger that holds, each with what it is said for."""
    report = found.report
    yield report.witnessed, "The head that was kept elsewhere is one of them."
    yield found.documents, f"Documents: {found.documents:,}, each with the digest that verdicts name."
    rows = f"with {found.rows:,} rows, each with the root that its entry names."
    yield found.segments, f"Batch segments: {found.segments:,} {rows}"
    yield report.erased, f"The URLs of {report.erased:,} entries were erased, and entries say so."
    yield (
        report.unsigned,
        f"{report.unsigned:,} entries came after the newest head: nothing is signed over them yet.",
    )
    yield (
        not found.index_is_fresh,
        "The index could not be made anew: delete index.sqlite, or do not trust what is found by it.",
    )
    left = "nothing is signed over them yet; the next run makes a segment of what was left."
    yield (
        found.journal_rows,
        f"{found.journal_rows:,} rows are in the journal of a run that goes on or was killed: {left}",
    )
    yield report.torn, f"{report.torn:,} bytes at the end were never acknowledged: a crash cut them off."


def _as_json(found: Audit) -> dict[str, object]:
    report = found.report
    return {
        "holds": report.holds, "findings": report.findings, "origin": report.origin, "entries": report.size,
        "heads": report.heads, "unsigned": report.unsigned, "torn_bytes": report.torn, "erased": report.erased,
        "witnessed": report.witnessed, "segments": found.segments, "rows": found.rows, "documents": found.documents,
        "journal_rows": found.journal_rows, "index_is_fresh": found.index_is_fresh,
        "proves": report.proves, "does_not_prove": report.does_not_prove,
    }  # fmt: skip


for verb in (show, prove, head, export, index, stats, erase, merge):
    ledger.command()(verb)
ledger.command("check-proof")(check_proof)
