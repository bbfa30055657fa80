"""Images and XML made to do harm: no exception, little time, little memory, and the right reason."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import pytest

from consentcrawl.core import HEAD, PURPOSES, Asset, Evidence, Gap, Purpose, Statement
from consentcrawl.formats import image, rsl, xml, xmp
from consentcrawl.signals import plus_data_mining
from tests import containers, hostile_images, hostile_xml

SECONDS, BYTES = 1.0, 50 * 1024 * 1024
ASSET = Asset("https://art.example/1")
PURPOSE = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])

Case = tuple[Callable[[], bytes], str]


def _cost(read: Callable[[bytes], object], content: bytes) -> tuple[float, int]:
    started = time.perf_counter()
    read(content)
    taken = time.perf_counter() - started
    tracemalloc.start()
    read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return taken, peak


@pytest.mark.parametrize("case", hostile_images.HOSTILE.values(), ids=list(hostile_images.HOSTILE))
def test_ours_hostile_image_is_a_gap_with_its_reason(case: Case) -> None:
    content = case[0]()
    found = image.find(content)
    assert (found.gave_up, found.whole) == (case[1], False)
    taken, peak = _cost(xmp.in_image, content)
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


@pytest.mark.parametrize("name", sorted(hostile_xml.HOSTILE))
def test_ours_hostile_packet_in_a_png_never_allows(name: str) -> None:
    content = hostile_xml.HOSTILE[name][0]()
    said = _read(containers.png_with(containers.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + content)))
    assert not any(isinstance(each, Statement) for each in said)


def test_ours_there_are_enough_hostile_files() -> None:
    assert (len(hostile_images.HOSTILE), len(hostile_xml.HOSTILE)) >= (60, 30)


def test_ours_a_denial_in_a_broken_image_is_still_found() -> None:
    for name in ("jpeg segment of length 0", "jpeg segment beyond the end", "gif packet without its trailer"):
        said = _read(hostile_images.HOSTILE[name][0]())
        assert {str(each.category) for each in said if isinstance(each, Statement)} >= {"train", "tdm"}, name


def _read(content: bytes) -> list[object]:
    (need,) = plus_data_mining.needs(ASSET, PURPOSE)
    assert need is not HEAD
    return list(plus_data_mining.read(Evidence(need, ASSET.url, status=200, content=content), ASSET, PURPOSE))
