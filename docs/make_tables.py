"""Write the tables of the documents that the program prints: what stands between two marks.

Run as ``python docs/make_tables.py`` after a change; a test fails where a page and the program differ.
"""  # noqa: INP001 (not a package)

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import typer
from typer.testing import CliRunner

from consentcrawl import core, discovery
from consentcrawl.cli import app
from consentcrawl.cli.demo_sites import LIST
from consentcrawl.cli.ledger_tables import COLUMNS as EXPORTED
from consentcrawl.cli.signals import Facts, facts
from consentcrawl.core import PRESETS, PURPOSES, REASONS, Category, Gate, Purpose
from consentcrawl.core.policy import CHOICES
from consentcrawl.core.vocabulary import WITHIN
from consentcrawl.dataset.readers import FORMS
from consentcrawl.dataset.writers import COLUMNS
from consentcrawl.download import _PREFIX_LIMITS, _UNKNOWN_TYPE

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
WIDTH = "80"

_marked = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- /table -->)", re.DOTALL)

# What of the demo the README shows: one row of each kind.
SHOWN = (
    "http://giving.example/sunset.png", "http://studio.example/portfolio/1.png", "http://named.example/1.png",
    "http://archive.example/scans/7.png", "http://fields.example/noai.png", "http://pages.example/work.png",
    "http://toll.example/1.png", "http://guarded.example/1.png", "http://broken.example/1.png",
)  # fmt: skip


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    names = list(head)
    lines = [names, ["---"] * len(names), *(list(row) for row in rows)]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(words: Iterable[str]) -> str:
    """Words as code, with commas between."""
    return ", ".join(f"`{word}`" for word in words)


def demo() -> str:
    """Some rows of the demo's table, as it prints them at 80 columns."""
    printed = CliRunner().invoke(app, ["demo"], env={"COLUMNS": WIDTH}).stdout.splitlines()
    begin = next(number for number, line in enumerate(printed) if line.startswith("verdict"))
    end = next(number for number, line in enumerate(printed) if line.startswith(f"{len(LIST)} rows"))
    kept = [*printed[begin : begin + 2]]
    showing = False
    for line in printed[begin + 2 : end]:
        if not line.startswith(" "):
            showing = line.split()[-1] in SHOWN
        if showing:
            kept.append(line)
    text = "\n".join(line.rstrip() for line in (*kept, printed[end]))
    return f"```text\n{text}\n```\n"


def _facts(*, platforms: bool) -> list[Facts]:
    return [fact for module in discovery.signals() if bool((fact := facts(module))["hosts"]) is platforms]


def _standard(fact: Facts) -> str:
    return f"[{fact['standard']}]({fact['url']})" if fact["url"] else fact["standard"]


def _only(fact: Facts) -> str:
    return fact["cost"] + (f"; only with `{fact['under']}`" if fact["under"] else "")


def honoured() -> str:
    """What is honoured on any site, in short."""
    counted = (f for f in _facts(platforms=False) if not f["under"])
    rows = ((f"`{f['signal']}`", _standard(f), f["version"].removeprefix(f["url"] + " "), f["gates"]) for f in counted)
    return table(("signal", "what it honours", "version", "speaks at"), rows)


def signals() -> str:
    """Every signal that speaks about any host."""
    rows = (
        (f"`{f['signal']}`", f["what"], _standard(f), f["version"], f["gates"], _only(f))
        for f in _facts(platforms=False)
    )
    return table(("signal", "what it reads", "standard", "version", "gates", "cost"), rows)


def platforms() -> str:
    """Every platform plugin."""
    rows = ((f"`{f['signal']}`", f["what"], f["hosts"], _only(f)) for f in _facts(platforms=True))
    return table(("plugin", "what it reads", "hosts, with all below them", "cost"), rows)


def policy() -> str:
    """Every key of a policy, its values, and what each preset sets."""
    rows = (
        (f"[`{key}`](#{key})", code(values), *(f"`{getattr(preset, key)}`" for preset in PRESETS.values()))
        for key, values in CHOICES.items()
    )
    return table(("key", "values", *(f"`{name}`" for name in PRESETS)), rows)


