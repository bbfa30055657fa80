"""Places, pages that say whose they are, AI tags in them, and what an answer is worth without them."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.core import Asset, Evidence, Gate, Need
from consentcrawl.formats import html
from consentcrawl.platforms import addresses, ai_tags, answer, maker_page, own_page, site_default
from consentcrawl.platforms.addresses import Form
from consentcrawl.platforms.works import Works

BASE = "https://art.example/a"


def _page(markup: str) -> html.Page:
    return html.parse(markup.encode(), "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://Art.Example.:8443//a%20b/./c/?q=1#f", addresses.Place("art.example", ("a b", ".", "c"), "?q=1")),
        ("http://art.example", addresses.Place("art.example", (), "")),
        ("ftp://art.example/", addresses.NOWHERE),
        ("https://art.example/" + "a" * addresses.LIMIT, addresses.NOWHERE),
        (None, addresses.NOWHERE),
    ],
)
def test_ours_a_place_is_host_segments_and_query(url: str | None, place: addresses.Place) -> None:
    assert addresses.split(url) == place


def test_ours_the_first_form_that_gives_a_name_names_the_place() -> None:
    forms = (
        Form(r"art\.example/(?:(\d+)|x(\d+))", lambda number: number if number != "0" else ""),
        Form(r"art\.example/[^/]+", "{}".format, r"[?&]id=(\d+)"),
    )
    assert addresses.names("https://art.example/x7", forms) == ("7",)
    assert addresses.names("https://art.example/0?id=3&id=4&id=3", forms) == ("3", "4")
    assert addresses.names("https://art.example/0", forms) == ()
    assert addresses.names("https://art.example/a/b", forms) == ()
    assert addresses.fits("https://art.example/0", forms)
    assert not addresses.fits("https://art.example/a/b", forms)


def test_ours_hosts_are_below_a_domain_by_whole_labels() -> None:
    assert addresses.below("a.art.example", ["art.example"])
    assert addresses.below("art.example", ["art.example"])
    assert not addresses.below("xart.example", ["art.example"])


def test_ours_digits_are_joined_without_leading_zeros() -> None:
    assert addresses.number("005", "804", "224") == "5804224"
    assert addresses.number("000", "000") == "0"


@pytest.mark.parametrize(
    ("markup", "lines", "found"),
    [
        ('<meta name="ROBOTS" content="index, NoAI">', [], {"train", "ai-use"}),
        ('<meta name="ai" content="noml">', [], {"train"}),
        ('<meta name="consentcrawl" content="noai">', [], {"train", "ai-use"}),
        ('<meta name="googlebot" content="noai">', ["googlebot: noai"], set()),
        ("", ["consentcrawl: noimageai"], {"train", "ai-use"}),
        ('<meta property="og:title" content="noai"><meta content="noai">', ["noindex"], set()),
        ('<!-- <meta name="robots" content="noai"> -->', [], set()),
    ],
)
def test_ours_ai_tags_are_those_for_everyone_and_for_us(markup: str, lines: list[str], found: set[str]) -> None:
    tags = ai_tags.found(_page(markup), lines, "consentcrawl")
    assert {category for category, _, _ in tags} == found
    assert found <= ai_tags.SPEAKS_OF


def test_ours_a_page_says_its_own_addresses() -> None:
    page = _page(
        '<link rel="Canonical" href="/w/1"><meta property="og:url" content="https://art.example/w/2">'
        '<link rel="stylesheet" href="/w/3"><meta name="twitter:url" content="ftp://x"><link rel=alternate href="w/1">'
    )
    forms = (Form(r"art\.example/w/(\d)"),)
    assert own_page.own_addresses(page, BASE) == (
        "https://art.example/w/2",
        "https://art.example/w/1",
    )
    assert own_page.names(page, BASE, forms) == {"1", "2"}
    assert own_page.is_of(page, BASE, forms, ["2"])
    assert not own_page.is_of(page, BASE, forms, ["3"])


@pytest.mark.parametrize(
    ("asked", "said", "answers"),
    [
        ("https://art.example/works/sunset42", "https://art.example/en/works/sunset42?x", True),
        ("https://art.example/works/sunset42", "https://art.example/works/sunset43", False),
        ("https://art.example/w?id=12345", "https://art.example/w/12345", True),
        ("https://art.example/a/1", "https://art.example/", True),
        ("https://art.example/a/1", "https://other.example/", False),
    ],
)
def test_ours_a_page_of_an_unknown_site_answers_when_it_names_what_was_asked(
    asked: str, said: str, *, answers: bool
) -> None:
    shown = f'<link rel="canonical" href="{said}"><meta name="robots" content="noai">'
    assert own_page.answers(_page(shown), asked, asked) is answers
    found = maker_page.read(
        Evidence(Need(Gate.LOOKUP, asked), asked, status=200, content=shown.encode()), "consentcrawl"
    )
    assert found.own is answers
    assert bool(found.tags) is answers
    assert found.gaps == (() if answers else ((asked, "blocked"),))


@pytest.mark.parametrize(
    ("status", "gap", "own", "gave_up", "reason"),
    [
        (200, "", True, "", ""),
        (200, "", True, "html_limit", "html_limit"),
        (200, "body_limit", False, "", ""),
        (200, "", False, "", "blocked"),
        (200, "", False, "malformed", "malformed"),
        (403, "", False, "malformed", "blocked"),
        (404, "", False, "", "gone"),
        (410, "", False, "malformed", "gone"),
        (429, "", False, "", "unreachable"),
        (503, "", False, "", "unreachable"),
        (None, "", False, "", "unreachable"),
    ],
)
def test_ours_an_answer_without_the_work_is_a_gap(
    status: int | None, gap: str, *, own: bool, gave_up: str, reason: str
) -> None:
    assert answer.reason(status, gap, own=own, gave_up=gave_up) == reason


@pytest.mark.parametrize(
    ("source", "page"),
    [
        (
            "https://i.pximg.net/img-original/img/2014/10/29/09/27/19/46785915_p0.png",
            "https://www.pixiv.net/artworks/46785915",
        ),
        ("http://www.pixiv.net/member_illust.php?mode=medium&illust_id=5", "https://www.pixiv.net/artworks/5"),
        (
            "https://img-deviantart.wixmp.com/f/4deb0f1a-cdef-444e-b194-c8d6b3f7e933/dd1xca2-7f835e62-6fd3-4b99-92c7-2bfd4e1b296f.jpg",
            "https://www.deviantart.com/deviation/789295466",
        ),
        (" https://Art.example/a ", "https://art.example/a"),
        ("a book", ""),
    ],
)
def test_ours_a_source_leads_to_the_makers_page(source: str, page: str) -> None:
    assert maker_page.address(source) == page


def test_ours_sources_are_followed_once_each_and_never_back_to_the_re_host() -> None:
    many = [f"https://art.example/{n}" for n in range(100)]
    assert len(maker_page.source_pages([" ".join(many)], ())) == maker_page.MOST
    home = ("re.example", "re.test")
    sources = ["https://a.re.example/1\nhttps://art.example/1 https://re.test/2", many[1]]
    assert maker_page.source_pages(sources, home) == (many[1],)


def test_ours_a_default_is_told_with_its_dates() -> None:
    default = {"value": "deny", "says": "words", "source": "terms", "since": "2022", "read": "2024"}
    assert site_default.words({"default": default}) == (
        "words",
        "terms",
        "site default: deny since 2022, as recorded on 2024",
    )
    del default["since"]
    assert site_default.words({"default": default})[2] == "site default: deny, as recorded on 2024"


@pytest.mark.parametrize(
    ("markup", "tags", "more"),
    [
        (
            '<p data-x="a>b" data-y=\'&amp;\' DATA-X="2"></p><p data-x=3/>',
            [{"data-x": "a>b", "data-y": "&"}, {"data-x": "3/"}],
            False,
        ),
        ("<p data-x><p data-y=data-x>", [{"data-x": ""}], False),
        ("data-x <p title=data-x", [], False),
        ("<p data-x=1>" * (html.TAGS + 1), [{"data-x": "1"}] * html.TAGS, True),
        ("<p " + "a " * html.ATTRIBUTES + "data-x=1>", [], False),
    ],
)
def test_html_13_2_5_attributes_are_read_with_their_quotes(
    markup: str, tags: list[dict[str, str]], *, more: bool
) -> None:
    assert html.tags_with(markup, "data-x") == (tags, more)


@given(st.text(alphabet="<>ab=\"' /data-x", max_size=200))
@settings(max_examples=80)
def test_ours_any_text_gives_tags(text: str) -> None:
    tags, _ = html.tags_with(text, "data-x")
    assert all("data-x" in tag for tag in tags)


@pytest.mark.parametrize("unit", ['<a data-x="', "data-x", "<a data-x='", "<a ", "< data-x="])
def test_ours_long_texts_take_no_time(unit: str) -> None:
    started = time.process_time()
    html.tags_with(unit * (500_000 // len(unit)), "data-x")
    assert time.process_time() - started < 2


WORKS = Works(
    "art",
    forms=(Form(r"art\.example/w/([\w/]+)"), Form(r"cdn\.art\.example/(x\w+)\.jpg")),
    look_up=lambda name: "" if name.startswith("x") else f"https://art.example/w/{name}",
    files=(Form(r"cdn\.art\.example/(\d+)\.png", "file:{}".format),),
    untold=(Form(r"cdn\.art\.example/old/.+"),),
    short=lambda name: name.rpartition("/")[2],
)


@pytest.mark.parametrize(
    ("asset", "works", "lone"),
    [
        (Asset("https://art.example/w/a/7"), ("a/7",), False),
        (Asset("https://art.example/w/a/7", work_keys=("art:7",)), ("a/7",), False),
        (Asset("https://cdn.art.example/1.png"), (), True),
        (Asset("https://cdn.art.example/1.png", "https://art.example/w/7"), ("7",), False),
        (Asset("https://cdn.art.example/1.png", "https://art.example/w/7", ("art:file:1", "art:8")), ("8",), False),
        (Asset("https://cdn.art.example/old/1"), (), True),
        (Asset("https://cdn.art.example/x9.jpg"), ("x9",), True),
        (Asset("https://cdn.art.example/avatar.gif"), (), False),
    ],
)
def test_ours_a_work_is_what_was_learnt_or_what_the_address_tells_or_what_the_page_tells(
    asset: Asset, works: tuple[str, ...], *, lone: bool
) -> None:
    assert WORKS.of(asset) == works
    assert WORKS.lacking(asset) == (((asset.url, "no_source"),) if lone else ())
    assert all(WORKS.look_ups(asset)) or lone


def test_ours_the_key_is_the_short_name_and_a_files_own_name_comes_first() -> None:
    assert WORKS.keys("https://art.example/w/a/7") == ["art:7"]
    assert WORKS.keys("https://cdn.art.example/1.png") == ["art:file:1"]
    assert WORKS.keys("https://cdn.art.example/avatar.gif") == []


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("?id=7", ["7"]),
        ("?a=1&amp;id=7&id=8", ["7", "8"]),
        ("?id=7a", []),
        ("?xid=7", []),
        ("?id=", []),
    ],
)
def test_ours_a_parameter_is_its_whole_value(query: str, values: list[str]) -> None:
    assert re.findall(addresses.parameter("id"), query) == values
    assert re.findall(addresses.parameter("tags", addresses.MD5, "md5:"), f"?tags=md5:{'a' * 32}") == ["a" * 32]
