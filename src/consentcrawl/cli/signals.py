"""``consentcrawl signals``: every signal that is read, with the URL of its standard."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from consentcrawl import discovery
from consentcrawl.cli import options
from consentcrawl.cli.output import console
from consentcrawl.core import Spec, name_of
from consentcrawl.errors import BadInput

Facts = dict[str, str]


def signals(
    format_: Annotated[str, typer.Option("--format", help="Format of the output: table, jsonl, markdown.")] = "table",
) -> None:
    """Show every signal: the standard it reads, the gates at which it can refuse, and what it costs to ask."""
    with options.one_line_errors():
        if format_ not in _FORMATS:
            msg = f"--format {format_}: it is one of {', '.join(_FORMATS)}"
            raise BadInput(msg)
        _FORMATS[format_]([facts(module) for module in discovery.signals()])


def facts(module: ModuleType) -> Facts:
    """Return what the table of signals shows of one."""
    spec: Spec = module.SPEC
    return {
        "signal": name_of(module),
        "what": (module.__doc__ or "").strip().partition("\n")[0],
        "standard": spec.name,
        "version": spec.version,
        "url": spec.url,
        "gates": ", ".join(gate.name.lower() for gate in spec.gates),
        "cost": spec.cost,
        "under": f"{spec.under[0]} = {' or '.join(spec.under[1:])}" if spec.under else "",
        "hosts": ", ".join(discovery.hosts_of(module)),
    }


def _table(every: list[Facts]) -> None:
    to = console()
    for one in every:
        to.print(Text(one["signal"], "bold") + Text(f"  {one['standard']} {one['version']}"))
        under = f"; only with {one['under']}" if one["under"] else ""
        hosts = f"\nfor {one['hosts']}" if one["hosts"] else ""
        text = Text(one["what"]) + Text(f"\n{one['url']}\nat {one['gates']}; {one['cost']}{under}{hosts}", "dim")
        to.print(Padding(text, (0, 0, 1, 2)))


def _jsonl(every: list[Facts]) -> None:
    for one in every:
        typer.echo(json.dumps(one))


def _markdown(every: list[Facts]) -> None:
    typer.echo("| signal | what it reads | standard | gates | cost |\n| --- | --- | --- | --- | --- |")
    for one in every:
        cells = ("`" + one["signal"] + "`", one["what"], _link(one), one["gates"], one["cost"])
        typer.echo("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")


def _link(one: Facts) -> str:
    return (
        f"[{one['standard']} {one['version']}]({one['url']})" if one["url"] else f"{one['standard']} {one['version']}"
    )


_FORMATS: dict[str, Callable[[list[Facts]], None]] = {"table": _table, "jsonl": _jsonl, "markdown": _markdown}
