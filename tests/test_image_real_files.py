"""Images as real files have them: spellings, places and padding that programs write, and unknown containers."""

from __future__ import annotations

import struct
import zlib

import pytest

from consentcrawl.core import BODY, PURPOSES, Asset, Evidence, Fields, Gap, Preference, Purpose, Statement
from consentcrawl.formats import image, xmp
from consentcrawl.signals import plus_data_mining
from tests import containers, packets
from tests.containers import XMP_SIGNATURE, chunk, jpeg_with, photoshop, png_with, segment

DENIAL = packets.data_mining("element", "DMI-PROHIBITED")
VALUE = packets.VOCABULARY + "DMI-PROHIBITED"
ASSET = Asset("https://art.example/1")
PURPOSE = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])
AGENCY = b"XMP\0://ns.adobe.com/xap/1.0/\0"
IIM = containers.iim(s40="Ask first", s116="(c) A")


def _values(content: bytes) -> list[str]:
    return [value.text for each in xmp.in_image(content).packets for value in each.values(packets.PLUS, "DataMining")]


def _read(content: bytes, content_type: str = "") -> tuple[set[str], list[str]]:
    """Return what is disallowed, and the reasons of the gaps that hold."""
    fields = Fields([("Content-Type", content_type)] if content_type else [])
    said = list(
        plus_data_mining.read(Evidence(BODY, ASSET.url, status=200, fields=fields, content=content), ASSET, PURPOSE)
    )
    states = [each for each in said if isinstance(each, Statement)]
    return (
        {str(each.category) for each in states if each.preference is Preference.DISALLOWED},
        [each.reason for each in said if isinstance(each, Gap) and each.holds],
    )


def _exif(packet: bytes, order: str = "<", kind: int = 1) -> bytes:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    entry = struct.pack(order + "HHHII", 1, 700, kind, len(packet), 8 + 2 + 12 + 4)
    return b"Exif\0\0" + head + entry + struct.pack(order + "I", 0) + packet


def _raw_profile(kind: bytes, block: bytes, stated: int | None = None) -> bytes:
    length = b"%8d" % (len(block) if stated is None else stated)
    return b"\n" + kind + b"\n" + length + b"\n" + block.hex().encode() + b"\n"


def _signed(signature: bytes) -> bytes:
    return photoshop((0x0404, IIM), (0x0424, DENIAL)).replace(b"8BIM", signature)


def _psd(resources: bytes, version: int = 1) -> bytes:
    head = struct.pack(">4sH6xHIIHH", b"8BPS", version, 3, 8, 8, 8, 3)
    return head + struct.pack(">I", 0) + struct.pack(">I", len(resources)) + resources + bytes(40)


def _pdf(packet: bytes, more: bytes = b"") -> bytes:
    stream = b"1 0 obj <</Type/Metadata/Subtype/XML/Length %d>> stream\n%s\nendstream endobj\n" % (len(packet), packet)
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + stream + more + b"trailer <</Root 2 0 R>>\n%%EOF\n"


SPELT = {
    "jpeg, the header of a picture agency": jpeg_with(segment(0xE1, AGENCY + DENIAL)),
    "jpeg, that header behind the pixels": containers.plain("JPEG") + segment(0xE1, AGENCY + DENIAL),
    "jpeg, Exif tag 700, little end first": jpeg_with(segment(0xE1, _exif(DENIAL))),
    "jpeg, Exif tag 700, big end first": jpeg_with(segment(0xE1, _exif(DENIAL, ">", 7))),
    "png, Exif tag 700": png_with(chunk(b"eXIf", _exif(DENIAL)[6:])),
    "webp, Exif tag 700": containers.plain("WEBP") + b"EXIF" + struct.pack("<I", len(_exif(DENIAL))) + _exif(DENIAL),
    "png, a raw profile in iTXt": png_with(
        chunk(b"iTXt", b"Raw profile type xmp\0\0\0\0\0" + _raw_profile(b"xmp", DENIAL))
    ),
    "heif, a header before the packet": containers.heif(XMP_SIGNATURE + DENIAL + b"\0"),
    "stale bytes behind the packet": jpeg_with(
        segment(0xE1, XMP_SIGNATURE + DENIAL + b"</rdf:Description></x:xmpmeta>")
    ),
    "psd": _psd(photoshop((0x0424, DENIAL))),
    "psb": _psd(photoshop((0x0424, DENIAL)), 2),
    "pdf": _pdf(DENIAL),
    **{
        f"jpeg, resources signed {name}": jpeg_with(segment(0xED, b"Photoshop 3.0\0" + _signed(name.encode())))
        for name in ("PHUT", "DCSR", "AgHg", "MeSa")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SPELT)
def test_ours_a_packet_is_found_as_real_files_have_it(name: str) -> None:
    assert _values(SPELT[name]) == [VALUE]
    assert _read(SPELT[name]) == ({"tdm", "train", "ai-use", "search"}, [])


RIGHTS = [("Special Instructions", "Ask first"), ("Copyright Notice", "(c) A")]


@pytest.mark.parametrize(
    "content",
    [
        png_with(chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(_raw_profile(b"iptc", IIM)))),
        png_with(chunk(b"iTXt", b"Raw profile type iptc\0\0\0\0\0" + _raw_profile(b"iptc", IIM))),
        png_with(chunk(b"iTXt", b"Raw profile type iptc\0\1\0\0\0" + zlib.compress(_raw_profile(b"iptc", IIM)))),
        png_with(chunk(b"tEXt", b"Raw profile type iptc\0" + _raw_profile(b"iptc", IIM + b"junk", len(IIM)))),
        png_with(chunk(b"tEXt", b"Raw profile type 8bim\0" + _raw_profile(b"8bim", photoshop((0x0404, IIM))))),
    ],
)
def test_iptc_iim_of_a_png_profile_is_bare_or_a_resource(content: bytes) -> None:
    found = image.find(content)
    assert ([image.iim_texts(block) for block in found.iptc], found.gave_up) == ([RIGHTS], "")


