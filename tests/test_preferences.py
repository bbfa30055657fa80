"""Content-Usage and Content-Signal: strict, lenient, and never an allowance out of leniency."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentcrawl.core import Category
from consentcrawl.formats.preferences import (
    BY_ITSELF,
    LABELS,
    LEGACY,
    LEGACY_LABELS,
    MALFORMED,
    SIGNALS,
    content_signal,
    content_usage,
    split_path,
    usage,
)
from tests.cpu import at_most

STRICT = [
    ("train-ai=n, search=y", {"train-ai": False, "search": True}),
    ("  train-ai=n  ", {"train-ai": False}),
    ("train-ai=n\t,\tsearch=y", {"train-ai": False, "search": True}),
    ("train-ai=n;search=y", {"train-ai": False}),
    ("train-ai=n; search=y", {"train-ai": False}),
    ("train-ai = n", {}),
    ("train-ai=n search=y", {}),
    ("train-ai=n,", {}),
    ("train-ai=n,,search=y", {}),
    ("train-ai:n", {}),
    ("TRAIN-AI=n", {}),
    ("train-ai=N", {}),
    ("train-ai=no", {}),
    ('train-ai="n"', {}),
    ("train-ai", {}),
    ("train-ai=?0", {}),
    ("train-ai=0", {}),
    ("train-ai=(n y)", {}),
    ("train-ai=n, train-ai=y", {"train-ai": True}),
    ("train-ai=y, train-ai", {}),
    ("train-ai;allow=n, train-ai=y", {"train-ai": True}),
    ("/img/ train-ai=n", {}),
    ("*.jpg train-ai=n", {}),
    ("ai-use=n;exceptions=cc-cr", {"ai-use": False}),
    ("", {}),
    ("train-ai=n, x=é", {}),
    ("train-ai=n, \udc80", {}),
    ("ai=n", {"ai": False}),
]


@pytest.mark.parametrize(("value", "members"), STRICT)
def test_rfc9651_3_2_content_usage_reads_tokens_y_and_n_of_what_parses(value: str, members: dict[str, bool]) -> None:
    assert content_usage(value) == members


def test_rfc9651_4_2_several_lines_are_one_field_and_each_is_heard_by_itself() -> None:
    (said,) = usage(["train-ai=n", "train-ai=y"])
    assert (said.label, said.allowed, said.quote, said.note) == ("train-ai", False, "train-ai=n", BY_ITSELF)
    assert [one.label for one in usage(["train-ai=n", "search=n"])] == ["train-ai", "search"]


def test_ours_what_fails_to_parse_is_read_leniently_for_disallowing_only() -> None:
    (said,) = usage(["train-ai = n, search = y"])
    assert (said.label, said.categories, said.allowed, said.note) == (
        "train-ai",
        ("train-generative",),
        False,
        MALFORMED,
    )


def test_ours_a_strict_allowance_is_not_undone_by_an_earlier_equal_key() -> None:
    (said,) = usage(["train-ai=n, train-ai=y"])
    assert said.allowed


def test_ours_labels_of_earlier_drafts_disallow_and_are_noted() -> None:
    (said,) = usage(["bots=n, tdm=y"])
    assert (said.label, said.note) == ("bots", LEGACY)


def test_ours_content_signal_reads_a_path_and_notes_the_use() -> None:
    path, (search, train, use) = content_signal("/blog/ search=yes, ai-train=no, use=reference")
    assert path == "/blog/"
    assert (search.allowed, train.allowed, use.categories) == (True, False, ())
    assert "reference" in use.note


@pytest.mark.parametrize("value", ["AI-TRAIN = NO", "ai_train=no", "ai-train=disallow", "ai-train:no", "ai-train=n"])
def test_ours_content_signal_folds_spellings_and_notes_them(value: str) -> None:
    (said,) = content_signal(value)[1]
    assert (said.label, said.allowed, said.note) == ("ai-train", False, MALFORMED)


def test_ours_content_signal_leaves_out_what_is_neither_yes_nor_no() -> None:
    assert content_signal("ai-train=maybe, x=no") == ("", ())


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("/a train-ai=n", ("/a", "train-ai=n")),
        ("/a", ("/a", "")),
        ("*.jpg x", ("*.jpg", "x")),
        ("x=y", ("", "x=y")),
        ("", ("", "")),
    ],
)
def test_aipref_attach_a_path_is_what_begins_with_a_slash(value: str, parts: tuple[str, str]) -> None:
    assert split_path(value) == parts


def test_ours_every_label_is_about_categories_that_exist() -> None:
    for table in (LABELS, LEGACY_LABELS, SIGNALS):
        for categories in table.values():
            assert [Category(category) for category in categories]


MEMBERS = st.text(alphabet='abtrainusech-_=:;, \t"?(yno)/*', max_size=60) | st.text(max_size=30)


@given(st.lists(MEMBERS, max_size=3))
def test_ours_leniency_never_allows(lines: list[str]) -> None:
    strict = content_usage(", ".join(lines))
    for said in usage(lines):
        assert said.quote
        assert not said.allowed or (strict[said.label] and not said.note)


@given(st.sampled_from(sorted(LABELS)), st.text(alphabet=" \t,;=:\"'()", max_size=4), MEMBERS)
def test_ours_a_no_is_heard_whatever_follows(label: str, between: str, rest: str) -> None:
    said = {one.label: one.allowed for one in usage([f"{label}=no,{between} {rest}"])}
    assert said[label] is False or content_usage(f"{label}=no,{between} {rest}").get(label)


@given(st.text(max_size=60) | MEMBERS)
def test_ours_any_text_is_a_content_signal(value: str) -> None:
    path, said = content_signal(value)
    assert value.startswith(path)
    assert len(said) <= len(value)


def test_ours_odd_values_take_linear_time() -> None:
    for value in ("a" * 300_000, "a=" * 150_000, "a    " * 60_000 + "=n", " " * 300_000, "a=((((" * 50_000):
        begun = process_time()
        usage([value])
        content_signal(value)
        assert process_time() - begun < at_most(1)
