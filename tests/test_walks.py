"""Every walk: a platform served behind its real host names, and what the steward makes of an address there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import consentcrawl
from consentcrawl import discovery
from consentcrawl.core import Gate, Verdict, name_of
from consentcrawl.sources.web import Reads
from tests import vector_files
from tests.platform_web import PlatformWeb, platforms
from tests.website import Answer

CASES = {"opted-out", "not-opted-out", "blocked", "gone", "hostile"}
"""What is shown for each platform."""
KEYS = {
    "title",
    "case",
    "url",
    "page",
    "secrets",
    "operator_ok",
    "outcome",
    "quote",
    "gaps",
    "notes",
    "asked",
    "served",
    "then",
}
STEP_KEYS = {"url", "page", "outcome", "quote", "gaps", "notes", "asked"}
SERVED_KEYS = {"at", "status", "fields", "content", "repeat"}
HTML, JSON = ("Content-Type", "text/html; charset=utf-8"), ("Content-Type", "application/json")
WALKS = {title: walk for title, _, walk in vector_files.titled(vector_files.PLUGINS, "walk")}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformWeb]:
    with platforms(tmp_path_factory.mktemp("web")) as running:
        yield running


@pytest.fixture(scope="module")
def reader(web: PlatformWeb) -> Reads:
    return web.config().reader()


def _answer(served: dict[str, Any]) -> Answer:
    text: str = served.get("content", "") * served.get("repeat", 1)
    usual = JSON if text.lstrip()[:1] in ("{", "[") else HTML
    fields = tuple((name, value) for name, value in served.get("fields", [usual]))
    return Answer(text.encode(), served.get("status", 200), fields)


def _decide(steward: consentcrawl.Steward, step: dict[str, Any]) -> Verdict:
    inquiry = steward.open(step["url"], step.get("page"), reach=Gate.LOOKUP)
    steward.look_up(inquiry)
    return steward.decide(inquiry)


def _check(verdict: Verdict, step: dict[str, Any], web: PlatformWeb) -> None:
    assert (str(verdict.outcome), {gap.reason for gap in verdict.gaps}) == (step["outcome"], set(step.get("gaps", [])))
    grounds = verdict.deciding if step["outcome"] == "refuse" else verdict.grounds
    said = "\n".join(f"{ground.signal}: {ground.statement.quote}" for ground in grounds)
    assert step.get("quote", "") in said
    assert step.get("notes", "") in "\n".join(gap.note for gap in verdict.gaps)
    if "asked" in step:
        assert Counter(web.look_ups) == Counter(step["asked"])


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_ours_walk(walk: dict[str, Any], web: PlatformWeb, reader: Reads) -> None:
    assert walk.keys() <= KEYS
    assert all(served.keys() <= SERVED_KEYS for served in walk.get("served", []))
    config = web.config(
        secrets=walk.get("secrets", {}), operator_ok=frozenset(walk.get("operator_ok", ())), timeout=5.0
    )
    steward = consentcrawl.Steward(config, reader=reader)
    web.show({served["at"]: _answer(served) for served in walk.get("served", [])})
    _check(_decide(steward, walk), walk, web)
    for step in walk.get("then", []):
        assert step.keys() <= STEP_KEYS
        web.asked.clear()
        _check(_decide(steward, step), step, web)
    steward.close()


PLATFORMS = sorted(name_of(signal) for signal in discovery.signals() if discovery.hosts_of(signal))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_ours_every_case_is_shown_for_every_platform(platform: str) -> None:
    walks, said = vector_files.files(vector_files.PLUGINS)[platform]["walk"], vector_files.of_platform(platform)
    shown = {walk["case"]: walk["outcome"] for walk in walks if "case" in walk}
    assert shown.keys() == CASES
    assert shown.pop("opted-out") == "refuse"
    assert shown.pop("not-opted-out") == ("refuse" if said.get("default_decides") else "permit")
    assert "permit" not in shown.values() or said.get("notes_only")
