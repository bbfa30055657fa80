"""Heads of answers as HTTP libraries give them: whether they were framed soundly, and read whole.

A head that a library mended, cut or could read in two ways is a gap, never a head without statements.
"""

from __future__ import annotations

import re
from email import errors
from email.message import Message

from consentcrawl.core import Fields

BAD_HEAD = "bad_head"
_ODD = re.compile(r"[\r\n\0]").search
_FINAL = 200
# http.client has the head read as that of a mail: without its parts, every multipart is at fault.
_OF_CONTENT = (
    errors.CloseBoundaryNotFoundDefect,
    errors.InvalidMultipartContentTransferEncodingDefect,
    errors.MultipartInvariantViolationDefect,
    errors.NoBoundaryInMultipartDefect,
    errors.StartBoundaryNotFoundDefect,
)


def gap_of(status: int, fields: Fields) -> str:
    """Return the reason code of a head that is odd in what the library shows of it, or an empty string."""
    odd = (
        status < _FINAL  # RFC 9110 §15.2: an interim answer is no answer
        or not framed(fields)
        or _ODD("".join([text for pair in fields.pairs for text in pair])) is not None
    )
    return BAD_HEAD if odd else ""


def gap_of_http_client(status: int, fields: Fields, message: Message) -> str:
    """As ``gap_of``, for http.client, which drops lines that it cannot read and says so in ``defects`` only."""
    odd = any(not isinstance(defect, _OF_CONTENT) for defect in message.defects)
    return BAD_HEAD if odd else gap_of(status, fields)


def framed(fields: Fields) -> bool:
    """RFC 9112 §6.3: one Content-Length of digits, or chunks and no other transfer coding, which libraries leave."""
    lengths, codings = fields.lines("content-length"), fields.lines("transfer-encoding")
    if codings:
        return not lengths and [coding.strip().lower() for coding in codings] == ["chunked"]
    return not lengths or (len(set(lengths)) == 1 and lengths[0].isascii() and lengths[0].isdigit())
