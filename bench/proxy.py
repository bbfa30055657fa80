"""The proxy beside mitmproxy: 20 KB images from nginx at 64 connections of hey, every signal on."""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench._proxies import SCHEMES, cpu, lacking, loaded, memory, mitmdump, mitmproxy, nginx, process_of, serve_proxy

REQUESTS, ROUNDS = 6_400, 5  # as many for each of hey's connections


def main() -> dict[str, float]:
    """Print and give requests per second, CPU microseconds per request, and peak memory in MB, for both schemes."""
    figures: dict[str, float] = {}
    if lacking():
        return figures
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        directory = Path(place)
        ports = stack.enter_context(nginx(directory))
        engines = {
            "consentcrawl": process_of(serve_proxy, directory, "ledger"),
            "no ledger": process_of(serve_proxy, directory, ""),
        }
        if program := mitmproxy(directory):
            engines["mitmproxy"] = mitmdump(program, directory)
        running = {name: stack.enter_context(engine) for name, engine in engines.items()}
        rounds = [_round(running, ports) for _ in range(1 + ROUNDS)][1:]  # the first one warms up
        for name, (_, pid) in running.items():
            for scheme in SCHEMES:
                figures |= _told(name, scheme, [each[name, scheme] for each in rounds], memory(pid, "VmHWM"))
    _compare(figures)
    return figures


def _round(running: dict[str, tuple[int, int]], ports: dict[str, int]) -> dict[tuple[str, str], tuple[float, float]]:
    """Load every engine in turn: its requests per second and its CPU seconds per request, by name and scheme."""
    found = {}
    for name, (port, pid) in running.items():
        for scheme in SCHEMES:
            before = cpu(pid)
            rate = loaded(scheme, port, ports[scheme], REQUESTS)
            found[name, scheme] = (rate, (cpu(pid) - before) / REQUESTS)
    return found


def _told(name: str, scheme: str, rounds: list[tuple[float, float]], peak: float) -> dict[str, float]:
    """Print and give the medians."""
    rate, cost = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"{name:13} {scheme:6} {rate:8.0f} requests/s   {cost * 1e6:7.0f} µs CPU/request   {peak:5.0f} MB at its peak"
    )
    of = f"{name} {scheme}"
    return {f"{of} requests/s": rate, f"{of} CPU µs": cost * 1e6, f"{of} peak MB": peak}


def _compare(figures: dict[str, float]) -> None:
    for scheme in SCHEMES:
        if peer := figures.get(f"mitmproxy {scheme} requests/s"):
            ratio = figures[f"consentcrawl {scheme} requests/s"] / peer
            figures[f"{scheme}: times mitmproxy's rate"] = ratio
            print(f"{scheme}: {ratio:.1f} times mitmproxy's rate")
