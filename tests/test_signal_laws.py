"""Laws of every signal in the folder: nothing raises, nothing odd allows, order does not matter, refusals stay."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from collections.abc import Sequence
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import consentcrawl.signals
from consentcrawl.core import (
    HEAD,
    PRESETS,
    PURPOSES,
    REASONS,
    Asset,
    Evidence,
    Fields,
    Gap,
    Gate,
    Inquiry,
    Need,
    Outcome,
    Preference,
    Purpose,
    Said,
    Statement,
    plan,
)
from consentcrawl.formats import pattern_index
from consentcrawl.formats.ai_agents import AGENTS
from consentcrawl.signals import (
    ai_agents,
    content_signal,
    content_usage,
    disallow_ai_training,
    protego_reading,
    robots_meta,
    robots_txt,
    soup_reading,
    tdm_file,
)

PATH = consentcrawl.signals.__path__
NAMES = [module.name for module in pkgutil.iter_modules(PATH) if not module.name.startswith("_")]
SIGNALS = [importlib.import_module(f"consentcrawl.signals.{name}") for name in NAMES]

ASSET = Asset("https://art.example/img/1.jpg?size=2", "https://art.example/work/1")
PAGE = Asset("https://art.example/work/1")
PURPOSE = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])
STRICT = PRESETS["strict"]
NOW = 1_767_225_600.0

FIELDS = [
    ("X-Robots-Tag", "noai"), ("X-Robots-Tag", "otherbot: noindex, noai"), ("Content-Usage", "train-ai=n"),
    ("Content-Usage", "train-ai=y"), ("Content-Signal", "ai-train=no"), ("Content-Signal", "ai-train=yes"),
    ("tdm-reservation", "1"), ("tdm-reservation", "0"), ("WWW-Authenticate", "License"), ("cf-mitigated", "challenge"),
    ("Content-Type", "text/html"), ("Content-Type", "image/jpeg"),
]  # fmt: skip
CONTENTS = [
    b"User-agent: *\nDisallow: /\n", b"User-agent: *\nAllow: /\nContent-Usage: train-ai=n\n",
    b"User-agent: GPTBot\nUser-agent: Diffbot\nDisallow: /\n",
    b"Content-Signal: ai-train=no\nUser-agent: *\nDisallow:\n",
    b"User-agent: *\nDisallowAITraining: /img\nContent-Usage: /img train-ai=y\n", b"datatrainingallowed=no\n",
    b'[{"location":"/","tdm-reservation":1}]', b'[{"location":"/img","tdm-reservation":0}]', b"[[[[", b"{}",
    b'<!doctype html><meta name="robots" content="noai"><img src="/a.jpg">', b"\xff\xd8\xff\xe0", b"<html",
    b'<html><head><base href="http://["><meta name="tdm-reservation" content="1"><meta name=robots content=noindex>',
]  # fmt: skip
STATUSES = [None, 100, 200, 204, 206, 301, 304, 400, 401, 402, 403, 404, 410, 429, 451, 500, 503, 999]

statuses = st.sampled_from(STATUSES)
pairs = st.tuples(st.sampled_from(sorted({name for name, _ in FIELDS})), st.text(max_size=30))
fields = st.lists(st.sampled_from(FIELDS) | pairs, max_size=4).map(Fields)
contents = st.sampled_from(CONTENTS) | st.binary(max_size=60)
pieces = st.lists(contents | st.binary(max_size=8), max_size=4).map(b"".join)
gaps = st.sampled_from(["", "", "", "timeout", "body_limit", "truncated"])
answers = st.tuples(statuses, fields, pieces, gaps)
Answer = tuple[int | None, Fields, bytes, str]


def _evidence(need: Need, asset: Asset, answer: Answer) -> Evidence:
    status, found, content, gap = answer
    return Evidence(need, need.at(asset), status=status, fields=found, content=content, at=NOW, gap=gap)


def _said(signal: ModuleType, asset: Asset, answer: Answer) -> list[Said]:
    needs = [*signal.needs(asset, PURPOSE)]
    return [said for need in needs for said in signal.read(_evidence(need, asset, answer), asset, PURPOSE)]


@pytest.mark.parametrize("signal", SIGNALS, ids=NAMES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([ASSET, PAGE]), answers)
def test_ours_whatever_is_found_is_read_without_raising(signal: ModuleType, asset: Asset, answer: Answer) -> None:
    for said in _said(signal, asset, answer):
        if isinstance(said, Statement):
            assert said.quote
            assert said.where
        elif isinstance(said, Gap):
            assert said.reason in REASONS


@pytest.mark.parametrize("signal", SIGNALS, ids=NAMES)
@settings(max_examples=40, deadline=None)
@given(statuses, st.lists(pairs, max_size=3).map(Fields), st.binary(max_size=200))
def test_ours_arbitrary_bytes_never_allow(
    signal: ModuleType, status: int | None, found: Fields, content: bytes
) -> None:
    words = (b"allow", b"llow", b"=y", b"tdm")
    if any(word in content.lower() for word in words) or any(value.strip() == "0" for _, value in found.pairs):
        return
    for said in _said(signal, ASSET, (status, found, content, "")):
        if isinstance(said, Statement) and said.preference is Preference.ALLOWED:
            assert "=y" in said.quote


def _outcome(order: Sequence[int], given_answers: Sequence[Answer], signals: Sequence[ModuleType]) -> Outcome:
    """Answer the needs of each gate in an order of one's own; what there is no answer for is not there."""
    planned = plan(ASSET, PURPOSE, signals)
    everything = [need for gate in planned for need in gate]
    answer_of = dict(zip(everything, itertools.cycle(given_answers), strict=False))
    inquiry = Inquiry(ASSET, PURPOSE, STRICT, planned, settle=False)
    while needs := inquiry.needs():
        turn = order[len(needs) % len(order)] % len(needs)
        need = needs[turn]
        inquiry.tell(_evidence(need, ASSET, answer_of.get(need, (404, Fields(), b"", ""))))
    return inquiry.verdict().outcome


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(answers, min_size=1, max_size=6), st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_ours_the_order_of_answers_is_irrelevant(given_answers: list[Answer], order: list[int]) -> None:
    assert _outcome(order, given_answers, SIGNALS) is _outcome([0], given_answers, SIGNALS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(answers, min_size=1, max_size=6))
