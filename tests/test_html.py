"""The page reader beside the HTML standard, beside BeautifulSoup, and against hostile pages."""

from __future__ import annotations

import itertools
import sys
import sysconfig
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.formats import html
from consentcrawl.formats.html import sniffing, tokenizer
from tests.cpu import at_most

NO = "<meta name=robots content=noai>"
UTF_8 = "text/html; charset=utf-8"


def contents(page: str) -> list[str]:
    return [meta.content for meta in html.parse(page.encode(), UTF_8).metas]


@pytest.mark.parametrize(
    ("rule", "page", "expected"),
    [
        ("13.2.5.6 tag open: a space is text", f"a < meta {NO}", ["noai"]),
        ("13.2.5.6 tag open: the end of the page", f"{NO}<", ["noai"]),
        ("13.2.5.6 tag open: a digit is text", f"<1 '{NO}", ["noai"]),
        ("13.2.5.7 end tag open: </> is nothing", f"</>{NO}", ["noai"]),
        ("13.2.5.7 end tag open: no letter begins a bogus comment", f"</ a='>{NO}", ["noai"]),
        ("13.2.5.7 end tag: may have attributes", f"</p a='>{NO}'>", []),
        ("13.2.5.8 tag name: upper case", "<META NAME=robots CONTENT=noai>", ["noai"]),
        ("13.2.5.8 tag name: longer is another", "<metadata content=noai>", []),
        ("13.2.5.8 tag name: a slash ends it", "<meta/name='robots'/content=noai>", ["noai"]),
        ("13.2.5.8 tag name: NUL is part of it", "<meta\0 content=noai>", []),
        ("13.2.5.8 tag name: a quote is part of it", f'<p">{NO}"', ["noai"]),
        ("13.2.5.8 tag name: an equals sign is part of it", f"<p='>{NO}", ["noai"]),
        ("13.2.5.8 tag name: ends with any white space", "<meta\n\t\f\rcontent=noai>", ["noai"]),
        ("13.2.5.9 script data: tags are text", f"<script>'{NO}'</script>", []),
        ("13.2.5.17 script end: white space may follow", f"<script></script\n>{NO}", ["noai"]),
        ("13.2.5.17 script end: a longer name is text", f"<script></scripts>{NO}</script>", []),
        ("13.2.5.17 script end: upper case", f"<script></SCRIPT >{NO}", ["noai"]),
        ("13.2.5.20 script escaped: ends with its end tag", f"<script><!--</script>{NO}", ["noai"]),
        ("13.2.5.26 script double escaped", f"<script><!--<script></script>{NO}", []),
        ("13.2.5.31 script double escaped: then escaped", f"<script><!--<script></script></script>{NO}", ["noai"]),
        ("13.2.5.29 script double escaped: --> ends it", f"<script><!--<script>--></script>{NO}", ["noai"]),
        ("13.2.5.22 script escaped: <!--> ends at once", f"<script><!--><script></script>{NO}", ["noai"]),
        ("13.2.5.15 script not escaped: <script> is text", f"<script><script>--></script>{NO}", ["noai"]),
        ("13.2.5.2 RCDATA: title", f"<title>{NO}</title>", []),
        ("13.2.5.2 RCDATA: textarea", f"<textarea>{NO}</textarea>", []),
        ("13.2.5.3 raw text: style", f"<style>{NO}</style>", []),
        ("13.2.5.3 raw text: xmp", f"<xmp>{NO}</xmp>", []),
        ("13.2.5.3 raw text: iframe", f"<iframe>{NO}</iframe>", []),
        ("13.2.5.3 raw text: noembed", f"<noembed>{NO}</noembed>", []),
        ("13.2.5.3 raw text: noframes", f"<noframes>{NO}</noframes>", []),
        ("13.2.5.3 raw text: a slash does not close it", f"<title/>{NO}</title>", []),
        ("13.2.5.3 raw text: a comment in it is text", f"<style><!--</style>{NO}", ["noai"]),
        ("13.2.5.3 raw text: nothing ends it", f"<style>{NO}", []),
        ("13.2.5.5 plaintext: nothing ends it", f"<plaintext></plaintext>{NO}", []),
        ("13.2.5.32 before attribute name: an equals sign begins a name", f"<p ='>{NO}", ["noai"]),
        ("13.2.5.33 attribute name: a quote in it", f"<p a'b>{NO}", ["noai"]),
        ("13.2.5.33 attribute name: upper case", "<meta CONTENT=noai>", ["noai"]),
        ("13.2.5.33 attribute name: the first of two counts", "<meta content=noai content=all>", ["noai"]),
        ("13.2.5.33 attribute name: an empty first counts as well", "<meta content content=all>", [""]),
        ("13.2.5.33 attribute name: a longer one is another", "<meta contents=all content=noai>", ["noai"]),
        ("13.2.5.34 after attribute name: white space", "<meta content = noai>", ["noai"]),
        ("13.2.5.35 before attribute value: nothing comes", "<meta content=>", [""]),
        ("13.2.5.36 double quoted: > and < are text", '<meta content="a > b <p>">', ["a > b <p>"]),
        ("13.2.5.36 double quoted: a tag in it is text", f'<p title="{NO}">', []),
        ("13.2.5.36 double quoted: behind text with >", f'<p title="a > b {NO}">', []),
        ("13.2.5.36 double quoted: two tags in it", f'<p title="><b>{NO}<i>{NO}">{NO}', ["noai"]),
        ("13.2.5.36 double quoted: nothing ends it", f'<p title="{NO}', []),
        ("13.2.5.36 double quoted: NUL becomes U+FFFD", '<meta content="no\0ai">', ["no\ufffdai"]),
        ("13.2.5.37 single quoted", "<meta content='a\"b'>", ['a"b']),
        ("13.2.5.37 single quoted: a tag in it is text", f"<p title='>{NO}'>", []),
        ("13.2.5.38 unquoted: a slash is part of it", "<meta content=a/>", ["a/"]),
        ("13.2.5.38 unquoted: a quote is part of it", f'<p a=b"c>{NO}"', ["noai"]),
        ("13.2.5.39 after quoted: no white space is needed", "<meta name='a'content='noai'>", ["noai"]),
        ("13.2.5.40 self-closing (XHTML)", '<meta name="robots" content="noai"/>', ["noai"]),
        ("13.2.5.32 a tag within a tag is attributes", f"<p {NO}", []),
        ("13.2.5.33 the end of the page drops the tag", "<meta name=robots content=noai", []),
        ("13.2.5.41 bogus comment: quotes hold nothing", f"<!x a='>{NO}", ["noai"]),
        ("13.2.5.41 bogus comment: <?", f"<?xml a='>{NO}", ["noai"]),
        ("13.2.5.42 CDATA is a bogus comment", f"<![CDATA[>{NO}]]>", ["noai"]),
        ("13.2.5.42 CDATA in SVG hides", f"<svg><![CDATA[>{NO}]]></svg>", []),
        ("13.2.5.42 CDATA in SVG: nothing ends it", f"<svg><![CDATA[>{NO}", []),
        ("13.2.5.43 comment: <!--> ends at once", f"<!-->{NO}", ["noai"]),
        ("13.2.5.44 comment: <!---> ends at once", f"<!--->{NO}", ["noai"]),
        ("13.2.5.45 comment", f"<!-- {NO} -->", []),
        ("13.2.5.45 comment: nothing ends it", f"<!-- {NO}", []),
        ("13.2.5.45 comment: -> does not end it", f"<!-- -> {NO} -->", []),
        ("13.2.5.45 comment: a comment in it", f"<!-- <!-- --> {NO} -->", ["noai"]),
        ("13.2.5.51 comment end: more dashes", f"<!-- --->{NO}", ["noai"]),
        ("13.2.5.52 comment end bang", f"<!-- --!>{NO}", ["noai"]),
        ("13.2.5.53 doctype: ends at the first >", f'<!DOCTYPE html PUBLIC "a>{NO}"', ["noai"]),
        ("13.2.5.73 named reference", "<meta content='no&amp;ai&comma;b'>", ["no&ai,b"]),
        ("13.2.5.73 named reference without semicolon", "<meta content='a&lt b&copy'>", ["a< b©"]),
        (
            "13.2.5.73 in an attribute a letter keeps it text",
            "<meta content='?a=b&copyx&lt=c&amp'>",
            ["?a=b&copyx&lt=c&"],
        ),
        ("13.2.5.73 the longest name counts", "<meta content='&notin;&notit;'>", ["∉&notit;"]),
        ("13.2.5.73 no such name", "<meta content='&xyzzy; & &a'>", ["&xyzzy; & &a"]),
        ("13.2.5.73 the shorter name, no letter behind it", "<meta content='&amp;&#x26;'>", ["&&"]),
        ("13.2.5.75 numeric reference", "<meta content='&#110;o&#X61;&#x69'>", ["noai"]),
        ("13.2.5.80 numeric reference: leading zeros", "<meta content='&#00000000110;'>", ["n"]),
        ("13.2.5.80 numeric reference: out of range", "<meta content='&#1114112;&#x110000;'>", ["\ufffd\ufffd"]),
        ("13.2.5.80 numeric reference: thousands of digits", f"<meta content='&#{'9' * 9000};'>", ["\ufffd"]),
        ("13.2.5.80 numeric reference: NUL and surrogates", "<meta content='&#0;&#xD800;'>", ["\ufffd\ufffd"]),
        ("13.2.5.80 numeric reference: windows-1252", "<meta content='&#128;&#x81;'>", ["€\x81"]),
        ("4.12.3 template holds nothing of the page", f"<template>{NO}</template>", []),
        ("4.12.3 template in a template", f"<template><template></template>{NO}</template>{NO}", ["noai"]),
        ("4.12.3 template: nothing ends it", f"<template>{NO}", []),
        ("4.12.3 template: an end too many", f"</template>{NO}", ["noai"]),
        ("4.12.3 template: its end closes SVG", f"<template><svg></template><title></title>{NO}", ["noai"]),
        ("4.12.3 shadow root is shown", f"<template shadowrootmode=open>{NO}</template>", ["noai"]),
        ("4.2.5 meta in the body counts (ours: deny bias)", f"<body><p>{NO}", ["noai"]),
        ("4.12.2 noscript counts (ours: deny bias)", f"<noscript>{NO}</noscript>", ["noai"]),
        ("13.2.6.5 title in SVG is no raw text", f"<svg><title/></svg>{NO}", ["noai"]),
        ("13.2.6.5 style in SVG is no raw text", f"<svg><style>{NO}", ["noai"]),
        ("13.2.6.5 SVG that closes itself", f"<svg/><title>{NO}</title>", []),
        ("13.2.6.5 SVG ends with its end tag", f"<svg></svg><title>{NO}</title>", []),
        ("13.2.6.5 SVG in MathML ends with it", f"<math><svg></math><title>{NO}</title>", []),
        ("13.2.6.5 another end tag ends nothing", f"<math></svg><style/></math>{NO}", ["noai"]),
        ("13.2.6.5 meta breaks out", f"<svg>{NO}<title>{NO}</title>", ["noai"]),
        ("13.2.6.5 div breaks out", f"<svg><div><title>{NO}</title>", []),
        ("13.2.6.5 div in an attribute does not", f"<svg><g a='<div>'><title/>{NO}", ["noai"]),
        ("ours: SVG is counted 64 deep", "<svg>" * 70 + "</svg>" * 64 + f"<title>{NO}</title>", []),
    ],
)
def test_html_standard(rule: str, page: str, expected: list[str]) -> None:
    assert contents(page) == expected, rule


