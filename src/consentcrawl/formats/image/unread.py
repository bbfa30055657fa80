"""Content without a reader of its own: which of it could be an image and hold metadata, and which could not.

XMP that lies in such content uncompressed is found all the same.
"""

from __future__ import annotations

import re

from consentcrawl.formats.image.finding import Finding, Reader, scan

_PDF = b"%PDF-"
_POSTSCRIPT = (b"%!PS", b"\xc5\xd0\xd3\xc6")

# Images that hold no metadata, though what is embedded in them may.
_PLAIN = (
    ("bmp", re.compile(rb"BM.{4}\0{4}", re.DOTALL)),
    ("ico", re.compile(rb"\0\0[\1\2]\0")),
    ("pnm", re.compile(rb"P[1-6]\s+[0-9#]")),
)
# ISO 32000-2 §14.3.2: a metadata stream. Its dictionary is never packed, the stream may be.
_METADATA_STREAM = re.compile(rb"/Subtype\s*/XML\b")

# Archives, fonts, sound, video, programs and tables.
_NO_IMAGES = (
    *(
        b"PK\3\4",
        b"PK\5\6",
        b"\x1f\x8b",
        b"BZh",
        b"\xfd7zXZ",
        b"7z\xbc\xaf\x27\x1c",
        b"\x28\xb5\x2f\xfd",
        b"Rar!\x1a\7",
    ),
    *(b"wOFF", b"wOF2", b"OTTO", b"ttcf", b"true", b"\0\1\0\0\0"),
    *(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9", b"OggS", b"fLaC", b"MThd", b"#!AMR"),
    *(b"\x1a\x45\xdf\xa3", b"\0\0\1\xba", b"\0\0\1\xb3", b"FLV\1", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    *(b"\0asm", b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"dex\n", b"!<arch>"),
    *(
        b"SQLite format 3",
        b"PAR1",
        b"ARROW1",
        b"Obj\1",
        b"\x93NUMPY",
        b"\x89HDF\r\n\x1a\n",
        b"\x80\4\x95",
        b"\x80\5\x95",
    ),
)
_RIFF_TYPES = frozenset({b"WAVE", b"AVI ", b"RMID"})
_VIDEO_BRANDS = frozenset(
    {
        *(b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"qt  "),
        *(b"M4A ", b"M4B ", b"M4P ", b"M4V ", b"M4VP", b"3gp4", b"3gp5", b"3gp6", b"3g2a", b"f4v ", b"MSNV"),
    }
)
# WHATWG MIME Sniffing §7.2: text begins with a byte order mark, or has no binary data byte in its resource header.
_TEXT_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_BINARY = re.compile(rb"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_HEADER = 1445


def kind_of(content: bytes) -> tuple[str, Reader | None]:
    """Return the name of an image format without metadata, or an empty one; and what reads the content, if needed."""
    for name, head in _PLAIN:
        if head.match(content):
            return name, scan
    return "", read if content.startswith((_PDF, *_POSTSCRIPT)) or _may_be_image(content) else None


def _may_be_image(content: bytes) -> bool:
    if content.startswith((*_TEXT_MARKS, *_NO_IMAGES)) or _BINARY.search(content, 0, _HEADER) is None:
        return False
    if content[257:262] == b"ustar":  # an archive as well (POSIX.1 pax)
        return False
    riff = content.startswith(b"RIFF") and content[8:12] in _RIFF_TYPES
    return not riff and not (content[4:8] == b"ftyp" and content[8:12] in _VIDEO_BRANDS)


def read(found: Finding) -> None:
    """Keep XMP that lies there uncompressed, and give up: only of a PDF is it known whether that was all."""
    scan(found)
    streams = len(_METADATA_STREAM.findall(found.content))
    if not found.content.startswith(_PDF) or streams > len(found.xmp):
        found.give_up("unsupported")
