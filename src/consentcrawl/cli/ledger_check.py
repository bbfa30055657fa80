"""``consentcrawl ledger check-proof``: what a proof shows, on a machine that has neither ledger nor network.

What a proof does not show is said with what it shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from consentcrawl.cli import options
from consentcrawl.cli.ledger_options import WRONG, Witness, day_and_time, kept_elsewhere, keys_known, say
from consentcrawl.ledger.checkpoint import BadCheckpoint, Checkpoint, VerifierKey, open_checkpoint
from consentcrawl.ledger.index import inner
from consentcrawl.ledger.proof import ProofResult
from consentcrawl.ledger.proof import check_proof as checked
from consentcrawl.ledger.recording.stored import StoredRecord
from consentcrawl.ledger.segment_rows import PERSONAL, SCHEMA, as_entry

_MOST_BYTES = 1024 * 1024


def check_proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The proof.")],
    *,
    key: Annotated[
        str, typer.Option(metavar="KEY|FILE", help="The ledger's public key, or its key.pub, had from elsewhere.")
    ] = "",
    witness: Witness = None,
    as_json: Annotated[bool, typer.Option("--json", help="What it shows as JSON, on one line.")] = False,
) -> None:
    """Check a proof. Neither the ledger nor the network is needed. Exits 1 if it does not hold.

    Without --key the key in the proof is believed: then only its holder vouches for what is shown.
    """
    with options.one_line_errors():
        result = _checked(_bounded(file), keys_known(key))
        problems = [*result.problems, *_against(result, kept_elsewhere(witness))]
    if as_json:
        typer.echo(json.dumps(_as_json(result, problems)))
    else:
        for line in _sentences(result, problems, witnessed=witness is not None):
            say(line)
    raise typer.Exit(WRONG if problems else 0)


def _bounded(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(_MOST_BYTES)


def _checked(proof: bytes, keys: list[VerifierKey]) -> ProofResult:
    """Check against each key that may have signed; with none, against the one that the proof names."""
    results = [checked(proof, key) for key in keys] or [checked(proof)]
    return next((result for result in results if result.holds), results[0])


def _against(result: ProofResult, witness: bytes | None) -> list[str]:
    """What is wrong when the head of a proof is compared with one that was kept elsewhere."""
    if witness is None or result.checkpoint is None or result.key is None:
        return []
    try:
        kept = open_checkpoint(witness, [result.key])
    except BadCheckpoint as error:
        return [f"the head that was kept elsewhere: {error}"]
    if kept.origin != result.checkpoint.origin:
        return [f"the head that was kept elsewhere is one of {kept.origin}"]
    if kept.size != result.checkpoint.size:
        return [_other_size(kept, result.checkpoint)]
    return (
        []
        if kept.root == result.checkpoint.root
        else ["the head that was kept elsewhere has another root: there are two ledgers"]
    )


def _other_size(kept: Checkpoint, proved: Checkpoint) -> str:
    return (
        f"the head that was kept elsewhere covers {kept.size:,} entries, that of the proof {proved.size:,}: "
        "whether one ledger grew into the other is not shown; ask for a proof made with --witness"
    )


def _sentences(result: ProofResult, problems: list[str], *, witnessed: bool) -> Iterator[str]:
    yield from (f"wrong: {problem}" for problem in problems)
    if problems or result.checkpoint is None:
        yield "The proof does not hold."
        return
    try:
        yield from list(_shown(result))
    except (KeyError, TypeError, ValueError, AttributeError):  # it may come from anybody
        yield f"It says something that no ledger of this version says: {dict(result.record)!r:.200}"
    yield f"It is entry {result.index} of {result.checkpoint.size:,} of {result.checkpoint.origin}."
    yield f"Signed by {result.key}"
    if not result.trusted:
        yield "Not shown: whose key that is; it was taken from the proof. Give the one you know with --key."
    if not witnessed:
        yield (
            "Not shown: that the key's holder signed one ledger only, the same for everybody: "
            "give a head that was kept elsewhere with --witness."
        )


def _shown(result: ProofResult) -> Iterator[str]:
    """What a proof shows: the verdict in short, and where it stands."""
    stored = _as_stored(result)
    record = stored.record
    under = f"under the policy {record['policy']} " if "policy" in record else ""
    about_it = stored.urls[0] if stored.urls else "(the URL was erased, or is not in the proof)"
    yield f"{str(record.get('outcome', stored.kind)).upper()} {about_it}"
    yield f"{day_and_time(stored.at)}, {under}for {record.get('purpose', 'no purpose named')}"
    for ground in record.get("grounds") or ():
        yield f"  “{ground['quote']}”  {ground.get('where', '')}, {stored.url(ground['source'])} ({ground['signal']})"
    for digest in record.get("evidence") or ():
        yield f"  rests on {digest}"


def _as_stored(result: ProofResult) -> StoredRecord:
    """The record as a live entry has it, also where it is a row of a batch segment."""
    if "kind" in result.record:
        return StoredRecord(result.index, inner(dict(result.record)), result.urls)
    personal = dict(zip(PERSONAL, result.urls, strict=False))
    return StoredRecord(result.index, *as_entry(dict.fromkeys(SCHEMA.names) | dict(result.record) | personal))


def _as_json(result: ProofResult, problems: list[str]) -> dict[str, object]:
    known = result.checkpoint
    return {
        "holds": not problems,
        "problems": problems,
        "entry": result.index,
        "urls": list(result.urls),
        "record": dict(result.record),
        "origin": known.origin if known else "",
        "size": known.size if known else 0,
        "key": str(result.key) if result.key else "",
        "key_from_elsewhere": result.trusted,
    }
