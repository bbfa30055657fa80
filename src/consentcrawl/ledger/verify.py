"""Verifying a ledger: everything is read again, and every head is worked out again from the entries.

Everything that is wrong is reported; nothing is repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    VerifierKey,
    open_checkpoint,
    parse_note,
    parse_verifier,
    signers_of,
)
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.frames import Batch
from consentcrawl.ledger.key_files import load_public
from consentcrawl.ledger.report import Report
from consentcrawl.ledger.tree import HASH_BYTES
from consentcrawl.ledger.tree_heads import TreeHead, kept_heads, shown_checkpoint
from consentcrawl.ledger.walk import Walk

__all__ = ["Report", "verify"]


def verify(
    directory: Path,
    *,
    witness: str | bytes | None = None,
    key: str | None = None,
    files: Files = OS_FILES,
    on_batch: Callable[[Batch], None] = lambda _: None,
) -> Report:
    """Read a ledger again from the first byte to the last and report what is wrong; raises nothing.

    ``witness`` is a checkpoint that was kept elsewhere: it finds what the key's holder rewrote or rolled back. ``key``
    is the ledger's first public key as it was known elsewhere; without it the one in the ledger is believed.
    ``on_batch`` is given every batch of entries as it is read, signed or not.
    """
    report = Report(directory)
    try:
        heads = _heads(report, files, key)
        asked = [head.checkpoint for head in heads]
        if witness is not None:
            asked += _witnessed(report, files, witness)
        Walk(report, files, asked, heads).run(on_batch)
    except (LedgerBroken, BadCheckpoint, OSError) as error:
        report.find(error)
    return report


def _heads(report: Report, files: Files, key: str | None) -> list[TreeHead]:
    """Every kept head, its signatures checked, and the one that is shown."""
    known = load_public(files, report.directory)
    if key is not None and str(known[0]) != key:
        report.find(f"the ledger's first key is {known[0]}, not {key}")
    trusted = [parse_verifier(key)] if key is not None else known[:1]
    heads, report.torn = kept_heads(files, report.directory)
    before = bytes(HASH_BYTES)
    for head in heads:
        trusted += _check_signatures(report, head, trusted, known)
        if head.before != before:
            report.find(f"the head of {head.frontier.size} entries does not follow the one before it")
        before = head.digest
    if any(a.frontier.size > b.frontier.size or a.checkpoint.origin != b.checkpoint.origin for a, b in pairwise(heads)):
        report.find("a head has fewer entries than the one before it, or another origin")
    shown = shown_checkpoint(files, report.directory)
    # A crash between the two writes leaves the shown head one behind the kept ones.
    if not heads or shown not in {head.note for head in heads[-2:]}:
        report.find("the checkpoint shown is not the newest head kept")
    report.heads, report.size = len(heads), heads[-1].frontier.size if heads else 0
    report.origin = heads[-1].checkpoint.origin if heads else ""
    return heads


def _check_signatures(
    report: Report, head: TreeHead, trusted: Sequence[VerifierKey], known: Sequence[VerifierKey]
) -> list[VerifierKey]:
    """Check that a trusted key signed, and give the keys that signed with it: they are trusted from here on."""
    note = parse_note(head.note)
    try:
        signers = signers_of(note, known)
    except BadCheckpoint as error:
        report.find(error)
        return []
    if len(signers) < len(note.lines) or not set(signers) & set(trusted):
        report.find(f"the head of {head.frontier.size} entries is not signed by a key that an earlier one vouches for")
        return []
    return [key for key in signers if key not in trusted]


def _witnessed(report: Report, files: Files, witness: str | bytes) -> list[Checkpoint]:
    """The checkpoint that was kept elsewhere, when it is one of this ledger's."""
    note = witness if isinstance(witness, bytes) else witness.encode()
    try:
        kept = open_checkpoint(note, load_public(files, report.directory))
    except BadCheckpoint as error:
        report.find(f"the witness: {error}")
        return []
    report.witnessed = kept.origin == report.origin
    if not report.witnessed:
        report.find(f"the witness speaks of {kept.origin}, the ledger is {report.origin}")
    if kept.size > report.size:
        report.find(f"rolled back: the witness covers {kept.size} entries, the newest head has {report.size}")
    return [kept]
