"""Worker processes: whatever happens to one happens to its document alone (reliability S11, G14)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from consentcrawl.workers.pool import FAILED, TIMED_OUT, Answer, Limits, Workers

# It does what its document says, under the limits of the program that reads manifests.
PROGRAM = """
import json, os, socket, sys, time

from consentcrawl.workers.loop import NO_FILES, serve

def obey(document, more=b""):
    return COMMANDS.get(document, str)()

def tried(deed):
    try:
        return repr(deed())
    except OSError as error:
        return type(error).__name__

COMMANDS = {
    b"pid": os.getpid,
    b"sleep": lambda: time.sleep(60),
    b"spin": lambda: [None for _ in iter(int, 1)],
    b"eat": lambda: len(bytearray(2 << 30)),
    b"die": lambda: os._exit(1),
    b"much": lambda: "x" * (5 << 20),
    b"open": lambda: tried(lambda: open(sys.argv[0])),
    b"dial": lambda: tried(socket.socket),
    b"environment": lambda: sorted(os.environ),
}
serve(lambda *parts: json.dumps(obey(*parts)).encode(), 2, [NO_FILES])
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def workers(program: Path) -> Iterator[Workers]:
    made = Workers(program, most=2, limits=Limits(seconds=10, cpu_seconds=0))
    yield made
    made.shut()


def pid(workers: Workers) -> int:
    return int(workers.ask(b"pid", b"").content)


def test_ours_a_worker_serves_many_documents(workers: Workers) -> None:
    assert pid(workers) == pid(workers) != os.getpid()


def test_g14_a_worker_killed_amid_a_document_is_that_document_s_gap_and_no_other_s(workers: Workers) -> None:
    with ThreadPoolExecutor(2) as threads:
        for _ in range(20):
            victim = pid(workers)
            reading = threads.submit(workers.ask, b"sleep", b"")
            while workers._idle:
                time.sleep(0.001)
            others = threads.submit(lambda: [pid(workers) for _ in range(3)])
            assert victim not in others.result()
            os.kill(victim, signal.SIGKILL)
            assert reading.result() == FAILED  # found dead, not waited for: then it were TIMED_OUT
            assert pid(workers) != victim


def test_g14_a_worker_killed_between_documents_costs_none(workers: Workers) -> None:
    for _ in range(3):
        victim = pid(workers)
        os.kill(victim, signal.SIGKILL)
        os.waitid(os.P_PID, victim, os.WEXITED | os.WNOWAIT)
        assert pid(workers) != victim


@pytest.mark.parametrize(("document", "answer"), [(b"die", FAILED), (b"eat", FAILED), (b"spin", TIMED_OUT)])
def test_s11_a_document_that_costs_too_much_is_a_gap(workers: Workers, document: bytes, answer: Answer) -> None:
    assert workers.ask(document, b"") == answer
    assert pid(workers)


def test_s11_an_answer_that_is_too_long_is_a_gap(workers: Workers) -> None:
    assert workers.ask(b"much", b"") == FAILED


def test_s11_a_worker_that_does_not_answer_in_time_is_ended(program: Path) -> None:
    workers = Workers(program, most=1, limits=Limits(seconds=0.2))
    victim = pid(workers)
    assert workers.ask(b"sleep", b"") == TIMED_OUT
    assert pid(workers) != victim
    workers.shut()


def test_s11_a_worker_that_does_not_listen_in_time_is_ended(program: Path) -> None:
    workers = Workers(program, most=1, limits=Limits(seconds=0.2))
    os.kill(pid(workers), signal.SIGSTOP)
    assert workers.ask(b"x" * 8_000_000, b"") == TIMED_OUT


def test_ours_a_document_sent_to_a_worker_that_is_gone_is_a_gap(workers: Workers) -> None:
    pid(workers)
    worker = workers._idle[-1]
    worker._link.shutdown(2)
    assert worker.ask((b"pid", b""), 1) == FAILED
    worker.end()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit less")
@pytest.mark.parametrize("document", [b"open", b"dial"])
def test_ours_a_worker_opens_neither_file_nor_socket(workers: Workers, document: bytes) -> None:
    assert workers.ask(document, b"").content == b'"OSError"'


def test_ours_a_worker_does_not_see_the_taker_s_keys(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    seen = workers.ask(b"environment", b"").content
    assert b"PYTHONPATH" in seen
    assert b"AWS" not in seen


def test_ours_a_worker_is_replaced_after_so_many_documents(program: Path) -> None:
    workers = Workers(program, most=1, limits=Limits(documents=2))
    assert len({pid(workers) for _ in range(4)}) == 2
    workers.shut()


def test_ours_no_more_workers_than_were_asked_for(program: Path) -> None:
    workers = Workers(program, most=2)
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: pid(workers), range(40)))) <= 2
    workers.shut()


def test_ours_a_program_that_does_not_start_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(tmp_path / "nothing.py")
    assert workers.ask(b"pid", b"") == FAILED
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    assert workers.ask(b"pid", b"") == FAILED


def test_ours_an_interrupted_caller_leaves_no_worker_behind(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = pid(workers)

    def interrupted(*_: object) -> Answer:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(workers._idle[0]), "hear", interrupted)
    with pytest.raises(KeyboardInterrupt):
        workers.ask(b"pid", b"")
    monkeypatch.undo()
    assert pid(workers) != victim


def test_ours_a_fork_leaves_its_parent_s_workers_alone(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = pid(workers)
    monkeypatch.setattr(workers, "_owner", os.getpid() + 1)
    workers.shut()
    monkeypatch.undo()
    assert pid(workers) == kept


def test_ours_ctrl_c_ends_no_document(workers: Workers) -> None:
    assert os.getpgid(pid(workers)) != os.getpgrp()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ours_a_worker_ends_with_its_parent(program: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from consentcrawl.workers.pool import Workers;"
        "print(Workers(Path(sys.argv[1])).ask(b'pid', b'').content.decode(), flush=True); os.kill(os.getpid(), 9)"
    )
    orphan = int(subprocess.run([sys.executable, "-c", code, str(program)], capture_output=True, check=False).stdout)
    until = time.monotonic() + 20
    while time.monotonic() < until and _runs(orphan):
        time.sleep(0.01)
    assert not _runs(orphan)


def _runs(process: int) -> bool:
    """Whether a process exists and has not ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_ours_workers_end_when_they_are_shut(program: Path) -> None:
    workers = Workers(program)
    gone = pid(workers)
    workers.shut()
    with pytest.raises(ProcessLookupError):
        os.kill(gone, 0)
