"""The command line: one verb per file.

Results go to stdout, progress and messages to stderr. Exit codes: 0 all permitted, 1 something refused, 2 used wrongly,
3 nothing refused but something undetermined, 130 interrupted, 141 the reader of the results closed its pipe.
"""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from consentcrawl.cli.verbs import Verbs
from consentcrawl.config import VERSION

__all__ = ["app"]

app = typer.Typer(
    name="consentcrawl",
    cls=Verbs,
    help="Find every machine-readable opt-out of a work, and say whether and why it may not be downloaded.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:  # noqa: FBT001 (typer's own shape)
    if asked:
        typer.echo(f"consentcrawl {VERSION}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[  # noqa: ARG001 (its callback answers)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Find every machine-readable opt-out of a work, and say whether and why it may not be downloaded."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter shows its number
