"""The ledger as its writer uses it: who may write, what is written by itself, keys, proofs, and what is erased."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from consentcrawl.core import Policy
from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.entry import BadEntry, canonical
from consentcrawl.ledger.erasure import erase
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.merge import merge
from consentcrawl.ledger.proof import check_proof, prove
from consentcrawl.ledger.reading import Line, lines
from consentcrawl.ledger.records import outcome_entry, policy_record, verdict_entry, with_personal
from consentcrawl.ledger.verify import verify
from tests.test_ledger_entry import URL, verdict


class SetClock:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        """Some day."""
        self.ahead = 0.0

    def wall(self) -> float:
        """The time as it is set."""
        return 1_700_000_000.0 + self.ahead

    def monotonic(self) -> float:
        """Never mind."""
        return 5.0


def kinds(directory: Path) -> list[str]:
    """The kind of every entry."""
    return [line.record["kind"] for line in lines(directory)]


def test_ours_a_run_begins_and_ends_and_everything_is_in_between(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l", run={"version": "1"}) as ledger:
        assert ledger.append(*policy_record(Policy(), 1.0)) == 1
        assert ledger.submit([verdict_entry(verdict(), ["ab" * 32])]).result() == 2
        assert (
            ledger.submit([outcome_entry(URL, verdict=2, status=200, size=3, digest="cd" * 32, at=1.0)]).result() == 3
        )
    assert kinds(tmp_path / "l") == ["run-start", "policy", "verdict", "outcome", "run-stop"]
    said = list(lines(tmp_path / "l", 2))
    assert said[0].urls[0] == URL
    assert said[0].record["evidence"] == ["ab" * 32]
    assert verify(tmp_path / "l").holds
    ledger.close()
    with pytest.raises(LedgerBroken, match="closed"):
        ledger.append({"kind": "outcome"})


def test_ours_bad_records_are_refused_and_change_nothing(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        for record in ({"kind": "outcome", "x": 1.5}, {"kind": "odd"}):
            with pytest.raises(BadEntry):
                ledger.append(record)
        with pytest.raises(BadEntry):
            ledger.submit([])
    assert kinds(tmp_path / "l") == ["run-start", "run-stop"]


def test_ours_threads_and_tasks_append_together(tmp_path: Path) -> None:
    async def tasks(ledger: Ledger) -> list[int]:
        return await asyncio.gather(
            *(asyncio.wrap_future(ledger.submit([with_personal({"kind": "outcome", "n": n}, ())])) for n in range(50))
        )

    told: list[int] = []
    with Ledger.open(tmp_path / "l") as ledger:
        threads = [
            threading.Thread(target=lambda: told.extend(ledger.append({"kind": "outcome"}, [URL]) for _ in range(50)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        told += asyncio.run(tasks(ledger))
        for thread in threads:
            thread.join()
    assert sorted(told) == list(range(1, 251))
    assert verify(tmp_path / "l").size == 252


def test_ours_one_writer(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l"), pytest.raises(LedgerBroken, match="another process"):
        Ledger.open(tmp_path / "l")
    Ledger.open(tmp_path / "l", create=False).close()
    with pytest.raises(LedgerBroken, match="not a ledger"):
        Ledger.open(tmp_path / "none", create=False)


@pytest.mark.parametrize(("name", "mode"), [("key", 0o640), ("key", 0o604), ("", 0o750)])
def test_ours_a_key_that_others_may_read_is_refused(name: str, mode: int, tmp_path: Path) -> None:
    Ledger.open(tmp_path / "l").close()
    assert (tmp_path / "l").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "l" / "key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "l" / name).chmod(mode)
    with pytest.raises(LedgerBroken, match="mode"):
        Ledger.open(tmp_path / "l")


@pytest.mark.parametrize(
    ("name", "content"), [("key", b"a\nb\n"), ("key", b"a\n"), ("key.pub", b"x\n"), ("key.pub", b""), ("key.pub", None)]
)
def test_ours_keys_that_cannot_be_read_are_told(name: str, content: bytes | None, tmp_path: Path) -> None:
    Ledger.open(tmp_path / "l").close()
    (tmp_path / "l" / name).unlink() if content is None else (tmp_path / "l" / name).write_bytes(content)
    with pytest.raises(LedgerBroken):
        Ledger.open(tmp_path / "l")


def test_ours_a_key_of_another_ledger_is_refused(tmp_path: Path) -> None:
    for name in "ab":
        Ledger.open(tmp_path / name).close()
    (tmp_path / "a" / "key").write_bytes((tmp_path / "b" / "key").read_bytes())
    with pytest.raises(LedgerBroken, match="not among"):
        Ledger.open(tmp_path / "a")


def test_ours_a_clock_that_jumps_is_written_down(tmp_path: Path) -> None:
    clock = SetClock()
    with Ledger.open(tmp_path / "l", clock=clock) as ledger:
        clock.ahead = 299
        ledger.append({"kind": "outcome"})
        clock.ahead = 86_400
        assert ledger.append({"kind": "outcome"}) == 3
    clock.ahead = 0
    with Ledger.open(tmp_path / "l", clock=clock):
        pass
    said = {line.index: line.record for line in lines(tmp_path / "l") if line.record["kind"] == "clock-jump"}
    assert said == {
        2: {"kind": "clock-jump", "at": 1_700_086_400_000, "by": 86_400_000},
        5: {"kind": "clock-jump", "at": 1_700_000_000_000, "by": -86_400_000},
    }


def test_ours_a_torn_tail_is_cut_and_told(tmp_path: Path) -> None:
    source = tmp_path / "l"
    ledger = Ledger.open(source, segment_bytes=16 * 1024)
    ledger.append({"kind": "outcome"})
    segment = next(source.glob("log/*.seg"))
    with segment.open("r+b") as file:
        file.seek(1024)
        file.write(b"\0\0\0\x10torn")
    _abandon(ledger)
    assert verify(source).torn == 8
    Ledger.open(source, segment_bytes=16 * 1024).close()
    assert kinds(source) == ["run-start", "outcome", "recovered-tail", "run-start", "run-stop"]
    assert verify(source).torn == 0


def _abandon(ledger: Ledger) -> None:
    """As if the process had been killed."""
    ledger._committer._stop.set()
    ledger._committer._queue.close()
    ledger.files.close(ledger._lock)


@pytest.mark.parametrize("at", [3, 600])
def test_ours_damage_before_the_head_or_before_a_later_batch_is_an_alarm(at: int, tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "l", segment_bytes=16 * 1024)
    if at < 512:
        ledger.sign()
    ledger.append({"kind": "outcome"})
    ledger.append({"kind": "outcome"})
    _abandon(ledger)
    segment = next((tmp_path / "l").glob("log/*.seg"))
    content = bytearray(segment.read_bytes())
    content[at] ^= 1
    segment.write_bytes(content)
    with pytest.raises(LedgerBroken, match="damaged"):
        Ledger.open(tmp_path / "l")


@pytest.mark.parametrize("names", [["heads.log"], ["checkpoint"], ["checkpoint", "heads.log"]])
def test_ours_missing_heads_are_an_alarm(names: list[str], tmp_path: Path) -> None:
    Ledger.open(tmp_path / "l").close()
    for name in names:
        (tmp_path / "l" / name).unlink()
    with pytest.raises(LedgerBroken):
        Ledger.open(tmp_path / "l")


def test_ours_an_older_heads_log_than_the_checkpoint_is_an_alarm(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "l").close()
    old = (tmp_path / "l" / "heads.log").read_bytes()
    Ledger.open(tmp_path / "l").close()
    (tmp_path / "l" / "heads.log").write_bytes(old)
    with pytest.raises(LedgerBroken, match="does not have"):
        Ledger.open(tmp_path / "l")


def test_ours_a_key_change_is_vouched_for_by_the_old_key(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        assert ledger.change_key().count("— ") == 2
        assert ledger.sign().count("— ") == 2
        ledger.append({"kind": "outcome"})
        assert ledger.sign().count("— ") == 1
    assert len((tmp_path / "l" / "key.pub").read_text().split()) == 2
    assert verify(tmp_path / "l").holds
    Ledger.open(tmp_path / "l").close()
    assert verify(tmp_path / "l").holds


def test_ours_a_ledger_goes_on_from_another(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "old") as old:
        pass
    with Ledger.open(tmp_path / "new", after=old.checkpoint):
        pass
    first = next(lines(tmp_path / "new")).record
    assert (first["kind"], first["checkpoint"]) == ("head", old.checkpoint)
    assert verify(tmp_path / "old", witness=first["checkpoint"]).holds
    Ledger.open(tmp_path / "new", after=old.checkpoint).close()
    assert kinds(tmp_path / "new").count("head") == 1


@pytest.mark.parametrize("close", [True, False])
def test_c2sp_tlog_proof_is_checked_without_the_ledger(close: bool, tmp_path: Path) -> None:  # noqa: FBT001 (a case)
    ledger = Ledger.open(tmp_path / "l", segment_bytes=64 * 1024)
    for _ in range(30):
        ledger.submit([with_personal({"kind": "outcome", "n": n}, [f"{URL}?{n}"]) for n in range(20)]).result()
    index = ledger.submit([verdict_entry(verdict())]).result()
    ledger.sign()
    if close:
        ledger.close()
    key = (tmp_path / "l" / "key.pub").read_text().strip()
    for asked in [0, 1, 255, 256, 511, 512, index]:
        result = check_proof(prove(tmp_path / "l", asked), key)
        assert (result.problems, result.index, result.trusted) == ((), asked, True)
    assert result.urls[0] == URL
    assert result.record["outcome"] == "refuse"
    assert not check_proof(prove(tmp_path / "l", index)).trusted
    with pytest.raises(IndexError):
        prove(tmp_path / "l", 10_000)
    ledger.close()


def test_c2sp_tlog_proof_every_change_is_found(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.submit([with_personal({"kind": "outcome", "n": n}, [f"u:{n}"]) for n in range(5)]).result()
    key = (tmp_path / "l" / "key.pub").read_text().strip()
    proof = prove(tmp_path / "l", 3)
    true = check_proof(proof, key)
    assert true.holds
    for at in range(len(proof) * 8):
        changed = bytearray(proof)
        changed[at // 8] ^= 1 << at % 8
        result = check_proof(bytes(changed), key)
        assert result == true or not result.holds
    for junk in (b"", proof[:40], proof[:-9], proof + b"x", proof + bytes(10**6)):
        assert not check_proof(junk, key).holds


def test_c2sp_tlog_proof_a_verdict_is_proved_in_two_kilobytes(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.submit([with_personal({"kind": "outcome", "n": n}, ()) for n in range(1000)]).result()
        index = ledger.submit([verdict_entry(verdict(), ["ab" * 32])]).result()
    assert len(prove(tmp_path / "l", index)) < 2560


def test_c2sp_tlog_proof_the_urls_of_another_entry_are_found(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l") as ledger:
        ledger.append({"kind": "outcome"}, ["u:1"])
    first, extra, *rest = prove(tmp_path / "l", 1).decode().split("\n")
    said = __import__("json").loads(b64decode(extra[6:]))
    said["personal"] = b64encode(bytes(16) + b'["u:2"]').decode()
    forged = "\n".join([first, f"extra {b64encode(canonical(said)).decode()}", *rest])
    assert check_proof(forged.encode()).problems == ("the URL is not the one that the entry commits to",)


def test_ours_what_is_erased_is_gone_and_its_proof_stands(tmp_path: Path) -> None:
    directory = tmp_path / "l"
    ledger = Ledger.open(directory)
    index = ledger.submit([verdict_entry(verdict())]).result()
    other = ledger.append({"kind": "outcome"}, ["https://art.example/other"])
    before = prove_now(ledger, index)
    assert erase(ledger, URL) == [index]
    assert erase(ledger, URL) == []
    after = prove_now(ledger, index)
    ledger.close()
    assert check_proof(before).urls[0] == URL
    assert (check_proof(after).problems, check_proof(after).urls) == ((), ())
    assert [line.urls for line in lines(directory)][index : other + 1] == [(), ("https://art.example/other",)]
    report = verify(directory)
    assert (report.findings, report.erased) == ([], 1)
    assert all(URL.encode() not in path.read_bytes() for path in directory.rglob("*") if path.is_file())


def prove_now(ledger: Ledger, index: int) -> bytes:
    """A proof under a head signed now."""
    ledger.sign()
    return prove(ledger.directory, index)


def test_ours_ledgers_are_merged_and_merging_may_be_repeated(tmp_path: Path) -> None:
    sources = [tmp_path / "a", tmp_path / "b"]
    for source in sources:
        with Ledger.open(source) as ledger:
            ledger.submit([verdict_entry(verdict())]).result()
            ledger.append({"kind": "outcome"}, ["https://art.example/gone"])
            erase(ledger, "https://art.example/gone")
    with Ledger.open(tmp_path / "all") as into:
        assert [merge(into, source) for source in sources] == [5, 5]
        assert [merge(into, source) for source in sources] == [0, 0]
        Ledger.open(sources[0]).close()
        assert merge(into, sources[0]) == 2
        proof = prove_now(into, _first_verdict(into.directory).index)
    assert verify(tmp_path / "all").findings == []
    found = _first_verdict(tmp_path / "all")
    assert found.urls[0] == URL
    assert found.record["entry"] == next(lines(sources[0], 1)).record
    assert check_proof(proof).urls[0] == URL


def _first_verdict(directory: Path) -> Line:
    return next(line for line in lines(directory) if line.record.get("entry", {}).get("kind") == "verdict")


def test_ours_a_damaged_source_is_not_merged(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "a").close()
    (tmp_path / "a" / "checkpoint").unlink()
    with Ledger.open(tmp_path / "all") as into, pytest.raises(LedgerBroken, match="does not verify"):
        merge(into, tmp_path / "a")


def test_ours_batches_larger_than_what_is_read_at_once_are_packed_whole(tmp_path: Path) -> None:
    sizes = [1, 40, 8, 1, 25, 7]  # entries of 60 kB in one batch, and pieces of 256 KiB
    with Ledger.open(tmp_path / "l") as ledger:
        for size in sizes:
            ledger.submit(
                with_personal({"kind": "policy", "policy": "x" * 60_000}, [URL]) for _ in range(size)
            ).result()
    assert kinds(tmp_path / "l") == ["run-start", *["policy"] * sum(sizes), "run-stop"]
    assert [name.suffix for name in (tmp_path / "l" / "log").iterdir()] == [".zst"] * 2
    assert verify(tmp_path / "l").holds
