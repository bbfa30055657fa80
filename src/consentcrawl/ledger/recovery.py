"""How a ledger is made, and how it is opened again after whatever happened.

Nothing that was acknowledged is cut, and damage before the newest head is never repaired.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.checkpoint import Checkpoint, SignerKey, new_key, sign
from consentcrawl.ledger.files import Files, write_whole
from consentcrawl.ledger.frames import Batch, frame, frames_in, torn_tail
from consentcrawl.ledger.key_files import KEY_FILE, load_key, load_public, save_key, save_public
from consentcrawl.ledger.log_files import LOG, PERSONAL, Segment, leftovers, live_batches, sealed_batches, segments
from consentcrawl.ledger.tiles import WIDTH
from consentcrawl.ledger.tree import Frontier, leaf_hashes
from consentcrawl.ledger.tree_heads import (
    CHECKPOINT_FILE,
    HEADS_FILE,
    TreeHead,
    last_head,
    newest_head,
)

LOCK_FILE = "lock"
_TWO_WAYS = (
    "give each process a ledger of its own ({process} in the directory's name) and join them by `consentcrawl ledger"
    " merge`, or send all of them through one process, `consentcrawl proxy`"
)


class LedgerTaken(LedgerBroken):
    """Another process writes the ledger."""


@dataclass(slots=True)
class Opened:
    """What is known of a ledger once it is open: the newest head, the tail behind it, and where to go on writing.

    ``leaves`` are the hashes since the last full tile below the head, ``tail`` those behind the head. ``end`` is the
    index of the next entry, ``newest`` the last entry. ``full`` are live segments that were left to be sealed, ``live``
    the one that is written to, ``at`` the byte in it where the next batch goes; ``cut`` counts the torn bytes there.
    """

    signer: SignerKey
    head: TreeHead
    heads_end: int
    leaves: list[bytes] = field(default_factory=list)
    tail: list[bytes] = field(default_factory=list)
    end: int = 0
    newest: bytes = b""
    full: list[Segment] = field(default_factory=list)
    live: Segment | None = None
    at: int = 0
    cut: int = 0


def lock(files: Files, directory: Path, *, create: bool) -> int:
    """Lock the ledger until the handle is closed or the process ends; LedgerBroken when another process writes it."""
    if create:
        files.make_directory(directory)
    try:
        return files.lock(directory / LOCK_FILE)
    except BlockingIOError as error:
        msg = f"{directory} is being written by another process: {_TWO_WAYS}"
        raise LedgerTaken(msg) from error
    except FileNotFoundError as error:
        msg = f"{directory} is not a ledger"
        raise LedgerBroken(msg) from error


def create(files: Files, directory: Path, origin: str = "") -> None:
    """Make an empty ledger, unless there is one; the key comes last, and until then this can be repeated.

    Where there is a key there was a ledger: the key is never written over, and whatever else is missing is damage.
    """
    if KEY_FILE in files.names(directory):
        return
    head, _ = last_head(files, directory)
    if files.names(directory / LOG) or (head is not None and head.frontier.size):
        msg = f"{directory} has entries and no {KEY_FILE}"
        raise LedgerBroken(msg)
    for folder in (directory, directory / LOG, directory / PERSONAL):
        files.make_directory(folder)
    files.sync_directory(directory.parent)
    key = new_key(origin or f"consentcrawl-ledger/{secrets.token_hex(8)}")
    save_public(files, directory, [key.verifier])
    empty = Frontier()
    note = sign(Checkpoint(key.name, 0, empty.root()), [key]).encode()
    write_whole(files, directory / HEADS_FILE, frame(TreeHead(note, empty).payload))
    write_whole(files, directory / CHECKPOINT_FILE, note)
    save_key(files, directory, key)


def reopen(files: Files, directory: Path) -> Opened:
    """Read the newest head, hash the tail behind it, and cut off what was torn; LedgerBroken when more is damaged."""
    signer = load_key(files, directory)
    known = load_public(files, directory)
    if signer.verifier not in known:
        msg = f"{directory}: the signing key is not among the public ones"
        raise LedgerBroken(msg)
    head, end = newest_head(files, directory, known)
    for path in leftovers(files, directory):
        files.remove(path)
    opened = Opened(signer, head, end)
    found = segments(files, directory)
    _read_sealed(files, directory, opened, [segment for segment in found if segment.end is not None])
    for segment in found:
        if segment.end is None:
            _read_live(files, directory, opened, segment)
    if opened.end < head.frontier.size:
        msg = f"entries {opened.end} to {head.frontier.size}, which the newest head has, are missing or damaged"
        raise LedgerBroken(msg)
    _cut_tail(files, directory, opened)
    return opened


def _read_sealed(files: Files, directory: Path, opened: Opened, sealed: list[Segment]) -> None:
    """Take the hashes since the last full tile, and the last entry, from the sealed segments."""
    size = opened.head.frontier.size
    opened.end = sealed[-1].end or 0 if sealed else 0
    if opened.end > size:
        msg = f"entries up to {opened.end} were sealed, and the newest head has {size}"
        raise LedgerBroken(msg)
    start = min(_last_full(size), opened.end - 1)
    for segment in sealed:
        if (segment.end or 0) > start:
            for batch in sealed_batches(files, directory, segment, start):
                _take(opened, batch)


def _read_live(files: Files, directory: Path, opened: Opened, segment: Segment) -> None:
    """Take what is whole of a live segment; only the last one may end in something torn."""
    if segment.first != opened.end:
        msg = f"entries {opened.end} to {segment.first} are missing or damaged"
        raise LedgerBroken(msg)
    opened.full += [opened.live] if opened.live else []
    opened.live, opened.at = segment, 0
    data = files.read(directory / LOG / segment.name)
    for opened.at, batch in live_batches(frames_in(data), segment.first):
        _take(opened, batch)


def _take(opened: Opened, batch: Batch) -> None:
    """Hash what of a batch lies behind the last full tile below the head."""
    opened.end, opened.newest = batch.first + len(batch.entries), batch.entries[-1]
    size = opened.head.frontier.size
    start = max(batch.first, _last_full(size))
    hashes = leaf_hashes(batch.entries[start - batch.first :])
    below = max(0, size - start)
    opened.leaves += hashes[:below]
    opened.tail += hashes[below:]


def _cut_tail(files: Files, directory: Path, opened: Opened) -> None:
    """Overwrite with zeros what a crash left of a batch that was never acknowledged."""
    if opened.live is None:
        return
    path = directory / LOG / opened.live.name
    try:
        opened.cut = torn_tail(files.read(path, opened.at), opened.end)
    except ValueError as error:
        msg = f"{path}: {error}"
        raise LedgerBroken(msg) from error
    if not opened.cut:
        return
    handle = files.open(path)
    try:
        files.write(handle, bytes(opened.cut), opened.at)
        files.sync(handle)
    finally:
        files.close(handle)


def _last_full(size: int) -> int:
    return size - size % WIDTH
