"""The pattern language of RFC 9309 §2.2.2-3, and sets of patterns against a matcher that is too simple to be wrong."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consentcrawl.formats import pattern_index
from consentcrawl.formats.path_pattern import Patterns, as_written, is_plain, literal, normal
from consentcrawl.formats.pattern_index import NONE, SPENT, Index

SMALL = st.text("/a?*$%2Bb", max_size=7)


def matches(pattern: str, target: str) -> bool:
    """Match by trying every way, as RFC 9309 §2.2.3 words it; exponential."""
    if not pattern:
        return True
    if pattern == "$":
        return not target
    if pattern[0] == "*":
        return any(matches(pattern[1:], target[cut:]) for cut in range(len(target) + 1))
    octet = re.match("%[0-9A-F]{2}|.", pattern)
    assert octet
    one = "%24" if octet[0] == "$" else octet[0]
    return target.startswith(one) and matches(pattern[octet.end() :], target[len(one) :])


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        ("/foo/bar?baz=https%3A%2F%2Ffoo.bar", "/foo/bar?baz=https://foo.bar"),
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%e3%83%84", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/a%2fb", "/a%2Fb"),
        ("/a b<c>", "/a%20b%3Cc%3E"),
        ("/50%", "/50%25"),
        ("/%%361", "/%2561"),
        ("/*.jpg$", "/*.jpg$"),
        ("/%2A%24", "/%2A%24"),
        ("/\ud800", "/%ED%A0%80"),
        ("", ""),
    ],
)
def test_rfc9309_2_2_2_normal_form(path: str, form: str) -> None:
    assert normal(path) == form


@given(st.text(st.characters(), max_size=40))
def test_rfc9309_2_2_2_normal_is_idempotent(path: str) -> None:
    assert normal(normal(path)) == normal(path)
    assert as_written(as_written(path)) == as_written(path)


@given(st.text("/a?%2BbF:{", max_size=12).map(lambda rest: "/" + rest))
def test_ours_a_plain_path_is_its_own_form(path: str) -> None:
    if is_plain(path):
        assert literal(normal(path)) == literal(as_written(path)) == path


@settings(max_examples=300)
@given(st.lists(SMALL, max_size=9), SMALL)
@example(["/a*$", "/a**", "*$", "$"], "/a")
@example(["/$a", "/*$*a"], "/$a")
def test_rfc9309_2_2_3_matching_equals_the_reference(patterns: list[str], target: str) -> None:
    target = "/" + target
    right = [n for n, p in enumerate(patterns) if matches(normal(p), literal(normal(target)))]
    found = Patterns(patterns)
    assert found.first(target) == (min(right) if right else None)
    most = max((len(normal(patterns[n])) for n in right), default=0)
    assert found.longest(target) == tuple(n for n in right if len(normal(patterns[n])) == most)
    index = Index([(normal(p), n + 1) for n, p in enumerate(patterns)])
    assert index.best(literal(normal(target))) == max(right, default=NONE)


@pytest.mark.parametrize("many", [3, 40, 400], ids=["loop", "sieve", "table"])
def test_ours_many_wildcards_are_found_however_many_there_are(many: int) -> None:
    patterns = [f"/*thing{n}.jpg" for n in range(many)] + ["/*x", "/dir/*/z$"]
    found = Patterns(patterns)
    assert found.longest("/a/thing2.jpg?w=1") == (2,)
    assert found.longest("/axe") == (many,)
    assert found.longest("/dir/a/z") == (many + 1,)
    assert found.longest("/nothing") == ()
    index = Index([(p, n + 1) for n, p in enumerate(patterns)])
    assert [index.best(t) for t in ("/a/thing2.jpg", "/axe", "/dir/xa/z", "/no")] == [2, many, many + 1, NONE]


def test_rfc9309_2_2_3_escaped_special_octets_mean_themselves() -> None:
    assert Patterns(["/with-a-%2A.html"]).longest("/with-a-*.html") == (0,)
    assert Patterns(["/with-a-%2A.html"]).longest("/with-a-b.html") == ()
    assert Patterns(["/foo-%24"]).longest("/foo-$") == (0,)
    assert Patterns(["/foo-$/x"]).longest("/foo-%24/x") == (0,)


def test_rfc9309_2_2_2_equal_length_gives_all() -> None:
    assert Patterns(["/page", "/*age", "/p", "/page"]).longest("/page") == (0, 1, 3)


def test_ours_stars_that_are_many_take_no_time() -> None:
    target = "/" + "a" * 20_000
    assert Patterns(["/" + "*a" * 12 + "b"]).longest(target) == ()
    assert Patterns(["/" + "*a" * 12]).longest(target) == (0,)


@pytest.mark.parametrize("many", [3, 400])
def test_ours_a_spent_budget_is_told_and_never_no_match(monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr(pattern_index, "BUDGET", 150)
    patterns = [f"/*nowhere{n}" for n in range(many)]
    target = "/" + "".join(f"nowhere{n}" for n in range(2)).replace("0", "0/") + "x" * 30
    found = Patterns(patterns)
    assert found.gave_up == ""
    assert found.first(target) is not None
    assert found.gave_up == "robots_budget"
    assert Index([(p, 1) for p in patterns[2:]] + [("/*zzzz*x", 2)]).best("/zzz" + "z" * 90) == SPENT


def test_ours_within_the_budget_the_careful_way_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index([("/*a", 2), ("/b*c", 3), ("/", 1)])
    monkeypatch.setattr(index, "_safe", 0)
    assert [index.best(target) for target in ("/a", "/bxc", "/z")] == [0, 1, 2]
    index = Index([("/*a", 1), ("/", 3), ("/*q", 4)])
    monkeypatch.setattr(index, "_safe", 0)
    assert index.best("/a") == 1


def test_ours_an_empty_set_matches_nothing() -> None:
    assert Patterns([]).longest("/") == ()
    assert Patterns([]).first("/") is None
    assert Patterns([""]).longest("relative") == (0,)
