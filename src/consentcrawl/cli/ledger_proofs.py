"""``consentcrawl ledger prove`` and ``head``: small files with which others can check what a ledger says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentcrawl.cli import options
from consentcrawl.cli.ledger_options import (
    Directory,
    UrlArgument,
    Witness,
    existing,
    kept_elsewhere,
    urls_meant,
)
from consentcrawl.errors import BadInput
from consentcrawl.ledger.checkpoint import BadCheckpoint
from consentcrawl.ledger.files import OS_FILES
from consentcrawl.ledger.proof import Row
from consentcrawl.ledger.proof import prove as proved
from consentcrawl.ledger.recording.stored import StoredRecord, about, segment_file
from consentcrawl.ledger.segments import SegmentReader
from consentcrawl.ledger.tree_heads import shown_checkpoint


def prove(  # noqa: PLR0913 (one per option)
    url: UrlArgument,
    directory: Directory,
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Write the proof there.")],
    entry: Annotated[int | None, typer.Option(help="Which entry, instead of the newest verdict about the URL.")] = None,
    witness: Witness = None,
    as_text: Annotated[  # noqa: ARG001 (accepted, without effect)
        bool, typer.Option("--text", help="As C2SP tlog-proof text; a proof always is.")
    ] = False,
) -> None:
    """Write a small file that shows what was decided about a URL to somebody who has no access to this ledger.

    With --witness it leads to a head that they have kept, and they need not believe any other.
    """
    with options.one_line_errors():
        stored = _meant(url, existing(directory), entry)
        try:
            proof = proved(directory, stored.index, row=_row(directory, stored), head=kept_elsewhere(witness))
        except IndexError as error:
            msg = (
                f"{witness or directory}: entry {stored.index} is not under {'a head yet' if witness is None else 'it'}"
            )
            raise BadInput(msg) from error
        except BadCheckpoint as error:
            msg = f"{witness}: {error}"
            raise BadInput(msg) from error
        output.write_bytes(proof)
    what = stored.record.get("outcome", stored.kind)
    options.complain(f"{output}: entry {stored.index}, {what}, {output.stat().st_size:,} bytes")


def head(
    directory: Directory,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it there instead of stdout.")] = None,
) -> None:
    """Print the newest signed head: keep it elsewhere, and a later rewrite by the key's holder is found with it."""
    with options.one_line_errors():
        note = shown_checkpoint(OS_FILES, existing(directory))
        if note is None:
            msg = f"{directory}: there is no head"
            raise BadInput(msg)
        if output is not None:
            output.write_bytes(note)
    if output is None:
        typer.echo(note.decode("utf-8", "backslashreplace"), nl=False)


def _meant(url: str, directory: Path, entry: int | None) -> StoredRecord:
    """The newest verdict about a URL, or what one entry says about it."""
    found = [each for form in urls_meant(url) for each in about(directory, form)]
    fitting = [each for each in found if (each.kind == "verdict" if entry is None else each.index == entry)]
    if not fitting:
        msg = f"{directory}: {'no verdict' if entry is None else f'entry {entry} says nothing'} about {url}"
        raise BadInput(msg)
    return fitting[0]


def _row(directory: Path, stored: StoredRecord) -> Row | None:
    """The row of a batch segment that is proved through it."""
    if stored.row is None or stored.segment is None:
        return None
    return SegmentReader(segment_file(directory, stored.segment), stored.segment).proved(stored.row)