@pytest.mark.parametrize(
    ("page", "gave_up"),
    [
        ('<head><meta name=robots content="noai', "truncated"),
        ("<head><META name=robots", "truncated"),
        ("<head><title>a</title><met", ""),
        ("<p>a</p><img src='a", ""),
        ("<!-- <meta name=robots", ""),
        ("<meta name=robots content=noai>", ""),
    ],
)
def test_ours_a_page_that_ends_within_a_meta_says_so(page: str, gave_up: str) -> None:
    assert html.parse(page.encode(), UTF_8).gave_up == gave_up


def test_ours_a_tag_tells_its_line_whatever_is_asked_first() -> None:
    page = html.parse(
        b"\n<meta name=a>\n<script type=application/ld+json>{}</script>\n<img src=b>\n<link rel=c>", UTF_8
    )
    told = [one.where for one in (page.links[0], page.images[0], page.scripts[0], page.metas[0], page.links[0])]
    assert told == ["line 5", "line 4", "line 3", "line 2", "line 5"]


def test_html_4_2_5_meta_has_all_its_names() -> None:
    page = html.parse(b'<p>\n<meta name=" Robots" property=OG:x itemprop=y http-equiv=A content="B &amp; C ">', UTF_8)
    (meta,) = page.metas
    assert meta[:4] == ("robots", "B & C", "a", "og:x")
    assert meta.where == "line 2"
    assert meta.text == '<meta name=" Robots" property=OG:x itemprop=y http-equiv=A content="B &amp; C ">'
    assert html.parse(b"<meta itemprop=License>").metas[0].property == "license"
    assert len(html.parse(b"<meta name=" + b"x" * 1000 + b">").metas[0].text) == 300


