"""Images and XML made to do harm: no exception, no connection, little time and memory, the right reason and outcome."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from consentcrawl import discovery
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
    Preference,
    Purpose,
    Statement,
    Verdict,
    plan,
)
from consentcrawl.formats import image, rsl, xml, xmp
from consentcrawl.signals import plus_data_mining
from tests import containers, hostile_images, hostile_xml, no_network

SECONDS, BYTES = 1.0, 50 * 1024 * 1024
ASSET = Asset("https://art.example/1")
LICENCE = "https://art.example/license.xml"
PURPOSE = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])
GENERAL = discovery.general(discovery.active(Policy(), frozenset()))

DENYING = {
    "jpeg segment of length 0", "jpeg segment of length 1", "jpeg segment beyond the end", "png zlib that is none",
    "png chunk of four gigabytes", "webp chunk of four gigabytes", "gif packet without its trailer",
    "avif box beyond the end", "png zlib that ends early",
}  # fmt: skip
"""Where the word of denial can still be read: it counts, whatever the rest is."""

Case = tuple[Callable[[], bytes], str]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    no_network.forbid(monkeypatch)


def _cost(read: Callable[[bytes], object], content: bytes) -> tuple[float, int]:
    started = time.thread_time()
    read(content)
    taken = time.thread_time() - started
    tracemalloc.start()
    read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return taken, peak


def _verdict(content: bytes, content_type: str = "", licence: bytes | None = None) -> Verdict:
    """Ask every signal about a content, and about a licence that robots.txt names, if there is one."""
    inquiry = Inquiry(ASSET, PURPOSE, Policy(), plan(ASSET, PURPOSE, GENERAL), settle=False)
    while needs := inquiry.needs():
        for need in needs:
            inquiry.tell(_answer(need, content, content_type, licence))
    return inquiry.verdict()


def _answer(need: Need, content: bytes, content_type: str, licence: bytes | None) -> Evidence:
    if need in (HEAD, BODY):
        fields = Fields([("Content-Type", content_type)])
        return Evidence(need, ASSET.url, status=200, fields=fields, content=content if need is BODY else b"")
    if need.gate is Gate.BODY:  # a manifest: read by a worker elsewhere, which has tests of its own
        return Evidence(need, ASSET.url, gap="reader_failed")
    found = {ROBOTS_TXT.at(ASSET): b"License: " + LICENCE.encode(), LICENCE: licence} if licence is not None else {}
    answered = found.get(need.at(ASSET))
    return Evidence(need, need.at(ASSET), status=404 if answered is None else 200, content=answered or b"")


@pytest.mark.parametrize("name", hostile_images.HOSTILE)
def test_ours_hostile_image_is_a_gap_with_its_reason(name: str) -> None:
    build, reason = hostile_images.HOSTILE[name]
    content = build()
    found = image.find(content)
    assert (found.gave_up, found.whole) == (reason, False)
    taken, peak = _cost(xmp.in_image, content)
    assert taken < SECONDS
    assert peak < BYTES


@pytest.mark.parametrize("name", hostile_images.HOSTILE)
def test_ours_hostile_image_is_withheld(name: str) -> None:
    content = hostile_images.HOSTILE[name][0]()
    verdict = _verdict(content, "image/jpeg")
    assert verdict.outcome is (Outcome.REFUSE if name in DENYING else Outcome.UNDETERMINED)
    assert not any(ground.statement.preference is Preference.ALLOWED for ground in verdict.grounds)
    taken, peak = _cost(lambda content: _verdict(content, "image/jpeg"), content)
    assert taken < SECONDS
    assert peak < BYTES


@pytest.mark.parametrize(
    "name", ["png zlib bomb", "tiff directory beyond the end", "svg external document type", "webp of a head"]
)
def test_ours_what_an_image_hides_holds_the_verdict(name: str) -> None:
    build, reason = hostile_images.HOSTILE[name]
    assert _read(build()) == [Gap(ASSET.url, reason, holds=True)]


@pytest.mark.parametrize("case", hostile_xml.HOSTILE.values(), ids=list(hostile_xml.HOSTILE))
def test_ours_hostile_xml_is_a_gap_with_its_reason(case: Case) -> None:
    content = case[0]()
    document = xml.read(content)
    assert (document.root, document.gave_up) == (None, case[1])
    assert rsl.parse(content) == rsl.Licences((), case[1])
    taken, peak = _cost(xmp.read, content)
    assert taken < SECONDS
    assert peak < BYTES


@pytest.mark.parametrize("name", hostile_xml.HOSTILE)
def test_ours_hostile_licence_leaves_the_verdict_open(name: str) -> None:
    build, reason = hostile_xml.HOSTILE[name]
    content = build()
    verdict = _verdict(b"a text", "text/plain", content)
    assert verdict.outcome is Outcome.UNDETERMINED
    assert (LICENCE, reason) in {(gap.need, gap.reason) for gap in verdict.gaps}
    taken, peak = _cost(lambda content: _verdict(b"a text", "text/plain", content), content)
    assert taken < SECONDS
    assert peak < BYTES


@pytest.mark.parametrize("name", sorted(hostile_xml.HOSTILE))
def test_ours_hostile_packet_in_a_png_never_allows(name: str) -> None:
    content = hostile_xml.HOSTILE[name][0]()
    picture = containers.png_with(containers.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + content))
    assert not any(isinstance(each, Statement) for each in _read(picture))
    silent = xmp.read(content).gave_up == ""  # a packet without an element says nothing
    assert _verdict(picture, "image/png").outcome is (Outcome.PERMIT if silent else Outcome.UNDETERMINED)


def test_ours_there_are_enough_hostile_files() -> None:
    assert len(hostile_images.HOSTILE) >= 60
    assert len(hostile_xml.HOSTILE) >= 30


def test_ours_a_denial_in_a_broken_image_is_still_found() -> None:
    for name in ("jpeg segment of length 0", "jpeg segment beyond the end", "gif packet without its trailer"):
        said = _read(hostile_images.HOSTILE[name][0]())
        assert {str(each.category) for each in said if isinstance(each, Statement)} >= {"train", "tdm"}, name


def _read(content: bytes) -> list[object]:
    (need,) = plus_data_mining.needs(ASSET, PURPOSE)
    assert need is not HEAD
    return list(plus_data_mining.read(Evidence(need, ASSET.url, status=200, content=content), ASSET, PURPOSE))
