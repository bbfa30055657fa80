"""Runs every bench, or those named on the command line, and prints their figures."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench

LIBRARIES = {"origin", "robots_peers"}


def main(names: list[str]) -> None:
    """Run the benches called ``names``, or all of them."""
    found = [m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_")]
    for name in names or [name for name in found if name not in LIBRARIES]:
        print(f"\n== {name}")
        for what, figure in importlib.import_module(f"bench.{name}").main().items():
            if isinstance(figure, float):
                print(f"{what:70} {figure:12.4g}")


if __name__ == "__main__":
    main(sys.argv[1:])
