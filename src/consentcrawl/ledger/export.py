"""A ledger as flat rows, for whatever reads tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consentcrawl.ledger.index import inner
from consentcrawl.ledger.reading import lines


def export(directory: Path, start: int = 0) -> Iterator[dict[str, Any]]:
    """Every entry from ``start`` on as one flat row: index, kind, time, URL, and the whole record as it was written."""
    for line in lines(directory, start):
        record = inner(line.record)
        yield {
            "index": line.index,
            "kind": record["kind"],
            "at": int(record.get("at", 0)),
            "url": line.urls[0] if line.urls else None,
            "outcome": record.get("outcome"),
            "purpose": record.get("purpose"),
            "record": line.record,
        }
