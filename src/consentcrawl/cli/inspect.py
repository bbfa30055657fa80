"""``consentcrawl inspect``: judges a file on disk by its content, and by the header fields it came with if known."""

from __future__ import annotations

import json
import mimetypes
import sys
from pathlib import Path
from typing import Annotated

import typer

from consentcrawl.cli import options
from consentcrawl.cli.explain import EXIT_CODES
from consentcrawl.cli.output import console, explanation
from consentcrawl.dataset.readers import STDIN, Row
from consentcrawl.drivers import inspect_file
from consentcrawl.errors import BadInput
from consentcrawl.formats.url import BadUrl


def inspect(  # noqa: PLR0913 (one per option)
    file: Annotated[str, typer.Argument(help="The file, or - for stdin.")],
    *,
    url: Annotated[str, typer.Option(help="The URL that the file came from.")] = "",
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="'NAME: VALUE'", help="A header field of the answer that brought it; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON, on one line.")] = False,
    purpose: options.PurposeName = None,
    token: options.Token = None,
    policy: options.PolicyWords = None,
    config: options.ConfigFile = None,
) -> None:
    """Show what a file on disk says about its use. Nothing is looked up: robots.txt, for one, is not fetched."""
    with options.one_line_errors():
        settings = options.config_of(purpose=purpose, token=token, policy=policy, config=config)
        body = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        fields = _typed(file, [_field(line) for line in field or ()])
        try:
            verdict = inspect_file.inspect(
                body, url=url, fields=fields, policy=settings.policy,
                purpose=settings.purpose.name, token=settings.purpose.token,
            )  # fmt: skip
        except BadUrl as error:
            msg = f"--url: {error}"
            raise BadInput(msg) from error
        if as_json:
            typer.echo(json.dumps(verdict.as_json()))
        else:
            to = console()
            for part in explanation(Row(url or file), verdict, settings):
                to.print(part)
    raise typer.Exit(EXIT_CODES[verdict.outcome])


def _typed(file: str, fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the fields, with the media type of the file's suffix where no field names one."""
    kind = mimetypes.guess_type(file)[0]
    if kind is None or any(name.lower() == "content-type" for name, _ in fields):
        return fields
    return [*fields, ("Content-Type", kind)]


def _field(line: str) -> tuple[str, str]:
    """Split a field line as HTTP does: at the first colon."""
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        msg = f"--field {line!r}: write it 'Name: value'"
        raise BadInput(msg)
    return name.strip(), value.strip()
