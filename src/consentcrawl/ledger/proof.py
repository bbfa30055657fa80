"""A proof that one entry is in the ledger, small enough to mail, checked with neither ledger nor network.

A proof is handed out only after it was checked here.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    parse_note,
    parse_text,
    parse_verifier,
    signers_of,
)
from consentcrawl.ledger.entry import ROW_SALT_BYTES, SALT_BYTES, BadEntry, canonical, commitment, decode, urls_of
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.key_files import load_public
from consentcrawl.ledger.log_files import parts_at
from consentcrawl.ledger.reading import tile_hashes
from consentcrawl.ledger.tiles import node_from
from consentcrawl.ledger.tree import inclusion_path, leads_to, leaf_hash
from consentcrawl.ledger.tree_heads import newest_head

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_PARTS = {"entry", "key", "personal", "row"}
_LONGEST = 512 * 1024
_MOST_HASHES = 64


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a Parquet segment: the record that is hashed, its place, the path to the root, its personal part."""

    record: dict[str, Any]
    index: int
    path: Sequence[bytes]
    personal: bytes


@dataclass(frozen=True, slots=True)
class ProofResult:
    """What a proof shows: the record, its URLs, where it stands, and who signed; ``problems`` is empty when it holds.

    ``trusted`` is False when the key was taken from the proof itself: then only the holder of that key vouches for it.
    """

    problems: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    urls: tuple[str, ...] = ()
    index: int = -1
    checkpoint: Checkpoint | None = None
    key: VerifierKey | None = None
    trusted: bool = False

    @property
    def holds(self) -> bool:
        """Return whether nothing is wrong with it."""
        return not self.problems


def prove(
    directory: Path, index: int, *, files: Files = OS_FILES, row: Row | None = None, head: bytes | None = None
) -> bytes:
    """The proof of the entry at ``index``, and of one row of the segment that it names, under the newest head.

    Or under ``head``, one of this ledger's that somebody kept: then they need believe no other.

    A C2SP tlog-proof whose extra data is the entry with its personal part: about 2 KB. Raises IndexError for an entry
    that no head covers yet, LedgerBroken when the ledger does not bear the proof out.
    """
    known = load_public(files, directory)
    note = newest_head(files, directory, known)[0].note if head is None else head
    size = open_checkpoint(note, known).size
    path = inclusion_path(index, size, node_from(tile_hashes(files, directory, size)))
    entry, personal = parts_at(files, directory, index)
    signer = signers_of(parse_note(note), known)[-1]
    proof = _write(index, path, note.decode(), _extra(entry, personal, signer, row))
    wrong = check_proof(proof, signer).problems
    if wrong:
        msg = f"{directory}: entry {index} cannot be proved: {'; '.join(wrong)}"
        raise LedgerBroken(msg)
    return proof


def check_proof(proof: bytes, key: VerifierKey | str | None = None) -> ProofResult:
    """Check a proof against the log's public ``key`` (``name+id+key``, from ``key.pub``); nothing else is needed.

    Without a key the one that the proof names is used, and the result is not ``trusted``. Shows that the entry was in
    the log when the head was signed; that the log is the same for everybody only a head kept elsewhere shows.
    """
    try:
        return _checked(proof[:_LONGEST].decode(), key)
    except (BadCheckpoint, BadEntry, ValueError, KeyError, TypeError, AttributeError) as error:
        return ProofResult((f"not a proof: {error}",))


def _checked(text: str, key: VerifierKey | str | None) -> ProofResult:
    extra, index, path, note = _read(text)
    known = parse_verifier(extra["key"] if key is None else key) if not isinstance(key, VerifierKey) else key
    problems = []
    try:
        checkpoint = open_checkpoint(note, [known])
    except BadCheckpoint as error:
        checkpoint = parse_text(parse_note(note).text)
        problems.append(str(error))
    record, salt = extra["entry"], SALT_BYTES
    if not leads_to(checkpoint.root, index, checkpoint.size, leaf_hash(canonical(record)), path):
        problems.append("the path does not lead from the entry to the head")
    if "row" in extra:
        problems += _row_problems(record, extra["row"])
        record, salt = extra["row"]["record"], ROW_SALT_BYTES
    urls, wrong = _personal(record, extra.get("personal"), salt)
    return ProofResult((*problems, *wrong), record, urls, index, checkpoint, known, key is not None)


def _row_problems(segment: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    """What is wrong with the way from a row to the root that the segment's entry names."""
    segment = _inner(segment)
    path = [b64decode(each, validate=True) for each in row["path"]]
    leaf = leaf_hash(canonical(row["record"]))
    if leads_to(b64decode(segment["root"], validate=True), row["index"], segment["rows"], leaf, path):
        return []
    return ["the path does not lead from the row to the segment"]


def _personal(record: Mapping[str, Any], personal: str | None, salt: int) -> tuple[tuple[str, ...], list[str]]:
    """The URLs of the personal part, and what is wrong with it; that it was erased is nothing wrong."""
    if personal is None:
        return (), []
    raw = b64decode(personal, validate=True)
    if _inner(record).get("personal") != commitment(raw):
        return (), ["the URL is not the one that the entry commits to"]
    return tuple(urls_of(raw, salt)), []


def _inner(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record itself, or the one that was merged in: root and commitment are the source's."""
    while "entry" in record:
        record = record["entry"]
    return record


def _extra(entry: bytes, personal: bytes, signer: VerifierKey, row: Row | None) -> bytes:
    said: dict[str, Any] = {"entry": decode(entry), "key": str(signer)}
    if row is not None:
        path = [b64encode(each).decode() for each in row.path]
        said["row"] = {"record": row.record, "index": row.index, "path": path}
        personal = row.personal
    return canonical(said | ({"personal": b64encode(personal).decode()} if personal else {}))


def _write(index: int, path: Sequence[bytes], note: str, extra: bytes) -> bytes:
    """C2SP tlog-proof, "Format"."""
    hashes = [b64encode(each).decode() for each in path]
    return "\n".join([_FIRST_LINE, f"extra {b64encode(extra).decode()}", f"index {index}", *hashes, "", note]).encode()


def _read(text: str) -> tuple[dict[str, Any], int, list[bytes], bytes]:
    above, _, note = text.partition("\n\n")
    first, extra, index, *hashes = above.split("\n")
    number = index.removeprefix("index ")
    if (
        first != _FIRST_LINE
        or not extra.startswith("extra ")
        or str(int(number)) != number
        or len(hashes) > _MOST_HASHES
    ):
        msg = "not laid out as C2SP tlog-proof says"
        raise ValueError(msg)
    path = [b64decode(each, validate=True) for each in hashes]
    said = decode(b64decode(extra[6:], validate=True))
    if not said.keys() <= _PARTS:
        msg = "says more than a proof does"
        raise ValueError(msg)
    return said, int(number), path, note.encode()
