"""JSON of strangers: bounded, total, and never read in one of two ways."""

from __future__ import annotations

import json as standard

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.formats import json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
@settings(max_examples=30)
def test_rfc8259_what_is_json_is_read_as_it_is(value: object) -> None:
    assert json.parse(standard.dumps(value).encode()) == (value, "")


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_ours_any_bytes_give_a_value_and_a_reason(content: bytes) -> None:
    value, reason = json.parse(content)
    assert reason in {"", "malformed", "encoding", "json_limit"}
    assert value is None or reason in {"", "malformed"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "malformed"),
        (b"<html>", "malformed"),
        (b"[1,2", "malformed"),
        (b"9" * 5000, "malformed"),
        (b"[" * 100_000, "json_limit"),
        (b'"' + b"a" * json.LIMIT, "json_limit"),
        (b'{"a":"\xff\xff"}', "encoding"),
        (b'"' + b'\\"' * 500_000, "malformed"),
    ],
)
def test_ours_what_is_no_json_has_a_reason(content: bytes, reason: str) -> None:
    assert json.parse(content) == (None, reason)


def test_rfc8259_4_a_name_twice_with_two_values_is_malformed_and_with_one_is_not() -> None:
    assert json.parse('{"a":1,"a":2}') == ({"a": 2}, "malformed")
    assert json.parse('{"a":1,"a":1}') == ({"a": 1}, "")


def test_rfc8259_6_nan_is_no_number() -> None:
    assert json.parse("[NaN, -Infinity]") == ([None, None], "")


def test_rfc8259_8_1_utf_16_and_a_byte_order_mark_are_read() -> None:
    assert json.parse('["é"]'.encode("utf-16")) == (["é"], "")
    assert json.parse("\ufeff[]") == ([], "")


@pytest.mark.parametrize(
    ("script", "value"),
    [
        (r'window.S = JSON.parse("{\"a\":\"\\u00e9\\n\"}");', ({"a": "é\n"}, "")),
        (r"window['S'] = JSON.parse('{\x22a\u0022:1}')", ({"a": 1}, "")),
        (r'window.S=JSON.parse("[\u{22}\u{000022},\"\u{110000}\"]")', (["", "\ufffd"], "")),
        ('window.S=JSON.parse("[\\\n1,\\v\\02]")', (None, "malformed")),
        ('window.S=JSON.parse("[\\\r\n1]")', ([1], "")),
        ('window.S=JSON.parse("[1', (None, "malformed")),
        ("window.S={}", (None, "")),
        ("", (None, "")),
    ],
)
def test_ecma262_12_9_4_the_argument_of_a_call_is_unescaped_first(script: str, value: object) -> None:
    assert json.scripted(script, "window.S" if "['" not in script else "window['S") == value


def test_ours_a_path_leads_to_a_value_or_to_nothing() -> None:
    value = {"a": [{"b": 7}], "c": "\ud800", "d": True}
    assert json.at(value, "a", 0, "b") == 7
    assert json.at(value, "a", 1) is None
    assert json.at(value, "a", "0") is None
    assert json.at(value, "c", "x") is None
    assert json.text(value, "a", 0, "b") == "7"
    assert json.text(value, "c") == "\ufffd"
    assert json.text(value, "d") == json.text(value, "a") == ""
    assert json.items(value, "a") == [{"b": 7}]
    assert json.items(value, "c") == []
