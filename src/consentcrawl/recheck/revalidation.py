"""Asking whether a kept document is still the same, instead of for all of it again (RFC 9110 §13).

"Not modified" is believed only of what was kept whole, from the very URL that is asked, and only of policy files:
those speak by their content. A 304 need not carry the fields of a 200 (RFC 9110 §15.4.5), so of an asset or a page,
whose fields speak as well, it would hide a refusal that was added to them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from email.utils import parsedate_to_datetime

from consentcrawl.core import BODY, Evidence, Fields, Need
from consentcrawl.core.evidence import Pairs
from consentcrawl.ledger.evidence import Document
from consentcrawl.ledger.evidence.evidence_list import LookedUp
from consentcrawl.sources.web import Reads

_NOT_MODIFIED = 304
_OK = 200
_STRONG_AFTER = 60.0  # seconds, RFC 9110 §8.8.2.2: a date younger than that may stand for two contents
_MOST_BYTES = 64 * 1024 * 1024
# They tell of the message and not of the document.
_OF_MESSAGE = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection"})


class RevalidatingReader:
    """A reader that knows what policy files said when they were asked last. Safe to share between threads."""

    def __init__(self, reader: Reads, most_bytes: int = _MOST_BYTES) -> None:
        """Read with ``reader``; keep at most ``most_bytes`` of content, what was kept longest goes first."""
        self._reader, self._most = reader, most_bytes
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._bytes = 0
        self._changing = threading.Lock()

    def keep(self, looked_up: LookedUp, document: Document | None) -> None:
        """Remember a document, where it can be asked about at all: whole, a plain 200, with a validator."""
        if document is None or looked_up.gap or not looked_up.whole or looked_up.status != _OK:
            return
        if not _conditions(document):
            return
        with self._changing:
            self._drop(looked_up.url)
            self._kept[looked_up.url] = document
            self._bytes += len(document.content)
            while self._bytes > self._most:
                self._drop(next(iter(self._kept)))

    def read(self, need: Need, url: str) -> Evidence:
        """Answer ``need`` from ``url``; never raises."""
        kept = None if need.polite or need.content else self._kept.get(url)
        if kept is None or len(kept.content) >= need.limit:
            return self._reader.read(need, url)
        answer = self._reader.read(replace(need, fields=(*need.fields, *_conditions(kept))), url)
        if answer.status != _NOT_MODIFIED:
            return _for(need, answer)
        if answer.url != url or answer.gap:
            return self._reader.read(need, url)
        return Evidence(
            need, url, status=_OK, fields=_freshened(kept.fields, answer.fields), content=kept.content, at=answer.at
        )

    def head(self, url: str, fields: Pairs = ()) -> Evidence:
        """Status and fields of the asset at ``url``, asked without conditions."""
        return self._reader.head(url, fields)

    def prefix(self, url: str, limit: int = BODY.limit, fields: Pairs = ()) -> Evidence:
        """At most ``limit`` bytes of the asset at ``url``, asked without conditions."""
        return self._reader.prefix(url, limit, fields)

    def _drop(self, url: str) -> None:
        document = self._kept.pop(url, None)
        if document is not None:
            self._bytes -= len(document.content)


def _conditions(document: Document) -> Pairs:
    """The fields that ask for the document only if it has changed (RFC 9110 §13.1.2, §13.1.3)."""
    fields = Fields(document.fields)
    if tag := fields.first("etag").strip():
        return (("If-None-Match", tag),)
    modified = fields.first("last-modified").strip()
    return (("If-Modified-Since", modified),) if modified and _is_strong(modified, document.at) else ()


def _is_strong(modified: str, at: float) -> bool:
    try:
        return at - parsedate_to_datetime(modified).timestamp() >= _STRONG_AFTER
    except (ValueError, OverflowError, OSError):
        return False


def _freshened(kept: Pairs, fresh: Fields) -> Fields:
    """The fields of the document with those that came with "not modified" over them (RFC 9111 §3.2)."""
    new = [(name, value) for name, value in fresh.pairs if name.lower() not in _OF_MESSAGE]
    names = {name.lower() for name, _ in new}
    return Fields([*((name, value) for name, value in kept if name.lower() not in names), *new])


def _for(need: Need, answer: Evidence) -> Evidence:
    """The answer to the need as it was asked."""
    return Evidence(
        need, answer.url, status=answer.status, fields=answer.fields, content=answer.content, at=answer.at,
        gap=answer.gap, whole=answer.whole, note=answer.note,
    )  # fmt: skip
