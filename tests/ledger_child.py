"""Writers that are killed: each round forks one, kills it at a random moment, and reads the ledger again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.reading import lines
from consentcrawl.ledger.verify import verify

SEGMENT = 64 * 1024


def write_for_ever(directory: Path, told: int, seed: int) -> None:
    """Append from three threads, and tell each index that was acknowledged."""
    chance = random.Random(seed)  # noqa: S311 (seeded, repeatable)
    ledger = Ledger.open(directory, segment_bytes=SEGMENT)

    def work() -> None:
        while True:
            mark = chance.getrandbits(40)
            index = ledger.append({"kind": "outcome", "mark": mark}, [f"u:{mark}"])
            os.write(told, f"{index} {mark}\n".encode())

    for _ in range(3):
        threading.Thread(target=work, daemon=True).start()
    while True:
        time.sleep(chance.random() / 50)
        ledger.sign()


def killed(directory: Path, seed: int) -> dict[int, int]:
    """Fork a writer, kill it, and return what it had acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        write_for_ever(directory, writing, seed)
    os.close(writing)
    time.sleep(random.Random(seed).random() * 0.12)  # noqa: S311 (seeded, repeatable)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answers:
        told = [line.split() for line in answers.read().split("\n")[:-1]]
    return {int(index): int(mark) for index, mark in told}


def main(rounds: int) -> int:
    """Print what was acknowledged, lost and wrong; return how much was lost or wrong."""
    acknowledged: dict[int, int] = {}
    wrong = 0
    slowest = 0.0
    with tempfile.TemporaryDirectory() as home:
        directory = Path(home) / "ledger"
        for seed in range(rounds):
            acknowledged.update(killed(directory, seed))
            started = time.monotonic()
            Ledger.open(directory, segment_bytes=SEGMENT).close()
            slowest = max(slowest, time.monotonic() - started)
        wrong += len(verify(directory).findings)
        there = {line.index: line.record.get("mark") for line in lines(directory)}
    lost = sum(there.get(index) != mark for index, mark in acknowledged.items())
    print(f"{rounds} kills, {len(acknowledged)} acknowledged, {lost} lost, {wrong} wrong, reopened in {slowest:.2f} s")  # noqa: T201 (its answer)
    return int(lost + wrong)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main(int(sys.argv[1])))