def test_html_4_6_7_license_links_are_kept() -> None:
    page = html.parse(
        b"<link rel='License alternate' type=Application/RSL+xml href=' /l '><a rel=nofollow><a rel=License>"
    )
    first, second = page.links
    assert (first.rel, first.href, first.type) == (frozenset({"license", "alternate"}), "/l", "application/rsl+xml")
    assert (second.rel, second.text) == (frozenset({"license"}), "<a rel=License>")


@pytest.mark.parametrize(
    ("page", "links"),
    [
        ("<a rel=license>", 1),
        ("<a title='>' REL = ' nofollow License '>", 1),
        ("license <a rel=nofollow>license</a> License <a rel='a license'>", 1),
        ("<a rel=nofollow>license</a>", 0),
        (f"<a rel='{'x' * 300} license'>", 0),
    ],
)
def test_ours_anchors_are_read_where_a_rel_may_name_a_license(page: str, links: int) -> None:
    assert len(html.parse(page.encode()).links) == links


def test_html_4_8_3_images_are_src_and_srcset() -> None:
    page = html.parse(
        b"<img src=a.png srcset='b.png 1x, c.png, d,e.png 2x (x,y) 3, f.png,, '>\n<picture><source srcset=g>"
        b"<image src=h><img alt><img src='data:image/png,x'><template><img src=i></template></picture>"
    )
    assert [image.src for image in page.images] == ["a.png", "b.png", "c.png", "d,e.png", "f.png", "g", "h"]
    assert page.images[5].where == "line 2"
    assert page.images is page.images


