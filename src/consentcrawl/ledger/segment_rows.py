"""Verdicts as the rows of a batch segment, and back to what a live entry says of one.

A row says in the clear what an entry would; every URL that names a work is in the personal columns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

PERSONAL = ("url", "more")
"""The URL asked about, and as a JSON list every other URL that names a work."""

_PLACE = [("source", pa.string()), ("place", pa.int32())]  # a URL that names no work, or its place among the URLs
_GROUND = [(name, pa.string()) for name in ("signal", "category", "preference", "quote", "where", "note")]
_GAP = [("reason", pa.string()), ("note", pa.string())]
SCHEMA = pa.schema([
    ("url", pa.string()), ("more", pa.string()), ("at", pa.int64()), ("outcome", pa.string()), ("purpose", pa.string()),
    ("gate", pa.string()), ("enforced", pa.bool_()), ("policy", pa.string()), ("version", pa.string()),
    ("evidence", pa.list_(pa.string())), ("grounds", pa.list_(pa.struct(_GROUND + _PLACE))),
    ("gaps", pa.list_(pa.struct(_GAP + _PLACE))),
    ("hops", pa.list_(pa.struct([*_PLACE, ("status", pa.int32())]))),
    ("agreement", pa.string()), ("left_out", pa.int32()), ("page", pa.struct(_PLACE)),
])  # fmt: skip


def as_row(record: Mapping[str, Any], urls: Sequence[str]) -> dict[str, Any]:
    """Return the row of what the entry of a verdict says, as ``SCHEMA`` has it."""
    return {
        **record,
        "url": urls[0],
        "more": json.dumps(urls[1:]) if len(urls) > 1 else None,
        "grounds": [_placed(ground, ground["source"]) for ground in record.get("grounds", ())] or None,
        "gaps": [_placed(gap, gap["need"]) for gap in record.get("gaps", ())] or None,
        "hops": [_placed({"status": status}, place) for place, status in record.get("hops", ())] or None,
        "page": _placed({}, record["page"]) if "page" in record else None,
    }


def as_entry(row: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The record and the URLs that a live entry would have, for ``records.as_verdict``; no URLs once erased."""
    record = {name: row[name] for name in SCHEMA.names if name not in PERSONAL and row[name] is not None}
    if row["grounds"]:
        record["grounds"] = [_unplaced(ground, "source") for ground in row["grounds"]]
    if row["gaps"]:
        record["gaps"] = [_unplaced(gap, "need") for gap in row["gaps"]]
    if row["hops"]:
        record["hops"] = [[_place_of(hop), hop["status"]] for hop in row["hops"]]
    if row["page"]:
        record["page"] = _place_of(row["page"])
    urls = (row["url"], *json.loads(row["more"] or "[]")) if row["url"] is not None else ()
    return {"kind": "verdict", **record}, urls


def _placed(said: Mapping[str, Any], place: str | int) -> dict[str, Any]:
    return {**said, "source": None, "place": place} if isinstance(place, int) else {**said, "source": place}


def _unplaced(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    plain = {key: value for key, value in said.items() if value is not None and key not in {"source", "place"}}
    return plain | {name: _place_of(said)}


def _place_of(said: Mapping[str, Any]) -> str | int:
    place: str | int = said["source"] if said["place"] is None else said["place"]
    return place
