"""ai.txt and trust.txt made to do harm: no exception, little time, little memory, no network, the right outcome."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from consentcrawl.config import Config
from consentcrawl.core import PURPOSES, Asset, Evidence, Inquiry, Purpose, Verdict, plan
from consentcrawl.core.policy import Policy
from consentcrawl.net.guard import ConnectTo
from consentcrawl.signals import ai_txt, trust_txt
from tests import no_network
from tests.hostile_site_files import AI, HOSTILE, PACKED
from tests.website import Answer, Site, serving

SECONDS, BYTES = 1.0, 50 * 1024 * 1024
ASSET = Asset("http://art.example/works/1.jpg")
PURPOSE = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])
NEEDS = {need.at(ASSET): need for signal in (ai_txt, trust_txt) for need in signal.needs(ASSET, PURPOSE)}


@pytest.fixture(scope="module")
def packed() -> Iterator[Site]:
    """A server that sends every packed file at an address of its own."""
    fields = (("Content-Encoding", "gzip"), ("Content-Type", "text/plain"))
    with serving({_address(name): Answer(build(), 200, fields) for name, (_, build, _, _) in PACKED.items()}) as site:
        yield site


def _address(name: str) -> str:
    return "/" + name.replace(" ", "-")


def _verdict(path: str, evidence: Callable[[], Evidence]) -> Verdict:
    inquiry = Inquiry(ASSET, PURPOSE, Policy(), plan(ASSET, PURPOSE, (ai_txt if path == AI else trust_txt,)))
    for need in inquiry.needs():
        inquiry.tell(evidence() if need.url == path else Evidence(need, need.at(ASSET), status=404))
    return inquiry.verdict()


def _costs(read: Callable[[], Verdict]) -> Verdict:
    """Read twice: by the clock, and counting memory."""
    begun = time.thread_time()
    verdict = read()
    assert time.thread_time() - begun < SECONDS
    tracemalloc.start()
    read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < BYTES
    return verdict


@pytest.mark.parametrize("name", HOSTILE)
def test_ours_hostile_site_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    no_network.forbid(monkeypatch)
    path, build, outcome, reason = HOSTILE[name]
    content, need = build(), NEEDS[ASSET.origin + path]
    verdict = _costs(lambda: _verdict(path, lambda: Evidence(need, need.at(ASSET), status=200, content=content)))
    assert (str(verdict.outcome), {gap.reason for gap in verdict.gaps}) == (outcome, {reason} - {""})


@pytest.mark.parametrize("name", PACKED)
def test_ours_hostile_site_file_that_is_packed(name: str, packed: Site) -> None:
    path, _, outcome, reason = PACKED[name]
    reader = Config(connect_to=(ConnectTo.parse(f":80:127.0.0.1:{packed.origin.rpartition(':')[2]}"),)).reader()
    need = NEEDS[ASSET.origin + path]
    verdict = _costs(lambda: _verdict(path, lambda: reader.read(need, ASSET.origin + _address(name))))
    assert (str(verdict.outcome), {gap.reason for gap in verdict.gaps}) == (outcome, {reason})


def test_ours_there_are_enough_hostile_site_files() -> None:
    assert len(HOSTILE) + len(PACKED) >= 20