def test_html_4_12_1_scripts_that_hold_data_are_kept() -> None:
    page = html.parse(
        b"<script type='Application/LD+JSON; x=y'>{1}</script><script type=application/rsl+xml><rsl/></script>"
        b"<script id=__NEXT_DATA__ type=application/json>{}</script><script>window.__A__ = 1</script><script>a</script>"
    )
    assert [(s.type, s.id, s.text) for s in page.scripts] == [
        ("application/ld+json", "", "{1}"),
        ("application/rsl+xml", "", "<rsl/>"),
        ("application/json", "__NEXT_DATA__", "{}"),
        ("", "", "window.__A__ = 1"),
    ]


def test_html_4_2_3_first_base_and_first_title_count() -> None:
    page = html.parse(b"<base target=x><base href=/a><base href=/b><title> a &amp;\n b&copyx </title><title>c</title>")
    assert (page.base, page.title) == ("/a", "a & b©x")


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"<!doctype html><html><head><!-- x --><title>a</title><script>'<p>'</script><noscript>", False),
        (b"<head><template><p></template><meta name=a>", False),
        (b"<head><template><p>", False),
        (b"<head><meta name=a><di", False),
        (b"<head><meta name=a><", False),
        (b"<head></head>", True),
        (b"<head><meta name=a><body>", True),
        (b"<head><meta name=a>text", True),
        (b"<head><textarea>", True),
        (b"<p>", True),
        (b"", False),
    ],
)
def test_html_13_2_6_4_head_is_whole_when_the_body_begins(content: bytes, *, whole: bool) -> None:
    assert html.parse(content).head_whole is whole


