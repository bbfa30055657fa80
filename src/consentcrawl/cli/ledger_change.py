"""``consentcrawl ledger erase`` and ``merge``: what adds to a ledger, and takes URLs out of it.

Both are written down in the ledger they change.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from consentcrawl.cli import options
from consentcrawl.cli.ledger_options import Directory, existing, say, urls_meant
from consentcrawl.config import VERSION
from consentcrawl.errors import BadInput, LedgerBroken
from consentcrawl.ledger import index
from consentcrawl.ledger.erasure import erase as erased
from consentcrawl.ledger.erasure import erase_rows
from consentcrawl.ledger.evidence import EvidenceStore, NoEvidence
from consentcrawl.ledger.files import OS_FILES, write_whole
from consentcrawl.ledger.journal import journals
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.merge import merge as merged
from consentcrawl.ledger.recording.document_erasure import erase_documents
from consentcrawl.ledger.recording.stored import EVIDENCE, naming, segment_file, segment_lines, segment_of
from consentcrawl.ledger.sealing import recover
from consentcrawl.ledger.segments import SegmentReader

Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="The ledger they go into; made if need be.")
]


def erase(
    directory: Directory,
    *,
    url: Annotated[str, typer.Option("--url", metavar="URL", help="The URL to take out.")],
) -> None:
    """Take a URL out of a ledger, for good. Entries and every proof of them stand; who reads them sees no URL.

    Kept documents go that nothing else rests on; one that other entries name as well is named and stays.
    """
    forms = urls_meant(url)
    with options.one_line_errors(), Ledger.open(existing(directory), create=False, run=_run("erase")) as ledger:
        recover(ledger)
        digests = {d for form in forms for each in naming(directory, form) for d in each.record.get("evidence") or ()}
        rows = sum(
            erase_rows(ledger, line.index, segment_of(directory, line), forms) for line in segment_lines(directory)
        )
        entries = sum(len(erased(ledger, form)) for form in forms)
        gone = erase_documents(ledger)
        index.rebuild(directory)
        documents = _documents(directory, digests, forms)
    say(f"Erased from {entries:,} entries and {rows:,} rows of batch segments, and from the index.")
    if gone:
        say(f"Erased as well: {gone:,} documents that only these named.")
    say("Entries and proofs stand. Copies, backups, and proofs that were handed out keep what they had.")
    if documents:
        say(f"Kept documents that this URL answered with name it still: {', '.join(documents)}")


def merge(
    ledgers: Annotated[list[Path], typer.Argument(metavar="DIR...", help="The ledgers that are merged.")],
    *,
    output: Output,
) -> None:
    """Append ledgers to another one, each entry inside one of its own, with segments and documents.

    May be repeated as they grow: what is there already is passed over. Old proofs hold on.
    """
    with options.one_line_errors():
        if output.resolve() in {existing(source).resolve() for source in ledgers}:
            msg = f"{output}: cannot be merged into itself"
            raise BadInput(msg)
        with Ledger.open(output, run=_run("merge")) as into:
            recover(into)
            for source in ledgers:
                _seal_left(source)
                _copy_segments(source, output)
                documents = EvidenceStore(output / EVIDENCE).adopt(source / EVIDENCE)
                number = merged(into, source)
                say(f"{source}: {number:,} entries, {documents:,} documents")


def _seal_left(source: Path) -> None:
    """Make what a killed run left behind a part of the ledger it was for."""
    if journals(source):
        with Ledger.open(source, create=False, run=_run("merge")) as ledger:
            recover(ledger)


def _run(verb: str) -> dict[str, str]:
    return {"command": f"ledger {verb}", "version": VERSION}


def _documents(directory: Path, digests: Iterable[str], urls: list[str]) -> list[str]:
    """The digests of documents that are kept still and that a URL itself answered with."""
    store = EvidenceStore(directory / EVIDENCE)
    found: set[str] = set()
    for digest in digests:
        with suppress(NoEvidence, ValueError):
            found |= {looked_up.digest for looked_up, _ in store.behind([digest]) if looked_up.url in urls}
    return sorted(found)


def _copy_segments(source: Path, output: Path) -> None:
    """Copy every segment that the source's entries name; of two copies the one stays from which more was erased."""
    for line in segment_lines(source):
        record = index.inner(line.record)
        path, to = segment_file(source, record), segment_file(output, record)
        if to.exists() and to.read_bytes() != path.read_bytes():
            ours, theirs = SegmentReader(to, record).erased(), SegmentReader(path, record).erased()
            if not ours < theirs:
                if theirs <= ours:
                    continue
                msg = f"{to}: other rows were erased from it than from {path}"
                raise LedgerBroken(msg)
        OS_FILES.make_directory(to.parent)
        write_whole(OS_FILES, to, path.read_bytes())
