"""What of an answer's content counts, by its status, and whether it came whole.

Content is whole only when its framing and its coding both ended as they should.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from consentcrawl.net.decoding import Identity, decoder_of
from consentcrawl.net.exchange import Exchange, Head
from consentcrawl.net.unreached import BAD_STATUS, BODY_LIMIT, TRUNCATED, Unreached

_ERROR_LIMIT = 64 * 1024
_WIRE_SLACK = 64 * 1024
_NO_CONTENT = frozenset({204, 205})
_PARTIAL = 206


@dataclass(frozen=True, slots=True)
class Content:
    """What was read of the content, and why not all of it."""

    data: bytes = b""
    whole: bool = True
    gap: str = ""


def judged(exchange: Exchange, head: Head, limit: int) -> Content:
    """Read the content as far as the status lets it count."""
    if head.status >= 400:  # noqa: PLR2004 (RFC 9110 §15.5: error)
        return replace(_read(exchange, head, min(limit, _ERROR_LIMIT)), gap="")
    if head.status >= 300:  # noqa: PLR2004 (RFC 9110 §15.4: redirection)
        return Content(whole=False, gap=BAD_STATUS)
    content = _read(exchange, head, limit)
    if head.status == _PARTIAL and not content.gap:  # a part that was not asked for
        return replace(content, whole=False, gap=TRUNCATED)
    return content


def _read(exchange: Exchange, head: Head, limit: int) -> Content:
    """Read at most ``limit`` bytes of content, codings removed."""
    data = bytearray()
    wire = 0
    try:
        decoder = Identity() if head.status in _NO_CONTENT else decoder_of(head.fields.lines("content-encoding"))
        for piece in exchange.pieces():
            data += decoder.feed(piece, limit + 1 - len(data))
            wire += len(piece)
            if len(data) > limit or wire > limit + _WIRE_SLACK:
                return Content(bytes(data[:limit]), whole=False, gap=BODY_LIMIT)
        decoder.end()
    except Unreached as error:
        return Content(bytes(data[:limit]), whole=False, gap=error.reason)
    return Content(bytes(data))