@pytest.mark.parametrize(
    ("content", "content_type", "charset", "gap"),
    [
        (b"\xef\xbb\xbf", "text/html; charset=latin1", "utf-8", ""),
        ("\ufeff<meta content=\u00e9>".encode("utf-16-le"), "", "utf-16le", ""),
        ("\ufeff<meta content=\u00e9>".encode("utf-16-be"), "", "utf-16be", ""),
        (b"<meta content=\xe9>", "", "windows-1252", ""),
        (b"<meta content=\xe9>", "text/html; charset=US-ASCII", "windows-1252", ""),
        (b"<meta content=\xe9>", 'text/html; a=b; Charset = "ISO-8859-1"', "windows-1252", ""),
        (b"<meta content=\xe9>", "text/html; charset=ebcdic-us", "windows-1252", "encoding"),
        (b"<meta content=\xe9>", "text/html; charset=utf-7", "windows-1252", "encoding"),
        (b"<meta charset=utf-7><meta content=\xe9>", "", "windows-1252", "encoding"),
        (b"<meta charset=KOI8-R><meta content=\xc1>", "text/html; charset=utf-7", "koi8-r", ""),
        (b"<meta charset='utf-16'>", "", "utf-8", ""),
        (b"<meta charset=x-user-defined>", "", "windows-1252", ""),
        (b"<meta http-equiv=Content-Type content='text/html; charset=\"sjis\"'>", "", "shift_jis", ""),
        (b"<meta http-equiv=content-type content='text/html;charset = gb2312;x'>", "", "gbk", ""),
        (b"<meta http-equiv=content-type content=text/html>", "", "windows-1252", ""),
        (b"<meta content='text/html; charset=sjis'>", "", "windows-1252", ""),
        (b"<!-- <meta charset=sjis> --><!x><p a='<meta charset=sjis>'><meta charset=big5>", "", "big5", ""),
        (b"<meta charset=sjis", "", "windows-1252", "truncated"),
        (b" " * 1024 + b"<meta charset=sjis>", "", "windows-1252", ""),
        (b"<?xml version='1.0' encoding=\"euc-kr\"?>", "", "euc-kr", ""),
        (b"<html><meta charset=ru>", "", "windows-1252", ""),
        (b"<html><meta charset=ru>", "text/html; charset=unicode-1-1-utf-7x", "windows-1252", "encoding"),
        (b"<html>\x1b$B<meta charset=ru>", "", "windows-1252", "encoding"),
        (b"<html>\0<meta charset=ru>", "", "windows-1252", "encoding"),
        (b"text <meta charset=ru>", "", "windows-1252", "encoding"),
        ("<meta content=\u00e9>".encode("utf-16-le"), "", "utf-16le", "encoding"),
        ("<meta content=\u00e9>".encode("utf-16-be"), "", "utf-16be", "encoding"),
    ],
)
def test_html_13_2_3_charset(content: bytes, content_type: str, charset: str, gap: str) -> None:
    page = html.parse(content, content_type)
    assert (page.charset, page.gave_up) == (charset, gap)
    if charset in {"utf-16le", "utf-16be"}:
        assert [meta.content for meta in page.metas] == ["é"]


