"""Sixty images made to mislead, to stall or to swell, each with the reason code that must come out."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests import containers, packets
from tests.containers import EXTENSION_SIGNATURE, XMP_SIGNATURE, box, chunk, jpeg_with, png_with, segment

MIB = 1024 * 1024
DENIAL = packets.data_mining("element", "DMI-PROHIBITED")
_PNG = b"\x89PNG\r\n\x1a\n"
_ITXT = b"XML:com.adobe.xmp\0\0\0\0\0"
_ZIPPED = b"XML:com.adobe.xmp\0\1\0\0\0"
_GUID = b"0123456789ABCDEF0123456789ABCDEF"


def _part(total: int, offset: int, data: bytes, guid: bytes = _GUID) -> bytes:
    return segment(0xE1, EXTENSION_SIGNATURE + guid + struct.pack(">II", total, offset) + data)


def _riff(*chunks: bytes, stated: int = -1) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if stated < 0 else stated) + body


def _webp_chunk(kind: bytes, data: bytes, length: int = -1) -> bytes:
    return kind + struct.pack("<I", len(data) if length < 0 else length) + data


def _different(number: int) -> bytes:
    return b"<a>%d</a>" % number


def _ifd(entries: bytes, count: int, after: int = 0) -> bytes:
    return b"II*\0" + struct.pack("<IH", 8, count) + entries + struct.pack("<I", after)


def _entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


def _heif(*boxes: bytes) -> bytes:
    return box(b"ftyp", b"avif\0\0\0\0avif") + box(b"meta", bytes(4) + b"".join(boxes))


_INFE = box(b"infe", b"\2\0\0\0\0\7\0\0mimeX\0application/rdf+xml\0")
_IINF = box(b"iinf", bytes(4) + b"\0\1" + _INFE)


def _iloc(version: int, sizes: bytes, items: bytes, count: int = 1) -> bytes:
    return box(b"iloc", bytes([version, 0, 0, 0]) + sizes + struct.pack(">H", count) + items)


def _svg(inside: bytes, head: bytes = b"") -> bytes:
    return head + b'<svg xmlns="http://www.w3.org/2000/svg">' + inside + b"</svg>"


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    # JPEG
    "jpeg of two bytes": (lambda: b"\xff\xd8", "truncated"),
    "jpeg without a marker": (lambda: b"\xff\xd8" + b"\0" * MIB, "truncated"),
    "jpeg of fill bytes": (lambda: b"\xff\xd8" + b"\xff" * MIB, "truncated"),
    "jpeg of bare markers": (lambda: b"\xff\xd8" + b"\xff\xd0" * 55_000, "image_limit"),
    "jpeg of empty segments": (lambda: b"\xff\xd8" + b"\xff\xe2\0\2" * 55_000, "image_limit"),
    "jpeg segment of length 0": (lambda: b"\xff\xd8\xff\xe1\0\0" + DENIAL, "malformed"),
    "jpeg segment of length 1": (lambda: b"\xff\xd8\xff\xe1\0\1" + DENIAL, "malformed"),
    "jpeg segment beyond the end": (lambda: b"\xff\xd8\xff\xe1\xff\xff" + XMP_SIGNATURE + DENIAL, "truncated"),
    "jpeg without a length": (lambda: b"\xff\xd8\xff\xe1\0", "truncated"),
    "jpeg with a hundred packets": (
        lambda: jpeg_with(*[segment(0xE1, XMP_SIGNATURE + _different(n)) for n in range(100)]),
        "image_limit",
    ),
    "jpeg extension without its parts": (
        lambda: containers.jpeg(packets.packet("", f'xmlns:n="n" n:HasExtendedXMP="{_GUID.decode()}"')),
        "malformed",
    ),
    "jpeg extension with a hole": (lambda: containers.jpeg_extended(DENIAL, leave_out=1), "malformed"),
    "jpeg extension of four gigabytes": (lambda: jpeg_with(_part(2**32 - 1, 0, b"<a/>")), "image_limit"),
    "jpeg extension that starts late": (lambda: jpeg_with(_part(8, 4, b"<a/>")), "malformed"),
    "jpeg extension that changes its length": (lambda: jpeg_with(_part(4, 0, b"<a/>"), _part(9, 4, b"")), "malformed"),
    "jpeg extension too short for its head": (
        lambda: jpeg_with(segment(0xE1, EXTENSION_SIGNATURE + b"12")),
        "malformed",
    ),
    "jpeg with a thousand extensions": (
        lambda: jpeg_with(*[_part(8, 0, b"<a>%03d</a>" % n, b"%032d" % n) for n in range(1000)]),
        "malformed",
    ),
    "jpeg resource beyond its block": (
        lambda: jpeg_with(segment(0xED, b"Photoshop 3.0\0" + struct.pack(">4sHHI", b"8BIM", 1028, 0, 2**31) + b"x")),
        "truncated",
    ),
    "jpeg resource that is none": (lambda: jpeg_with(segment(0xED, b"Photoshop 3.0\0" + b"8BPS" * 9)), "malformed"),
    "jpeg with a hundred iptc blocks": (
        lambda: jpeg_with(
            segment(0xED, b"Photoshop 3.0\0" + containers.photoshop(*[(0x0404, b"%d" % n) for n in range(100)]))
        ),
        "image_limit",
    ),
    # PNG
    "png of a signature": (lambda: _PNG, "truncated"),
    "png chunk of four gigabytes": (lambda: _PNG + b"\xff\xff\xff\xffiTXt" + _ITXT + DENIAL, "truncated"),
    "png of empty chunks": (lambda: _PNG + chunk(b"abcd", b"") * 55_000, "image_limit"),
    "png zlib bomb": (lambda: png_with(chunk(b"iTXt", _ZIPPED + zlib.compress(b"<" * 64 * MIB))), "body_ratio"),
    "png twenty zlib bombs": (
        lambda: png_with(*[chunk(b"iTXt", _ZIPPED + zlib.compress(b"%02d" % n * MIB)) for n in range(20)]),
        "body_ratio",
    ),
    "png zlib that is none": (lambda: png_with(chunk(b"iTXt", _ZIPPED + b"no zlib" + DENIAL)), "malformed"),
    "png zlib that ends early": (lambda: png_with(chunk(b"iTXt", _ZIPPED + zlib.compress(DENIAL)[:-20])), "malformed"),
    "png zTXt bomb": (
        lambda: png_with(chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(b"\n" * 64 * MIB))),
        "body_ratio",
    ),
    "png text chunk without its parts": (lambda: png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0en")), "malformed"),
    "png profile that is not hexadecimal": (
        lambda: png_with(chunk(b"tEXt", b"Raw profile type xmp\0\nxmp\n 4\nzzzz\n")),
        "malformed",
    ),
    "png profile without its lines": (lambda: png_with(chunk(b"tEXt", b"Raw profile type xmp\0xmp")), "malformed"),
    "png packet of three megabytes": (lambda: png_with(chunk(b"iTXt", _ITXT + b"<" * 3 * MIB)), "image_limit"),
    "png cut behind the pixels": (lambda: containers.plain("PNG")[:-12], "truncated"),
    # WebP
    "webp of a head": (lambda: b"RIFF\xff\xff\xff\xffWEBP", "truncated"),
    "webp chunk of four gigabytes": (lambda: _riff(_webp_chunk(b"XMP ", DENIAL, 2**32 - 1)), "truncated"),
    "webp of empty chunks": (lambda: _riff(_webp_chunk(b"abcd", b"") * 55_000), "image_limit"),
    "webp cut before its last chunks": (lambda: containers.webp(DENIAL)[:80], "truncated"),
    "webp states more than there is": (lambda: _riff(_webp_chunk(b"VP8 ", b"1234"), stated=99_999), "truncated"),
    # TIFF
    "tiff of a mark": (lambda: b"II*\0", "truncated"),
    "tiff directory beyond the end": (lambda: b"II*\0\xff\xff\xff\xff", "truncated"),
    "tiff entries beyond the end": (lambda: b"II*\0" + struct.pack("<IH", 8, 65_535), "truncated"),
    "tiff value beyond the end": (lambda: _ifd(_entry(700, 1, 2**32 - 1, 2**32 - 1), 1), "truncated"),
    "tiff value of 2^67 bytes": (
        lambda: b"II+\0\x08\0\0\0" + struct.pack("<QQHHQQQ", 16, 1, 700, 16, 2**64 - 1, 24, 0),
        "truncated",
    ),
    "tiff of a thousand sub directories": (
        lambda: (
            _ifd(_entry(330, 4, 1_000, 30), 1)
            + b"".join(struct.pack("<I", 4000 + 8 * n) for n in range(1_000))
            + b"\0" * 20_000
        ),
        "image_limit",
    ),
    "tiff that names one packet often": (
        lambda: _ifd(_entry(700, 1, MIB, 8) * 60_000, 60_000) + b"\0" * MIB,
        "image_limit",
    ),
    "tiff of other offsets": (lambda: b"II+\0\x04\0\0\0" + b"\0" * 64, "malformed"),
    # GIF
    "gif of a head": (lambda: b"GIF89a", "truncated"),
    "gif without an end": (lambda: b"GIF89a\1\0\1\0\0\0\0\x21\xfe" + b"\1a" * 100_000, "truncated"),
    "gif of 210,000 comments": (lambda: b"GIF89a\1\0\1\0\0\0\0" + b"\x21\xfe\0" * 210_000, "image_limit"),
    "gif block that is none": (lambda: b"GIF89a\1\0\1\0\0\0\0\x99", "malformed"),
    "gif packet without its trailer": (lambda: containers.gif_with(b"\x21\xff\x0bXMP DataXMP" + DENIAL), "malformed"),
    # AVIF, HEIF, JPEG XL
    "avif box of size 4": (lambda: box(b"ftyp", b"avif\0\0\0\0avif") + b"\0\0\0\4meta", "malformed"),
    "avif box beyond the end": (
        lambda: box(b"ftyp", b"avif\0\0\0\0avif") + b"\x7f\xff\xff\xffuuid" + DENIAL,
        "truncated",
    ),
    "avif items without places": (lambda: _heif(_IINF), "malformed"),
    "avif item in another item": (
        lambda: _heif(_IINF, _iloc(1, b"\x44\0", b"\0\7\0\2\0\0\0\1" + struct.pack(">II", 0, 9))),
        "unsupported",
    ),
    "avif item beyond the end": (
        lambda: _heif(_IINF, _iloc(0, b"\x44\0", b"\0\7\0\0\0\1" + struct.pack(">II", 2**31, 2**31))),
        "truncated",
    ),
    "avif item of endless empty extents": (
        lambda: _heif(_IINF, _iloc(0, b"\0\0", b"\0\7\0\0\xff\xff" * 10_000, 10_000)),
        "image_limit",
    ),
    "avif places cut short": (lambda: _heif(_IINF, _iloc(0, b"\x44\0", b"\0\7\0\0\0\1")), "malformed"),
    "avif table of items cut short": (lambda: _heif(box(b"iinf", b"\1\0\0\0\0\1\0\0")), "malformed"),
    "jxl packet under brotli": (lambda: containers.jxl(b"xml \x1b\0\0", b"brob"), "unsupported"),
    # SVG
    "svg entity bomb": (
        lambda: _svg(b"<metadata>&b;</metadata>", b'<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'),
        "doctype",
    ),
    "svg external document type": (
        lambda: _svg(b"<metadata/>", b'<!DOCTYPE svg SYSTEM "http://127.0.0.1:9/x.dtd">'),
        "doctype",
    ),
    "svg metadata without an end": (lambda: _svg(b"<metadata>" + DENIAL[:400]), "malformed"),
    "svg of endless manifests": (lambda: b"<svg>" + b"<c:manifest " * (MIB // 12), "truncated"),
    "svg with a hundred metadata": (
        lambda: _svg(b"".join(b"<metadata>%d</metadata>" % n for n in range(100))),
        "image_limit",
    ),
}
