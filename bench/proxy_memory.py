"""The proxy's memory over many requests, with a ledger: ``python -m bench.proxy_memory 200000``, or a million."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench._proxies import CONNECTIONS, SCHEMES, lacking, loaded, memory, nginx, process_of, serve_proxy

REQUESTS, TURNS = 1_000_000, 20


def main(requests: int = REQUESTS) -> dict[str, float]:
    """Ask over http and https in turns; print and give the MB at the beginning, at the end, and of the ledger."""
    figures: dict[str, float] = {}
    if lacking():
        return figures
    each = -(-requests // (TURNS * len(SCHEMES) * CONNECTIONS)) * CONNECTIONS  # as hey splits them
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        with nginx(directory) as ports, process_of(serve_proxy, directory, "ledger") as (port, pid):
            figures["MB before the first request"] = memory(pid, "VmRSS")
            for _ in range(TURNS):
                for scheme in SCHEMES:
                    loaded(scheme, port, ports[scheme], each)
                print(f"{memory(pid, 'VmRSS'):6.1f} MB")
            asked = f"after {each * TURNS * len(SCHEMES):,} requests"
            figures[f"MB {asked}"] = memory(pid, "VmRSS")
            figures["MB at its peak"] = memory(pid, "VmHWM")
        written = sum(file.stat().st_size for file in (directory / "ledger").rglob("*") if file.is_file())
        figures[f"MB of ledger {asked}"] = written / 1e6
    return figures


if __name__ == "__main__":
    for what, figure in main(*map(int, sys.argv[1:])).items():
        print(f"{what:50} {figure:8.1f}")
