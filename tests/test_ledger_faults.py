"""Every call the ledger makes of the system fails once: then nothing more is acknowledged, and nothing is lost."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.reading import lines
from consentcrawl.ledger.verify import verify
from tests.faults import FaultyFiles

SEGMENT = 4096
CODES = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EMFILE": errno.EMFILE}
CHILD = Path(__file__).with_name("ledger_child.py")


def work(directory: Path, files: FaultyFiles) -> dict[int, int]:
    """One run that rolls, signs, changes its key, seals and closes; what was acknowledged, until something failed."""
    acknowledged: dict[int, int] = {}
    failed_before = False
    with suppress(LedgerBroken, OSError):
        ledger = Ledger.open(directory, files=files, segment_bytes=SEGMENT)
        try:
            for step in range(10):
                try:
                    failed_before = files.failed
                    index = ledger.append({"kind": "outcome", "step": step, "x": "y" * 300}, [f"u:{step}"])
                    assert not failed_before, "acknowledged after a fault"
                    acknowledged[index] = step
                    if step % 5 == 4:
                        ledger.sign()
                    if step == 7:
                        ledger.change_key()
                except LedgerBroken:
                    continue  # every later one must fail as well
        finally:
            ledger.close()
    return acknowledged


def one_fault(directory: Path, at: int, code: int) -> bool:
    """Let the ``at``-th call fail, then look; False when there were not so many calls."""
    files = FaultyFiles(at, code)
    acknowledged = work(directory, files)
    Ledger.open(directory, segment_bytes=SEGMENT).close()
    report = verify(directory)
    assert report.findings == [], f"call {at}"
    there = {line.index: line.record.get("step") for line in lines(directory)}
    assert {index: there.get(index) for index in acknowledged} == acknowledged, f"call {at}"
    return files.failed


def every_call(home: Path, shift: int) -> int:
    """Let each call fail in its turn, with the codes in turn; how many calls there were."""
    codes = list(CODES.values())
    at = 1
    while one_fault(home / str(at), at, codes[(at + shift) % len(codes)]):
        shutil.rmtree(home / str(at))
        at += 1
    return at


def test_ours_a_fault_at_every_call_loses_nothing(tmp_path: Path) -> None:
    assert every_call(tmp_path, 0) > 100


@pytest.mark.slow
@pytest.mark.parametrize("shift", [1, 2])
def test_ours_every_fault_at_every_call_loses_nothing(shift: int, tmp_path: Path) -> None:
    assert every_call(tmp_path, shift) > 100


def killed(rounds: int) -> str:
    """What so many kills gave."""
    done = subprocess.run([sys.executable, CHILD, str(rounds)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_ours_kill_at_random_loses_nothing() -> None:
    assert re.search(r"20 kills, [0-9]{2,} acknowledged, 0 lost, 0 wrong", killed(20))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ours_many_kills() -> None:
    assert " 0 lost, 0 wrong" in killed(500)


STRACE = shutil.which("strace")
INJECTED = [
    (call, code, when)
    for call, codes in {
        "pwrite64": "ENOSPC EIO",
        "fdatasync": "EIO ENOSPC",
        "fsync": "EIO",
        "rename": "ENOSPC EIO",
    }.items()
    for code in codes.split()
    for when in (1, 2, 3, 5, 8, 13)
]
SCRIPT = """
import sys
from pathlib import Path
from consentcrawl.ledger.log import Ledger
ledger = Ledger.open(Path(sys.argv[1]), segment_bytes=4096)
for step in range(40):
    print(ledger.append({"kind": "outcome", "step": step, "x": "y" * 200}), step, flush=True)
    if step % 9 == 8:
        ledger.sign()
ledger.close()
"""


@pytest.mark.slow
@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.parametrize(("call", "code", "when"), INJECTED)
def test_ours_faults_by_strace_lose_nothing(call: str, code: str, when: int, tmp_path: Path) -> None:
    directory = tmp_path / "ledger"
    command = [str(STRACE), "-f", "-qq", "-o", os.devnull, "-e", f"inject={call}:error={code}:when={when}+"]
    done = subprocess.run(
        [*command, sys.executable, "-c", SCRIPT, directory], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0, "the fault went unseen"
    acknowledged = [tuple(map(int, line.split())) for line in done.stdout.split("\n")[:-1]]
    Ledger.open(directory, segment_bytes=4096).close()
    assert verify(directory).findings == []
    there = {(line.index, line.record.get("step")) for line in lines(directory)}
    assert set(acknowledged) <= there
