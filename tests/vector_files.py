"""The vector files, found by glob: what each says of the signal or platform whose name it has."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

SIGNALS = Path(__file__).parent / "vectors"
PLUGINS = SIGNALS / "plugins"


@cache
def files(folder: Path) -> dict[str, dict[str, Any]]:
    """Return every file of a folder by the name of its signal."""
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))}


def tables(folder: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each ``[[kind]]`` of a folder's files, with the name of its signal."""
    for name, file in files(folder).items():
        yield from ((name, table) for table in file.get(kind, []))


def of_platform(name: str) -> dict[str, Any]:
    """Return the table ``[platform]`` of a platform's file.

    ``default`` is what holds where the maker chose nothing (``unknown`` unless given), ``default_decides`` whether that
    is an opt-out by itself. ``notes_only``: what is asked first carries no choice there, so that nothing waits for it.
    """
    table: dict[str, Any] = files(PLUGINS)[name].get("platform", {})
    assert table.keys() <= {"default", "default_decides", "notes_only"}
    return table


def titled(folder: Path, kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the same with a name for each test: file, number in the file, and title."""
    for name, file in files(folder).items():
        for number, table in enumerate(file.get(kind, []), 1):
            yield f"{name} {number}: {table['title']}", name, table
