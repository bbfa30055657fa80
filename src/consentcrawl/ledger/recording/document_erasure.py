"""Erasing documents: those that only entries without their URLs name go as well."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from consentcrawl.ledger.erasure import batched
from consentcrawl.ledger.evidence import EvidenceStore, NoEvidence
from consentcrawl.ledger.evidence.removal import remove
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.recording.stored import EVIDENCE, stored_records

_MOST_DIGESTS = 500  # in one entry


def erase_documents(ledger: Ledger) -> int:
    """Erase every document that only erased entries and rows name; return how many there were.

    It is written down before. No store may be writing in the ledger's directory. Raises LedgerBroken, OSError.
    """
    directory = ledger.directory / EVIDENCE
    live: set[str] = set()
    erased: set[str] = set()
    for each in stored_records(ledger.directory):
        (live if each.urls else erased).update(each.record.get("evidence") or ())
    with EvidenceStore(directory, files=ledger.files) as store:
        left = sorted(_behind(store, erased - live) - _behind(store, live)) if erased - live else []
    for some in batched(left, _MOST_DIGESTS):
        ledger.append({"kind": "erasure", "at": ledger.now(), "entries": [], "documents": some})
    remove(ledger.files, directory, frozenset(left))
    return len(left)


def _behind(store: EvidenceStore, digests: Iterable[str]) -> set[str]:
    """The documents that these digests lead to, as far as they are there."""
    found = set()
    for digest in digests:
        with suppress(NoEvidence, ValueError):
            store.get(digest)
            found.add(digest)
            found.update(looked_up.digest for looked_up, document in store.behind([digest]) if document)
    return found
