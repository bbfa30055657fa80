"""What a steward's ledger costs: beside a warm verdict, with eight threads at work, and on the disk."""

from __future__ import annotations

import statistics
import threading
import time
from concurrent.futures import wait
from dataclasses import replace
from pathlib import Path

from bench.warm import NOW, OneSite
from consentcrawl.config import Config
from consentcrawl.core import Evidence, Fields, Gate, Need, Verdict
from consentcrawl.ledger.recording import Record
from consentcrawl.ledger.recording.batch import BatchRecord
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.ledger.recording.opening import EVIDENCE
from consentcrawl.steward import Steward

IN_FLIGHT = 50
THREADS = 8


def beside_a_warm_verdict(directory: Path, count: int) -> float:
    """Microseconds of the deciding thread's own time that the ledger adds to a verdict, at so many in flight."""
    return _warm(LedgerRecord.open(directory), count) - _warm(None, count)


def _warm(record: Record | None, count: int) -> float:
    steward = Steward(Config(), reader=OneSite(), clock=lambda: NOW, record=record)
    first = steward.open("https://shop.example/", reach=Gate.LOOKUP)
    steward.look_up(first)
    steward.decide(first)
    urls = [f"https://shop.example/images/{n % 97}/{n:08x}-large.jpg" for n in range(count)]
    spent = []
    for at in range(0, count, IN_FLIGHT):
        started = time.thread_time()
        entries = [steward.finish(steward.open(url, reach=Gate.LOOKUP))[1] for url in urls[at : at + IN_FLIGHT]]
        spent.append((time.thread_time() - started) / IN_FLIGHT * 1e6)
        wait([entry for entry in entries if entry is not None])
    steward.close()
    return statistics.median(spent)


def durable_per_second(directory: Path, verdicts: list[Verdict]) -> dict[str, float]:
    """Durable documents a second, and entries of eight threads, each with a hundred in flight, over 1,000 origins."""
    record = LedgerRecord.open(directory)
    known = {n: look_ups(n) for n in range(1000)}
    started = time.perf_counter()
    wait([record.record_verdict(verdicts[0], known[n]) for n in known])
    documents = sum(map(len, known.values())) / (time.perf_counter() - started)

    def work(mine: list[Verdict]) -> None:
        for at in range(0, len(mine), 100):
            some = [record.record_verdict(each, known[n % 1000]) for n, each in enumerate(mine[at : at + 100], at)]
            some[-1].result()

    threads = [threading.Thread(target=work, args=(verdicts[n::THREADS],)) for n in range(THREADS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = len(verdicts) / (time.perf_counter() - started)
    record.close()
    return {"durable_documents_per_second": documents, "durable_per_second_steward_8_threads": entries}


def durable_rows_per_second(directory: Path, verdicts: list[Verdict], batch: int) -> float:
    """Rows of a batch run a second, each batch durable before the next is handed in; its segments come after."""
    record = BatchRecord.open(directory)
    known = [look_ups(n) for n in range(len(verdicts) // 40 + 1)]
    record.record_verdicts([(verdicts[0], each, ()) for each in known]).result()
    started = time.perf_counter()
    for at in range(0, len(verdicts), batch):
        some = [(verdict, known[n // 40], ()) for n, verdict in enumerate(verdicts[at : at + batch], at)]
        record.record_verdicts(some).result()
    spent = time.perf_counter() - started
    record.close()
    return len(verdicts) / spent


def bytes_per_entry(directory: Path, verdicts: list[Verdict]) -> dict[str, float]:
    """Bytes on disk per live entry and per row of a segment, from a crawl of many origins at once, and of documents."""
    live = LedgerRecord.open(directory / "live")
    rows = BatchRecord.open(directory / "rows")
    known = {n: look_ups(n) for n in range(2500)}
    mixed = [verdicts[at] for start in range(40) for at in range(start, len(verdicts), 40)]
    wait([live.record_verdict(verdict, known[n % 2500]) for n, verdict in enumerate(mixed)])
    for n, verdict in enumerate(mixed):
        rows.record_verdict(replace(verdict), known[n % 2500])
    live.close()
    rows.close()
    evidence = size(directory / "live" / EVIDENCE)
    return {
        "live_mb_per_million": (size(directory / "live") - evidence) / len(mixed) * 1e6,
        "segment_mb_per_million": (size(directory / "rows") - size(directory / "rows" / EVIDENCE)) / len(mixed) * 1e6,
        "evidence_mb_per_thousand_origins": evidence / 2.5,
    }


def size(directory: Path) -> float:
    """Megabytes on disk."""
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file()) / 1e6


def look_ups(n: int) -> list[Evidence]:
    """What is looked up of an origin: a robots.txt of its own, and three pages that say there is nothing."""
    origin = f"https://origin-{n}.example"
    robots = f"User-agent: *\nDisallow: /{n}/\n".encode() * 20
    gone = b"<html><title>404</title>not found</html>"
    paths = {"/robots.txt": (200, robots), "/.well-known/tdmrep.json": (404, gone), "/ai.txt": (404, gone)}
    fields = Fields([("Content-Type", "text/html"), ("Server", "nginx"), ("Date", f"{n}")])
    return [
        Evidence(Need(Gate.LOOKUP, path), origin + path, status=status, fields=fields, content=content, at=NOW + n)
        for path, (status, content) in (paths | {"/trust.txt": (404, gone)}).items()
    ]
