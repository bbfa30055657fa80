"""Print how large the code is: lines, files, floors, arrows between folders, functions, repeated blocks.

Run as ``python docs/code_figures.py [SRC]``; SRC is the folder with the packages, ``src`` unless given.
"""  # noqa: INP001 (not a package)

from __future__ import annotations

import ast
import statistics
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "consentcrawl"
BLOCK = 6

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(src: Path) -> list[Path]:
    """Return the modules of the package and of the plugins."""
    return sorted(path for folder in (src / PACKAGE, src.parent / "plugins") for path in folder.rglob("*.py"))


def floors(src: Path) -> int:
    """Return the number of floors in the import contract that has most."""
    text = (src.parent / "pyproject.toml").read_text("utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    return max(len(contract.get("layers", ())) for contract in contracts)


def folder_of(parts: tuple[str, ...]) -> str:
    """Return the folder of a module: the first name under the package, or the module's own at the root."""
    return parts[1] if len(parts) > 1 else parts[0]


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that a module imports, with the names taken from each: a name may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows(src: Path, trees: dict[Path, ast.Module]) -> set[tuple[str, str]]:
    """Return which folder of the package imports which other."""
    found = set()
    for path, tree in trees.items():
        if src / PACKAGE in path.parents:
            own = folder_of(path.relative_to(src).with_suffix("").parts)
            others = (tuple(name.split(".")) for name in imports(tree) if name.startswith(f"{PACKAGE}."))
            found |= {(own, folder_of(other)) for other in others if folder_of(other) != own}
    return found


def lengths(trees: dict[Path, ast.Module]) -> list[int]:
    """Return the length of every function in lines, its docstring and decorators left out."""
    functions = (node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, Function))
    return sorted(_length(function) for function in functions)


def _length(function: Function) -> int:
    first, last = function.body[0], function.end_lineno or function.lineno
    documented = ast.get_docstring(function) is not None and first.end_lineno is not None
    return last - function.lineno + 1 - (first.end_lineno - first.lineno + 1 if documented and first.end_lineno else 0)


def repeated(paths: list[Path]) -> int:
    """Return how many blocks of six lines of code stand there more than once; blank lines and imports aside."""
    blocks: Counter[tuple[str, ...]] = Counter()
    for path in paths:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        code = [line for line in lines if len(line) > 1 and not line.startswith(("#", "import ", "from ", '"""'))]
        blocks.update({tuple(code[at : at + BLOCK]) for at in range(len(code) - BLOCK + 1)})
    return sum(times > 1 for times in blocks.values())


def main() -> None:
    """Print the figures, one a line."""
    src = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "src"
    paths = sources(src)
    trees = {path: ast.parse(path.read_text("utf-8")) for path in paths}
    every = lengths(trees)
    figures = {
        "source lines": sum(len(path.read_text("utf-8").splitlines()) for path in paths),
        "files": len(paths),
        "floors": floors(src),
        "modules at the package root": len(list((src / PACKAGE).glob("*.py"))),
        "folders at the package root": len(list((src / PACKAGE).glob("*/__init__.py"))),
        "arrows between folders": len(arrows(src, trees)),
        "functions": len(every),
        "median function length": statistics.median(every),
        "p90 function length": every[len(every) * 9 // 10],
        f"repeated blocks of {BLOCK} lines": repeated(paths),
    }
    for name, figure in figures.items():
        sys.stdout.write(f"{name:34}{figure:>8,}\n")


if __name__ == "__main__":
    main()
