"""Places, pages that name their work, AI tags in them, and the gaps of answers without it."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.core import PURPOSES, Asset, Category, Evidence, Fields, Gap, Gate, Need, Purpose, Statement, remark
from consentcrawl.formats import html
from consentcrawl.platforms import Form, Works, addresses, ai_tags, lacking, maker_page, own_page, site_default
from tests.cpu import at_most

BASE = "https://art.example/a"
TRAIN = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])


def _page(markup: str) -> html.Page:
    return html.parse(markup.encode(), "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://Art.Example.:8443//a%20b/./c/?q=1#f", addresses.Place("art.example", ("a b", ".", "c"), "?q=1")),
        ("http://art.example", addresses.Place("art.example", (), "")),
        ("ftp://art.example/", addresses.NO_PLACE),
        ("https://art.example/" + "a" * addresses.LIMIT, addresses.NO_PLACE),
        (None, addresses.NO_PLACE),
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
    evidence = Evidence(Need(Gate.LOOKUP, BASE), BASE, fields=Fields(("X-Robots-Tag", line) for line in lines))
    tags = [*ai_tags.statements(evidence, _page(markup), TRAIN)]
    assert {str(tag.category) for tag in tags} == found
    assert len(tags) == len(set(tags))


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
    evidence = Evidence(Need(Gate.LOOKUP, asked), asked, status=200, content=shown.encode())
    read = [*maker_page.read(evidence, TRAIN)]
    assert [one for one in read if isinstance(one, Gap)] == ([] if answers else [Gap(asked, "blocked", holds=True)])
    assert any(isinstance(one, Statement) for one in read) is answers


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
    evidence = Evidence(Need(Gate.LOOKUP, BASE), BASE, status=status, gap=gap)
    expected = [Gap(BASE, reason, holds=False)] if reason else []
    assert [*lacking(evidence, own=own, gave_up=gave_up, holds=False)] == expected


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


def test_ours_a_default_is_noted_with_its_dates() -> None:
    default = {"value": "deny", "says": "words", "source": "terms", "since": "2022", "read": "2024"}
    note = "site default: deny since 2022, as recorded on 2024"
    assert site_default.of({"default": default}) == remark(Category.TRAIN, "words", "terms", note)
    del default["since"]
    assert site_default.of({"default": default}).note == "site default: deny, as recorded on 2024"


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
    assert time.process_time() - started < at_most(2)


WORKS = Works(
    "art",
    forms=(Form(r"art\.example/w/([\w/]+)"), Form(r"cdn\.art\.example/(x\w+)\.jpg")),
    look_up=lambda name: "" if name.startswith("x") else f"https://art.example/w/{name}",
    default=remark(Category.TRAIN, "nothing is preset", "terms", "site default: unknown, as recorded on 2024"),
    files=(Form(r"cdn\.art\.example/(\d+)\.png", "file:{}".format),),
    unnamed=(Form(r"cdn\.art\.example/old/.+"),),
    short=lambda name: name.rpartition("/")[2],
)


@pytest.mark.parametrize(
    ("asset", "works", "unknown"),
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
def test_ours_a_work_is_what_was_learnt_or_what_the_address_names_or_what_the_page_names(
    asset: Asset, works: tuple[str, ...], *, unknown: bool
) -> None:
    assert WORKS.of(asset) == works
    assert [*WORKS.unknown(asset)] == ([Gap(asset.url, "no_source", holds=True)] if unknown else [])
    assert all(WORKS.look_ups(asset)) or unknown


def test_ours_the_key_is_the_short_name_and_a_files_own_name_comes_first() -> None:
    assert WORKS.keys(Asset("https://art.example/w/a/7")) == ["art:7"]
    assert WORKS.keys(Asset("https://cdn.art.example/1.png")) == ["art:file:1"]
    assert WORKS.keys(Asset("https://cdn.art.example/avatar.gif")) == []


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