def test_ours_more_evidence_never_turns_a_refusal_into_a_permission(given_answers: list[Answer]) -> None:
    inquiry = Inquiry(ASSET, PURPOSE, STRICT, plan(ASSET, PURPOSE, SIGNALS), settle=False)
    refused = False
    answered = itertools.cycle(given_answers)
    while needs := inquiry.needs():
        inquiry.tell(_evidence(needs[0], ASSET, next(answered)))
        outcome = inquiry.verdict().outcome
        assert not refused or outcome is not Outcome.PERMIT
        refused = outcome is Outcome.REFUSE


@pytest.mark.parametrize("signal", SIGNALS, ids=NAMES)
def test_ours_a_signal_says_what_it_is(signal: ModuleType) -> None:
    spec = signal.SPEC
    assert signal.__doc__
    assert spec.url.startswith("https://")
    assert spec.name
    assert spec.version
    assert spec.cost
    assert {need.gate for need in signal.needs(ASSET, PURPOSE)} <= set(spec.gates)


def test_ours_14_the_list_of_ai_crawlers_names_its_source_and_date() -> None:
    assert "ai.robots.txt" in AGENTS.source
    assert "2026-08-22" in AGENTS.source
    assert len(AGENTS.training) == 29  # 31 spellings
    assert len(AGENTS.mixed) == 36
    assert not AGENTS.training & AGENTS.mixed
    assert "semrushbot-ocob" not in AGENTS.tokens


def _robots(content: bytes) -> Evidence:
    (need,) = robots_txt.needs(ASSET, PURPOSE)
    return _evidence(need, ASSET, (200, Fields(), content, ""))


def test_ours_14_crawlers_with_the_same_rule_are_named_in_one_statement() -> None:
    evidence = _robots(b"User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n\nUser-agent: Diffbot\nDisallow: /\n")
    (said,) = ai_agents.read(evidence, ASSET, PURPOSE)
    assert isinstance(said, Statement)
    assert said.where == "line 3 (ccbot, gptbot); line 6 (diffbot)"


def test_rfc9309_2_5_rules_behind_the_limit_are_a_gap_that_holds() -> None:
    evidence = _robots(b"User-agent: *\nDisallow: /x\n" + b"#\n" * 260_000 + b"Disallow: /\n")
    assert [*robots_txt.read(evidence, ASSET, PURPOSE)] == [Gap(evidence.url, "robots_limit", holds=True)]


def test_ours_page_limits_hold_only_while_the_head_is_not_through() -> None:
    for head, holds in ((b"</head><body>", False), (b"", True)):
        content = b"<!doctype html><html><head>" + head + b" " * 1_100_000 + b"<meta name=x>"
        (need,) = robots_meta.needs(PAGE, PURPOSE)
        said = [*robots_meta.read(_evidence(need, PAGE, (200, Fields(), content, "")), PAGE, PURPOSE)]
        assert said == [Gap(PAGE.url, "html_limit", holds=holds)]


