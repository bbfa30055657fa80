"""RSL 1.0: what a licence says of each use, which content is meant, and where licences are named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.core import (
    BODY,
    HEAD,
    PURPOSES,
    ROBOTS_TXT,
    Asset,
    Evidence,
    Fields,
    Gap,
    Gate,
    Inquiry,
    Need,
    Outcome,
    Policy,
    Purpose,
    Said,
    Statement,
    page_of,
    plan,
)
from consentcrawl.formats import link, rsl
from consentcrawl.signals import rsl as signal

PURPOSE = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])
ASSET = Asset("https://art.example/img/1.jpg", "https://art.example/work/1")
BARE = Asset("https://art.example/img/1.jpg")
LICENCE = "https://art.example/license.xml"


def _document(inside: str, url: str = "/", more: str = "") -> bytes:
    content = f'<content url="{url}" {more}>{inside}</content>'
    return f'<rsl xmlns="https://rslstandard.org/rsl">{content}</rsl>'.encode()


def _licence(*terms: str) -> str:
    return "<license>" + "".join(terms) + "</license>"


def _usage(name: str, words: str) -> str:
    return f'<{name} type="usage">{words}</{name}>'


def _uses(body: bytes) -> dict[str, str]:
    (content,) = rsl.parse(body).contents
    return {use.usage: use.preference for use in content.uses}


EVERYBODY = "commercial non-commercial education government personal"
YES, NO, OPEN = "allowed", "disallowed", "unknown"


# Terms of one licence, and what follows for ai-train, ai-input, ai-index, search and all the rest.
@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([], [OPEN] * 5),
        ([_usage("permits", "all")], [YES] * 5),
        ([_usage("prohibits", "all")], [NO] * 5),
        ([_usage("permits", "search")], [NO, NO, NO, YES, NO]),
        ([_usage("permits", "ai-all")], [YES, YES, YES, NO, OPEN]),
        ([_usage("prohibits", "ai-all")], [NO, NO, NO, OPEN, OPEN]),
        ([_usage("prohibits", "ai-all"), _usage("permits", "ai-train")], [YES, NO, NO, NO, OPEN]),
        ([_usage("prohibits", "all"), _usage("permits", "ai-train")], [YES, NO, NO, NO, OPEN]),
        ([_usage("permits", "all"), _usage("prohibits", "ai-train")], [NO, YES, YES, YES, YES]),
        ([_usage("permits", "ai-train"), _usage("prohibits", "ai-train")], [NO, NO, NO, NO, NO]),
        ([_usage("permits", "AI-Train, search")], [YES, NO, NO, YES, OPEN]),
        ([_usage("prohibits", "train-genai")], [NO, OPEN, OPEN, OPEN, OPEN]),
        ([_usage("permits", "train-ai")], [NO, NO, NO, NO, NO]),
        ([_usage("permits", "all"), '<payment type="free"/>'], [YES] * 5),
        ([_usage("permits", "all"), '<payment type="Attribution"/>'], [YES] * 5),
        ([_usage("permits", "all"), '<payment type="crawl"/>'], [NO] * 5),
        ([_usage("permits", "all"), "<payment><amount>1</amount></payment>"], [NO] * 5),
        (['<payment type="purchase"/>'], [NO] * 5),
        ([_usage("permits", "all"), '<permits type="user">education</permits>'], [NO] * 5),
        ([_usage("permits", "all"), '<prohibits type="geo">EU</prohibits>'], [NO] * 5),
        ([_usage("permits", "all"), '<permits type="geo">all</permits>'], [YES] * 5),
        ([_usage("permits", "all"), '<legal type="warranty">ownership</legal>'], [YES] * 5),
        ([_usage("permits", "all"), f'<permits type="user">{EVERYBODY}</permits>'], [YES] * 5),
    ],
)  # fmt: skip
def test_rsl_1_0_3_each_use_of_one_licence(terms: list[str], expected: list[str]) -> None:
    assert list(_uses(_document(_licence(*terms))).values()) == expected
    assert list(_uses(_document(_licence(*reversed(terms)))).values()) == expected


def test_rsl_1_0_3_licences_are_alternatives() -> None:
    paid = _licence(_usage("permits", "ai-all"), '<payment type="use"/>')
    assert _uses(_document(paid + _licence(_usage("permits", "ai-train"))))["ai-train"] == YES
    assert _uses(_document(paid + _licence()))["ai-train"] == NO


def test_rsl_1_0_a_licence_server_must_be_asked() -> None:
    for licences in ("", _licence(_usage("permits", "all"))):
        assert set(_uses(_document(licences, more='server="https://ols.example/"')).values()) == {NO}
    assert _uses(_document("")) == {}


def test_ours_the_quote_is_the_element_and_the_note_says_why() -> None:
    (content,) = rsl.parse(
        _document(_licence('<p:permits xmlns:p="https://rslstandard.org/rsl">ai-train</p:permits>'))
    ).contents
    uses = {use.usage: use for use in content.uses}
    assert (uses["ai-train"].quote, uses["ai-train"].note) == ("<permits>ai-train</permits>", "")
    assert uses["search"].note == "search is not among what is permitted"
    assert content.quote == '<content url="/">'


@pytest.mark.parametrize(
    ("pattern", "covers"),
    [
        ("", True), ("/", True), ("*", True), ("/img/*.jpg$", True), ("img/", True),
        ("/blog/", False), ("/IMG/", False),
        ("https://art.example/img/", True), ("http://art.example/", True), ("//art.example/img/1.jpg", True),
        ("HTTPS://ART.EXAMPLE", True), ("https://art.example:8080/", False), ("https://elsewhere.example/", False),
        ("https://a@b/", False), ("https://art.example/img/2.jpg", False),
    ],
)  # fmt: skip
def test_rfc9309_2_2_3_what_a_content_element_is_about(pattern: str, covers: bool) -> None:  # noqa: FBT001 (a case)
    contents, reason = rsl.covering(rsl.parse(_document(_licence(), pattern)), BARE.url)
    assert (bool(contents), reason) == (covers, "")


def test_rsl_1_0_the_most_specific_content_speaks() -> None:
    elements = "".join(f'<content url="{url}">{_licence()}</content>' for url in ("/", "/img/", "/img/*.jpg"))
    licences = rsl.parse(f'<rsl xmlns="https://rslstandard.org/rsl">{elements}</rsl>'.encode())
    assert [content.url for content in rsl.covering(licences, BARE.url)[0]] == ["/img/*.jpg"]


@pytest.mark.parametrize(
    "body",
    [
        b"<rsl/>", b'<rsl xmlns="https://rslstandard.org/rsl"/>', b"<html></html>", b"", _document("<licence/>"),
        b'<rsl xmlns="http://r.example/"><content url="/"/></rsl>',
        b'<r xmlns="https://rslstandard.org/rsl"><content url="/"/></r>',
    ],
)  # fmt: skip
def test_rsl_1_0_a_document_that_does_not_follow_it_is_malformed(body: bytes) -> None:
    assert rsl.parse(body).gave_up == "malformed"


def test_rsl_1_0_elements_of_other_namespaces_are_passed_over() -> None:
    assert rsl.parse(_document(_licence('<x:y xmlns:x="http://x.example/"/>'))).gave_up == ""


def _read(evidence: Evidence, asset: Asset = ASSET) -> list[Said]:
    return list(signal.read(evidence, asset, PURPOSE))


def _robots(text: str, status: int = 200, gap: str = "") -> Evidence:
    return Evidence(ROBOTS_TXT, "https://art.example/robots.txt", status=status, content=text.encode(), gap=gap)


def test_rsl_1_0_licences_that_robots_txt_names_are_needs_that_hold() -> None:
    said = _read(_robots(f"License: {LICENCE}\nLicense: {LICENCE}#x\nLicense: see terms\n"))
    assert said == [Need(Gate.LOOKUP, LICENCE, limit=2 * 1024 * 1024, holds=True)]
    assert _read(_robots(f"License: {LICENCE}", status=404)) == []


def test_ours_a_robots_txt_too_long_to_read_may_name_a_licence() -> None:
    (gap,) = _read(_robots("#" * 600_000 + "\nUser-agent: *\nDisallow: /\n"))
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.holds) == ("robots_limit", True)


def test_ours_more_licences_than_are_looked_up_are_a_gap() -> None:
    said = _read(_robots("".join(f"License: https://l.example/{n}\n" for n in range(20))))
    assert [type(each) for each in said] == [Need] * 8 + [Gap]


def _page(text: str, *fields: tuple[str, str]) -> Evidence:
    need = page_of(ASSET)
    assert need is not None
    return Evidence(
        need, need.url, status=200, content=text.encode(), fields=Fields((("content-type", "text/html"), *fields))
    )


def test_ours_a_licence_that_only_the_page_names_does_not_hold() -> None:
    typed = 'rel="license nofollow" type="application/rsl+xml"'
    text = f'<base href="/deep/"><link {typed} href="l.xml"><link rel=license href="cc.html"><script>x</script>'
    said = _read(_page(text, ("link", '<f.xml>; rel=license; type="application/rsl+xml;v=1"')))
    assert [(need.url, need.holds) for need in said if isinstance(need, Need)] == [
        ("https://art.example/work/f.xml", False),
        ("https://art.example/deep/l.xml", False),
    ]


def test_ours_a_base_that_cannot_be_read_is_passed_over() -> None:
    (need,) = _read(_page('<base href="https://u@x/"><link rel=license type="application/rsl+xml" href="/l.xml">'))
    assert isinstance(need, Need)
    assert need.url == "https://art.example/l.xml"


def test_ours_a_page_too_long_to_read_is_a_gap_that_does_not_hold() -> None:
    (gap,) = _read(_page(" " * 1_100_000 + "<meta name=x>"))
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.holds) == ("html_limit", False)


def test_ours_an_asset_that_is_a_page_too_long_to_read_holds() -> None:
    text = "<!doctype html><head></head><body>" + " " * 1_100_000 + "<meta name=x>"
    (gap,) = _read(Evidence(BODY, ASSET.url, status=200, content=text.encode()))
    assert gap == Gap(ASSET.url, "html_limit", holds=True)


def test_ours_other_scripts_of_a_page_are_passed_over() -> None:
    assert _read(_page('<script type="application/ld+json">{}</script>')) == []


def _answer(body: bytes, *, holds: bool, status: int = 200, gap: str = "") -> Evidence:
    need = Need(Gate.LOOKUP, LICENCE, limit=2 * 1024 * 1024, holds=holds)
    return Evidence(need, LICENCE, status=status, content=body, gap=gap)


def _said(said: list[Said]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(str(s.category), str(s.preference), s.under) for s in said if isinstance(s, Statement)]


def test_ours_a_licence_of_the_page_speaks_for_the_files_it_names() -> None:
    body = _document(_licence(_usage("prohibits", "ai-train")), "/img/")
    assert _said(_read(_answer(body, holds=False))) == [("train", "disallowed", ())]
    about_page = _document(_licence(_usage("prohibits", "ai-train")), "/work/")
    assert _said(_read(_answer(about_page, holds=False))) == [("train", "disallowed", ("inherit", "all"))]
    assert _said(_read(_answer(about_page, holds=True))) == []


def test_ours_what_could_not_be_had_is_noted_once() -> None:
    assert _read(_answer(b"", holds=True, gap="timeout")) == []
    assert _read(_answer(b"", holds=True, status=404)) == [Gap(LICENCE, "bad_status", holds=True)]


def test_ours_patterns_left_uncompared_allow_nothing() -> None:
    patterns = "".join(f'<content url="/{"*a" * 60}*{n}">{_licence()}</content>' for n in range(300))
    permits = f'<content url="/">{_licence(_usage("permits", "all"))}</content>'
    body = f'<rsl xmlns="https://rslstandard.org/rsl">{permits}{patterns}</rsl>'.encode()
    said = _read(_answer(body, holds=True), Asset("https://art.example/" + "a" * 4_000))
    gaps = [each.reason for each in said if isinstance(each, Gap)]
    assert gaps in ([], ["robots_budget"])
    assert not gaps or "allowed" not in {preference for _, preference, _ in _said(said)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("no link", []),
        ("<>", [("", set(), "")]),
        ('<a>; rel="license next"; type=application/rsl+xml', [("a", {"license", "next"}, "application/rsl+xml")]),
        ('<a>; rel=x; rel=license, <b> ;REL = "License"', [("a", {"x"}, ""), ("b", {"license"}, "")]),
        ('<a>; title="<b>, ; rel=x"; rel=y; flag', [("a", {"y"}, "")]),
        ('<a>; rel="license', [("a", {""}, "")]),
    ],
)
def test_rfc8288_3_link_fields(line: str, expected: list[tuple[str, set[str], str]]) -> None:
    found = [(each.href, set(each.rel), each.type) for each in link.read([line])]
    assert found == [(href, rel - {""}, kind) for href, rel, kind in expected]


def test_ours_a_licence_decides_a_whole_inquiry() -> None:
    inquiry = Inquiry(BARE, PURPOSE, Policy(), plan(BARE, PURPOSE, (signal,)))
    assert inquiry.needs() == [ROBOTS_TXT]
    inquiry.tell(_robots(f"License: {LICENCE}"))
    (need,) = inquiry.needs()
    inquiry.tell(Evidence(need, LICENCE, status=200, content=_document(_licence(_usage("permits", "search")))))
    assert inquiry.needs() == []
    assert inquiry.verdict().outcome is Outcome.REFUSE


def test_ours_a_declared_licence_that_is_not_there_leaves_it_undetermined() -> None:
    inquiry = Inquiry(BARE, PURPOSE, Policy(), plan(BARE, PURPOSE, (signal,)))
    inquiry.tell(_robots(f"License: {LICENCE}"))
    (need,) = inquiry.needs()
    inquiry.tell(Evidence(need, LICENCE, status=404))
    for last in (HEAD, BODY):
        assert inquiry.needs() == [last]
        inquiry.tell(Evidence(last, BARE.url, status=200))
    assert inquiry.verdict().outcome is Outcome.UNDETERMINED


_WORDS = st.sampled_from(["ai-train", "ai-input", "ai-index", "ai-all", "all", "search", "other"])
_TERMS = st.lists(st.tuples(st.sampled_from(["permits", "prohibits"]), _WORDS), max_size=5)


@settings(max_examples=80, deadline=None)
@given(_TERMS, _WORDS)
def test_ours_one_more_prohibition_never_allows_more(terms: list[tuple[str, str]], word: str) -> None:
    written = [_usage(name, said) for name, said in terms]
    before = _uses(_document(_licence(*written)))
    after = _uses(_document(_licence(*written, _usage("prohibits", word))))
    assert all(before[use] == YES for use, preference in after.items() if preference == YES)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_ours_any_bytes_are_no_permission(body: bytes) -> None:
    assert "allowed" not in {preference for _, preference, _ in _said(_read(_answer(body, holds=True)))}
