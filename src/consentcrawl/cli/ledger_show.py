"""``consentcrawl ledger show``: every verdict about a URL, and the very bytes it rested on.

What is shown of a document has the digest that the entry names, or it is said to be missing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from consentcrawl.cli import options
from consentcrawl.cli.excerpt import excerpt
from consentcrawl.cli.ledger_options import Directory, UrlArgument, day_and_time, existing, time_of, urls_meant
from consentcrawl.cli.output import STYLES, console, shown
from consentcrawl.core import REASONS, Outcome
from consentcrawl.errors import BadInput
from consentcrawl.ledger.evidence import Document, EvidenceStore, NoEvidence, urn
from consentcrawl.ledger.evidence.evidence_list import LookedUp
from consentcrawl.ledger.recording.stored import EVIDENCE, StoredRecord, about

_SHORTEST, _DIGITS = 8, 16
_OWN = urn("")


def show(
    url: UrlArgument,
    directory: Directory,
    *,
    raw: Annotated[
        str, typer.Option(metavar="DIGEST", help="Write the bytes of this document instead; 8 digits will do.")
    ] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write them there instead of stdout.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print every verdict about a URL, newest first, with the very lines it rested on. Exits 1 if there is none."""
    with options.one_line_errors():
        found = [each for meant in urls_meant(url) for each in about(existing(directory), meant)]
        store = EvidenceStore(directory / EVIDENCE)
        if raw:
            _write(store.get(_digest(raw, found, store)), output)
            return
        if not found:
            options.complain(f"{directory}: there is nothing about {url}")
            raise typer.Exit(1)
        if as_json:
            for each in found:
                typer.echo(json.dumps(said(each)))
        else:
            _print(found, store, console())


def said(stored: StoredRecord) -> dict[str, Any]:
    """Return a record as JSON has it: the verdict with its URLs in place, and where it stands in the ledger."""
    record = {key: value for key, value in stored.record.items() if key not in ("personal", "grounds", "gaps", "hops")}
    return {
        "entry": stored.index,
        **({"row": stored.row} if stored.row is not None else {}),
        "url": stored.urls[0] if stored.urls else "",
        **record,
        "at": time_of(stored.at),
        "grounds": _placed(stored, "grounds", "source"),
        "gaps": _placed(stored, "gaps", "need"),
        "hops": [{"url": stored.url(place), "status": status} for place, status in stored.record.get("hops") or ()],
    }


def _placed(stored: StoredRecord, key: str, place: str) -> list[dict[str, Any]]:
    return [{**part, place: stored.url(part.get(place))} for part in stored.record.get(key) or ()]


def _digest(raw: str, found: list[StoredRecord], store: EvidenceStore) -> str:
    """The digest that begins so, among those of the documents that the verdicts rest on."""
    digests = {digest for each in found for digest in each.record.get("evidence") or ()}
    named = digests | {looked_up.digest for looked_up, document in store.behind(sorted(digests)) if document}
    fitting = [digest for digest in named if digest.startswith(raw.lower())]
    if len(fitting) != 1 or len(raw) < _SHORTEST:
        msg = f"--raw {raw}: {len(fitting)} of the {len(named)} documents begin so; give {_SHORTEST} digits or more"
        raise BadInput(msg)
    return fitting[0]


def _write(document: Document, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(document.content)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(document.content)


def _print(found: list[StoredRecord], store: EvidenceStore, to: Console) -> None:
    for number, each in enumerate(found):
        if number:
            to.print()
        for text in chain(
            _summary(each), *(_rested_on(digest, store, each) for digest in each.record.get("evidence") or ())
        ):
            to.print(text, soft_wrap=True)


def _summary(stored: StoredRecord) -> Iterator[Text]:
    """The head of what is shown: what was decided or delivered, and on what grounds."""
    place = f"entry {stored.index}" + (f", row {stored.row}" if stored.row is not None else "")
    yield shown(f"{place}, {day_and_time(stored.at)}: ") + _headline(stored)
    if not stored.signed:
        yield shown("  not signed yet: no head covers it", "yellow")
    yield from _delivered(stored)
    for hop in stored.hops:
        yield shown(f"  redirected from {hop}", "dim")
    if stored.hops:
        yield shown(f"  to {stored.urls[0]}", "dim")
    if agreement := stored.record.get("agreement"):
        yield shown(f"  under the agreement {agreement}")
    for ground in stored.record.get("grounds") or ():
        source = stored.url(ground.get("source"))
        yield shown(f"  “{ground.get('quote', '')}”  ") + shown(f"{ground.get('where', '')}, {source}", "dim")
        yield shown(f"    {ground['category']}: {ground['preference']}, says the {ground['signal']}", "dim")
    for gap in stored.record.get("gaps") or ():
        yield shown(f"  not known: {REASONS.get(gap['reason'], gap['reason'])}  ") + shown(
            stored.url(gap["need"]), "dim"
        )


def _headline(stored: StoredRecord) -> Text:
    record = stored.record
    if stored.kind != "verdict":
        size = f", {record['size']:,} bytes delivered" if "size" in record else ""
        return shown(f"{stored.kind}: status {record.get('status')}{size}")
    style = ""
    with suppress(ValueError):
        style = STYLES[Outcome(record["outcome"])]
    noted = "" if record.get("enforced", True) else ", observed only"
    under = f" for {record.get('purpose')} at the {record.get('gate')} gate{noted}; policy {record.get('policy')}"
    return Text(str(record["outcome"]).upper(), style) + shown(under)


def _delivered(stored: StoredRecord) -> Iterator[Text]:
    if digest := stored.record.get("sha256"):
        yield shown(f"  sha256 {digest}", "dim")
    if stored.kind == "outcome" and len(stored.urls) > 1:
        yield shown(f"  put into {stored.urls[1]}")


def _rested_on(digest: str, store: EvidenceStore, stored: StoredRecord) -> Iterator[Text]:
    """What a digest leads to: a document, or look-ups with a document each."""
    try:
        for looked_up, document in store.behind([digest]):
            yield from _looked_up(looked_up, document, stored)
    except (NoEvidence, ValueError):
        yield shown(f"  what it rests on, {digest}, is missing or damaged", "bold yellow")


def _looked_up(looked_up: LookedUp, document: Document | None, stored: StoredRecord) -> Iterator[Text]:
    """One look-up: where the answer came from, and its lines that were read as grounds."""
    answered = f"answered {looked_up.status}" if looked_up.status else "not sent by itself"
    if looked_up.gap:
        answered = REASONS.get(looked_up.gap, looked_up.gap)
    kept = f", {len(document.content):,} bytes, sha256 {looked_up.digest[:_DIGITS]}" if document else ""
    yield shown(f"  {looked_up.url}  ") + shown(f"{answered}, {day_and_time(looked_up.at)}{kept}", "dim")
    if document is None:
        return
    for line in excerpt(document, _read_from(looked_up, stored)):
        mark, number = (">" if line.marked else " "), (str(line.number) if line.number else "")
        yield shown(f"  {mark} {number:>6}  {line.text}", "bold" if line.marked else "dim")


def _read_from(looked_up: LookedUp, stored: StoredRecord) -> list[Mapping[str, Any]]:
    """The grounds that were read from a look-up; what no server sent by itself is cut from the asset's own answer."""
    sources = {looked_up.url} if not looked_up.url.startswith(_OWN) else set(stored.urls[:1])
    return [ground for ground in stored.record.get("grounds") or () if stored.url(ground.get("source")) in sources]
