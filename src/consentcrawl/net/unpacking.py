"""Content codings of an asset's content, undone within bounds so that it can be looked at.

Only a copy is unpacked; the caller gets the bytes as they were sent. What cannot be unpacked is a gap.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from consentcrawl.net.decoding import decoder_of
from consentcrawl.net.unreached import ENCODING, TRUNCATED, Unreached

_BY_URLLIB3 = frozenset(HTTPResponse.CONTENT_DECODERS) - {"gzip", "x-gzip"}


def unpacked(start: bytes, codings: Sequence[str], limit: int, *, whole: bool) -> tuple[bytes, str]:
    """Undo the content codings of ``start``, to at most ``limit`` bytes; give the content and a reason code or "".

    ``codings`` are the lines of Content-Encoding (RFC 9110 §8.4). What comes ``whole`` must have the end of its coding;
    what was unpacked before a missing one is given all the same. Nothing at all is nothing in any coding.
    """
    named = [name for line in codings for name in (part.strip().lower() for part in line.split(",")) if name]
    if not named or named == ["identity"] or not start:
        return start[:limit], ""
    if len(named) == 1 and named[0] in _BY_URLLIB3:
        return _by_urllib3(start, named[0], limit, whole=whole)
    content = b""
    try:
        decoder = decoder_of(list(codings))
        content = decoder.feed(start, limit)
        if whole and len(content) < limit:
            decoder.end()
    except Unreached as error:
        return content, error.reason
    return content, ""


def _by_urllib3(start: bytes, coding: str, limit: int, *, whole: bool) -> tuple[bytes, str]:
    body = HTTPResponse(io.BytesIO(start), headers={"content-encoding": coding}, preload_content=False)
    try:
        content = body.read(limit, decode_content=True)
    except (HTTPError, OSError):
        return b"", ENCODING
    return content, TRUNCATED if whole and len(content) < limit and not _has_ended(body) else ""


def _has_ended(body: HTTPResponse) -> bool:
    """Return whether the end of a stream was seen: urllib3 takes one that breaks off for a whole one.

    Of a decoder that does not say so it is not known, and counts as not seen.
    """
    unpacks: Any = getattr(body._decoder, "_obj", None)  # noqa: SLF001 (told nowhere else)
    if hasattr(unpacks, "is_finished"):  # Brotli's; those of zlib and zstd have ``eof``
        return bool(unpacks.is_finished())
    return bool(getattr(unpacks, "eof", False))
