"""Many ledgers into one: every head of a source, then every entry of it, with the index it had there.

A merged entry is the source's own, byte for byte, inside the new one; its old proofs still hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.entry import Part, decode, encode
from consentcrawl.ledger.erasure import batched
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.log_files import batches
from consentcrawl.ledger.reading import lines
from consentcrawl.ledger.tree_heads import kept_heads
from consentcrawl.ledger.verify import verify

_GROUP = 256


def merge(into: Ledger, source: Path, *, files: Files = OS_FILES) -> int:
    """Append all of ``source`` that a head covers and ``into`` does not have yet; return how many entries that were.

    Raises LedgerBroken when the source does not verify. May be repeated as the source grows.
    """
    report = verify(source, files=files)
    if not report.holds:
        msg = f"{source} does not verify: {report.findings[0]}"
        raise LedgerBroken(msg)
    done = _merged(into.directory, report.origin, files)
    _append_heads(into, source, done, files)
    group: list[Part] = []
    for index, entry, personal in _parts(source, done, report.size, files):
        group.append((_wrapped(report.origin, index, entry), personal))
        if len(group) == _GROUP:
            _append(into, group)
            group = []
    _append(into, group)
    _append_erasures(into, report.origin, files)
    return max(0, report.size - done)


def _merged(directory: Path, origin: str, files: Files) -> int:
    """How many entries of the source were merged before."""
    mine = (line.record for line in lines(directory, files=files) if line.record.get("kind") == "merged")
    return max((record["index"] + 1 for record in mine if record["origin"] == origin), default=0)


def _append_heads(into: Ledger, source: Path, done: int, files: Files) -> None:
    heads, _ = kept_heads(files, source)
    for head in heads:
        if head.frontier.size > done:
            into.append({"kind": "head", "at": into.now(), "checkpoint": head.note.decode()})


def _parts(source: Path, start: int, end: int, files: Files) -> Iterator[tuple[int, bytes, bytes]]:
    for batch in batches(files, source, start):
        for index, (entry, personal) in enumerate(zip(batch.entries, batch.personal, strict=True), batch.first):
            if start <= index < end:
                yield index, entry, personal


def _wrapped(origin: str, index: int, entry: bytes) -> bytes:
    record: dict[str, Any] = {"kind": "merged", "origin": origin, "index": index, "entry": decode(entry)}
    return encode(record)


def _append(into: Ledger, group: list[Part]) -> None:
    if group:
        into.submit(group).result()


def _append_erasures(into: Ledger, origin: str, files: Files) -> None:
    """Say of merged entries whose personal part the source had erased that it was, under their new index."""
    erased: set[int] = set()
    gone: list[int] = []
    for line in lines(into.directory, files=files):
        record = line.record
        erased.update(record["entries"] if record.get("kind") == "erasure" else ())
        if record.get("kind") == "merged" and record["origin"] == origin and _bare(record["entry"]) and not line.urls:
            gone.append(line.index)
    for some in batched([index for index in gone if index not in erased]):
        into.append({"kind": "erasure", "at": into.now(), "entries": some})


def _bare(record: dict[str, Any]) -> bool:
    """Return whether an entry, or the one within it, commits to a personal part."""
    return "personal" in record or ("entry" in record and _bare(record["entry"]))
