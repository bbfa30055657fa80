"""An opt-out list: building it, opening it, asking it, and what memory that takes.

``python -m bench.lists 10000000`` asks a list of that many rows; one million is the default. Asking is measured in a
process of its own, so that its memory is its own.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from consentcrawl.core import Asset
from consentcrawl.lists import CompiledList, compile_list

ROWS = 1_000_000
_ASKED = 20_000
_FORMS = (
    "url,https://h{}.example/img/{}.jpg,list,2026-01-01,train\n",
    "prefix,https://h{}.example/u{}/,list,2026-01-01,all\n",
    "host,s{1}.example,list,2026-01-01,train\n",
    "maker,site:{1},list,2026-01-01,train\n",
)


def main(rows: int = ROWS) -> dict[str, float]:
    """Build a list of ``rows`` rows and ask it; give the figures by what they say."""
    with tempfile.TemporaryDirectory() as made:
        source = Path(made) / "rows.csv"
        with source.open("w") as file:
            file.write("kind,value,source,date,category\n")
            file.writelines(_FORMS[n % 4].format(n % 9973, n) for n in range(rows))
        begun = time.perf_counter()
        path = compile_list(source, "bench", Path(made)).path
        built = time.perf_counter() - begun
        command = [sys.executable, "-m", "bench.lists", "--ask", str(path)]
        asked = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)  # noqa: S603 (our own command)
    print(asked.stdout, end="")
    return {f"rows of the list (of {rows:,}) built per second": rows / built}


def ask(path: Path) -> None:
    """Print what opening and asking a compiled list costs."""
    begun = time.perf_counter()
    one = CompiledList(path)
    opened = time.perf_counter() - begun
    free = [Asset(f"https://h{n}.other.example/img/a/{n}.jpg", None, (f"x:{n}",)) for n in range(_ASKED)]
    listed = [Asset(f"https://h{n % 9973}.example/img/{n}.jpg") for n in range(0, 4 * _ASKED, 4)]
    print(f"seconds to open                                   {opened:.4g}")
    print(f"microseconds to answer, not listed                {_cost(one, free, found=False):.4g}")
    print(f"microseconds to answer, listed                    {_cost(one, listed, found=True):.4g}")
    print(f"peak memory in MB, interpreter included           {_peak():.4g}")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cost(one: CompiledList, assets: list[Asset], *, found: bool) -> float:
    begun = time.perf_counter()
    wrong = sum(bool(one.about(asset)) is not found for asset in assets)
    taken = time.perf_counter() - begun
    if wrong:
        msg = f"{wrong} answers are wrong"
        raise AssertionError(msg)
    return taken / len(assets) * 1e6


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ask"]:
        ask(Path(sys.argv[2]))
    else:
        for what, figure in main(*map(int, sys.argv[1:2])).items():
            print(f"{what} {figure:.4g}")