def purposes() -> str:
    """Every purpose, what it intends, and which categories refuse it when disallowed."""
    rows = (
        (f"`{name}`", code(sorted(intends)), code(sorted(Purpose(name, "any", intends).heeds)))
        for name, intends in PURPOSES.items()
    )
    return table(("purpose", "intends", "is refused by a disallowance of"), rows)


def categories() -> str:
    """Every category and those that contain it."""
    rows = ((f"`{category}`", code(sorted(WITHIN[category] - {category})) or "none") for category in Category)
    return table(("category", "lies within"), rows)


def reasons() -> str:
    """Every reason code with its sentence."""
    return table(("code", "what it means"), ((f"`{reason}`", says) for reason, says in REASONS.items()))


def gates() -> str:
    """Every gate."""
    said = {
        Gate.LOOKUP: "nothing",
        Gate.HEAD: "status and fields",
        Gate.BODY: "status, fields, and a prefix of the content",
    }
    return table(
        ("gate", "what has been asked of the asset's own address"), ((f"`{g.name.lower()}`", said[g]) for g in Gate)
    )


def prefixes() -> str:
    """How much of the content is read before any is handed over."""
    rows = [
        (f"`{kind}…`", f"{size // 1024:,} KiB" if size // 1024 else f"{size} bytes")
        for kind, size in _PREFIX_LIMITS.items()
    ]
    return table(
        ("media type", "read before any is handed over, at most"),
        [*rows, ("any other, or none", f"{_UNKNOWN_TYPE // 1024:,} KiB")],
    )


def laws() -> str:
    """The law of each module of the core, as its docstring states it."""
    modules = (import_module(f"{core.__name__}.{each.name}") for each in iter_modules(core.__path__))
    stated = ((module.__name__.rpartition(".")[2], (module.__doc__ or "").partition("Law: ")[2]) for module in modules)
    return table(("module", "law"), ((f"`{name}`", " ".join(law.split())) for name, law in stated if law))


def inputs() -> str:
    """The forms of lists."""
    return ", ".join(f"`.{form}`" for form in FORMS) + "\n"


def columns() -> str:
    """The columns of .csv and .parquet."""
    return table(("column", "type"), ((f"`{name}`", kind.__name__) for name, kind in COLUMNS.items()))


def exported() -> str:
    """The columns of an exported ledger."""
    return table(("column", "type"), ((f"`{name}`", kind.__name__) for name, kind in EXPORTED.items()))


def cli() -> str:
    """Every verb with its arguments and options."""
    return "\n".join(_verbs("", typer.main.get_command(app)))


def _verbs(name: str, verb: Any) -> Iterator[str]:  # noqa: ANN401 (typer's own classes)
    """A verb; of a group each of its verbs."""
    if isinstance(verb, typer.core.TyperGroup):
        for part, each in verb.commands.items():
            yield from _verbs(f"{name} {part}".strip(), each)
    else:
        yield _verb(name, verb)


def _verb(name: str, verb: typer.core.TyperCommand) -> str:
    text = " ".join((verb.help or "").split())
    return f"### consentcrawl {name}\n\n{text}\n\n" + table(("option", "what it does", "default"), _options(verb))


def _options(verb: typer.core.TyperCommand) -> Iterator[tuple[str, str, str]]:
    for parameter in verb.params:
        argument = parameter.param_type_name == "argument"
        named = [parameter.name.upper()] if argument else [*parameter.opts, *parameter.secondary_opts]
        default = parameter.default
        value = str(default).replace(str(Path.home()), "~")
        shown = "required" if parameter.required else "" if default in (None, False, "") else f"`{value}`"
        yield code(named), getattr(parameter, "help", None) or "", shown


TABLES: dict[str, Callable[[], str]] = {
    made.__name__: made
    for made in (
        categories, cli, columns, demo, exported, gates, honoured, inputs, laws, platforms, policy, prefixes, purposes,
        reasons, signals,
    )
}  # fmt: skip


def filled(text: str) -> str:
    """A page with its tables as the program prints them now."""
    return _marked.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", text)


def main() -> None:
    """Write every page whose tables have changed."""
    for page in PAGES:
        text = page.read_text("utf-8")
        if (now := filled(text)) != text:
            page.write_text(now, "utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)}: written\n")


if __name__ == "__main__":
    main()