def test_ours_a_raw_profile_shorter_than_it_states_is_a_gap() -> None:
    text = b"Raw profile type iptc\0" + _raw_profile(b"iptc", IIM, len(IIM) + 9)
    assert image.find(png_with(chunk(b"tEXt", text))).gave_up == "truncated"


UNREAD = {
    "eps": b"%!PS-Adobe-3.1 EPSF-3.0\n%%EOF\n",
    "eps in binary": b"\xc5\xd0\xd3\xc6" + bytes(28),
    "a container unknown here": b"XCF?\0\1\2" + bytes(64),
    "a packet in it": b"XCF?\0\1\2" + packets.packet(""),
    "heif of an unknown brand": b"\0\0\0\x18ftypzzzz\0\0\0\0zzzz" + bytes(32),
    "pdf whose metadata is packed": _pdf(b"", b"3 0 obj <</Subtype /XML /Filter /FlateDecode>> stream\n..endstream\n"),
    "psd cut in its resources": _psd(photoshop((0x0424, DENIAL)))[:80],
    "jpeg whose JUMBF is cut off": jpeg_with(segment(0xEB, b"JP\0\1\0\0\0\1\0\0\1\0jumb" + b"x" * 16)),
    "jpeg whose JUMBF has no header": jpeg_with(segment(0xEB, b"JP\0\1\0\0\0\1\0\0")),
    "jpeg that names a late extension": containers.plain("JPEG")
    + segment(0xE1, XMP_SIGNATURE + packets.packet("", f'xmlns:n="n" n:HasExtendedXMP="{"A" * 32}"')),
    "jpeg that names an odd extension": jpeg_with(
        segment(0xE1, XMP_SIGNATURE + packets.packet("", 'xmlns:n="n" n:HasExtendedXMP="x"'))
    ),
    "jxl under brotli": containers.jxl(b"xml \x1b\0\0", b"brob"),
}


@pytest.mark.parametrize("content_type", ["", "image/x-icon", "application/octet-stream", "video/mp4", "text/plain"])
@pytest.mark.parametrize("name", UNREAD)
def test_ours_content_that_could_be_an_image_and_was_not_read_is_a_gap_under_any_type(
    name: str, content_type: str
) -> None:
    disallowed, reasons = _read(UNREAD[name], content_type)
    assert set(reasons) & {"unsupported", "truncated", "malformed"}
    assert not disallowed or "packet" in name or "psd" in name


@pytest.mark.parametrize(
    "content",
    [
        b"", b"text", b'{"a": 1}', "Zürich".encode(), b"\xff\xfea\0b\0", b"<p>the element x:xmpmeta",
        b"RIFF\4\0\0\0WAVE", b"MZ\x90\0",
        b"PK\x03\x04\0\0", b"\x1f\x8b\x08\0", b"wOF2\0\1", b"wOFF\0\1", b"\0\1\0\0\0\x0f", b"OTTO\0\1", b"ID3\x03\0",
        b"OggS\0\2", b"fLaC\0\0", b"\x1a\x45\xdf\xa3\1", b"\0asm\1\0\0\0", b"SQLite format 3\0", b"\x7fELF\2",
        b"BM\x36\0\0\0\0\0\0\0", b"\0\0\1\0\1\0", b"P6\n8 8\n255\n\0\1\2", b"PAR1\0\1",
        b"%PDF-1.4\nno metadata\n%%EOF\n", b"1.jpg".ljust(257, b"\0") + b"ustar\0" + b"00",
        b"\0\0\0\x18ftypisom\0\0\2\0isommp41", b"\xff\x0a\0",
    ],
)  # fmt: skip
def test_ours_what_is_no_image_is_no_gap(content: bytes) -> None:
    assert _read(content) == (set(), [])


def test_ours_a_denial_in_an_unknown_container_refuses() -> None:
    disallowed, reasons = _read(b"XCF?\0\1\2" + DENIAL)
    assert (disallowed, reasons) == ({"tdm", "train", "ai-use", "search"}, ["unsupported"])


