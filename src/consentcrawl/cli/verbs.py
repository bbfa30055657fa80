"""The verbs, each loaded from its file when it is asked for: the proxy does not carry what lists and tables need.

A verb is a function or a group of the name of its file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

NAMES = ("check", "explain", "recheck", "inspect", "signals", "demo", "run", "proxy", "ledger", "lists")
_SETTINGS = {"run": {"allow_interspersed_args": False}}


class _Loaded(Mapping[str, Any]):
    """The verbs as commands, by their names."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 (typer's own)
        if name not in NAMES:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = _loaded(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


class Verbs(TyperGroup):
    """A group whose commands are loaded when they are asked for."""

    def __init__(self, **more: Any) -> None:  # noqa: ANN401 (typer's own)
        """As any group, but for where its commands are found."""
        super().__init__(**more)
        self.commands = _Loaded()  # type: ignore[assignment]  # nothing is added to it

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 (typer's own)
        """Return the names, without loading anything."""
        return list(NAMES)


def _loaded(name: str) -> Any:  # noqa: ANN401 (typer's own)
    verb = getattr(import_module(f"consentcrawl.cli.{name}"), name)
    if isinstance(verb, typer.Typer):
        command: Any = get_group(verb)
        command.name = name
        return command
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name, context_settings=_SETTINGS.get(name))(verb)
    return get_command(alone)