@pytest.mark.parametrize("charset", sorted(set(sniffing._CODECS) - {"utf-16le", "utf-16be"}))
def test_encoding_standard_4_2_no_broken_character_swallows_a_tag(charset: str) -> None:
    page = b"".join(b"<p>%b<p>\x81%b%b" % (bytes([byte]), bytes([byte]), NO.encode()) for byte in range(0x80, 0x100))
    assert len(html.parse(page, f"text/html; charset={charset}").metas) == 128


@pytest.mark.parametrize(
    ("content", "page"),
    [
        (b"<!DOCTYPE html>", True),
        (b"\xef\xbb\xbf \n<HTML lang=en>", True),
        (b"<!-- a --> <!-- b --><body>", True),
        (b"<?xml version='1.0'?><!DOCTYPE HTML PUBLIC 'x'>", True),
        ("\ufeff<html>".encode("utf-16-le"), True),
        (b"<p>", True),
        (b"<title/>", True),
        (b"<rsl xmlns='https://rslstandard.org/rsl'>", False),
        (b"<!-- a --><rsl>", False),
        (b"<pre>", False),
        (b"User-agent: *\n<html>", False),
        (b"", False),
    ],
)
def test_mimesniff_7_1_opens_as_a_page(content: bytes, *, page: bool) -> None:
    assert html.looks_html(content) is page
    assert html.parse(content).starts_as_html is page


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (b"", ""), (b"<p>noai</p>", ""), (b"<meta itemprop=url content=a><link rel=icon href=b>", ""),
        (b"<meta property=og:image content=a>", ""), (b"<metadata name=a>", ""),
        (b"<META NAME=robots content=noai>", "html_limit"), (b"<h:meta\nname = 'x'/>", "html_limit"),
        (b"<meta property=robots content=noai>", "html_limit"), (b"<meta http-equiv=x>", "html_limit"),
        (b"<meta property='&#114;obots' content=a>", "html_limit"), (b"<link rel=license>", "html_limit"),
        (b"<script type=application/RSL+xml>", "html_limit"), (b"<meta property=a", "html_limit"),
        (b"<meta property=a>" * 20_001, "html_limit"), (b" " * 7 * 1024 * 1024, "html_limit"),
    ],
)  # fmt: skip
def test_ours_the_rest_of_a_long_page_is_a_gap_where_it_could_matter(rest: bytes, reason: str) -> None:
    page = b"<!doctype html><html><body>".ljust(html.LIMIT + 1) + rest
    assert html.parse(page).gave_up == reason
    assert html.parse(page[: html.LIMIT - 4] + b"<p a" + rest).gave_up == (reason or ("" if rest else "html_limit"))
    assert html.parse(page.decode().encode("utf-16")).gave_up == "html_limit"


def test_ours_limits_are_said() -> None:
    tag = NO.encode()
    cut = html.parse(tag + b" " * html.LIMIT + tag)
    assert (len(cut.metas), cut.gave_up) == (1, "html_limit")
    assert html.parse(tag.ljust(html.LIMIT)).gave_up == "html_limit"
    assert html.parse(b" " * html.LIMIT + tag).metas == ()
    assert html.parse(b"<!---->" * 50_000 + tag).gave_up == "html_limit"
    assert html.parse(b"<!---->" * 49_000 + tag).gave_up == ""
    many = html.parse(tag * (html.KEPT_LIMIT + 1))
    assert (len(many.metas), many.gave_up) == (html.KEPT_LIMIT, "html_limit")


