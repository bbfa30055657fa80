"""The documents that verdicts rest on, each once, by SHA-256, as gzipped WARC records.

What is given back has the digest that was asked for, or it is not given back; a document is in the list of
digests only once it is durable.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from warcio.archiveiterator import ArchiveIterator

from consentcrawl.errors import ConsentError
from consentcrawl.ledger.evidence import evidence_list
from consentcrawl.ledger.evidence.evidence_list import LookedUp
from consentcrawl.ledger.evidence.places import DIGESTS, WARC, Place, Tail, line, listed, scan
from consentcrawl.ledger.evidence.warc import NO_STATUS, UNREADABLE, Document, document_of, head_digest, record_of
from consentcrawl.ledger.files import OS_FILES, Files, write_synced

__all__ = ["Document", "EvidenceStore", "NoEvidence", "urn"]

_READ_LISTS_EVERY = (
    1.0  # seconds: what another process keeps meanwhile is kept twice, which costs room and nothing else
)


class NoEvidence(ConsentError, KeyError):
    """The store has no such document, or what it has is damaged."""


def urn(name: str) -> str:
    """The URL of a document that no server sent as it stands: it names what it is, and no work."""
    return f"urn:consentcrawl:{name}"


class EvidenceStore:
    """A directory of WARC files, one for each process that writes; any number of processes and threads may use it.

    The same content is kept once; the same content under another URL, status or fields is a WARC ``revisit`` record.
    Other processes see a document after ``sync``. Every method that writes raises OSError when it fails.
    """

    def __init__(self, directory: Path, *, files: Files = OS_FILES) -> None:
        """Use the store in ``directory``; it is made, private to its owner, by the first document."""
        self.directory, self._files = directory, files
        self._lock = threading.Lock()
        self._places: dict[str, dict[str, Place]] = {}
        self._read: dict[str, int] = {}
        self._name = f"evidence-{datetime.now(UTC):%Y%m%d%H%M%S}-{os.getpid()}-{secrets.token_hex(4)}"
        self._tails: tuple[Tail, Tail] | None = None
        self._unlisted: list[str] = []
        self._lists_due = 0.0

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
        digest, head = sha256(content).hexdigest(), head_digest(document)
        with self._lock:
            if not self._known(digest, head, status) and monotonic() >= self._lists_due:
                self._read_lists()
                self._lists_due = monotonic() + _READ_LISTS_EVERY
            if not self._known(digest, head, status):
                self._append(document, digest, head)
        return digest

    def note(self, name: str, media_type: str, content: bytes, at: float) -> str:
        """Keep a document that no server sent as it stands, under the URL ``urn(name)``; as ``put``."""
        return self.put(urn(name), NO_STATUS, [("Content-Type", media_type)], content, at)

    def get(self, digest: str) -> Document:
        """The first document with this content; NoEvidence when there is none or it is damaged."""
        return next(self.answers(digest))

    def answers(self, digest: str) -> Iterator[Document]:
        """Every answer that had this content, the first one first; NoEvidence when there is none."""
        places = list(self._found(digest).values())
        content: bytes | None = None
        for place in places:
            document = self._load(place)
            if content is None:
                content = document.content
                if sha256(content).hexdigest() != digest:
                    raise NoEvidence(digest)
            yield replace(document, content=content)

    def behind(self, digests: Iterable[str]) -> Iterator[tuple[LookedUp, Document | None]]:
        """Every look-up and document that the digests of an entry lead to, lists of look-ups read out.

        None stands for a look-up that nothing answered, or whose content is a work and so not kept. Raises NoEvidence.
        """
        for digest in digests:
            document = self.get(digest)
            if ("Content-Type", evidence_list.MEDIA_TYPE) not in document.fields:
                yield _as_looked_up(document, digest), document
                continue
            for each in evidence_list.read(document.content):
                yield each, self._answer(each) if each.digest else None

    def adopt(self, other: Path) -> int:
        """Take over, durably, every file of the store in ``other``; return how many there were."""
        found = sorted(path for path in other.glob("evidence-*") if path.suffix in {".gz", DIGESTS})
        if found:
            self._files.make_directory(self.directory)
        for path in found:
            write_synced(self._files, self.directory / path.name, path.read_bytes())
        if found:
            self._files.sync_directory(self.directory)
        return len(found)

    def sync(self) -> None:
        """Return once everything put by this process is durable: call it before the ledger names a digest."""
        with self._lock:
            if self._tails is None or not self._unlisted:
                return
            warc, digests = self._tails
            self._files.sync(warc.handle)
            digests.add("".join(self._unlisted).encode())
            self._files.sync(digests.handle)
            self._read[self._name + DIGESTS] = digests.end
            self._unlisted.clear()

    def close(self) -> None:
        """Make everything durable and give the files back."""
        try:
            self.sync()
        finally:
            with self._lock:
                tails, self._tails = self._tails, None
                for tail in tails or ():
                    self._files.close(tail.handle)

    def rebuild(self) -> int:
        """Write every list of digests anew from the documents themselves; return how many documents there are."""
        self.sync()
        with self._lock:
            self._places, self._read = {}, {}
            for warc in sorted(self.directory.glob(f"*{WARC}")):
                found = list(scan(warc))
                text = "".join(line(digest, head, place) for digest, head, place in found)
                warc.with_name(warc.name.removesuffix(WARC) + DIGESTS).write_text(text, "ascii")
            self._read_lists()
            return sum(map(len, self._places.values()))

    def _known(self, digest: str, head: str, status: int) -> bool:
        """Return whether a document is kept; one that no server sent is the same wherever it was found."""
        heads = self._places.get(digest, ())
        return bool(heads) if status == NO_STATUS else head in heads

    def _found(self, digest: str) -> dict[str, Place]:
        with self._lock:
            self._read_lists()
            found = dict(self._places.get(digest, ()))
        if not found:
            raise NoEvidence(digest)
        return found

    def _answer(self, looked_up: LookedUp) -> Document:
        """The content of a look-up under the head it had; NoEvidence when that is not there any more."""
        first, place = self.get(looked_up.digest), self._found(looked_up.digest).get(looked_up.head)
        if place is None and looked_up.head:
            raise NoEvidence(looked_up.digest)
        document = first if place is None else replace(self._load(place), content=first.content)
        if looked_up.head and head_digest(document) != looked_up.head:
            raise NoEvidence(looked_up.digest)
        return document

    def _append(self, document: Document, digest: str, head: str) -> None:
        if self._tails is None:
            self._tails = self._open()
        warc, _ = self._tails
        record = record_of(document, digest, revisit=digest in self._places)
        place = Place(self._name + WARC, warc.end, len(record))
        warc.add(record)
        self._unlisted.append(line(digest, head, place))
        self._places.setdefault(digest, {})[head] = place

    def _open(self) -> tuple[Tail, Tail]:
        self._files.make_directory(self.directory)
        warc, digests = (Tail(self._files, self.directory / (self._name + suffix)) for suffix in (WARC, DIGESTS))
        self._files.sync_directory(self.directory)
        self._files.sync_directory(self.directory.parent)
        return warc, digests

    def _read_lists(self) -> None:
        """Read what was added to the lists of digests since the last time."""
        for path in sorted(self.directory.glob(f"*{DIGESTS}")):
            start = self._read.get(path.name, 0)
            if path.stat().st_size > start:
                more = self._files.read(path, start)
                whole = more[: more.rfind(b"\n") + 1]
                self._read[path.name] = start + len(whole)
                for digest, head, place in listed(path.name, whole.decode("ascii", "replace")):
                    self._places.setdefault(digest, {}).setdefault(head, place)

    def _load(self, place: Place) -> Document:
        try:
            raw = self._files.read(self.directory / place.file, place.offset, place.length)
            return document_of(next(iter(ArchiveIterator(BytesIO(raw)))))
        except (StopIteration, *UNREADABLE) as error:
            msg = f"{place.file} at {place.offset}"
            raise NoEvidence(msg) from error


def _as_looked_up(document: Document, digest: str) -> LookedUp:
    return LookedUp(document.url, document.status or None, round(document.at * 1000), digest=digest)