def test_ours_of_too_many_images_the_rest_is_a_gap() -> None:
    images = b"".join(b'<img src="/%d.jpg">' % number for number in range(1005))
    content = b'<!doctype html><meta name=robots content="noml">' + images
    (need,) = robots_meta.needs(PAGE, PURPOSE)
    said = [*robots_meta.read(_evidence(need, PAGE, (200, Fields(), content, "")), PAGE, PURPOSE)]
    assert sum(isinstance(one, Statement) and one.about is not None for one in said) == 1000
    assert isinstance(said[-1], Gap)


def test_ours_of_too_many_tdm_entries_the_rest_is_a_gap() -> None:
    entry = b'{"location":"/z","tdm-reservation":1},'
    content = b"[" + entry * 20_001 + b'{"location":"/","tdm-reservation":1}]'
    (need,) = tdm_file.needs(ASSET, PURPOSE)
    said = [*tdm_file.read(_evidence(need, ASSET, (200, Fields(), content, "")), ASSET, PURPOSE)]
    assert said == [Gap(ASSET.origin + "/.well-known/tdmrep.json", "json_limit", holds=True)]


@pytest.mark.parametrize(
    ("signal", "content"),
    [
        (content_usage, b"User-agent: *\nContent-Usage: /*a*b train-ai=%s\nContent-Usage: /*c*d train-ai=%s\n"),
        (content_signal, b"User-agent: *\nContent-Signal: /*a*b ai-train=%s\nContent-Signal: /*c*d ai-train=%s\n"),
        (disallow_ai_training, b"User-agent: *\n%sAITraining: /*a*b\n%sAITraining: /*c*d\n"),
        (tdm_file, b'[{"location":"/*a*b","tdm-reservation":%s},{"location":"/*c*d","tdm-reservation":%s}]'),
    ],
)
def test_ours_patterns_that_take_too_long_hold_and_never_allow(
    monkeypatch: pytest.MonkeyPatch, signal: ModuleType, content: bytes
) -> None:
    monkeypatch.setattr(pattern_index, "BUDGET", 1)
    words = {content_signal: b"yes", disallow_ai_training: b"Allow", tdm_file: b"0"}.get(signal, b"y")
    asset = Asset("https://art.example/" + "acbd" * 50)
    said = [
        said
        for need in signal.needs(asset, PURPOSE)
        if need.gate is Gate.LOOKUP
        for said in signal.read(_evidence(need, asset, (200, Fields(), content % (words, words), "")), asset, PURPOSE)
    ]
    assert [one.reason for one in said if isinstance(one, Gap) and one.holds] == ["robots_budget"]
    assert not [one for one in said if isinstance(one, Statement) and one.preference is Preference.ALLOWED]


def test_ours_patterns_of_a_field_that_take_too_long_hold_and_never_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_index, "BUDGET", 1)
    found = Fields([("Content-Signal", "/*a*b ai-train=yes"), ("Content-Signal", "/*c*d ai-train=yes")])
    said = [*content_signal.read(_evidence(HEAD, ASSET, (200, found, b"", "")), ASSET, PURPOSE)]
    assert said == [Gap(ASSET.url, "robots_budget", holds=True)]


def _breaks(*_: object) -> object:
    msg = "broken"
    raise RuntimeError(msg)


def test_ours_a_second_reader_that_breaks_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protego_reading, "_protego", _breaks)
    monkeypatch.setattr(soup_reading, "_soup", _breaks)
    (said,) = protego_reading.read(_robots(b"User-agent: *\n"), ASSET, PURPOSE)
    assert said == Gap(ASSET.origin + "/robots.txt", "reader_failed", note="Protego: RuntimeError")
    (need,) = soup_reading.needs(PAGE, PURPOSE)
    (said,) = soup_reading.read(_evidence(need, PAGE, (200, Fields(), b"<html>", "")), PAGE, PURPOSE)
    assert said == Gap(PAGE.url, "reader_failed", note="BeautifulSoup: RuntimeError")


@pytest.mark.parametrize(
    "content", [b"#" * (64 * 1024 + 1), b"Disallow: /*\n" * 201, b"User-agent: a\n" * 500 + b"Disallow: /\n" * 500]
)
def test_ours_a_second_reader_leaves_large_files_alone(content: bytes) -> None:
    evidence = _robots(b"User-agent: img\nDisallow: /\n" + content)
    purpose = Purpose("train-ai", "img2dataset", PURPOSES["train-ai"])
    assert not [*protego_reading.read(evidence, ASSET, purpose)]


@pytest.mark.parametrize("more", [b" " * 256 * 1024, b"<a " * 1500, b"<!-- >" * 300, b"<![x>" * 300])
def test_ours_a_second_reader_leaves_large_and_endless_pages_alone(more: bytes) -> None:
    content = b"<!doctype html><template><meta name=robots content=noai></template>" + more
    (need,) = soup_reading.needs(PAGE, PURPOSE)
    assert not [*soup_reading.read(_evidence(need, PAGE, (200, Fields(), content, "")), PAGE, PURPOSE)]
