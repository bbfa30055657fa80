"""Puts metadata into image files: by Pillow where it can write the place, else by hand, byte for byte."""

from __future__ import annotations

import functools
import hashlib
import io
import struct
import zlib

from PIL import Image, PngImagePlugin, features

from tests.packets import NAMESPACES, packet

XMP_SIGNATURE = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION_SIGNATURE = b"http://ns.adobe.com/xmp/extension/\0"
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


@functools.cache
def _pixels() -> Image.Image:
    return Image.linear_gradient("L").resize((8, 8)).convert("RGB")


@functools.cache
def plain(kind: str) -> bytes:
    """Return a small image without metadata, written by Pillow."""
    out = io.BytesIO()
    _pixels().save(out, kind)
    return out.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    """Write a box of the ISO base media file format."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def chunk(kind: bytes, data: bytes) -> bytes:
    """Write a PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def segment(marker: int, data: bytes) -> bytes:
    """Write a JPEG segment."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg_with(*segments: bytes) -> bytes:
    """Put segments behind the start of a small JPEG."""
    image = plain("JPEG")
    return image[:2] + b"".join(segments) + image[2:]


def jpeg(xmp: bytes) -> bytes:
    """Write XMP as Pillow does, into an APP1 segment."""
    out = io.BytesIO()
    _pixels().save(out, "JPEG", xmp=xmp)
    return out.getvalue()


def jpeg_late(xmp: bytes) -> bytes:
    """Put XMP behind the pixels of a JPEG."""
    return plain("JPEG") + segment(0xE1, XMP_SIGNATURE + xmp)


def jpeg_extended(xmp: bytes, *, leave_out: int = -1, parts: int = 3) -> bytes:
    """Write XMP as an extension in several parts, out of order, behind a main packet that names it."""
    guid = hashlib.md5(xmp, usedforsecurity=False).hexdigest().upper()
    main = packet("", f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid}"')
    size = -(-len(xmp) // parts)
    pieces = [
        segment(0xE1, EXTENSION_SIGNATURE + guid.encode() + struct.pack(">II", len(xmp), at) + xmp[at : at + size])
        for number, at in enumerate(range(0, len(xmp), size))
        if number != leave_out
    ]
    return jpeg_with(segment(0xE1, XMP_SIGNATURE + main), *reversed(pieces))


def photoshop(*resources: tuple[int, bytes]) -> bytes:
    """Write a block of Photoshop image resources."""
    return b"".join(
        struct.pack(">4sHHI", b"8BIM", number, 0, len(data)) + data + b"\0" * (len(data) % 2)
        for number, data in resources
    )


def iim(**texts: str) -> bytes:
    """Write IPTC-IIM data sets of record 2, each named ``s<number>``."""
    return b"".join(
        struct.pack(">BBBH", 0x1C, 2, int(name[1:]), len(text.encode())) + text.encode() for name, text in texts.items()
    )


def jpeg_resources(xmp: bytes) -> bytes:
    """Put XMP into the Photoshop resources of a JPEG."""
    return jpeg_with(segment(0xED, b"Photoshop 3.0\0" + photoshop((0x0404, iim(s116="(c) A")), (0x0424, xmp))))


def jpeg_rights(notice: str) -> bytes:
    """Put a copyright notice into the IPTC-IIM of a JPEG."""
    return jpeg_with(segment(0xED, b"Photoshop 3.0\0" + photoshop((0x0404, iim(s40="Ask first", s116=notice)))))


def png(xmp: bytes, *, compressed: bool = False) -> bytes:
    """Write XMP as Pillow does, into an iTXt chunk."""
    info, out = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode("latin-1").encode("latin-1").decode("utf-8"), zip=compressed)
    _pixels().save(out, "PNG", pnginfo=info)
    return out.getvalue()


def png_with(*chunks: bytes, late: bool = False) -> bytes:
    """Put chunks before the pixels of a small PNG, or before its end."""
    image = plain("PNG")
    at = len(image) - 12 if late else 33
    return image[:at] + b"".join(chunks) + image[at:]


def png_compressed(xmp: bytes) -> bytes:
    """Write a compressed iTXt chunk."""
    return png(xmp, compressed=True)


def png_late(xmp: bytes) -> bytes:
    """Put the iTXt chunk behind the pixels."""
    return png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp), late=True)


def png_bad_crc(xmp: bytes) -> bytes:
    """Write an iTXt chunk with a wrong checksum."""
    good = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
    return png_with(good[:-4] + b"\0\0\0\0")


def hex_profile(name: str, data: bytes) -> bytes:
    """Write a raw profile: name, length, and lines of hexadecimal digits."""
    digits = data.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"\n{name}\n{len(data):8}\n{lines}\n".encode()


def png_raw_profile(xmp: bytes) -> bytes:
    """Write XMP as old programs did: a compressed profile in hexadecimal digits."""
    return png_with(chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(hex_profile("xmp", xmp))))


def png_raw_app1(xmp: bytes) -> bytes:
    """Write XMP as a raw profile of a whole JPEG segment."""
    return png_with(chunk(b"tEXt", b"Raw profile type APP1\0" + hex_profile("app1", XMP_SIGNATURE + xmp)))


def webp(xmp: bytes) -> bytes:
    """Write XMP as Pillow does, into a chunk behind the pixels."""
    out = io.BytesIO()
    _pixels().save(out, "WEBP", xmp=xmp)
    return out.getvalue()


def tiff(xmp: bytes) -> bytes:
    """Write XMP as Pillow does, into tag 700."""
    out = io.BytesIO()
    _pixels().save(out, "TIFF", tiffinfo={700: xmp})
    return out.getvalue()


Entry = tuple[int, int, bytes]
"""Tag, type (of one byte each), value."""


def tiff_of(*directories: list[Entry], order: str = "<", big: bool = False) -> bytes:
    """Write a TIFF of chained directories without pixels."""
    number, count, inline = ("Q", "Q", 8) if big else ("I", "H", 4)
    mark = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    head = mark + (struct.pack(order + "HH", 8, 0) if big else b"")
    at = len(head) + struct.calcsize(number)
    out = head + struct.pack(order + number, at)
    for position, entries in enumerate(directories):
        values_at = len(out) + struct.calcsize(order + count) + len(entries) * (12 + 8 * big) + struct.calcsize(number)
        table, values = b"", b""
        for tag, kind, value in entries:
            place = (
                value.ljust(inline, b"\0")
                if len(value) <= inline
                else struct.pack(order + number, values_at + len(values))
            )
            table += struct.pack(order + "HH" + number, tag, kind, len(value)) + place
            values += value if len(value) > inline else b""
        after = values_at + len(values) if position + 1 < len(directories) else 0
        out += struct.pack(order + count, len(entries)) + table + struct.pack(order + number, after) + values
    return out


def tiff_second(xmp: bytes) -> bytes:
    """Put XMP into the second directory of a big-endian TIFF."""
    return tiff_of([(256, 1, b"\x08")], [(700, 1, xmp)], order=">")


def bigtiff(xmp: bytes) -> bytes:
    """Put XMP into a BigTIFF."""
    return tiff_of([(700, 7, xmp)], big=True)


GIF_MAGIC = bytes([1, *range(255, -1, -1), 0])


def gif_with(extension: bytes, *, late: bool = True) -> bytes:
    """Put an extension into a small GIF: before its trailer, or behind its head."""
    image = plain("GIF")
    at = len(image) - 1 if late else 13 + (3 << (image[10] & 7) + 1)
    return image[:at] + extension + image[at:]


def gif(xmp: bytes) -> bytes:
    """Write XMP plainly with the trailer that leads decoders to its end."""
    return gif_with(b"\x21\xff\x0bXMP DataXMP" + xmp + GIF_MAGIC)


def gif_blocks(xmp: bytes) -> bytes:
    """Write XMP in sub-blocks, as some programs do."""
    blocks = b"".join(bytes([len(xmp[at : at + 200])]) + xmp[at : at + 200] for at in range(0, len(xmp), 200))
    return gif_with(b"\x21\xff\x0bXMP DataXMP" + blocks + b"\0", late=False)


def heif(xmp: bytes, brand: bytes = b"heic", *, idat: bool = False, wide: bool = False, version: int = 1) -> bytes:
    """Write a HEIF file without pixels, whose one item is XMP, in two extents."""
    ftyp = box(b"ftyp", brand + struct.pack(">I", 0) + b"mif1" + brand)
    item = struct.pack(">I", 7) if wide else struct.pack(">H", 7)
    infe = box(b"infe", bytes([3 if wide else 2, 0, 0, 0]) + item + b"\0\0mime" + b"XMP\0application/rdf+xml\0")
    other = box(b"infe", bytes([2, 0, 0, 0]) + struct.pack(">HH", 1, 0) + b"av01\0")
    iinf = box(b"iinf", bytes(4) + struct.pack(">H", 2) + other + infe)
    half = len(xmp) // 2

    def meta(start: int) -> bytes:
        entry = item + (struct.pack(">H", int(idat)) if version else b"") + struct.pack(">HIH", 0, start, 2)
        extents = struct.pack(">IIII", 0, half, half, len(xmp) - half)
        count = struct.pack(">I", 1) if version == 2 else struct.pack(">H", 1)
        iloc = box(b"iloc", bytes([version, 0, 0, 0]) + b"\x44\x40" + count + entry + extents)
        return box(b"meta", bytes(4) + iinf + iloc + (box(b"idat", xmp) if idat else b""))

    start = 0 if idat else len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + (b"" if idat else box(b"mdat", xmp))


def avif(xmp: bytes) -> bytes:
    """Write XMP as Pillow does, or without its encoder by hand."""
    if not features.check("avif"):
        return heif(xmp, b"avif")
    out = io.BytesIO()
    _pixels().save(out, "AVIF", xmp=xmp)
    return out.getvalue()


def jxl(xmp: bytes, kind: bytes = b"xml ") -> bytes:
    """Write a JPEG XL container without pixels."""
    head = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    return head + box(b"jxlc", b"\xff\x0a") + box(kind, xmp)


def jp2(xmp: bytes) -> bytes:
    """Write a JPEG 2000 file without pixels."""
    return box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"uuid", XMP_UUID + xmp)


def svg(xmp: bytes) -> bytes:
    """Put XMP into the metadata of a drawing."""
    text = xmp[xmp.index(b"<x:xmpmeta") : xmp.index(b"</x:xmpmeta>") + 12]
    return (
        b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1">\n'
        b'<svg xmlns="http://www.w3.org/2000/svg"><metadata>' + text + b'</metadata><path d="M0 0h8"/></svg>\n'
    )


def svg_root(xmp: bytes) -> bytes:
    """Put the RDF of XMP into a drawing whose root declares all namespaces."""
    start = xmp.index(b"<rdf:Description")
    text = xmp[start : xmp.index(b"</rdf:RDF>")]
    root = f'<svg:svg xmlns:svg="http://www.w3.org/2000/svg" {NAMESPACES}>'.encode()
    return root + b"<svg:metadata><rdf:RDF>" + text + b"</rdf:RDF></svg:metadata></svg:svg>"
