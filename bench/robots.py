"""How our reading of robots.txt compares with Protego's and Google's: right, quick, and safe on hostile files.

Run as ``python bench/robots.py CORPUS``; every figure of one table comes from one interleaved run. CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.robots_peers import OURS, OWN, PEERS, PROTEGO, SITE, Peer, conformance, differential, questions, real_files


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _interleaved(works: dict[str, Callable[[], object]], runs: int = 5) -> dict[str, float]:
    """Median seconds of each work; they take turns."""
    took: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            took[name].append(_cpu(work))
    return {name: statistics.median(times) for name, times in took.items()}


def parsing(files: list[bytes]) -> dict[str, float]:
    """Microseconds per KB. Google's reader keeps nothing: it parses at every question."""
    size = sum(map(len, files)) / 1024
    took = _interleaved({peer.name: partial(_parse_all, peer, files) for peer in (OURS, PROTEGO)})
    return {name: seconds / size * 1e6 for name, seconds in took.items()}


def _parse_all(peer: Peer, files: list[bytes]) -> None:
    for body in files:
        peer.parse(body)


def matching(files: list[bytes], *, peers: tuple[Peer, ...] = PEERS, rounds: int = 3) -> dict[str, float]:
    """Microseconds per question; the questions of a file are asked five times on end, and once before that."""
    rnd = random.Random(7)
    pairs = [list(questions(body, rnd, 14)) for body in files]
    works: dict[str, Callable[[], object]] = {}
    for peer in peers:
        site = "" if peer is OURS else SITE
        asks = [peer.ask(peer.parse(body)) for body in files]
        read = [(ask, [(site + path, token) for path, token in qs]) for ask, qs in zip(asks, pairs, strict=True)]
        works[peer.name] = partial(_ask_all, read)
        works[peer.name]()
    took = _interleaved(works, rounds)
    return {name: seconds / sum(map(len, pairs)) / 5 * 1e6 for name, seconds in took.items()}


def _ask_all(read: list[tuple[Callable[[str, str], object], list[tuple[str, str]]]]) -> None:
    for ask, asked in read:
        for _ in range(5):
            for where, token in asked:
                ask(where, token)


def big_file(rules: int = 5000) -> bytes:
    """Build a file of many rules, a quarter of them with wildcards."""
    rnd, lines = random.Random(7), ["User-agent: *"]
    for n in range(rules):
        path = f"/{rnd.choice('abcdefgh')}{rnd.randrange(700)}/sub{n}/"
        if n % 4 == 0:
            path = rnd.choice((f"/*/file{n}", f"/*thing{n}.jpg$", f"/*?key{n}=", f"{path}*.png"))
        lines.append(f"{'Allow' if n % 3 == 0 else 'Disallow'}: {path}")
    return "\n".join(lines).encode()


A_LOT = b"User-agent: *\n"
HOSTILE: dict[str, Callable[[], tuple[bytes, str]]] = {
    "12 stars x 20,000 a": lambda: (A_LOT + b"Disallow: /" + b"*a" * 12 + b"b\n", "/" + "a" * 20_000),
    "30 stars x 20,000 a": lambda: (A_LOT + b"Disallow: /" + b"*a" * 30 + b"b\n", "/" + "a" * 20_000),
    "1,000 rules of 8 stars": lambda: (
        A_LOT + b"".join(b"Disallow: /%d" % n + b"*a" * 8 + b"$\n" for n in range(1000)), "/" + "a" * 5000),
    "200,000 wildcard rules": lambda: (
        A_LOT + b"".join(b"Disallow: /*a%d*b\n" % n for n in range(200_000)), "/" + "a1b" * 600),
    "20,000 agents x 2,000 rules": lambda: (
        b"".join(b"User-agent: bot%d\n" % n for n in range(20_000))
        + b"".join(b"Disallow: /%d/*/x\n" % n for n in range(2000)), "/7/b/x"),
    "100,000 groups": lambda: (
        b"".join(b"User-agent: b%d\nDisallow: /\n" % n for n in range(100_000)), "/x"),
    "one line of 10 MB": lambda: (A_LOT + b"Disallow: /" + b"a" * 10_000_000, "/" + "a" * 5000),
    "10 MB of comments": lambda: (b"# a comment of some length\n" * 380_000 + A_LOT, "/x"),
    "pattern of 16 KB, path of 8 KB": lambda: (A_LOT + b"Disallow: /" + b"*a" * 8000 + b"b\n", "/" + "a" * 8000),
    "22,000 wildcard rules, path of 2 KB": lambda: (
        A_LOT + b"".join(b"Disallow: /*x%d*y\n" % n for n in range(22_000)), "/" + "x1y" * 700),
}  # fmt: skip


