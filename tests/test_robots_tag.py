"""The X-Robots-Tag and meta robots grammar, and what each directive forbids."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentcrawl.formats.robots_tag import AI_TAGS, SEARCH_TAGS, directives, expired, grouped, meanings
from tests.cpu import at_most

LINES = [
    ("noai", ["noai"]),
    ("NoImageAI", ["noimageai"]),
    ("googlebot: noai", ["googlebot/noai"]),
    ("googlebot: noindex, noai", ["googlebot/noindex", "googlebot/noai"]),
    ("BadBot: noai, consentcrawl: noimageai", ["badbot/noai", "consentcrawl/noimageai"]),
    ("unavailable_after: 25 Jun 2010 15:00:00 PST, noai", ["unavailable_after=25 Jun 2010 15:00:00 PST", "noai"]),
    (
        "unavailable_after: Saturday, 25-Jun-2010 15:00:00 GMT",
        ["unavailable_after=Saturday, 25-Jun-2010 15:00:00 GMT"],
    ),
    ("unavailable_after: June 25, 2027, noai", ["unavailable_after=June 25, 2027", "noai"]),
    ("max-image-preview:none, noimageai", ["noimageai"]),
    ("noai max-snippet:0, noml", ["noai", "noml"]),
    ("noai noimageai", ["noai", "noimageai"]),
    ("none", ["none"]),
    ("", []),
    ("all", []),
    ("all: noai", ["noai"]),
    ("*: noai", ["noai"]),
    (": noai", ["noai"]),
    ("mybot : noai", ["mybot/noai"]),
    ("Kangaroo Bot: noai", ["kangaroo bot/noai"]),
    ("noai: true", ["noai"]),
    ("noindex:noai", ["noindex", "noai"]),
    ("noai googlebot: noindex", ["noai", "googlebot/noindex"]),
    ("no-ai, no_image_ai; noml", ["noai", "noimageai", "noml"]),
    ("noai, NOAI, noai", ["noai"]),
    ("'noai' : noml", ["noai", "noml"]),
]


def _plain(line: str) -> list[str]:
    return [(f"{d.agent}/" if d.agent else "") + d.name + (f"={d.value}" if d.value else "") for d in directives(line)]


@pytest.mark.parametrize(("line", "found"), LINES)
def test_ours_6_2_a_line_is_read_into_directives(line: str, found: list[str]) -> None:
    assert _plain(line) == found


def test_repext_a_grouped_line_names_its_crawlers_by_equals_signs() -> None:
    found = [(d.agent, d.name) for d in grouped("*=noindex, nosnippet; ExampleBot=noai; noml")]
    assert found == [("", "noindex"), ("examplebot", "noai"), ("", "noml")]


NOW = 1_767_225_600.0


@pytest.mark.parametrize(
    ("date", "past"),
    [
        ("25 Jun 2010 15:00:00 PST", True),
        ("Saturday, 25-Jun-2010 15:00:00 GMT", True),
        ("Fri, 25 Jun 2010 15:00:00 GMT", True),
        ("25-Jun-10 15:00:00 GMT", True),
        ("2010-06-25", True),
        ("2010-06-25T10:00:00+02:00", True),
        ("June 25, 2010", True),
        ("25 Jun 2010", True),
        ("25 Jun 2027 15:00:00 PST", False),
        ("2027-06-25", False),
        ("never", False),
        ("", False),
        ("Mon, 99 Foo 12345 99:99:99 +9999", False),
        ("9999-12-31T23:59:59-14:00", False),
        ("0001-01-01T00:00:00+14:00", True),
    ],
)
def test_ours_6_2_a_date_lies_before_the_answer_or_not(date: str, past: bool) -> None:  # noqa: FBT001 (a case)
    assert expired(date, NOW) is past


def _forbidden(line: str, token: str = "consentcrawl") -> set[tuple[str, tuple[str, ...]]]:  # noqa: S107 (product token)
    return {meaning for directive in directives(line) for meaning in meanings(directive, token, NOW)}


def test_ours_6_4_ai_tags_forbid_training_and_use() -> None:
    assert _forbidden("noai") == {("train", ()), ("ai-use", ())} == _forbidden("noimageai")
    assert _forbidden("noml") == {("train", ())}


def test_ours_6_4_search_tags_forbid_taking_only_under_the_policy() -> None:
    under = ("search_tags", "refuse")
    assert _forbidden("noindex") == {("acquire", under), ("search", ())} == _forbidden("none")
    assert _forbidden("noarchive, nocache") == {("acquire", under)}
    assert _forbidden("unavailable_after: 2010-01-01") == _forbidden("noindex")
    assert _forbidden("unavailable_after: 2030-01-01") == set()


def test_ours_1_9_tags_for_other_ai_crawlers_are_evidence() -> None:
    assert _forbidden("GPTBot: noai") == {("train", ("ai_agents", "class", "any"))}
    assert _forbidden("PerplexityBot: noai") == {("train", ("ai_agents", "any"))}
    assert _forbidden("googlebot: noai") == set()
    assert _forbidden("GoogleBot: noai", "googlebot") == _forbidden("noai")


TAGS = sorted(AI_TAGS.keys() | SEARCH_TAGS)
NEUTRAL = [
    "index",
    "follow",
    "max-snippet:0",
    "max-image-preview:large",
    "unavailable_after: 2030-01-01",
    "all",
    "",
    " ",
]


@given(
    st.lists(st.sampled_from(NEUTRAL), max_size=3),
    st.sampled_from(TAGS),
    st.lists(st.sampled_from(NEUTRAL), max_size=3),
)
def test_ours_no_neighbour_hides_a_tag(before: list[str], tag: str, after: list[str]) -> None:
    assert ("", tag) in {(d.agent, d.name) for d in directives(", ".join([*before, tag, *after]))}


@given(st.text(alphabet="noaimlgb:,;=* -_./\t\"'25x", max_size=60) | st.text(max_size=40))
def test_ours_any_text_is_a_line(line: str) -> None:
    for directive in (*directives(line), *grouped(line)):
        assert directive.text
        meanings(directive, "consentcrawl", NOW)


def test_ours_odd_lines_take_linear_time_and_bounded_memory() -> None:
    for line in (
        "a " * 150_000,
        " " * 300_000,
        "noai " * 50_000,
        "unavailable_after:" + "1," * 100_000,
        "a:" * 100_000,
    ):
        begun = process_time()
        found = directives(line)
        assert process_time() - begun < at_most(1)
        assert len(found) <= 2
