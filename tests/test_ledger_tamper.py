"""Whoever changes, removes, swaps or doubles anything is found; who rewrites it all, by a head kept elsewhere."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from consentcrawl.ledger import frames
from consentcrawl.ledger.checkpoint import Checkpoint, sign
from consentcrawl.ledger.files import OS_FILES
from consentcrawl.ledger.key_files import load_key
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.log_files import LOG
from consentcrawl.ledger.records import with_personal
from consentcrawl.ledger.tree import EMPTY_ROOT, Frontier
from consentcrawl.ledger.tree_heads import TreeHead
from consentcrawl.ledger.verify import verify

URL = "https://a.example/{}"


def filled(directory: Path, *, close: bool) -> str:
    """A ledger of some hundred entries, closed or as it lies while open; its newest head."""
    ledger = Ledger.open(directory, segment_bytes=32 * 1024)
    for step in range(40):
        ledger.submit(
            [with_personal({"kind": "outcome", "n": n}, [URL.format(n)]) for n in range(step * 8, step * 8 + 8)]
        ).result()
        if step % 13 == 0:
            ledger.sign()
    ledger.change_key()
    head = ledger.sign()
    if close:
        ledger.close()
        return ledger.checkpoint
    return head


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A ledger that was closed, and one as it lies while another writes it."""
    home = tmp_path_factory.mktemp("tamper")
    filled(home / "closed", close=True)
    filled(home / "open", close=False)
    return [home / "closed", home / "open"]


def used(path: Path) -> bytes:
    """What of a file is content: a live segment ends in room that was reserved."""
    data = path.read_bytes()
    return data.rstrip(b"\0") if path.suffix == ".seg" else data


def flip(data: bytes, chance: random.Random) -> bytes:
    """One bit."""
    at = chance.randrange(len(data) * 8)
    changed = bytearray(data)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def flip_and_repair(data: bytes, chance: random.Random) -> bytes:
    """One bit of a frame's payload, and the check sum made good again."""
    found = [payload for _, payload in frames.frames_in(data)]
    at = chance.randrange(len(found))
    found[at] = flip(found[at], chance)
    return b"".join(map(frames.frame, found))


def rearrange(data: bytes, chance: random.Random) -> bytes:
    """One frame removed, doubled, swapped with the next, or the end cut."""
    found = [frames.frame(payload) for _, payload in frames.frames_in(data)]
    at = chance.randrange(len(found) - 1)
    ways: list[Callable[[], list[bytes]]] = [
        lambda: found[:at] + found[at + 1 :],
        lambda: found[: at + 1] + found[at:],
        lambda: [*found[:at], found[at + 1], found[at], *found[at + 2 :]],
        lambda: found[: at + 1],
    ]
    return b"".join(chance.choice(ways)())


def tampered(directory: Path, chance: random.Random) -> tuple[str, Path, bytes]:
    """A way to tamper, the file, and what it is changed to; a bit of any file, or more of those that have frames."""
    framed = [*directory.glob(f"{LOG}/*.seg"), directory / "heads.log"]
    plain = [
        path
        for path in directory.rglob("*")
        if path.is_file() and path.name not in {"lock", "key"} and path.suffix != ".seg"
    ]
    ways: list[tuple[Callable[[bytes, random.Random], bytes], list[Path]]] = [
        (flip, plain + framed), (flip, framed), (flip, [directory / "checkpoint"]),
        (flip_and_repair, framed), (rearrange, framed),
    ]  # fmt: skip
    way, paths = chance.choice(ways)
    path = chance.choice(paths)
    return way.__name__, path, way(used(path), chance)


def unfound(directory: Path, rounds: range) -> list[str]:
    """Tamper so many times, once each; what was not found."""
    missed = []
    for seed in rounds:
        name, path, changed = tampered(directory, random.Random(seed))  # noqa: S311 (seeded, repeatable)
        before = path.read_bytes()
        path.write_bytes(changed.ljust(len(before), b"\0") if path.suffix == ".seg" else changed)
        if verify(directory).holds:
            missed.append(f"{seed}: {name} {path.relative_to(directory)}")
        path.write_bytes(before)
    return missed


def test_ours_every_single_tampering_is_found(ledgers: list[Path]) -> None:
    assert [verify(directory).findings for directory in ledgers] == [[], []]
    assert [unfound(directory, range(100)) for directory in ledgers] == [[], []]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ours_1600_tamperings_are_found(ledgers: list[Path]) -> None:
    assert [unfound(directory, range(1000, 1800)) for directory in ledgers] == [[], []]


def test_ours_every_removed_file_is_found(ledgers: list[Path], tmp_path: Path) -> None:
    for directory in ledgers:
        for path in [path for path in directory.rglob("*") if path.is_file() and path.name not in {"lock", "key"}]:
            if ".p" in str(path):
                continue  # a partial tile is a convenience
            shutil.move(path, tmp_path / "away")
            assert not verify(directory).holds, path
            shutil.move(tmp_path / "away", path)


def test_ours_a_rewrite_with_the_key_is_found_by_a_kept_head_only(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "true", origin="example.com/log") as ledger:
        ledger.append({"kind": "outcome", "told": "truth"})
        kept = ledger.sign()
    forge(tmp_path / "true", tmp_path / "false")
    assert verify(tmp_path / "false").holds
    assert "did not rewrite" in verify(tmp_path / "false").does_not_prove
    report = verify(tmp_path / "false", witness=kept)
    assert not report.holds
    assert report.witnessed
    assert "did not rewrite" not in verify(tmp_path / "true", witness=kept).does_not_prove
    assert verify(tmp_path / "true", witness=kept.encode()).holds


def forge(true: Path, false: Path) -> None:
    """What the key's holder can do: another history in the same name."""
    Ledger.open(false, origin="example.com/log").close()
    for path in [*false.glob("log/*"), *false.glob("personal/*")]:
        path.unlink()
    for name in ("key", "key.pub"):
        shutil.copy(true / name, false / name)
    note = sign(Checkpoint("example.com/log", 0, EMPTY_ROOT), [load_key(OS_FILES, false)]).encode()
    (false / "heads.log").write_bytes(frames.frame(TreeHead(note, Frontier()).payload))
    (false / "checkpoint").write_bytes(note)
    with Ledger.open(false) as ledger:
        ledger.append({"kind": "outcome", "told": "lie"})


def test_ours_a_roll_back_is_found_by_a_kept_head_only(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger") as ledger:
        ledger.append({"kind": "outcome", "n": 1})
    shutil.copytree(tmp_path / "ledger", tmp_path / "old")
    with Ledger.open(tmp_path / "ledger") as ledger:
        ledger.append({"kind": "outcome", "n": 2})
    assert verify(tmp_path / "old").holds
    assert "under all 2 heads" in verify(tmp_path / "old").proves
    report = verify(tmp_path / "old", witness=ledger.checkpoint)
    assert any("rolled back" in finding for finding in report.findings)
    assert report.proves == "The ledger is not what was signed."


def test_ours_a_witness_of_another_ledger_or_a_wrong_first_key_is_told(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "one").close()
    Ledger.open(tmp_path / "other").close()
    other = (tmp_path / "other" / "checkpoint").read_text()
    assert not verify(tmp_path / "one", witness=other).holds
    assert not verify(tmp_path / "one", witness="nonsense").holds
    keys = [(tmp_path / name / "key.pub").read_text().strip() for name in ("one", "other")]
    assert verify(tmp_path / "one", key=keys[0]).holds
    assert not verify(tmp_path / "one", key=keys[1]).holds
    assert not verify(tmp_path / "none").holds
