"""One answer as one gzipped WARC record, and back.

What is read is what was written, whatever a stranger's fields hold.
"""

from __future__ import annotations

import re
import zlib
from base64 import b32decode, b32encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote

from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

# A WARC holds what was sent; here the content lies decoded, so these no longer describe it.
_CODINGS = frozenset({"content-encoding", "transfer-encoding", "content-length"})
_ORIGINAL = "X-Archive-Orig-"
_QUOTED = "X-Archive-Quoted-"
_plain_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch  # RFC 9110 §5.6.2: a token
_plain_value = re.compile(r"[!-~](?:[ -~]*[!-~])?|").fullmatch
# They change from one answer to the next and say nothing about consent.
_FLEETING = frozenset(
    {"date", "age", "expires", "set-cookie", "server-timing", "cf-ray", "x-request-id", "etag", "via"}
)

_SAFE = "".join(map(chr, range(0x21, 0x7F)))

Pairs = tuple[tuple[str, str], ...]


UNREADABLE = (ArchiveLoadFailed, OSError, ValueError, AttributeError, TypeError, KeyError, EOFError, zlib.error)
"""What reading a damaged record raises."""

NO_STATUS = 0
"""The status of a document that no server sent as it stands: a head by itself, a packet cut out of an image."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was answered: where, with what status and fields, the bytes, and when (seconds, UTC).

    One that no server sent as it stands has status 0, a ``urn:consentcrawl:`` for its URL, and Content-Type alone.
    """

    url: str
    status: int
    fields: Pairs
    content: bytes
    at: float


def record_of(document: Document, digest: str, *, revisit: bool) -> bytes:
    """A gzipped WARC record: the answer, or only its head where the content is kept already.

    WARC 1.1 has ``response`` for what a server sent, ``revisit`` for its head alone, ``resource`` for the rest.
    """
    out = BytesIO()
    writer = WARCWriter(out, gzip=True)
    warc = {
        "WARC-Date": datetime.fromtimestamp(document.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "WARC-Payload-Digest": _sha256_label(digest),
    }
    if revisit:
        warc["WARC-Profile"] = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    kind, content = ("revisit", b"") if revisit else ("response", document.content)
    more: dict[str, Any] = {"http_headers": _head(document)}
    if document.status == NO_STATUS:
        kind, more = "resource", {"warc_content_type": dict(document.fields)["Content-Type"]}
    url = quote(document.url, safe=_SAFE, errors="surrogatepass")
    record = writer.create_warc_record(
        url, kind, payload=BytesIO(content), length=len(content), warc_headers_dict=warc, **more
    )
    writer.write_record(record)
    return out.getvalue()


def _head(document: Document) -> StatusAndHeaders:
    fields = [_kept(name, value) for name, value in document.fields]
    return StatusAndHeaders(f"{document.status} ", fields, protocol="HTTP/1.1")


def document_of(record: Any) -> Document:  # noqa: ANN401 (warcio is untyped)
    """The answer in a record, its content as it lies there; ValueError or AttributeError when it is none of ours."""
    warc, head = record.rec_headers, record.http_headers
    at = datetime.fromisoformat(warc.get_header("WARC-Date")).timestamp()
    if record.rec_type == "resource":
        kind = (("Content-Type", warc.get_header("Content-Type")),)
        return Document(warc.get_header("WARC-Target-URI"), NO_STATUS, kind, record.raw_stream.read(), at)
    fields = tuple(_restored(name, value) for name, value in head.headers)
    url = warc.get_header("WARC-Target-URI")
    return Document(url, int(head.get_statuscode()), fields, record.raw_stream.read(), at)


def digest_in(record: Any) -> str:  # noqa: ANN401 (warcio is untyped)
    """The SHA-256 that a record names, in hex; ValueError or AttributeError when it is none of ours."""
    return b32decode(record.rec_headers.get_header("WARC-Payload-Digest").removeprefix("sha256:")).hex()


def _sha256_label(digest: str) -> str:
    """The digest as WARC has it: in base 32, as every reader of WARC files computes it."""
    return f"sha256:{b32encode(bytes.fromhex(digest)).decode()}"


def head_digest(document: Document) -> str:
    """What makes an answer another one: where it came from, the status, and the fields that last."""
    lasting = [(name.lower(), value) for name, value in document.fields if name.lower() not in _FLEETING]
    said = repr((document.url, document.status, lasting))
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _kept(name: str, value: str) -> tuple[str, str]:
    """A field as it lies in a WARC head, which is lines of ASCII: a stranger's value must not make more of them."""
    if name.lower() in _CODINGS or name.startswith((_ORIGINAL, _QUOTED)):
        name = _ORIGINAL + name
    if _plain_name(name) and _plain_value(value):
        return name, value
    return _QUOTED + quote(name, safe="", errors="surrogatepass"), quote(value, safe="", errors="surrogatepass")


def _restored(name: str, value: str) -> tuple[str, str]:
    """The field that was kept."""
    if name.startswith(_QUOTED):
        name = unquote(name.removeprefix(_QUOTED), errors="surrogatepass")
        value = unquote(value, errors="surrogatepass")
    return name.removeprefix(_ORIGINAL), value
