"""The container walkers: what is embedded is found wherever it may lie, and nothing is trusted."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.formats import image, xmp
from tests import containers, images, packets
from tests.containers import box, chunk, jpeg_with, png_with, segment

DENIAL = packets.data_mining("element", "DMI-PROHIBITED")
JUMBF = b"\0\0\0\x10jumb" + b"c2pa-data"
FORMATS = {"bigtiff": "tiff", "svg root": "svg"}


def _values(content: bytes) -> list[str]:
    read = xmp.in_image(content).packets
    return [value.text for each in read for value in each.values(packets.PLUS, "DataMining")]


@pytest.mark.parametrize("container", images.CONTAINERS)
def test_xmp_part_3_every_container_gives_its_packet(container: str) -> None:
    content = images.with_data_mining(container, "element", "DMI-PROHIBITED")
    found = image.find(content)
    assert (found.format, found.gave_up, found.whole) == (
        FORMATS.get(container, container.partition(" ")[0]),
        "",
        True,
    )
    assert _values(content) == [packets.VOCABULARY + "DMI-PROHIBITED"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_ours_an_image_without_metadata_has_none(kind: str) -> None:
    assert image.find(containers.plain(kind)) == image.Embedded(kind.lower())


@pytest.mark.parametrize(
    "content",
    [
        b"", b"text", b"RIFF\0\0\0\0WAVE", b"GIVE", b"\x89PNK", b"\0\0\0\x14ftypisom\0\0\0\0mp41",
        b"<html/>",
        b"<!-- <svg -->", b"<?xml", b"<!DOCTYPE svg", b"<!DOCTYPE html>",
        b"<!-- -->" * 70 + b"<svg/>", b"II<",
    ],
)  # fmt: skip
def test_ours_what_is_no_image_has_no_format(content: bytes) -> None:
    assert image.find(content) == image.NO_IMAGE


def test_iso18181_2_a_bare_codestream_holds_nothing() -> None:
    assert image.find(b"\xff\x0a\x00") == image.Embedded("jxl")


# C2PA 2.2 appendix A: where each container keeps a manifest store.
C2PA = {
    "jpeg": jpeg_with(segment(0xEB, b"JP\0\1\0\0\0\1" + JUMBF), segment(0xEB, b"other")),
    "png": png_with(chunk(b"caBX", JUMBF)),
    "webp": b"RIFF" + struct.pack("<I", 12 + len(JUMBF)) + b"WEBPC2PA" + struct.pack("<I", len(JUMBF)) + JUMBF,
    "tiff": containers.tiff_of([(52545, 7, JUMBF)]),
    "gif": containers.gif_with(b"\x21\xff\x0bC2PA_GIF\x01\0\0" + bytes([len(JUMBF)]) + JUMBF + b"\0"),
    "heif": containers.heif(DENIAL) + box(b"uuid", containers.C2PA_UUID + JUMBF) + box(b"uuid", b"?" * 16),
    "jxl": containers.jxl(JUMBF, b"jumb"),
    "svg": b'<svg><metadata><c2pa:manifest xmlns:c2pa="c">jumb</c2pa:manifest></metadata></svg>',
}


@pytest.mark.parametrize("name", C2PA)
def test_c2pa_2_2_appendix_a_the_manifest_store_is_found(name: str) -> None:
    content, found = C2PA[name], image.find(C2PA[name])
    assert (found.format, found.gave_up, len(found.c2pa)) == (name, "", 1)
    offset, length = found.c2pa[0]
    assert b"jumb" in content[offset : offset + length]


def test_ours_a_compressed_manifest_is_found_and_a_gap() -> None:
    found = image.find(containers.jxl(b"jumb\x1b\0", b"brob"))
    assert (found.gave_up, len(found.c2pa)) == ("unsupported", 1)
    assert image.find(containers.jxl(b"Exif\x1b\0", b"brob")).whole


def test_xmp_part_3_1_1_3_1_extended_xmp_is_put_together_by_offset() -> None:
    found = image.find(containers.jpeg_extended(DENIAL, parts=5))
    assert found.xmp[1] == DENIAL
    assert "HasExtendedXMP" in found.xmp[0].decode()


def test_ours_the_same_packet_twice_is_one() -> None:
    part = segment(0xE1, containers.XMP_SIGNATURE + DENIAL)
    assert image.find(jpeg_with(part, part)).xmp == (DENIAL,)


def test_t81_b_1_1_2_stray_and_fill_bytes_before_a_marker_are_skipped() -> None:
    assert _values(jpeg_with(b"stray\xff\0\xff\xff" + segment(0xE1, containers.XMP_SIGNATURE + DENIAL)))


def test_ours_a_packet_among_stray_bytes_is_found() -> None:
    stray = containers.XMP_SIGNATURE + DENIAL
    assert _values(jpeg_with(stray))
    assert _values(containers.plain("GIF") + b"\xff\x0bXMP DataXMP" + DENIAL)
    assert image.find(jpeg_with(b"stray")) == image.Embedded("jpeg")


def test_ours_a_signature_in_the_pixels_is_no_packet() -> None:
    assert image.find(containers.plain("JPEG") + containers.XMP_SIGNATURE).xmp == ()


def test_ours_other_app1_segments_are_passed_over() -> None:
    assert image.find(jpeg_with(segment(0xE1, b"Exif\0\0"), segment(0xED, b"Adobe_CM"))) == image.Embedded("jpeg")


def test_iptc_iim_rights_are_found_in_jpeg_png_and_tiff() -> None:
    block = containers.iim(s40="Ask first", s90="Paris", s116="(c) A")
    resources = containers.photoshop((0x0404, block), (0x0425, b"odd"))
    padded = segment(0xED, b"Photoshop 3.0\0" + resources + b"\0\0\0\0\0\0\0\0")
    for content in (
        jpeg_with(padded),
        png_with(chunk(b"tEXt", b"Raw profile type iptc\0" + containers.hex_profile("iptc", resources))),
        containers.tiff_of([(34377, 7, resources)]),
        containers.tiff_of([(33723, 7, block)]),
    ):
        assert [image.iim_texts(b) for b in image.find(content).iptc] == [
            [("Special Instructions", "Ask first"), ("Copyright Notice", "(c) A")]
        ]


@pytest.mark.parametrize("block", [b"", b"\x1c\2", b"\x1d\2\x74\0\1a", b"\x1c\2\x74\x80\4\0\0\0\1a", b"\x1c\2\x74\0\0"])
def test_iptc_iim_what_makes_no_sense_ends_the_reading(block: bytes) -> None:
    assert image.iim_texts(block) == []


def test_ours_iim_is_bounded() -> None:
    assert len(image.iim_texts(containers.iim(s116="a") * 2_000)) == 1_000


def test_png_text_chunks_of_other_keywords_are_passed_over() -> None:
    chunks = (
        chunk(b"iTXt", b"Comment\0\0\0\0\0text"),
        chunk(b"tEXt", b"Comment\0text"),
        chunk(b"iTXt", b"Comment\0\1\0\0\0packed <x:xmpmeta"),
        chunk(b"zTXt", b"Comment\0\0no zlib"),
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 1\n00\n"),
        chunk(b"tEXt", b"Raw profile type APP1\0" + containers.hex_profile("app1", b"Exif\0\0")),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0"),
    )
    assert image.find(png_with(*chunks)) == image.Embedded("png")


def test_ours_xmp_under_any_keyword_of_a_png_is_found() -> None:
    for data in (b"Whatever\0\0\0\0\0" + DENIAL, b"XML:com.adobe.xmp\0\0\0\0\0" + DENIAL):
        assert _values(png_with(chunk(b"iTXt", data)))
    assert _values(png_with(chunk(b"tEXt", b"XML:com.adobe.xmp\0" + DENIAL)))


def test_rfc9649_2_chunks_behind_the_stated_end_are_read() -> None:
    image_end = containers.plain("WEBP")
    late = b"XMP " + struct.pack("<I", len(DENIAL)) + DENIAL
    assert _values(image_end + late)
    assert image.find(image_end + b"trailing bytes").whole


def test_tiff_6_directories_that_point_in_circles_are_read_once() -> None:
    circle = containers.tiff_of([(700, 1, DENIAL), (330, 4, b"")])
    turned = circle[:34] + struct.pack("<I", 8) + circle[38:]
    assert _values(turned) == [packets.VOCABULARY + "DMI-PROHIBITED"]


def test_tiff_6_sub_directories_are_read() -> None:
    inner = struct.pack("<HHHII", 1, 700, 1, len(DENIAL), 44) + struct.pack("<I", 0)
    head = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 330, 4, 1, 26, 0)
    assert _values(head + inner + DENIAL)


def test_tiff_6_a_file_without_a_first_or_next_offset_is_cut_off() -> None:
    assert image.find(b"II*\0\0\0\0\0" + b"\0" * 64).gave_up == "truncated"
    assert image.find(containers.tiff_of([(256, 1, b"a")])[:-4]).gave_up == "truncated"


def test_ours_a_tiff_value_of_no_known_type_is_empty() -> None:
    assert image.find(containers.tiff_of([(700, 99, b"abcd")])) == image.Embedded("tiff")


@pytest.mark.parametrize(("version", "idat", "wide"), [(0, False, False), (1, True, False), (2, False, True)])
def test_iso14496_12_8_11_3_every_version_of_places(version: int, idat: bool, wide: bool) -> None:  # noqa: FBT001 (a case)
    assert _values(containers.heif(DENIAL, version=version, idat=idat, wide=wide))


def _heif(infe: bytes, iinf: bytes = b"\0\0\0\0\0\1", iloc: bytes = b"") -> bytes:
    meta = box(b"iinf", iinf + box(b"infe", infe)) + (box(b"iloc", iloc) if iloc else b"")
    return box(b"ftyp", b"\0\0\0\0\0\0\0\0avif") + box(b"meta", bytes(4) + meta)


def test_iso14496_12_8_11_6_items_of_other_kinds_are_passed_over() -> None:
    assert image.find(_heif(b"\2\0\0\0\0\7\0\0mimeX\0text/plain\0")) == image.Embedded("avif")
    assert image.find(_heif(b"\2\0\0\0\0\7\0\0Exif\0", b"\1\0\0\0\0\0\0\1")) == image.Embedded("avif")
    assert image.find(containers.heif(DENIAL).replace(b"iinf", b"xxxx")).whole


def test_ours_an_item_with_a_content_coding_is_a_gap() -> None:
    assert image.find(_heif(b"\2\0\0\0\0\7\0\0mimeX\0application/rdf+xml\0deflate\0")).gave_up == "unsupported"


def test_ours_tables_longer_than_allowed_are_a_gap() -> None:
    many = b"".join(box(b"infe", b"\2\0\0\0\0\1\0\0av01\0") for _ in range(10_000))
    meta = box(b"iinf", b"\1\0\0\0" + struct.pack(">I", 10_001) + many)
    assert image.find(box(b"ftyp", b"avif\0\0\0\0") + box(b"meta", bytes(4) + meta)).gave_up == "image_limit"
    places = b"\0\0\0\0\0\0" + struct.pack(">H", 10_001) + b"\0\1\0\0\0\0" * 10_000
    assert image.find(_heif(b"\2\0\0\0\0\1\0\0mimeX\0application/rdf+xml\0", iloc=places)).gave_up == "image_limit"


def test_ours_an_item_without_a_place_is_a_gap() -> None:
    found = image.find(_heif(b"\0\0\0\0\0\7\0\0X\0application/rdf+xml\0", iloc=b"\0\0\0\0\0\0\0\1\0\1\0\0\0\0"))
    assert found.gave_up == "malformed"


def test_iso14496_12_4_2_boxes_of_64_bits_and_to_the_end_are_read() -> None:
    head = box(b"ftyp", b"avif\0\0\0\0")
    large = struct.pack(">I4sQ", 1, b"uuid", 32 + len(DENIAL)) + containers.XMP_UUID + DENIAL
    last = struct.pack(">I4s", 0, b"uuid") + containers.XMP_UUID + DENIAL
    assert _values(head + large)
    assert _values(head + last)
    assert image.find(head + struct.pack(">I4s", 1, b"uuid")).gave_up == "malformed"
    assert image.find(head + b"\0\0\0").gave_up == "truncated"
    assert image.find(head + box(b"free", b"") * 50_001).gave_up == "image_limit"


def test_svg_2_metadata_is_read_whatever_the_drawing_holds() -> None:
    drawing = containers.svg(DENIAL)
    assert _values(drawing.replace(b"<path", b"<!-- &odd; <metadata --><path"))
    assert _values(drawing.decode().encode("utf-16"))
    assert image.find(b"<!-- mine --><svg/>").whole
    assert image.find(b"<svg " + b"x" * 70_000 + b">").gave_up == "truncated"
    assert image.find(b"<svg><c:manifest>abc").c2pa == ((17, 3),)


def test_ours_too_many_manifest_parts_are_a_gap() -> None:
    assert image.find(b"<svg>" + b"<c:manifest>" * 50_001 + b"</svg>").gave_up == "image_limit"


def test_ours_photoshop_resources_are_bounded() -> None:
    block = containers.photoshop((1, b"")) * 50_001
    assert image.find(containers.tiff_of([(34377, 7, block)])).gave_up == "image_limit"
    assert image.find(containers.tiff_of([(34377, 7, b"8BIM\4\4\xff" + b"\0" * 9)])).gave_up == "malformed"


def test_ours_a_broken_image_is_scanned_for_packets() -> None:
    cut = containers.plain("PNG")[:-12] + DENIAL + DENIAL.replace(b"DMI-PROHIBITED", b"DMI-ALLOWED")
    assert image.find(cut).gave_up == "truncated"
    assert len(_values(cut)) == 2
    many = containers.plain("PNG")[:-12] + b"".join(b"<a:RDF>%d</a:RDF>" % n for n in range(20))
    assert len(image.find(many).xmp) == 8


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"II*\0", b"GIF89a", b"<svg>"]), st.binary(max_size=200)
)
def test_ours_any_bytes_are_walked_through(start: bytes, rest: bytes) -> None:
    xmp.in_image(start + rest)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize(
    ("kind", "ending"), [("JPEG", "jpg"), ("PNG", "png"), ("TIFF", "tif"), ("GIF", "gif"), ("WEBP", "webp")]
)
def test_ours_what_exiftool_writes_is_read(kind: str, ending: str, tmp_path: Path) -> None:
    packet, file = tmp_path / "packet.xmp", tmp_path / f"image.{ending}"
    packet.write_bytes(DENIAL)
    file.write_bytes(containers.plain(kind))
    subprocess.run(["exiftool", "-q", f"-xmp<={packet}", str(file)], check=True)  # noqa: S607 (found by PATH)
    assert _values(file.read_bytes()) == [packets.VOCABULARY + "DMI-PROHIBITED"]


def test_ours_a_packet_that_sub_blocks_out_of_step_swallow_is_found() -> None:
    # The picture data (behind the screen, its table and the picture's head) loses the size of its first block.
    content = containers.gif(DENIAL)
    data = 13 + (3 << (content[10] & 7) + 1) + 10 + 1
    assert _values(content[:data] + b"\xff" + content[data + 1 :]) == [packets.VOCABULARY + "DMI-PROHIBITED"]


def test_ours_a_tiff_whose_directory_is_none_is_scanned() -> None:
    content = containers.tiff(DENIAL)
    assert _values(content[:12] + b"\x07" + content[12:]) == [packets.VOCABULARY + "DMI-PROHIBITED"]


def test_rfc9649_2_7_a_webp_that_promises_xmp_is_searched_for_it() -> None:
    content = containers.webp(DENIAL)
    assert _values(content.replace(b"XMP ", b"YMP ")) == [packets.VOCABULARY + "DMI-PROHIBITED"]
    silent = content.replace(b"XMP ", b"YMP ")
    assert image.find(silent[:20] + b"\0" + silent[21:]).xmp == ()
