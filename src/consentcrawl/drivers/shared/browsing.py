"""What is asked about one request of a browser, before it goes and when its answer has come.

A verdict that is given back withholds; nothing of the answer is shown before there is none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence

from consentcrawl import errors
from consentcrawl.core import Fields, Hop, Verdict
from consentcrawl.download import Content, Download, Head, advance_async, content_of, run_async
from consentcrawl.drivers.shared.held import Held
from consentcrawl.ledger.recording.durable import durable
from consentcrawl.net.unreached import TRUNCATED
from consentcrawl.steward import Steward

_MOST = 16 * 1024 * 1024  # bytes of a content that are held back to be looked at
_ENDLESS = ("audio/", "video/", "text/event-stream", "multipart/x-mixed-replace")
_UNDONE = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "identity"})  # by the browser
_LENGTH = re.compile(r"[0-9]{1,18}").fullmatch


class Browsing:
    """The inquiries about what a browser asks for; ``told`` hears every verdict that withholds."""

    def __init__(self, held: Held, told: Callable[[Verdict], None] | None) -> None:
        """Ask the steward that is held."""
        self._held, self._told = held, told

    async def before(
        self, url: str, *, page: str = "", referer: str = "", hops: Sequence[Hop] = ()
    ) -> Download | Verdict:
        """Open an inquiry and meet its LOOKUP gate; a verdict withholds."""
        download = Download(self._held.steward, url, page=page, referer=referer, hops=hops)
        step = await advance_async(download)
        withheld = self._withheld(step) if isinstance(step, Verdict) else None
        return download if withheld is None else withheld

    async def after(
        self, download: Download, status: int, fields: Fields, method: str, content: Callable[[], Awaitable[bytes]]
    ) -> Verdict | None:
        """Meet the other gates; a verdict withholds."""
        if download.verdict is not None:
            return None
        exchange = _Exchange(Head(status, fields, bodiless=method == "HEAD"), content, download, self._held.steward)
        verdict = await run_async(download, exchange)
        handed = exchange.content
        if download.recorded and handed is not None and not errors.withholds(verdict):
            download.delivered(len(handed), hashlib.sha256(handed).hexdigest())
        return self._withheld(verdict)

    def _withheld(self, verdict: Verdict | None) -> Verdict | None:
        if not errors.withholds(verdict):
            return None
        if self._told is not None:
            self._told(verdict)
        return verdict


class LetGo:
    """The requests that DevTools has let go, and that no route has seen and no server has answered yet."""

    def __init__(self) -> None:
        """Begin with none."""
        self._going: dict[str, set[str]] = {}

    def add(self, url: str, request: str) -> None:
        """Note that one was let go."""
        self._going.setdefault(url, set()).add(request)

    def take(self, url: str) -> bool:
        """Take one with this URL, if there is one."""
        if url not in self._going:
            return False
        self.forget(url, next(iter(self._going[url])))
        return True

    def forget(self, url: str, request: str) -> None:
        """Take this one, if it is still there."""
        going = self._going.get(url, set())
        going.discard(request)
        if not going:
            self._going.pop(url, None)


def _is_endless(fields: Fields) -> bool:
    """Return whether the content is not held back until it is whole: too long, or a stream."""
    return fields.first("content-type").lower().startswith(_ENDLESS) or _announced(fields) > _MOST


def _announced(fields: Fields) -> int:
    """Return the length that the head announces, or 0."""
    length = fields.first("content-length")
    return int(length) if _LENGTH(length) else 0


class _Exchange:
    """One answer that the browser holds back; ``content`` is what it gave of it."""

    def __init__(self, head: Head, given: Callable[[], Awaitable[bytes]], download: Download, steward: Steward) -> None:
        self._head, self._given, self._download, self._steward = head, given, download, steward
        self.content: bytes | None = None

    async def send(self, _url: str) -> Head:
        return self._head

    async def read(self, limit: int) -> Content:
        fields = self._head.fields
        if _is_endless(fields):
            return content_of(await durable(self._steward.prefix(self._download.url, limit)))
        try:
            self.content = content = await self._given()
        except Exception:  # noqa: BLE001 (the browser's own: it cannot give the content)
            return Content(b"", ended=False, gap=TRUNCATED)
        codings = fields.lines("content-encoding")
        # DevTools give what came of an answer that broke off, and no error.
        lost = not codings and len(content) < _announced(fields)
        decoded = len(codings) == 1 and codings[0].strip().lower() in _UNDONE
        return Content(content, ended=not lost, decoded=decoded, gap=TRUNCATED if lost else "")
