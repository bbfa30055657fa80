"""What the open ledger says about a URL or an origin.

It reads what is in the ledger by now, and changes nothing but the index, which is always made from the ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from consentcrawl.core import Outcome, Preference, origin_of
from consentcrawl.drivers.shared.withheld import Reason
from consentcrawl.errors import LedgerBroken
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.ledger import index
from consentcrawl.proxy.live.markup import foreign, moment, shown_reason, table, text

if TYPE_CHECKING:
    from consentcrawl.ledger.recording.stored import StoredRecord

_ROWS = 100
_ONE_AT_A_TIME = Lock()
_LABELS = {"": "any", **{outcome.value: outcome.value for outcome in Outcome}}


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for: a URL or an origin, and an outcome or nothing."""

    words: str = ""
    outcome: str = ""


def form(query: Query) -> str:
    """The search form, filled in as it was sent."""
    choices = "".join(
        f'<option value="{value}"{" selected" if value == query.outcome else ""}>{label}</option>'
        for value, label in _LABELS.items()
    )
    return (
        '<form action="/search" role="search"><fieldset><legend>Search the ledger</legend>'
        f'<label>A URL or an origin <input name="q" value="{text(query.words)}" required autocomplete="off"'
        ' spellcheck="false" placeholder="https://art.example"></label>'
        f'<label>Outcome <select name="outcome">{choices}</select></label>'
        "<button>Search</button></fieldset></form>"
    )


def found(ledger: Path | None, query: Query) -> str:
    """Return the newest entries as a table, or say why there are none. Blocks."""
    if ledger is None:
        return "<p class=none>There is no ledger: the proxy was started with --no-ledger.</p>"
    try:
        url = canonical(query.words.strip())
    except BadUrl as error:
        return f"<p class=none>Not a URL or an origin: {text(error)}</p>"
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        return "<p class=none>Another search is still running: try again when it has ended.</p>"
    try:
        entries = _entries(ledger, url, query.outcome)
    except (LedgerBroken, OSError, sqlite3.Error) as error:
        return f"<p class=none>The ledger could not be read: {text(error)}</p>"
    finally:
        _ONE_AT_A_TIME.release()
    heads = ("Entry", "At (UTC)", "URL", "Outcome", "Reason")
    return table("Newest entries first", heads, map(_row, entries), nothing="The ledger has no entry about it.")


def _entries(ledger: Path, url: str, outcome: str) -> list[StoredRecord]:
    """Find by URL; an address without a path is an origin as well."""
    from consentcrawl.ledger.recording import stored as ledger_rows  # noqa: PLC0415 (45 MB, for searches only)

    told = [each for each in ledger_rows.about(ledger, url) if each.kind == "verdict"]
    if origin_of(url) + "/" == url:
        told += _of_origin(ledger, origin_of(url), {each.index for each in told})
    fitting = [each for each in told if outcome in ("", each.record["outcome"])]
    return sorted(fitting, key=lambda each: (each.index, each.row or 0), reverse=True)[:_ROWS]


def _of_origin(ledger: Path, origin: str, known: set[int]) -> list[StoredRecord]:
    from consentcrawl.ledger.recording import stored as ledger_rows  # noqa: PLC0415 (as above)

    if ledger_rows.fresh_index(ledger) is None:
        return []
    numbers = [number for number in index.find(ledger, origin=origin, kind="verdict") if number not in known]
    return [ledger_rows.at(ledger, number) for number in numbers[-_ROWS:]]


def _row(told: StoredRecord) -> tuple[str, ...]:
    said = told.record
    outcome = said["outcome"] if said.get("enforced", True) else f"{said['outcome']} (observed)"
    url = foreign(told.urls[0]) if told.urls else "erased"
    return f"{told.index:,}", moment(told.at / 1000), url, text(outcome), "<br>".join(map(shown_reason, _reasons(told)))


def _reasons(told: StoredRecord) -> Iterator[Reason]:
    """Return the words that refuse, or what is not known of something undetermined."""
    said = told.record
    for ground in said.get("grounds", ()):
        if ground["preference"] == Preference.DISALLOWED.value:
            yield Reason(told.url(ground["source"]), ground["signal"], ground["quote"], ground.get("where", ""))
    if said["outcome"] == Outcome.UNDETERMINED.value:
        for gap in said.get("gaps", ()):
            yield Reason(told.url(gap["need"]), gap=gap["reason"])