HOSTILE = {
    "elements": b"<div>" * 100_000,
    "less-than signs": b"<" * 1_000_000,
    "ampersands": b"&" * 1_000_000,
    "references": b"<meta content='" + b"&lt" * 330_000 + b"'>",
    "attributes": b"<meta " + b"a=1 " * 200_000 + b">",
    "repeated attributes": b"<meta " + b"name=x " * 140_000 + b">",
    "attributes elsewhere": b"<p " + b"a=1 " * 200_000 + b"><meta>",
    "metas": b"<meta name=robots content=x>" * 400_000,
    "digits": b"<meta content='&#" + b"9" * 1_000_000 + b"'>",
    "comments": b"<!---->" * 150_000,
    "unended comments": b"<!--" * 260_000,
    "escaped scripts": b"<script><!--<script>" * 50_000,
    "templates": b"<template>" * 100_000,
    "shadow roots": b"<template shadowrootmode=open>" * 35_000,
    "svg": b"<svg>" * 200_000,
    "svg closed as math": b"<svg></math>" * 80_000,
    "open quotes": b'<a b="' * 170_000,
    "odd quotes": b"<p x=' \"><meta name=a>" * 50_000,
    "white space": b"<a b" + b" " * 1_000_000 + b">",
    "srcset": b"<img srcset='" + b"ab, " * 260_000 + b"'>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ours_hostile_pages_take_a_second_at_most(name: str) -> None:
    begun = time.process_time()
    html.parse(HOSTILE[name])
    assert time.process_time() - begun < at_most(1)


@pytest.mark.parametrize("name", ["attributes", "repeated attributes", "metas"])
def test_ours_hostile_pages_take_50_mb_at_most(name: str) -> None:
    tracemalloc.start()
    assert html.parse(HOSTILE[name]).images is not None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


# Pieces of pages, for laws: every tag that is treated on its own, and what upsets a reader.
PIECES = st.sampled_from(
    [
        *(
            NO,
            "<meta name='a' content=\"b>c\"/>",
            "<META CONTENT=x NAME=y name=z>",
            "<meta ",
            "name=robots",
            "content=a",
        ),
        *(
            '<div title="',
            "<div title='",
            ">",
            '"',
            "'",
            "=",
            "<",
            "</",
            "/>",
            " ",
            "\n",
            "a",
            "<b",
            " b=",
            "= '",
            "\0",
        ),
        *("<!--", "-->", "--!>", "<!-->", "<!--->", "<!x", "<?y", "</ z>", "</>", "<![CDATA[", "]]>", "&amp;", "<p>"),
        *("<script>", "</script>", "<script ", "</script ", "<style>", "</style>", "<title>", "</title>", "<title/>"),
        *("<template>", "</template>", "<svg>", "</svg>", "<svg/>", "<math>", "</math>", "<iframe>", "</iframe>"),
        *("<textarea>", "</textarea>", "<noscript>", "</noscript>", "<link rel=license href=q>", "<img src=s>"),
    ]
)
PAGES = st.lists(PIECES, max_size=14).map("".join)


@given(st.binary(max_size=400), st.text(max_size=40))
@settings(max_examples=200)
def test_ours_any_bytes_give_a_page(content: bytes, content_type: str) -> None:
    page = html.parse(content, content_type)
    assert page.gave_up in {"", "encoding"}
    assert len(page.images) <= len(content)


@given(PAGES, PAGES)
@settings(max_examples=300)
def test_ours_what_follows_takes_no_meta_away(begun: str, more: str) -> None:
    first = html.parse(begun.encode(), UTF_8).metas
    longer = html.parse((begun + more).encode(), UTF_8).metas
    assert [_said(meta) for meta in longer[: len(first)]] == [_said(meta) for meta in first]


def _said(meta: html.Meta) -> tuple[str, ...]:
    return (*meta[:4], meta.where, meta.text)


@given(PAGES)
@settings(max_examples=300)
def test_ours_leaping_finds_what_walking_finds(page: str) -> None:
    for net in (tokenizer.METADATA, tokenizer.METADATA_AND_ANCHORS, tokenizer.IMAGES):
        leaps = list(tokenizer.tokens(page.encode(), net))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tokenizer, "_outside", lambda *_: False)
            assert list(tokenizer.tokens(page.encode(), net)) == leaps


