"""Where the records of a store lie: in WARC files, each with a list of digests beside it.

What a crash tore at the end of a file is passed over, and what a failed write left there is written over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from consentcrawl.ledger.evidence.warc import UNREADABLE, digest_in, document_of, head_digest
from consentcrawl.ledger.files import Files

WARC = ".warc.gz"
DIGESTS = ".digests"
_LINE = re.compile("^([0-9a-f]{64}) ([0-9]{1,15}) ([0-9]{1,15}) ([0-9a-f]{32})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies."""

    file: str
    offset: int
    length: int


class Tail:
    """The end of a file that is being written: what a failed write left there is written over."""

    def __init__(self, files: Files, path: Path) -> None:
        """Begin at its beginning."""
        self._files, self.handle, self.end = files, files.open(path), 0

    def add(self, data: bytes) -> None:
        """Write behind everything written so far."""
        self._files.write(self.handle, data, self.end)
        self.end += len(data)


def scan(warc: Path) -> Iterator[tuple[str, str, Place]]:
    """Digest, head and place of every whole record of a file; what a crash tore at its end is passed over."""
    with warc.open("rb") as file, suppress(*UNREADABLE):
        records = ArchiveIterator(file)
        for record in records:
            document = document_of(record)
            digest = digest_in(record)
            offset, length = records.get_record_offset(), records.get_record_length()
            if record.rec_type == "revisit" or sha256(document.content).hexdigest() == digest:
                yield digest, head_digest(document), Place(warc.name, offset, length)


def line(digest: str, head: str, place: Place) -> str:
    """What the list of digests says of a record."""
    return f"{digest} {place.offset} {place.length} {head}\n"


def listed(name: str, text: str) -> Iterator[tuple[str, str, Place]]:
    """Digest, head and place of every record that the list called ``name`` tells of."""
    for digest, offset, length, head in _LINE.findall(text):
        yield digest, head, Place(name.removesuffix(DIGESTS) + WARC, int(offset), int(length))
