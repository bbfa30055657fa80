"""XML and XMP: every spelling of a value, and what is done with what cannot be read."""

from __future__ import annotations

from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.formats import xml, xmp
from tests import packets

RDF = xmp.RDF
NAME = (packets.PLUS, "DataMining")
VALUE = packets.VOCABULARY + "DMI-PROHIBITED"


def _texts(packet: bytes) -> list[str]:
    return [value.text for value in xmp.read(packet).values(*NAME)]


@pytest.mark.parametrize("syntax", packets.SYNTAXES)
@pytest.mark.parametrize("encoding", packets.ENCODINGS)
def test_iso16684_1_7_every_syntax_in_every_encoding(syntax: str, encoding: str) -> None:
    assert _texts(packets.data_mining(syntax, "DMI-PROHIBITED", encoding)) == [VALUE]


@pytest.mark.parametrize("around", [b"%s", b"\xef\xbb\xbf%s", b"  \n%s\0\0\0", b"\0\0%s", b"%s" + b" " * 4096])
def test_iso16684_1_7_3_padding_and_marks_around_a_packet(around: bytes) -> None:
    assert _texts(around % packets.data_mining("element", "DMI-PROHIBITED")) == [VALUE]


def test_ours_every_value_is_kept_with_its_line() -> None:
    inside = "<plus:DataMining>a</plus:DataMining>\n<q:DataMining>b</q:DataMining>"
    values = xmp.read(packets.packet(inside, 'plus:DataMining="c"')).values(*NAME)
    assert [(v.text, v.where) for v in values] == [("c", "XMP, line 3"), ("a", "XMP, line 4"), ("b", "XMP, line 5")]


def test_ours_a_nested_property_of_the_same_name_counts_once() -> None:
    inside = (
        "<plus:DataMining><rdf:Bag><rdf:li><plus:DataMining>a</plus:DataMining></rdf:li></rdf:Bag></plus:DataMining>"
    )
    assert _texts(packets.packet(inside)) == ["", "a"]


def test_ours_language_and_data_type_are_no_values() -> None:
    inside = '<plus:DataMining xml:lang="en" rdf:datatype="http://t.example/" rdf:ID="x"> </plus:DataMining>'
    assert _texts(packets.packet(inside)) == [""]


def test_ours_a_property_is_found_in_whichever_namespace_it_stands() -> None:
    packet = xmp.read(packets.packet('<other:DataMining rdf:resource="x"/>', 'DataMining="y"'))
    assert packet.named("DataMining") == {"", "http://other.example/ns/"}
    assert packet.values(*NAME) == []
    assert [element.line for element in packet.elements("http://other.example/ns/", "DataMining")] == [4]


def test_ours_an_empty_packet_says_nothing() -> None:
    assert xmp.read(b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>   <?xpacket end="w"?>') == xmp.Xmp()
    assert xmp.read(b"") == xmp.Xmp()


@pytest.mark.parametrize("encoding", packets.ENCODINGS)
def test_ours_a_packet_that_is_cut_off_can_only_forbid(encoding: str) -> None:
    packet = packets.data_mining("element", "DMI-PROHIBITED-AIMLTRAINING", encoding)
    codec = packets.ENCODINGS[encoding]
    kept = packet[: packet.index("</plus".encode(codec).removeprefix("".encode(codec)))]
    assert (xmp.read(kept).gave_up, xmp.read(kept).denials) == ("malformed", ("DMI-PROHIBITED-AIMLTRAINING",))
    assert xmp.read(kept).values(*NAME) == []


def test_ours_a_packet_with_a_document_type_can_only_forbid() -> None:
    packet = xmp.read(b"<!DOCTYPE x><x>DMI-ALLOWED dmi-prohibited</x>")
    assert (packet.gave_up, packet.denials) == ("doctype", ("dmi-prohibited",))


def test_ours_denials_are_kept_once_and_bounded() -> None:
    words = b"".join(b"<DMI-PROHIBITED-%c DMI-PROHIBITED" % (65 + n) for n in range(26))
    assert len(xmp.read(words).denials) == 9


def test_xml_1_0_appendix_f_latin_1_is_read_when_declared() -> None:
    document = xml.read('<?xml version="1.0" encoding="iso-8859-1"?><x>é</x>'.encode("latin-1"))
    assert document.root is not None
    assert document.root.text == "é"


def test_ours_the_limits_are_exactly_as_stated() -> None:
    deepest = b"<a>" * xml.DEPTH_LIMIT + b"</a>" * xml.DEPTH_LIMIT
    widest = b"<x " + b" ".join(b'a%d=""' % n for n in range(xml.ATTRIBUTE_LIMIT)) + b"/>"
    most = b"<x>" + b"<a/>" * (xml.NODE_LIMIT - 1) + b"</x>"
    longest = b"<x>" + b"a" * (xml.SIZE_LIMIT - 7) + b"</x>"
    assert [xml.read(document).gave_up for document in (deepest, widest, most, longest)] == [""] * 4


PARTS = [
    "<a>", "</a>", "<b x='>'/>", "<!-- <c> -->", "<![CDATA[<d>\n]]>", "<?e <f>?>", "\n", "\r\n", "\r", "ä", "<日/>",
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join), st.sampled_from(["utf-8", "utf-16", "utf-32-le"]))
def test_xml_1_0_2_4_elements_stand_in_the_lines_that_expat_counts(inside: str, encoding: str) -> None:
    text = f"<r>{inside}</r>"
    lines: list[int] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda *_: lines.append(parser.CurrentLineNumber)
    document = xml.read(text.encode(encoding))
    try:
        parser.Parse(text, True)  # noqa: FBT003 (expat's own signature)
    except expat.ExpatError:
        assert document.root is None
    else:
        assert document.root is not None
        assert [element.line for element in document.root] == lines


def test_xml_1_0_appendix_f_a_marked_document_with_a_name_in_other_letters() -> None:
    document = xml.read(b"\xfe\xff" + "<日>\u3c2f</日>".encode("utf-16-be"))
    assert document.root is not None
    assert (document.root.name, document.root.text, document.root.line) == ("日", "\u3c2f", 1)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_ours_any_bytes_are_read_or_given_up(content: bytes) -> None:
    document = xml.read(content)
    assert (document.root is None) == bool(document.gave_up)
    xmp.read(content)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_ours_a_damaged_packet_never_turns_a_denial_into_another_value(data: st.DataObject) -> None:
    packet = bytearray(packets.data_mining("element", "DMI-PROHIBITED"))
    for _ in range(data.draw(st.integers(1, 4))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    read = xmp.read(bytes(packet))
    assert read.gave_up or "DMI-ALLOWED" not in str(read.values(*NAME))
