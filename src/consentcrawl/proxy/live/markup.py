"""HTML out of plain values.

Whatever is not written in here goes through ``text``; what strangers wrote is set apart (``bdi``), so that marks
that reorder text end with it.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from consentcrawl.dataset.writers import printable
from consentcrawl.drivers.shared.withheld import Reason


def text(said: object) -> str:
    """Escape text for content and for quoted attributes; control characters and marks that hide text are shown."""
    return html.escape(printable(str(said)))


def foreign(said: str) -> str:
    """Show what strangers wrote."""
    return f"<bdi>{text(said)}</bdi>"


def link(url: str) -> str:
    """Show the address of a document, to be followed where it is on the web."""
    if not url.startswith(("http://", "https://")):
        return foreign(url)
    return f'<a href="{text(url)}" rel="noreferrer noopener" target="_blank">{foreign(url)}</a>'


def shown_reason(reason: Reason) -> str:
    """Show why something is withheld: the very words and where they stand, or what is not known."""
    if reason.gap:
        return f"{text(reason.said)} <small>{link(reason.source)}</small>"
    place = f"{text(reason.signal)}: {text(reason.place)}{link(reason.source)}"
    return f"<q>{foreign(reason.quote)}</q> <small>{place}</small>"


def moment(at: float) -> str:
    """Show a time of day (UTC); ``at`` is in seconds since the epoch."""
    when = datetime.fromtimestamp(at, UTC)
    return f'<time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when:%H:%M:%S}</time>'


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, nothing: str) -> str:
    """Make a table with a caption; a head that ends in ``#`` is over figures. Cells are HTML, the first heads a row."""
    body = "".join(_row(heads, row) for row in rows)
    if not body:
        return f"<p class=none>{text(nothing)}</p>"
    names = "".join(f'<th scope="col"{_kind(head)}>{text(head.rstrip("#"))}</th>' for head in heads)
    return f"<table><caption>{text(caption)}</caption><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _row(heads: Sequence[str], cells: Sequence[str]) -> str:
    first, *others = cells
    rest = "".join(f"<td{_kind(head)}>{cell}</td>" for head, cell in zip(heads[1:], others, strict=True))
    return f'<tr><th scope="row">{first}</th>{rest}</tr>'


def _kind(head: str) -> str:
    return " class=figure" if head.endswith("#") else ""
