"""Pages in XML syntax: by the XML reader, and by the HTML tokenizer a second time; a doctype hides nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import consentcrawl
from consentcrawl.formats import html
from tests.cpu import at_most

XML_TYPES = ("application/xhtml+xml", "application/xml", "text/xml; charset=utf-8")
NOAI = '<meta name="robots" content="noai"/>'
XHTML = (
    '<?xml version="1.0" encoding="utf-8"?>\n{doctype}<html xmlns="http://www.w3.org/1999/xhtml" '
    'xmlns:h="http://www.w3.org/1999/xhtml" xmlns:o="http://other.example/"><head>{head}</head><body><p/></body></html>'
)
STRICT = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n'
)


def page(head: str, doctype: str = "") -> bytes:
    return XHTML.format(head=head, doctype=doctype).encode()


def outcome(content: bytes, content_type: str = XML_TYPES[0]) -> str:
    return consentcrawl.inspect(content, fields=[("Content-Type", content_type)]).outcome.value


REFUSED = {
    "plain": page(NOAI),
    "behind an empty element of raw text": page("<script/>" + NOAI),
    **{f"behind <{name}/>": page(f"<{name} /><title>a</title>{NOAI}")
       for name in ("script", "title", "style", "iframe", "noscript", "template", "textarea", "xmp", "plaintext")},
    "with a prefix": page('<h:meta name="robots" content="noai"/>'),
    "in capitals of the value": page('<meta name="ROBOTS" content="NOAI"/>'),
    "references": page('<meta name="&#114;obots" content="no&#97;i"/>'),
    "named references": page('<title>&nbsp;&eacute;</title><meta name="robots" content="&lt;a&gt;, noai"/>', STRICT),
    "a doctype of HTML 5": page("<script/>" + NOAI, "<!DOCTYPE html>"),
    "a doctype of XHTML": page("<script/>" + NOAI, STRICT),
    "an entity that stands for it": page(
        '<meta name="robots" content="&no;"/>', '<!DOCTYPE html [<!-- c --><!ENTITY no "noai">]>'
    ),
    "behind CDATA": page("<script><![CDATA[<!-- </script> ]]></script>" + NOAI),
    "in a script's comment no more": page("<script><!-- <script> --></script>" + NOAI),
    "behind a comment that HTML ends late": page("<!-- > --><script/>" + NOAI),
    "not well-formed": page("<script/><br>" + NOAI),
    "too much for the XML reader": page("<o:a/>" * 21_000 + "<script/>" + NOAI),
    "UTF-16": page("<script/>" + NOAI).decode().replace("utf-8", "utf-16").encode("utf-16"),
    "no namespace": b"<html><head><script/>" + NOAI.encode() + b"</head></html>",
    "a reservation": page('<title/><meta name="tdm-reservation" content="1"/>'),
}  # fmt: skip


@pytest.mark.parametrize("content_type", XML_TYPES)
@pytest.mark.parametrize("name", REFUSED)
def test_xml_1_0_a_refusal_in_xml_syntax_is_heeded(name: str, content_type: str) -> None:
    assert outcome(REFUSED[name], content_type) == "refuse"


HIDDEN = {
    "an entity with markup": page("&m;", '<!DOCTYPE html [<!ENTITY m \'<meta name="robots" content="noai"/>\'>]>'),
    "an entity in two steps": page("&m;", '<!DOCTYPE html [<!ENTITY m "&#60;meta name=&#39;robots&#39;/>">]>'),
    "an entity from elsewhere": page("&m;", '<!DOCTYPE html [<!ENTITY m SYSTEM "m.xml">]>'),
    "a parameter entity": page("", '<!DOCTYPE html [<!ENTITY % p SYSTEM "m.xml"> %p;]>'),
    "a default attribute": page(
        "<meta/>", '<!DOCTYPE html [<!ATTLIST meta name CDATA "robots" content CDATA "noai">]>'
    ),
    "a DTD of another's": page("<meta/>", '<!DOCTYPE html SYSTEM "http://a.example/x.dtd">'),
    "an entity of another's DTD": page("&m;", '<!DOCTYPE html SYSTEM "http://a.example/x.dtd">'),
    "a doctype without end": page("", "<!DOCTYPE html ["),
    "an entity that is not declared": page('<meta name="robots" content="&no;"/>', "<!DOCTYPE html>"),
    "a prefix in a page that is not well-formed": page('<br><h:meta name="robots" content="noai"/>'),
    "too many characters for an entity": page("&m;" * 60_000, f'<!DOCTYPE html [<!ENTITY m "{"m" * 200}">]>'),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_ours_what_could_hide_a_refusal_is_a_gap_that_holds(name: str) -> None:
    assert outcome(HIDDEN[name]) == "undetermined"


PERMITTED = {
    "nothing": page("<title>a</title>", STRICT),
    "another's meta": page('<o:meta name="robots" content="noai"/>'),
    "in a comment": page("<!-- <script/>" + NOAI + " -->"),
    "in CDATA": page("<title><![CDATA[" + NOAI + "]]></title>"),
    "tags that are not well-formed": page("<br><p>&nbsp;<script/>"),
    "a feed": b"<rss version='2.0'><channel><title>a</title><link>https://a.example/</link></channel></rss>",
    "data": b"<?xml version='1.0'?><oembed><type>photo</type></oembed>",
    "data of another's DTD": b'<?xml version="1.0"?><!DOCTYPE a PUBLIC "-//A//DTD a" "https://a.example/a.dtd"><a>&gt;</a>',
    "no XML": b"a < b && c",
}


@pytest.mark.parametrize("name", PERMITTED)
def test_ours_what_hides_nothing_is_permitted(name: str) -> None:
    assert outcome(PERMITTED[name]) == "permit"


def test_ours_the_type_decides_which_syntax_it_is() -> None:
    assert outcome(page("<script/>" + NOAI), "text/html") == "permit"


def test_ours_a_tag_is_quoted_as_it_stood_with_its_line() -> None:
    meta = html.parse(page("\n<h:meta name='robots' content='no&#97;i'/>", STRICT), "text/xml").metas[0]
    assert (meta.where, meta.text) == ("line 4", "<h:meta name='robots' content='no&#97;i'/>")


def test_ours_links_scripts_base_title_and_images_of_xml_are_read_once() -> None:
    read = html.parse(
        page(
            "<title>a &amp; b</title><base href='/b/'/><link rel='license' href='l' type='application/rsl+xml'/>"
            "<script type='application/ld+json'>{}</script><template/><h:script id='x'>y</h:script>"
        ).replace(b"<p/>", b"<template/><img src='a.jpg'/><a rel='license' href='c'/><script/><img src='b.jpg'/>"),
        "application/xhtml+xml",
    )
    assert (read.title, read.base, read.gave_up) == ("a & b", "/b/", "")
    assert [(sorted(link.rel), link.href) for link in read.links] == [(["license"], "l"), (["license"], "c")]
    assert [(script.type, script.text) for script in read.scripts] == [("application/ld+json", "{}"), ("", "y")]
    assert [image.src for image in read.images] == ["a.jpg", "b.jpg"]


@settings(deadline=None)
@given(st.text(max_size=80).map(str.encode) | st.binary(max_size=80), st.sampled_from(XML_TYPES))
def test_ours_any_bytes_give_a_page(content: bytes, content_type: str) -> None:
    html.parse(content, content_type)
    html.parse(b"<html>" + content + b"</html>", content_type)


@pytest.mark.parametrize(
    "unit",
    ["<!DOCTYPE ", "<!DOCTYPE html [", "<!--", "<!ENTITY a 'b'>", "&a;", "<a:meta", "<![CDATA[", "<?", "<script/>"],
)
def test_ours_hostile_xml_takes_linear_time(unit: str) -> None:
    content = unit.encode() * (html.LIMIT // 4 // len(unit))
    start = time.process_time()
    for prefix in (b"", b"<!DOCTYPE html [", b"<html>"):
        html.parse(prefix + content, "text/xml")
    assert time.process_time() - start < at_most(3)
