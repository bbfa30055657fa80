"""The options that several verbs share, and the settings they add up to.

The command line goes before the environment, the environment before the file, the file before the preset.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from consentcrawl.config import Config, load
from consentcrawl.core import PRESETS, PURPOSES
from consentcrawl.core.policy import CHOICES
from consentcrawl.core.vocabulary import Gate
from consentcrawl.dataset.writers import printable
from consentcrawl.errors import BadPolicy, ConsentError
from consentcrawl.net.guard import ConnectTo

USED_WRONGLY, BROKEN_PIPE = 2, 141


class Reach(StrEnum):
    """How far a dry run goes."""

    LOOKUP = "lookup"
    HEAD = "head"
    BODY = "body"

    @property
    def gate(self) -> Gate:
        """The gate of that name."""
        return Gate[self.name]


PurposeName = Annotated[
    str | None, typer.Option("--purpose", metavar="NAME", help=f"The purpose of the download: {', '.join(PURPOSES)}.")
]
Token = Annotated[
    str | None,
    typer.Option("--token", metavar="TOKEN", help="The product token of your crawler, as robots.txt groups name it."),
]
PolicyWords = Annotated[
    list[str] | None,
    typer.Option(
        "--policy", metavar="PRESET|KEY=VALUE",
        help=f"A preset ({', '.join(PRESETS)}) or one key ({', '.join(CHOICES)}); may be repeated.",
    ),
]  # fmt: skip
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The settings file, instead of consentcrawl.toml or pyproject.toml."),
]
ConnectTos = Annotated[
    list[str] | None,
    typer.Option(
        "--connect-to",
        metavar="HOST:PORT:ADDR:PORT",
        help="Connect to ADDR instead of HOST, as with curl; may be repeated.",
    ),
]
AllowNets = Annotated[
    list[str] | None,
    typer.Option("--allow-net", metavar="CIDR", help="A private network that connections may go to; may be repeated."),
]
LedgerDirectory = Annotated[
    Path | None,
    typer.Option(
        "--ledger", metavar="DIR",
        help="The directory of a ledger that keeps the verdicts and the documents they rest on; {process} in the name"
        " gives each process a ledger of its own.",
    ),
]  # fmt: skip
ReachOption = Annotated[
    Reach,
    typer.Option(
        "--gate",
        help="How far to go: lookup sends no request for the file itself, head reads the status and header fields of"
        " its answer, body also a bounded prefix of the content.",
    ),
]  # fmt: skip


def config_of(  # noqa: PLR0913 (one per option)
    *,
    purpose: str | None,
    token: str | None,
    policy: Sequence[str] | None,
    config: Path | None,
    connect_to: Sequence[str] | None = None,
    allow_net: Sequence[str] | None = None,
) -> Config:
    """Return the settings that these options add up to. Raises BadPolicy and BadPurpose."""
    options = dict(_policy(word) for word in policy or ())
    options |= {key: value for key, value in (("purpose.name", purpose), ("purpose.token", token)) if value is not None}
    settings = load(config, options=options)
    return replace(
        settings,
        connect_to=(*map(ConnectTo.parse, connect_to or ()), *settings.connect_to),
        allow=(*settings.allow, *(allow_net or ())),
    )


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn an error of the user into one line on stderr and exit code 2, and a closed pipe into exit code 141."""
    try:
        yield
    except BrokenPipeError as error:
        let_go_of_stdout()
        raise typer.Exit(BROKEN_PIPE) from error
    except (ConsentError, OSError) as error:
        complain(str(error))
        raise typer.Exit(USED_WRONGLY) from error


def let_go_of_stdout() -> None:
    """Discard what is still written to a broken pipe, also at the end of the program."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str) -> None:
    """Print one line on stderr; what is not printable in it is escaped."""
    typer.echo(printable(f"consentcrawl: {message}"), err=True)


def _policy(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals:
        return "policy.preset", key
    if key not in CHOICES and key != "signals_off":
        msg = f"--policy {word}: there is no key {key!r}; there are {', '.join(CHOICES)}, signals_off"
        raise BadPolicy(msg)
    return f"policy.{key}", value