@pytest.mark.parametrize("end", ["/", "#", ""])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_tdmrep_a_reservation_counts_however_the_namespace_is_spelt(scheme: str, end: str) -> None:
    namespace = f"{scheme}://www.w3.org/ns/tdmrep{end}"
    packet = packets.packet("", f'xmlns:t="{namespace}" t:reservation="1"')
    assert _read(containers.png(packet)) == ({"tdm", "ai-use"}, [])


@pytest.mark.parametrize("term", ["-NEW", "-NEW_TERM", "X", ".2", "-", "-aimltraining2", "/"])
def test_plus_an_unknown_prohibition_forbids(term: str) -> None:
    disallowed, _ = _read(containers.png(packets.data_mining("element", "DMI-PROHIBITED" + term)))
    assert disallowed == {"tdm", "train", "ai-use", "search"}


def test_ours_a_denial_among_stale_bytes_counts() -> None:
    stale = packets.packet("") + b"<plus:DataMining>DMI-PROHIBITED</plus:DataMining>"
    disallowed, reasons = _read(jpeg_with(segment(0xE1, XMP_SIGNATURE + stale)))
    assert (disallowed, reasons) == ({"tdm", "train", "ai-use", "search"}, ["malformed"])


ILLUSTRATOR = (
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [\n<!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/">'
    "\n<!-- a comment -->\n<!ENTITY ns_svg 'http://www.w3.org/2000/svg'>\n{declared}]>\n"
    '<svg xmlns:x="&ns_extend;" xmlns="&ns_svg;" xmlns:i="http://ns.adobe.com/AdobeIllustrator/10.0/">{inside}'
    "<switch><g i:extraneous='self'/></switch></svg>\n"
)


def _drawing(inside: str = "", declared: str = "") -> bytes:
    return ILLUSTRATOR.replace("{declared}", declared).replace("{inside}", inside).encode()


METADATA = "<metadata>{}</metadata>".format(
    DENIAL[DENIAL.index(b"<x:xmpmeta") : DENIAL.index(b"</x:xmpmeta>") + 12].decode()
)


@pytest.mark.parametrize(
    "inside",
    [
        "", "<metadata><sfw xmlns='&ns_extend;'>&#65;&amp;</sfw></metadata>", "<metadata><x:a/></metadata>",
        "<metadata>&ns_svg;</metadata>",
    ],
)  # fmt: skip
def test_ours_a_drawing_of_illustrator_is_read_without_its_entities(inside: str) -> None:
    assert _read(_drawing(inside)) == (set(), [])


def test_ours_the_metadata_of_a_drawing_of_illustrator_is_read() -> None:
    assert _read(_drawing(METADATA)) == ({"tdm", "train", "ai-use", "search"}, [])


@pytest.mark.parametrize(
    ("inside", "declared"),
    [
        ("<metadata>&other;</metadata>", ""),
        ("<metadata>" + "&ns_svg;" * 100_000 + "</metadata>", ""),
        ("", """<!ENTITY m 'a"b'>"""),
        ("<metadata/>", '<!ENTITY m "<metadata/>">'),
        ("", '<!ENTITY m "&#60;metadata>">'),
        ("", '<!ENTITY % p "a">'),
        ("", '<!ENTITY m SYSTEM "http://a.example/">'),
        ("", '<!ATTLIST rdf:Description plus:DataMining CDATA "DMI-PROHIBITED">'),
        ("", "%p;"),
    ],
)
def test_ours_an_entity_in_what_matters_is_a_gap(inside: str, declared: str) -> None:
    assert _read(_drawing(inside, declared))[1][-1:] == ["doctype"]


def _long_jumbf(size: int) -> bytes:
    head = b"JP\0\1\0\0\0\1" + struct.pack(">I4sQ", 1, b"jumb", size)
    return jpeg_with(segment(0xEB, head + b"x" * 16), segment(0xEB, b"JP\0\1\0\0\0\2" + head[8:] + b"x" * 16))


def test_iso19566_5_annex_d_a_box_of_several_parts_and_a_long_length_is_counted() -> None:
    found = image.find(_long_jumbf(16 + 32))
    assert (found.gave_up, len(found.c2pa)) == ("", 2)
    assert image.find(_long_jumbf(16 + 33)).gave_up == "truncated"


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"Exif\0\0", ""),
        (b"Exif\0\0nothing", ""),
        (_exif(DENIAL).replace(struct.pack("<I", len(DENIAL)), struct.pack("<I", len(DENIAL) + 9), 1), ""),
        (_exif(DENIAL)[:32], "truncated"),
        (_exif(b"").replace(struct.pack("<H", 700), struct.pack("<H", 256)), ""),
        (b"http://another.example/\0", ""),
    ],
)
def test_ours_of_exif_only_xmp_that_cannot_be_had_is_a_gap(block: bytes, reason: str) -> None:
    assert image.find(jpeg_with(segment(0xE1, block))).gave_up == reason


def test_ours_a_raw_profile_of_colours_is_passed_over() -> None:
    text = b"Raw profile type icc\0" + _raw_profile(b"icc", b"x")
    assert image.find(png_with(chunk(b"tEXt", text))) == image.Embedded("png")


def test_ours_a_photoshop_document_of_nothing_is_cut_off() -> None:
    assert image.find(b"8BPS\0\1").gave_up == "truncated"
