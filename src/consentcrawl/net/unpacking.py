"""Content codings of an asset's content, undone within bounds so that it can be looked at.

Law: only a copy is unpacked; the caller gets the bytes as they were sent. What cannot be unpacked is a gap.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from consentcrawl.net.decoding import decoder_of
from consentcrawl.net.unreached import ENCODING, Unreached

_BY_URLLIB3 = frozenset(HTTPResponse.CONTENT_DECODERS) - {"gzip", "x-gzip"}


def unpacked(start: bytes, codings: Sequence[str], limit: int, *, whole: bool) -> tuple[bytes, str]:
    """Undo the content codings of ``start``, to at most ``limit`` bytes; give the content and a reason code or "".

    ``codings`` are the lines of Content-Encoding (RFC 9110 §8.4). gzip that comes ``whole`` must have its end.
    """
    named = [name for line in codings for name in (part.strip().lower() for part in line.split(",")) if name]
    if not named or named == ["identity"]:
        return start[:limit], ""
    if len(named) == 1 and named[0] in _BY_URLLIB3:
        return _by_urllib3(start, named[0], limit)
    try:
        decoder = decoder_of(list(codings))
        content = decoder.feed(start, limit)
        if whole and len(content) < limit:
            decoder.end()
    except Unreached as error:
        return b"", error.reason
    return content, ""


def _by_urllib3(start: bytes, coding: str, limit: int) -> tuple[bytes, str]:
    body = HTTPResponse(io.BytesIO(start), headers={"content-encoding": coding}, preload_content=False)
    try:
        return body.read(limit, decode_content=True), ""
    except (HTTPError, OSError):
        return b"", ENCODING
