"""The list of look-ups that a verdict rests on: one small document, which all verdicts of an origin share.

It names every look-up, also those that nothing answered; with its digest an entry of the ledger commits to the
status, the lasting fields and the content of each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MEDIA_TYPE = "application/vnd.consentcrawl.look-ups+json"
_NOTHING: dict[str, Any] = {"status": None, "gap": "", "note": "", "digest": "", "head": "", "whole": True}


@dataclass(frozen=True, slots=True)
class LookedUp:
    """One look-up: where its answer came from, with what status (None: nothing answered), and when, in milliseconds.

    ``digest`` is the SHA-256 of the content in hex, ``head`` that of URL, status and lasting fields; both are empty
    where nothing is kept. ``gap`` is a reason code. ``whole`` is False where ``digest`` is that of a bounded prefix.
    """

    url: str
    status: int | None
    at: int
    gap: str = ""
    note: str = ""
    digest: str = ""
    head: str = ""
    whole: bool = True


def written(looked_up: Iterable[LookedUp]) -> bytes:
    """The list as a document: JSON, in an order that does not depend on whose answer came first."""
    said = [
        {name: value for name in LookedUp.__slots__ if (value := getattr(each, name)) != _NOTHING.get(name, ...)}
        for each in looked_up
    ]
    ordered = sorted(said, key=lambda each: json.dumps(each, sort_keys=True))
    return json.dumps({"look_ups": ordered}, sort_keys=True, separators=(",", ":")).encode("ascii")


def read(content: bytes) -> tuple[LookedUp, ...]:
    """The look-ups of a list that ``written`` made; ValueError for anything else."""
    try:
        return tuple(LookedUp(**(_NOTHING | each)) for each in json.loads(content)["look_ups"])
    except (TypeError, KeyError, RecursionError) as error:
        msg = f"not a list of look-ups: {error}"
        raise ValueError(msg) from error
