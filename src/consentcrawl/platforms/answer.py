"""What an answer is worth to one who looked for a certain work in it, and what was found there.

Only an answer in which the work was found says anything about it; a status alone says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")

OK = 200
GONE = frozenset({404, 410})
_TOO_MANY_REQUESTS, _SERVER_ERROR = 429, 500


class Asked(Protocol):
    """What was looked up."""

    @property
    def url(self) -> str:
        """The address that was asked for, before any redirect."""
        ...


class Lines(Protocol):
    """The header fields of an answer."""

    def lines(self, name: str) -> list[str]:
        """Every value of a field, one per line received."""
        ...


class Answer(Protocol):
    """As much of an answer as a reader needs: the evidence of the core has it all."""

    url: str
    status: int | None
    gap: str
    content: bytes

    @property
    def need(self) -> Asked:
        """What it answers."""
        ...

    @property
    def fields(self) -> Lines:
        """The header fields it came with."""
        ...

    @property
    def content_type(self) -> str:
        """The Content-Type field as received."""
        ...

    def parsed(self, reader: Callable[..., T], *args: str) -> T:
        """What ``reader`` makes of the content."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What an answer says, and what it leaves open.

    ``asked``: it answers the look-up of the asset's own work, not one that this led to. ``own``: it is about the work
    that was looked for. ``tags``: category, words and place of each refusal, and the key
    of the work it is about (None: the one looked for). ``files``: the key of a file, where it stood, the key of its
    work. ``sources``: addresses to go on to. ``gaps``: an address and the reason code of what could not be had there.
    """

    asked: bool = True
    own: bool = False
    tags: tuple[tuple[str, str, str, str | None], ...] = ()
    files: tuple[tuple[str, str, str], ...] = ()
    sources: tuple[str, ...] = ()
    gaps: tuple[tuple[str, str], ...] = ()


def gaps(answer: Answer, *, own: bool, gave_up: str = "") -> tuple[tuple[str, str], ...]:
    """Return the gap that an answer leaves, as ``Found`` has it, or nothing."""
    why = reason(answer.status, answer.gap, own=own, gave_up=gave_up)
    return ((answer.url, why),) if why else ()


def reason(status: int | None, gap: str, *, own: bool, gave_up: str = "") -> str:
    """Return the reason code of the gap that an answer leaves, or an empty string when nothing is left open.

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
