"""What the ledger costs: durable entries, acknowledgements, verifying, proving, restarting, and its size."""

from __future__ import annotations

import gc
import json
import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench._ledger_record import (
    beside_a_warm_verdict,
    bytes_per_entry,
    durable_per_second,
    durable_rows_per_second,
    size,
)
from consentcrawl.core import Category, Gate, Ground, Outcome, Verdict, disallow
from consentcrawl.ledger import index
from consentcrawl.ledger.entry import Part
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.proof import check_proof, prove
from consentcrawl.ledger.records import verdict_entry
from consentcrawl.ledger.segments import write_segment
from consentcrawl.ledger.verify import verify

ENTRIES = int(os.environ.get("ENTRIES", "1000000"))
RUNS = 3
DIGEST = "3b5d5c3712955042212316173ccf37be800000000000000000000000{:08x}"


def verdicts(count: int) -> Iterator[Verdict]:
    """Verdicts as a crawl gives them: many works of fewer hosts, most permitted, some refused in the site's words."""
    host = ""
    for n in range(count):
        if n % 40 == 0:
            host = f"https://studio-{n * 2_654_435_761 % 2**32:08x}.example"
        ground = Ground(
            "robots_txt", disallow(Category.ACQUIRE, f"Disallow: /g{n % 9}/", f"line {n % 60}"), f"{host}/robots.txt"
        )
        refused = n % 4 == 0
        yield Verdict(
            url=f"{host}/gallery/2026/{n * 40_503 % 2**24:06x}/piece-{n}.jpg",
            outcome=Outcome.REFUSE if refused else Outcome.PERMIT, purpose="train-ai", gate=Gate.HEAD,
            enforced=True, grounds=(ground,) if refused else (), gaps=(),
            decided_at=1_790_000_000 + n * 0.013, version="0.1.0", deciding=(ground,) if refused else (),
        )  # fmt: skip


def fill(directory: Path, count: int, batch: int) -> float:
    """Write so many verdicts in batches, each waited for; entries per second, signing and packing included."""
    ready = [(verdict, [DIGEST.format(n // 40)]) for n, verdict in enumerate(verdicts(count))]
    with Ledger.open(directory) as ledger:
        started = time.perf_counter()
        for at in range(0, count, batch):
            ledger.submit(starmap(verdict_entry, ready[at : at + batch])).result()
        return count / (time.perf_counter() - started)


def acknowledgements(directory: Path, threads: int, each: int) -> list[float]:
    """How long each of many threads waited for each of its verdicts, in seconds."""
    some = next(verdicts(1))
    waited: list[float] = []

    def work(ledger: Ledger) -> None:
        for n in range(each):
            verdict = replace(some, url=f"{some.url}?{n}")
            started = time.perf_counter()
            ledger.submit([verdict_entry(verdict)]).result()
            waited.append(time.perf_counter() - started)

    with Ledger.open(directory) as ledger:
        workers = [threading.Thread(target=work, args=(ledger,)) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return waited


def _entries(verdict: Verdict) -> list[Part]:
    return [verdict_entry(verdict)]


def handing_in(directory: Path, count: int) -> float:
    """What handing in a verdict costs the thread that decides, in microseconds of its own time."""
    ready = list(verdicts(count))
    spent = 0.0
    gc.freeze()  # what was made ready is not the ledger's to look through
    with Ledger.open(directory) as ledger:
        for at in range(0, count, 500):
            started = time.thread_time()
            futures = [ledger.submit(partial(_entries, verdict)) for verdict in ready[at : at + 500]]
            spent += time.thread_time() - started
            futures[-1].result()
    gc.unfreeze()
    return spent / count * 1e6


def restart(directory: Path, count: int) -> float:
    """How long a ledger takes to open after its writer was killed in the middle of a segment, in seconds."""
    child = os.fork()
    if child == 0:
        entries = [verdict_entry(verdict) for verdict in verdicts(100)]
        ledger = Ledger.open(directory)
        for _ in range(count // 100):
            ledger.submit(entries).result()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    started = time.perf_counter()
    ledger = Ledger.open(directory)
    spent = time.perf_counter() - started
    ledger.close()
    return spent


def segment_size(path: Path, count: int) -> float:
    """Megabytes of a Parquet segment of so many verdicts."""
    rows = [
        {
            "url": v.url, "outcome": str(v.outcome), "purpose": v.purpose, "gate": v.gate.name.lower(),
            "enforced": v.enforced, "grounds": [ground.as_json() for ground in v.grounds],
            "gaps": [gap.as_json() for gap in v.gaps],
            "decided_at": round(v.decided_at * 1000), "policy": v.policy, "version": v.version,
        }
        for v in verdicts(count)
    ]  # fmt: skip
    write_segment(pa.Table.from_pylist(rows), path)
    return path.stat().st_size / 1e6


def reading(directory: Path) -> dict[str, float]:
    """Verifying, proving and indexing a ledger that is closed."""
    started = time.perf_counter()
    report = verify(directory)
    rate = report.size / (time.perf_counter() - started)
    if not report.holds:
        raise SystemExit(report.findings[0])
    asked = [n * report.size // 50 for n in range(50)]
    spent, sizes = [], []
    for one in asked:
        started = time.perf_counter()
        proof = prove(directory, one)
        spent.append(time.perf_counter() - started)
        sizes.append(len(proof))
        if not check_proof(proof).holds:
            raise SystemExit(str(one))
    started = time.perf_counter()
    index.rebuild(directory)
    return {
        "verify_per_second": rate, "prove_ms": statistics.median(spent) * 1e3, "prove_ms_worst": max(spent) * 1e3,
        "proof_bytes": statistics.median(sizes), "index_seconds": time.perf_counter() - started,
        "index_mb": (directory / index.INDEX_FILE).stat().st_size / 1e6,
    }  # fmt: skip


def main(entries: int = ENTRIES) -> dict[str, Any]:
    """Every figure, medians of three runs where it is a rate."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        rates = {
            f"durable_per_second_batch_{batch}": statistics.median(
                fill(home / f"{batch}-{n}", batch * most, batch) for n in range(RUNS)
            )
            for batch, most in ((1, 2000), (10, 2000), (100, 1000), (1000, 150))
        }
        waits = statistics.quantiles(acknowledgements(home / "wait", 50, 100), n=100)
        fill(home / "million", entries, 1000)
        figures = {
            **rates,
            "ack_ms_p50": waits[49] * 1e3,
            "ack_ms_p99": waits[98] * 1e3,
            "warm_verdict_us": statistics.median(handing_in(home / f"hand-{n}", 20_000) for n in range(RUNS)),
            "warm_verdict_through_steward_us": statistics.median(
                beside_a_warm_verdict(home / f"warm-{n}", 20_000) for n in range(RUNS)
            ),
            **durable_per_second(home / "threads", list(verdicts(100_000))),
            "durable_rows_per_second_batch_1000": statistics.median(
                durable_rows_per_second(home / f"rows-{n}", list(verdicts(20_000)), 1000) for n in range(RUNS)
            ),
            "restart_seconds": statistics.median(restart(home / f"restart-{n}", 100_000) for n in range(RUNS)),
            "ledger_mb": size(home / "million"),
            **reading(home / "million"),
            "segment_mb": segment_size(home / "segment.parquet", entries),
            **bytes_per_entry(home / "sizes", list(verdicts(min(entries, 100_000)))),
        }
    return {"entries": entries} | {name: round(value, 3) for name, value in figures.items()}


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
