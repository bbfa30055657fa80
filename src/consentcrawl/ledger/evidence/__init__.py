"""The documents that verdicts rest on: the store, what goes into it, and the form of its files."""

from consentcrawl.ledger.evidence.store import Document, EvidenceStore, NoEvidence, urn

__all__ = ["Document", "EvidenceStore", "NoEvidence", "urn"]