def hostile(name: str, peer_name: str) -> dict[str, float]:
    """Read one hostile file and ask three tokens, in this process; seconds of CPU and MB of memory it took."""
    peer = next(p for p in PEERS if p.name == peer_name)
    body, path = HOSTILE[name]()
    Path("/proc/self/clear_refs").write_text("5")  # begins the peak anew
    before = _memory("VmRSS")
    start = time.process_time()
    read = peer.parse(body)
    for token in (OWN, "bot", "*"):
        peer.allows(read, SITE + path, token)
    took = time.process_time() - start
    return {"seconds": took, "megabytes": (_memory("VmHWM") - before) / 1024}


def _memory(field: str) -> int:
    """KB of memory of this process, as Linux counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def _apart(name: str, peer: Peer, seconds: int = 8) -> dict[str, float] | None:
    """Measure one case in a process of its own with limits; None when they stop it."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))

    command = [sys.executable, "-m", "bench.robots", "--case", name, "--peer", peer.name]
    done = subprocess.run(command, capture_output=True, check=False, preexec_fn=limit)  # noqa: S603 (own script only)
    return json.loads(done.stdout) if done.returncode == 0 else None


def main(corpus: Path | None = None) -> dict[str, Any]:
    """Measure everything, print it, and give it; the real files lie where CONSENTCRAWL_CORPUS says."""
    corpus = corpus or Path(os.environ.get("CONSENTCRAWL_CORPUS", ""))
    if not (corpus / "robots_cases.json").is_file():
        print("CONSENTCRAWL_CORPUS names no folder with real robots.txt files: nothing is measured")
        return {}
    files = real_files(corpus)
    sample = random.Random(7).sample(files, min(300, len(files)))
    asked, kinds = differential(files)
    result = {
        "conformance": conformance(json.loads((corpus / "robots_cases.json").read_text())),
        "parse_us_per_kb": parsing(sample),
        "match_us": matching(sample, peers=(OURS, PROTEGO)),
        "match_us_with_google": matching(sample[:60], rounds=1),
        "big_match_us": matching([big_file()], peers=(OURS, PROTEGO)),
        "hostile": {name: {peer.name: _apart(name, peer) for peer in PEERS} for name in HOSTILE},
        "asked": asked,
        "differences": [[*kind, count] for kind, count in kinds.most_common()],
    }
    _show(result)
    return result


def _show(result: dict[str, Any]) -> None:
    for title in ("conformance", "parse_us_per_kb", "match_us", "match_us_with_google", "big_match_us"):
        print(f"{title:24}", "  ".join(f"{name} {figure:.4g}" for name, figure in result[title].items()))
    for name, row in result["hostile"].items():
        shown = (f"{p} {r['seconds']:.2f} s {r['megabytes']:.0f} MB" if r else f"{p} stopped" for p, r in row.items())
        print(f"{name:36}", "  ".join(shown))
    print(f"\n{result['asked']} questions on real files; where a peer differs, and what decides:")
    for peer, ours, sentence, clause, count in result["differences"]:
        print(f"{count:6}  {peer:12} ours {'permits' if ours else 'refuses'}: {sentence} ({clause})")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("corpus", nargs="?", type=Path)
    arguments.add_argument("--case")
    arguments.add_argument("--peer")
    chosen = arguments.parse_args()
    if chosen.case:
        print(json.dumps(hostile(chosen.case, chosen.peer)))
    else:
        main(chosen.corpus)
