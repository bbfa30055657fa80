"""The documents that verdicts rest on, each once, by SHA-256, as gzipped WARC records.

Law: what is given back has the digest that was asked for, or it is not given back.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from consentcrawl.errors import ConsentError
from consentcrawl.warc import Document, digest_in, document_of, head_digest, record_of

__all__ = ["Document", "EvidenceStore", "NoEvidence"]

_WARC = ".warc.gz"
_DIGESTS = ".digests"


class NoEvidence(ConsentError, KeyError):
    """The store has no such document, or what it has is damaged."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record lies, and the digest of the head it has."""

    file: str
    offset: int
    length: int
    head: str


class EvidenceStore:
    """A directory of WARC files, one for each process that writes; any number of processes and threads may use it.

    The same content is kept once; the same content under another URL, status or fields is a WARC ``revisit`` record.
    """

    def __init__(self, directory: Path) -> None:
        """Use the store in ``directory``; it is made, private to its owner, by the first document."""
        self.directory = directory
        self._lock = threading.Lock()
        self._places: dict[str, list[_Place]] = {}
        self._read: dict[str, int] = {}
        self._name = f"evidence-{datetime.now(UTC):%Y%m%d%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        self._files: tuple[BinaryIO, BinaryIO] | None = None

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def put(self, url: str, status: int, fields: Iterable[tuple[str, str]], content: bytes, at: float) -> str:
        """Keep a document and return the SHA-256 of its content, in hex; durable after ``sync``."""
        document = Document(url, status, tuple(fields), content, at)
        digest = sha256(content).hexdigest()
        head = head_digest(document)
        with self._lock:
            if not self._known(digest, head):
                self._look_around()
            if not self._known(digest, head):
                self._append(document, digest, head)
        return digest

    def get(self, digest: str) -> Document:
        """The first document with this content; NoEvidence when there is none or it is damaged."""
        return next(self.answers(digest))

    def answers(self, digest: str) -> Iterator[Document]:
        """Every answer that had this content, the first one first; NoEvidence when there is none."""
        with self._lock:
            self._look_around()
            places = list(self._places.get(digest, ()))
        if not places:
            raise NoEvidence(digest)
        content: bytes | None = None
        for place in places:
            document = self._load(place)
            if content is None:
                content = document.content
                if sha256(content).hexdigest() != digest:
                    raise NoEvidence(digest)
            yield replace(document, content=content)

    def sync(self) -> None:
        """Return once everything put by this process is durable: call it before the ledger names a digest."""
        with self._lock:
            for file in self._files or ():
                os.fsync(file.fileno())

    def close(self) -> None:
        """Make everything durable and give the files back."""
        self.sync()
        with self._lock:
            for file in self._files or ():
                file.close()
            self._files = None

    def rebuild(self) -> int:
        """Write every list of digests anew from the documents themselves; return how many documents there are."""
        with self._lock:
            self._places, self._read = {}, {}
            for warc in sorted(self.directory.glob(f"*{_WARC}")):
                found = list(_scan(warc))
                text = "".join(_line(digest, place) for digest, place in found)
                warc.with_name(warc.name.removesuffix(_WARC) + _DIGESTS).write_text(text, "ascii")
            self._look_around()
            return sum(map(len, self._places.values()))

    def _known(self, digest: str, head: str) -> bool:
        return any(place.head == head for place in self._places.get(digest, ()))

    def _append(self, document: Document, digest: str, head: str) -> None:
        if self._files is None:
            self._files = self._open()
        warc, digests = self._files
        record = record_of(document, digest, revisit=digest in self._places)
        place = _Place(self._name + _WARC, warc.tell(), len(record), head)
        warc.write(record)
        line = _line(digest, place).encode()
        digests.write(line)
        self._read[self._name + _DIGESTS] = digests.tell()
        self._places.setdefault(digest, []).append(place)

    def _open(self) -> tuple[BinaryIO, BinaryIO]:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        paths = [self.directory / (self._name + suffix) for suffix in (_WARC, _DIGESTS)]
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        warc, digests = (os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0) for path in paths)
        return warc, digests

    def _look_around(self) -> None:
        """Read what was added to the lists of digests since the last look."""
        for path in sorted(self.directory.glob(f"*{_DIGESTS}")):
            start = self._read.get(path.name, 0)
            if path.stat().st_size > start:
                with path.open("rb") as file:
                    file.seek(start)
                    more = file.read()
                whole = more[: more.rfind(b"\n") + 1]
                self._read[path.name] = start + len(whole)
                for line in whole.decode("ascii").split("\n")[:-1]:
                    digest, offset, length, head = line.split(" ")
                    place = _Place(path.name.removesuffix(_DIGESTS) + _WARC, int(offset), int(length), head)
                    self._places.setdefault(digest, []).append(place)

    def _load(self, place: _Place) -> Document:
        with (self.directory / place.file).open("rb") as file:
            file.seek(place.offset)
            raw = file.read(place.length)
        try:
            return document_of(next(iter(ArchiveIterator(BytesIO(raw)))))
        except (StopIteration, ArchiveLoadFailed, OSError, ValueError, AttributeError) as error:
            msg = f"{place.file} at {place.offset}"
            raise NoEvidence(msg) from error


def _scan(warc: Path) -> Iterator[tuple[str, _Place]]:
    """The digest and place of every whole record of a file; what a crash tore at its end is passed over."""
    with warc.open("rb") as file, suppress(ArchiveLoadFailed, OSError, ValueError, AttributeError):
        records = ArchiveIterator(file)
        for record in records:
            document = document_of(record)
            digest = digest_in(record)
            offset, length = records.get_record_offset(), records.get_record_length()
            if record.rec_type == "revisit" or sha256(document.content).hexdigest() == digest:
                yield digest, _Place(warc.name, offset, length, head_digest(document))


def _line(digest: str, place: _Place) -> str:
    return f"{digest} {place.offset} {place.length} {place.head}\n"
