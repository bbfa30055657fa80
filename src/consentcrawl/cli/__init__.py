"""The command line: one verb per file.

Results go to stdout, progress and messages to stderr. Exit codes: 0 all permitted, 1 something refused, 2 used wrongly,
3 nothing refused but something undetermined, 130 interrupted, 141 nobody reads the results any more.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from consentcrawl.cli.check import check
from consentcrawl.cli.demo import demo
from consentcrawl.cli.explain import explain
from consentcrawl.cli.inspect import inspect
from consentcrawl.cli.ledger import ledger
from consentcrawl.cli.lists import lists
from consentcrawl.cli.proxy import proxy
from consentcrawl.cli.recheck import recheck
from consentcrawl.cli.run import run
from consentcrawl.cli.signals import signals
from consentcrawl.config import VERSION

__all__ = ["app"]

app = typer.Typer(
    name="consentcrawl",
    help="May this be taken? Finds every machine-readable opt-out of a work and says why, in the maker's words.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
for verb in (check, explain, recheck, inspect, signals, demo):
    app.command()(verb)
app.command(context_settings={"allow_interspersed_args": False})(run)
app.add_typer(proxy, name="proxy")
app.add_typer(ledger, name="ledger")
app.add_typer(lists, name="lists")


def _version(asked: bool) -> None:  # noqa: FBT001 (typer's own shape)
    if asked:
        typer.echo(f"consentcrawl {VERSION}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[  # noqa: ARG001 (its callback answers)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """May this be taken? Finds every machine-readable opt-out of a work and says why, in the maker's words."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter shows its number