def found_pages() -> Iterator[Path]:
    """Pages that installed packages bring along, the smaller ones of each place."""
    roots = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), sys.base_prefix + "/share/doc"])
    for root in roots:
        pages = sorted(p for p in Path(root).rglob("*.htm*") if p.is_file() and p.stat().st_size < 120_000)
        yield from itertools.islice(pages, 12)


# Where html.parser finds a tag and the standard finds text: 13.2.6.2 (raw text, RCDATA), 4.12.3 (template).
TEXT_BY_THE_STANDARD = ["title", "textarea", "iframe", "xmp", "noembed", "noframes", "plaintext", "template"]


def by_soup(page: bytes) -> list[tuple[str, str]]:
    """What BeautifulSoup finds; with ``on_duplicate_attribute`` it keeps the first, as 13.2.5.33 has it."""
    soup = BeautifulSoup(page, "html.parser", from_encoding="utf-8", on_duplicate_attribute="ignore")
    metas = [meta for meta in soup.find_all("meta") if meta.find_parent(TEXT_BY_THE_STANDARD) is None]
    return [(str(m.get("name", "")).strip().lower(), str(m.get("content", "")).strip()) for m in metas]


def missed(page: bytes) -> list[tuple[str, str]]:
    ours = [(meta.name, meta.content) for meta in html.parse(page, UTF_8).metas]
    return [meta for meta in by_soup(page) if meta not in ours]


def test_ours_no_meta_of_a_found_page_is_missed() -> None:
    pages = [path.read_bytes() for path in found_pages()]
    assert [missed(page) for page in pages] == [[] for _ in pages]


MADE = [
    *(NO, "<meta name=a content='b > c'/>", "<p>", "<p title='<meta name=x>'>", "<br/>", "a & b", "<!-- <meta> -->"),
    *("<script>'<meta name=x>'</script>", "<style>p > a {}</style>", "<title>t</title>", "<textarea></textarea>"),
    *("<template><meta name=x></template>", "<svg><path d='M0'/></svg>", "<a href='?a=b&amp;c'>d</a>"),
]


@given(st.lists(st.sampled_from(MADE)))
@settings(max_examples=60, deadline=None)
def test_ours_no_meta_of_a_made_page_is_missed(pieces: list[str]) -> None:
    assert missed("".join(pieces).encode()) == []


@pytest.mark.parametrize(
    ("clause", "page", "soup", "ours"),
    [
        ("13.2.5.33: the first of two counts", b"<meta name=robots name=x content=noai>", "x", ["robots"]),
        ("13.2.5.2: a title is text", b"<title><meta name=robots></title>", "robots", []),
        ("4.12.3: a template holds nothing", b"<template><meta name=robots></template>", "robots", []),
        ("13.2.5.3: an iframe is text", b"<iframe><meta name=robots></iframe>", "robots", []),
    ],
)
def test_html_known_difference_to_beautifulsoup(clause: str, page: bytes, soup: str, ours: list[str]) -> None:
    tag = BeautifulSoup(page, "html.parser").find("meta")
    assert (tag.get("name") if isinstance(tag, Tag) else soup) == soup, clause
    assert [meta.name for meta in html.parse(page).metas] == ours, clause


@pytest.mark.parametrize(
    ("content", "declared", "page"),
    [
        (b"<meta name=robots content=noai>", "", True),
        (b"\n <LINK rel=license href=x><meta name=robots content=noai>", "application/octet-stream", True),
        (b"<p>art", "text/plain", True),
        (b"say <meta name=robots content=noai>", "text/plain", False),
        (b"<x><meta name=robots content=noai>", "application/xhtml+xml; charset=utf-8", True),
        (b"<x/>", "application/xml", True),
        (b"\xff\xd8\xff\xe0 <meta >", "image/jpeg", False),
        (b"plain words", "", False),
        (b"", "text/html", False),
    ],
)
def test_ours_what_nobody_declares_is_read_as_the_page_it_may_be(content: bytes, declared: str, page: bool) -> None:  # noqa: FBT001 (a table)
    assert html.is_page(content, declared) is page
