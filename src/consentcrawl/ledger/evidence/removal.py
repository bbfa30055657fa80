"""Removing documents from a store: the files that have them are written anew without them, under other names."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from pathlib import Path

from consentcrawl.ledger.evidence.places import DIGESTS, WARC, Place, line, listed
from consentcrawl.ledger.files import Files, write_whole


def remove(files: Files, directory: Path, digests: Collection[str]) -> int:
    """Remove every record with one of these digests; return how many there were.

    No store in this directory may be writing. The new files are durable before the old ones are removed; a crash
    between leaves the documents, and removing them can be repeated.
    """
    removed = 0
    for name in files.names(directory):
        if name.endswith(DIGESTS):
            records = list(listed(name, files.read(directory / name).decode("ascii", "replace")))
            kept = [record for record in records if record[0] not in digests]
            if len(kept) < len(records):
                _write_anew(files, directory, name.removesuffix(DIGESTS), kept)
                removed += len(records) - len(kept)
    return removed


def _write_anew(files: Files, directory: Path, old: str, kept: list[tuple[str, str, Place]]) -> None:
    new = f"{old.rsplit('+', 1)[0]}+{secrets.token_hex(4)}"
    content, lines = b"", ""
    for digest, head, place in kept:
        record = files.read(directory / place.file, place.offset, place.length)
        lines += line(digest, head, Place(new + WARC, len(content), len(record)))
        content += record
    if kept:
        write_whole(files, directory / (new + WARC), content)
        write_whole(files, directory / (new + DIGESTS), lines.encode("ascii"))
    for suffix in (DIGESTS, WARC):
        files.remove(directory / (old + suffix))
    files.sync_directory(directory)
