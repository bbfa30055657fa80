"""Power cuts at any moment: what was acknowledged is there, and nothing that was not is made up."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger import frames, tree_heads
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.reading import lines
from consentcrawl.ledger.records import with_personal
from consentcrawl.ledger.verify import verify
from tests.faults import SECTOR, Disk, NoSync

HOME = Path("/disk/ledger")
SEGMENT = 8 * 1024
CUTS = 100


class StillClock:
    """A clock that stands still."""

    def wall(self) -> float:
        """Some moment."""
        return 1_700_000_000.0

    def monotonic(self) -> float:
        """Some other."""
        return 1.0


def work(disk: Disk, chance: random.Random, acknowledged: dict[int, int]) -> None:
    """Write, sign and change keys until the end or the cut; note what was acknowledged."""
    with suppress(LedgerBroken, OSError):
        ledger = Ledger.open(HOME, files=disk, clock=StillClock(), segment_bytes=SEGMENT)
        try:
            _fill(ledger, chance, acknowledged)
        finally:  # the process is gone: so are its threads
            ledger._committer._stop.set()
            ledger._committer._queue.close()


def _fill(ledger: Ledger, chance: random.Random, acknowledged: dict[int, int]) -> None:
    for _ in range(chance.randint(1, 12)):
        many = chance.choice([1, 1, 2, 5, 20])
        told = [chance.getrandbits(50) for _ in range(many)]
        parts = [
            with_personal({"kind": "outcome", "told": one, "x": "y" * chance.randint(0, 300)}, [f"u:{one}"])
            for one in told
        ]
        first = ledger.submit(parts).result()
        acknowledged.update(enumerate(told, first))
        if chance.random() < 0.3:
            ledger.sign()
        if chance.random() < 0.05:
            ledger.change_key()
    if chance.random() < 0.7:
        ledger.close()


def failure(seed: int, make: Callable[[int], Disk]) -> str:
    """Cut the power twice in the life of one ledger; say what went wrong, or nothing."""
    chance = random.Random(seed)  # noqa: S311 (seeded, repeatable)
    acknowledged: dict[int, int] = {}
    disk = make(0)
    if chance.random() < 0.8:
        work(disk, chance, acknowledged)
    for _ in range(2):
        disk.cut_at = disk.calls + int(chance.expovariate(1 / 40)) + 1
        work(disk, chance, acknowledged)
        durable = disk.after_cut(chance)
        disk = make(0)
        disk.__dict__.update({k: v for k, v in durable.__dict__.items() if k.startswith(("_names", "_dur", "_dir"))})
        wrong = _wrong(disk, acknowledged)
        if wrong:
            return f"seed {seed}: {wrong}"
    return ""


def _wrong(disk: Disk, acknowledged: dict[int, int]) -> str:
    """What is lost or alarms after a cut: before the ledger is opened again, and after."""
    try:
        if disk.names(HOME) and "checkpoint" in disk.names(HOME):
            before = verify(HOME, files=disk)
            if not before.holds:
                return f"verify before: {before.findings[0]}"
        Ledger.open(HOME, files=disk, clock=StillClock(), segment_bytes=SEGMENT).close()
        report = verify(HOME, files=disk)
        there = {line.index: (line.record.get("told"), line.urls) for line in lines(HOME, files=disk)}
    except LedgerBroken as error:
        return f"alarm: {error}"
    lost = [n for n, told in acknowledged.items() if there.get(n) != (told, (f"u:{told}",))]
    if lost:
        return f"{len(lost)} of {len(acknowledged)} acknowledged entries lost"
    return report.findings[0] if report.findings else ""


def failures(cuts: int, make: Callable[[int], Disk] = Disk) -> Iterator[str]:
    """Run so many cuts, two for each seed, and give what went wrong."""
    return filter(None, (failure(seed, make) for seed in range(cuts // 2)))


def test_ours_power_cuts_lose_nothing_that_was_acknowledged() -> None:
    assert list(failures(CUTS)) == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ours_many_power_cuts() -> None:
    assert list(failures(5000)) == []


def test_ours_mutant_without_fdatasync_is_caught() -> None:
    assert any(failures(40, NoSync))


def test_ours_mutant_without_head_sync_is_caught() -> None:
    assert any(failures(5000, lambda cut: NoSync(cut, lambda name: name == tree_heads.HEADS_FILE)))


def test_ours_mutant_without_padding_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    assert frames.SECTOR == SECTOR
    monkeypatch.setattr(frames, "SECTOR", 1)
    monkeypatch.setattr(tree_heads, "SECTOR", 1)
    assert any(failures(5000))
