"""What a need was answered with: status, fields, content, when. "No answer" is evidence too.

Law: evidence is never changed once made; a reading of it is made once and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeVar

from consentcrawl.core.asset import Asset
from consentcrawl.core.vocabulary import Gate

T = TypeVar("T")
Pairs = tuple[tuple[str, str], ...]

DAY = 86_400
_SUCCESSFUL = range(200, 300)
_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to look up: a gate and a URL, and how long the answer serves.

    ``url`` is absolute, or ``/path`` on the asset's origin, or empty for the asset itself. ``serves`` is in seconds.
    ``limit`` is the most bytes of content that are read. ``polite`` look-ups (pages, APIs) obey the robots.txt of
    where they lie; policy files do not (RFC 9309 §2.2.2 always permits /robots.txt). A gap in a need that
    ``holds`` leaves the verdict undetermined; any other gap is noted. ``fields`` and ``content`` are sent along.
    """

    gate: Gate
    url: str = ""
    serves: int = DAY
    limit: int = 512 * 1024
    polite: bool = False
    holds: bool = False
    fields: Pairs = ()
    content: bytes = b""

    def __hash__(self) -> int:
        """Hash by URL alone: needs with the same URL are few, and every verdict looks some up."""
        return hash(self.url) ^ self.gate

    def __eq__(self, other: object) -> bool:
        """Compare by value; most comparisons are of a constant with itself."""
        return self is other or (isinstance(other, Need) and self.url == other.url and _parts(self) == _parts(other))

    def at(self, asset: Asset) -> str:
        """The absolute URL that answers this need for ``asset``."""
        if not self.url:
            return asset.url
        return asset.origin + self.url if self.url.startswith("/") else self.url


_parts = attrgetter("gate", "serves", "limit", "polite", "holds", "fields", "content")

ROBOTS_TXT = Need(Gate.LOOKUP, "/robots.txt", limit=1024 * 1024)
HEAD = Need(Gate.HEAD, holds=True)
BODY = Need(Gate.BODY, limit=1024 * 1024, holds=True)


def page_of(asset: Asset) -> Need | None:
    """The need for the page that showed the asset, or None where no page is known."""
    if asset.page is None or asset.page == asset.url:
        return None
    return Need(Gate.LOOKUP, asset.page, limit=1024 * 1024, polite=True)


class Fields:
    """Header fields in order, repeats kept (RFC 9110 §5); names compare without case."""

    __slots__ = ("_lines", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Keep ``pairs`` as they came from the wire."""
        self.pairs: Pairs = tuple(pairs)
        lines: dict[str, list[str]] = {}
        for name, value in self.pairs:
            lines.setdefault(name.lower(), []).append(value)
        self._lines = lines

    def lines(self, name: str) -> list[str]:
        """Every value of the field ``name`` (lower case), one per line received, or an empty list."""
        return self._lines.get(name, _NO_LINES)

    def first(self, name: str) -> str:
        """The first value of the field ``name`` (lower case), or an empty string."""
        return self._lines.get(name, _EMPTY_LINE)[0]


_NO_LINES: list[str] = []
_EMPTY_LINE = [""]
NO_FIELDS = Fields()


class Evidence:
    """The answer to one need, or the reason why there is none.

    ``status`` is None when nothing answered. ``gap`` is a reason code when the answer could not be had or not be had
    whole, else empty; ``note`` tells a person more about it. ``whole`` is False when ``content`` is a bounded prefix.
    ``at`` is seconds since the epoch. ``url`` is where the content came from in the end, after redirects.
    """

    __slots__ = ("_readings", "at", "content", "fields", "gap", "need", "note", "status", "url", "whole")

    def __init__(  # noqa: PLR0913 (one value, eight parts)
        self,
        need: Need,
        url: str,
        *,
        status: int | None = None,
        fields: Fields = NO_FIELDS,
        content: bytes = b"",
        at: float = 0.0,
        gap: str = "",
        whole: bool = True,
        note: str = "",
    ) -> None:
        """Keep one answer."""
        self.need, self.url, self.status, self.fields = need, url, status, fields
        self.content, self.at, self.gap, self.whole, self.note = content, at, gap, whole, note
        self._readings: dict[Any, Any] = {}

    @property
    def successful(self) -> bool:
        """The status is a successful one (RFC 9110 §15.3), whether the content came whole or not."""
        return self.status in _SUCCESSFUL

    @property
    def found(self) -> bool:
        """A successful answer that came whole."""
        return self.successful and not self.gap

    @property
    def unreachable(self) -> bool:
        """No answer, a server error, or 429 after back-off (RFC 9309 §2.3.1.4): not the same as unavailable."""
        return self.status is None or self.status >= _SERVER_ERROR or self.status == _TOO_MANY_REQUESTS

    @property
    def content_type(self) -> str:
        """The Content-Type field as received, or an empty string."""
        return self.fields.first("content-type")

    def parsed(self, reader: Callable[..., T], *args: Any) -> T:  # noqa: ANN401 (handed on as they are)
        """What ``reader(content, *args)`` makes of the content; made once, shared by every signal."""
        key = (reader, *args) if args else reader
        try:
            return self._readings[key]  # type: ignore[no-any-return]
        except KeyError:
            reading = self._readings[key] = reader(self.content, *args)
            return reading
