"""Every signed head the ledger ever had, and the tiles below it.

A head is kept in ``heads.log`` before it is shown in ``checkpoint``, and only entries that are durable are in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    SignerKey,
    VerifierKey,
    open_checkpoint,
    parse_note,
    parse_text,
    sign,
)
from consentcrawl.ledger.files import Files, write_synced, write_whole
from consentcrawl.ledger.frames import SECTOR, frame, frames_in, payload_at
from consentcrawl.ledger.tiles import WIDTH, full_after, partial_at, path_of, split
from consentcrawl.ledger.tree import HASH_BYTES, Frontier, complete_root

HEADS_FILE = "heads.log"
CHECKPOINT_FILE = "checkpoint"


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A checkpoint as it was signed, the tree's growing edge at that size, and the digest of the head before it."""

    note: bytes
    frontier: Frontier
    before: bytes = bytes(HASH_BYTES)

    def __post_init__(self) -> None:
        """Refuse a head whose edge does not give its root."""
        if self.checkpoint.root != self.frontier.root():
            msg = "the head's root is not that of its frontier"
            raise BadCheckpoint(msg)

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says; whether it is signed is another question."""
        return parse_text(parse_note(self.note).text)

    @property
    def payload(self) -> bytes:
        """The head as a frame of ``heads.log`` has it."""
        return self.note + b"\0" + self.before + b"".join(self.frontier.hashes)

    @property
    def digest(self) -> bytes:
        """What the head after it names it by, so that none can be taken out of their row."""
        return sha256(self.payload).digest()


def head_of(payload: bytes) -> TreeHead:
    """The head in a frame; BadCheckpoint when it is none."""
    note, _, rest = payload.partition(b"\0")
    size = parse_text(parse_note(note).text).size
    if len(rest) != (1 + size.bit_count()) * HASH_BYTES:
        msg = "the head's frontier has the wrong length"
        raise BadCheckpoint(msg)
    before, *hashes = split(rest)
    return TreeHead(note, Frontier(size, hashes), before)


def kept_heads(files: Files, directory: Path) -> tuple[list[TreeHead], int]:
    """Every head, oldest first, and the bytes of one that a crash tore; LedgerBroken when an older one is damaged."""
    data = files.read(directory / HEADS_FILE)
    heads, end = [], 0
    for end, payload in frames_in(data):  # noqa: B007 (used below)
        heads.append(_trusted(payload))
    if any(payload_at(data, at) is not None for at in range(end + SECTOR, len(data), SECTOR)):
        msg = f"{HEADS_FILE} is damaged at byte {end}"
        raise LedgerBroken(msg)
    return heads, len(data) - end


def last_head(files: Files, directory: Path) -> tuple[TreeHead | None, int]:
    """The newest whole head, or None, and where it ends; found from the end, so that a long log opens at once."""
    try:
        data = files.read(directory / HEADS_FILE)
    except FileNotFoundError:
        return None, 0
    for at in range((len(data) - 1) // SECTOR * SECTOR, -1, -SECTOR):
        payload = payload_at(data, at)
        if payload is not None:
            end, _ = next(frames_in(data, at), (len(data), b""))
            return _trusted(payload), end
    return None, 0


def shown_checkpoint(files: Files, directory: Path) -> bytes | None:
    """The signed note in ``checkpoint``, or None where there is no such file."""
    try:
        return files.read(directory / CHECKPOINT_FILE)
    except FileNotFoundError:
        return None


def newest_head(files: Files, directory: Path, known: Sequence[VerifierKey]) -> tuple[TreeHead, int]:
    """The head to go on from, and where it ends; LedgerBroken when a newer one was shown or it is not ours."""
    head, end = last_head(files, directory)
    shown = shown_checkpoint(files, directory)
    if head is None or shown is None:
        msg = f"{HEADS_FILE} or {CHECKPOINT_FILE} is missing or damaged"
        raise LedgerBroken(msg)
    try:
        ours = open_checkpoint(head.note, known)
        newest = open_checkpoint(shown, known)
    except BadCheckpoint as error:
        raise LedgerBroken(str(error)) from error
    if newest.size > ours.size or newest.origin != ours.origin or (newest.size == ours.size and newest != ours):
        msg = f"{CHECKPOINT_FILE} shows a head of {newest.size} entries that {HEADS_FILE} does not have"
        raise LedgerBroken(msg)
    return head, end


class TreeHeadLog:
    """Signs heads and keeps them: tiles first, then ``heads.log``, then ``checkpoint``."""

    __slots__ = ("_before", "_directory", "_end", "_files", "_handle", "_leaves", "_signers", "_tiled", "_touched",
                 "note", "origin", "size")  # fmt: skip

    def __init__(  # noqa: PLR0913 (where, who, and from where on)
        self, files: Files, directory: Path, signer: SignerKey, *, head: TreeHead, end: int, leaves: Sequence[bytes]
    ) -> None:
        """Go on after ``head``, which ends at byte ``end``; ``leaves`` are those since the last full tile below it."""
        self._files, self._directory, self._end = files, directory, end
        self._signers: tuple[SignerKey, ...] = (signer,)
        self.note, self.origin, self.size = head.note, head.checkpoint.origin, head.frontier.size
        self._leaves, self._tiled = list(leaves), self.size - self.size % WIDTH
        self._before = head.digest
        self._touched: set[Path] = set()
        self._handle = files.open(directory / HEADS_FILE)
        files.truncate(self._handle, end)

    def keep(self, frontier: Frontier, leaves: Sequence[bytes]) -> None:
        """Sign the head at ``frontier``; ``leaves`` are the hashes added since the head before."""
        self._leaves += leaves
        self._write_tiles(frontier.size)
        self._sign(frontier)

    def change_key(self, fresh: SignerKey, frontier: Frontier) -> None:
        """Sign the present head with the old key and the new one, and go on with the new one."""
        self._signers = (*self._signers, fresh)
        self._sign(frontier)
        self._signers = (fresh,)

    def write_partial_tiles(self) -> None:
        """Write the tiles that are partial at the present head (C2SP tlog-tiles: served for a published checkpoint)."""
        for level, number, width in partial_at(self.size):
            roots = self._leaves if level == 0 else [self._root(level - 1, number * WIDTH + n) for n in range(width)]
            path = self._directory / path_of(level, number, width)
            self._files.make_directory(path.parent)
            write_whole(self._files, path, b"".join(roots))

    def close(self) -> None:
        """Return the file back."""
        self._files.close(self._handle)

    def _sign(self, frontier: Frontier) -> None:
        note = sign(Checkpoint(self.origin, frontier.size, frontier.root()), self._signers).encode()
        head = TreeHead(note, frontier, self._before)
        kept = frame(head.payload)
        self._files.write(self._handle, kept, self._end)
        self._files.sync(self._handle)
        self._end += len(kept)
        write_whole(self._files, self._directory / CHECKPOINT_FILE, note)
        self.note, self.size, self._before = note, frontier.size, head.digest

    def _write_tiles(self, size: int) -> None:
        """Write the tiles that filled since the head before."""
        for level, number in full_after(self._tiled, size):
            if level == 0:
                roots, self._leaves = self._leaves[:WIDTH], self._leaves[WIDTH:]
            else:
                roots = [self._root(level - 1, number * WIDTH + n) for n in range(WIDTH)]
            self._write_tile(path_of(level, number), roots)
        self._tiled = size - size % WIDTH
        self._sync_names()

    def _write_tile(self, name: str, hashes: Sequence[bytes]) -> None:
        path = self._directory / name
        self._files.make_directory(path.parent)
        write_synced(self._files, path, b"".join(hashes))
        self._touched.update(path.relative_to(self._directory).parents)

    def _sync_names(self) -> None:
        for directory in sorted(self._touched):
            self._files.sync_directory(self._directory / directory)
        self._touched.clear()

    def _root(self, level: int, number: int) -> bytes:
        return complete_root(split(self._files.read(self._directory / path_of(level, number))))


def _trusted(payload: bytes) -> TreeHead:
    """A head out of a frame that is whole; LedgerBroken when it is still none."""
    try:
        return head_of(payload)
    except BadCheckpoint as error:
        msg = f"{HEADS_FILE}: {error}"
        raise LedgerBroken(msg) from error
