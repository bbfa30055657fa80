"""``consentcrawl lists``: compile opt-out lists, show them, and search them."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_data_path

from consentcrawl import discovery
from consentcrawl.cli import options
from consentcrawl.core import Asset
from consentcrawl.errors import BadInput
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.lists import PERCEPTUAL, BadList, CompiledList, Row, compile_list
from consentcrawl.lists.build import SUFFIX
from consentcrawl.lists.rows import normal

lists = typer.Typer(help="Compile opt-out lists, show what they hold, and search them.", no_args_is_help=True)

Directory = Annotated[Path | None, typer.Option("--to", help="The directory of the lists, instead of the user's own.")]
BAD_ROWS, LISTED = 1, 1


@lists.command()
def add(
    file: Annotated[
        Path, typer.Argument(help="Rows (.csv .jsonl .parquet, .gz): kind, value, source, date, category.")
    ],
    *,
    name: Annotated[str, typer.Option(help="The name of the list in verdicts.")],
    to: Directory = None,
    distance: Annotated[
        int, typer.Option(help="How many of the 64 bits of a perceptual hash (dhash, phash) may differ.")
    ] = 4,
) -> None:
    """Compile a list. Rows that cannot be used are printed with their line numbers; then the exit code is 1."""
    with options.one_line_errors():
        built = compile_list(file, name, to or _own(), distance=distance)
    for bad in built.bad:
        options.complain(f"{file}: line {bad.line}: {bad.reason}")
    if built.bad_rows:
        options.complain(f"{file}: rows that could not be used: {built.bad_rows:,}")
    if built.repeated:
        options.complain(f"{file}: rows that repeat an earlier one: {built.repeated:,}")
    typer.echo(f"{built.path}: {sum(built.kinds.values()):,} rows. To use it, name it in the settings:")
    typer.echo(f"[lists]\nfiles = [{json.dumps(str(built.path))}]")
    raise typer.Exit(BAD_ROWS if built.bad_rows else 0)


@lists.command()
def show(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or files of lists; without any, all lists of the directory.")
    ] = None,
    *,
    to: Directory = None,
    check: Annotated[bool, typer.Option("--check", help="Also compare the rows with their digest.")] = False,
) -> None:
    """Print what each list holds. Exits 2 if one is damaged."""
    with options.one_line_errors():
        for path in _paths(names, to or _own()):
            with closing(CompiledList(path)) as each:
                if check:
                    each.check()
                facts = {k: v for k, v in each.facts.items() if k not in ("sections", "sha256", "size")}
                typer.echo(json.dumps({"file": str(path), **facts}))


@lists.command("test")
def ask(
    asked: Annotated[str, typer.Argument(help="A URL, a SHA-256, or a perceptual hash of 16 digits.")],
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or files of lists; without any, all lists of the directory.")
    ] = None,
    *,
    to: Directory = None,
) -> None:
    """Print the rows about a URL, a SHA-256 or a perceptual hash. Exits 1 if there are any."""
    found = False
    with options.one_line_errors():
        for path in _paths(names, to or _own()):
            with closing(CompiledList(path)) as each:
                for row in _rows(each, asked):
                    found = True
                    typer.echo(json.dumps({"list": each.name, **asdict(row)}, ensure_ascii=False))
    raise typer.Exit(LISTED if found else 0)


def _rows(each: CompiledList, asked: str) -> list[Row]:
    if "://" in asked:
        try:
            url = canonical(asked)
        except BadUrl as error:
            raise BadInput(str(error)) from error
        return each.about(Asset(url, None, discovery.work_keys(url)))
    try:
        if len(asked) == 64:  # noqa: PLR2004 (hex digits)
            return each.sha256(normal("sha256", asked))
        return [row for kind in PERCEPTUAL for row in each.perceptual(kind, normal(kind, asked))]
    except ValueError as error:
        msg = f"{asked}: neither a URL, nor a SHA-256, nor a perceptual hash"
        raise BadInput(msg) from error


def _paths(names: list[str] | None, directory: Path) -> list[Path]:
    if names:
        return [Path(name) if name.endswith(SUFFIX) else directory / (name + SUFFIX) for name in names]
    found = sorted(directory.glob(f"*{SUFFIX}"))
    if not found:
        msg = f"{directory}: holds no list"
        raise BadList(msg)
    return found


def _own() -> Path:
    return user_data_path("consentcrawl") / "lists"
