"""What an answer is worth to one who looked for a certain work in it.

Law: only an answer in which the work was found says anything about it; a status alone says nothing.
"""

from __future__ import annotations

OK = 200
GONE = frozenset({404, 410})
_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500


def reason(status: int | None, gap: str, *, own: bool, gave_up: str = "") -> str:
    """Give the reason code of the gap that an answer leaves, or an empty string when nothing is left open.

    ``gap`` is the reason already noted for the answer: it is not noted twice. ``gave_up`` is why its document was not
    read whole. A challenge, a login wall, a page for browsers only and a soft 200 all look alike from here: the work
    is not in them.
    """
    if gap or own:
        return "" if gap else gave_up
    if status in GONE:
        return "gone"
    if status is None or status >= _SERVER_ERROR or status == _TOO_MANY_REQUESTS:
        return "unreachable"
    return (gave_up if status == OK else "") or "blocked"
