"""``consentcrawl ledger export`` and ``stats``: a ledger as rows, and in figures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from consentcrawl.cli import options, results, tables
from consentcrawl.cli.ledger_options import Directory, existing, time_of
from consentcrawl.cli.output import console, shown
from consentcrawl.core import origin_of
from consentcrawl.errors import BadInput
from consentcrawl.ledger.index import INDEX_FILE
from consentcrawl.ledger.recording.stored import EVIDENCE, SEGMENTS, StoredRecord, fresh_index, stored_records

COLUMNS: dict[str, type] = {
    "entry": int, "row": int, "kind": str, "at": str, "url": str, "outcome": str, "purpose": str, "gate": str,
    "enforced": bool, "signal": str, "quote": str, "where": str, "source": str, "reason": str, "need": str,
    "policy": str, "version": str, "status": int, "size": int, "sha256": str, "evidence": str, "record": str,
}  # fmt: skip
"""``signal`` to ``source`` are the first ground, ``reason`` and ``need`` the first gap; ``record`` is all, as JSON."""
_SIMPLE = ("outcome", "purpose", "gate", "enforced", "version", "status", "size", "sha256")
_PARTS = {"log": "entries", "personal": "URLs", "tile": "hashes", SEGMENTS: "batch segments", EVIDENCE: "documents"}


def export(  # noqa: PLR0913 (one per option)
    directory: Directory,
    *,
    form: Annotated[str, typer.Option("--format", help=f"{', '.join(results.FORMATS[1:])} (by -o, else jsonl).")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write there instead of stdout.")] = None,
    kind: Annotated[str, typer.Option(help="Only records of this kind, such as verdict or outcome.")] = "",
    outcome: Annotated[str, typer.Option(help="Only verdicts that ended so: permit, refuse or undetermined.")] = "",
    signal: Annotated[str, typer.Option(help="Only verdicts with a ground of this signal.")] = "",
    origin: Annotated[str, typer.Option(help="Only assets of this origin, such as https://art.example.")] = "",
    day: Annotated[str, typer.Option(help="Only records of this day, such as 2026-11-24 (UTC).")] = "",
) -> None:
    """Write every record as a flat row, rows of batch segments and merged ledgers included; erased URLs are empty."""
    wanted = {"kind": kind, "outcome": outcome, "signal": signal, "origin": origin, "day": day}
    with options.one_line_errors():
        named = results.form(form or None, output)
        rows = (_cells(each) for each in stored_records(existing(directory)) if _fits(each, wanted))
        number = tables.write(rows, COLUMNS, "jsonl" if named == "table" else named, output)
    options.complain(f"{directory}: {number:,} rows")


def _fits(each: StoredRecord, wanted: Mapping[str, str]) -> bool:
    """Return whether a record meets every condition that is given."""
    said = {
        "kind": (each.kind,),
        "outcome": (each.record.get("outcome"),),
        "signal": [ground["signal"] for ground in each.record.get("grounds") or ()],
        "origin": [origin_of(url) for url in each.urls[:1]],
        "day": (time_of(each.at)[: len("2026-11-24")],),
    }
    return all(value in said[name] for name, value in wanted.items() if value)


def _cells(each: StoredRecord) -> dict[str, Any]:
    record = each.record
    ground: dict[str, Any] = next(iter(record.get("grounds") or ()), {})
    gap: dict[str, Any] = next(iter(record.get("gaps") or ()), {})
    policy = record.get("policy")
    cells = dict.fromkeys(COLUMNS) | {name: record.get(name) for name in _SIMPLE}
    return cells | {
        "entry": each.index, "row": each.row, "kind": each.kind, "at": time_of(each.at),
        "url": each.urls[0] if each.urls else None,
        "signal": ground.get("signal"), "quote": ground.get("quote"), "where": ground.get("where"),
        "source": each.url(ground.get("source")) or None, "reason": gap.get("reason"),
        "need": each.url(gap.get("need")) or None,
        "policy": policy if isinstance(policy, str) else record.get("sha256") if policy else None,
        "evidence": " ".join(record.get("evidence") or ()) or None,
        "record": json.dumps(record, sort_keys=True),
    }  # fmt: skip


def index(
    directory: Directory,
    *,
    anew: Annotated[bool, typer.Option("--rebuild", help="Build it anew instead of adding what came since.")] = False,
) -> None:
    """Bring the SQLite index of the entries up to date, and print where it lies. It may be deleted at any time."""
    with options.one_line_errors():
        if anew:
            (existing(directory) / INDEX_FILE).unlink(missing_ok=True)
        path = fresh_index(existing(directory))
        if path is None:
            msg = f"{directory}: the index cannot be written"
            raise BadInput(msg)
    typer.echo(path)


def stats(
    directory: Directory,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON, on one line.")] = False,
) -> None:
    """Say in figures what a ledger holds: entries by kind and outcome, signals, origins, days, bytes."""
    with options.one_line_errors():
        figures = _figures(existing(directory))
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    for title, part in figures.items():
        table.add_row(shown(title, "bold"), "")
        for name, number in part.items():
            table.add_row(shown(f"  {name}"), shown(f"{number:,}" if isinstance(number, int) else str(number)))
    console().print(table)


class _Figures:
    """What is counted in one pass over a ledger."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.signals: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.origins: set[str] = set()
        self.times: tuple[int, int] | None = None

    def count(self, each: StoredRecord) -> None:
        """Count one record."""
        record = each.record
        self.kinds[each.kind if each.row is None else "row of a batch segment"] += 1
        if each.at:
            first, last = self.times or (each.at, each.at)
            self.times = min(first, each.at), max(last, each.at)
        if each.kind == "verdict":
            self.outcomes[str(record.get("outcome"))] += 1
            self.signals.update({ground["signal"] for ground in record.get("grounds") or ()})
            self.reasons.update({gap["reason"] for gap in record.get("gaps") or ()})
            self.origins.update(origin_of(url) for url in each.urls[:1])


def _figures(directory: Path) -> dict[str, dict[str, int | str]]:
    figures = _Figures()
    for each in stored_records(directory):
        figures.count(each)
    counted = {
        "records": figures.kinds, "verdicts": figures.outcomes, "signals that spoke": figures.signals,
        "gaps": figures.reasons,
    }  # fmt: skip
    said: dict[str, dict[str, int | str]] = {name: dict(each.most_common()) for name, each in counted.items() if each}
    if figures.times:
        said["time"] = dict(zip(("first", "last"), map(time_of, figures.times), strict=True))
    said["origins"] = {"judged": len(figures.origins)}
    said["bytes"] = {
        what: _size(directory / folder) for folder, what in _PARTS.items() if (directory / folder).exists()
    }
    return said


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
