"""What datadiligence and img2dataset let through by mistake: we refuse it, and a peer that is there runs beside it.

When a peer mends one of these, its side of the test fails and the row goes.
"""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Mapping
from contextlib import closing, redirect_stdout
from http.client import HTTPMessage
from types import ModuleType
from typing import Any
from urllib.request import build_opener

import pytest

import consentcrawl
from consentcrawl.core import Outcome, Verdict
from consentcrawl.drivers.urllib import opener
from tests import signed_images
from tests.website import Answer, Fields, noise, serving

IMAGE = noise()
JPEG = (("Content-Type", "image/jpeg"),)
TOKEN = "mybot"  # noqa: S105 (a product token)
BY_DATADILIGENCE: dict[str, Fields] = {
    "another case": (("X-Robots-Tag", "NoAI"),),
    "our token in another case": (("X-Robots-Tag", "MyBot: noai"),),
    "a second line": (("X-Robots-Tag", "otherbot: noindex"), ("X-Robots-Tag", "noai")),
    "noml": (("X-Robots-Tag", "noml"),),
    "a reservation said twice": (("TDM-Reservation", "1, 1"),),
}
AS_A_DICT: dict[str, Fields] = {
    "a name in lower case": (("x-robots-tag", "noai"),),
    "a name in capitals": (("TDM-Reservation", "1"),),
}
BY_IMG2DATASET: dict[str, Fields] = {
    "before a preview size": (("X-Robots-Tag", "noai, max-image-preview:large"),),
    "behind a preview size": (("X-Robots-Tag", "max-image-preview:large, noai"),),
    "behind a date": (("X-Robots-Tag", "unavailable_after: 25 Jun 2030 15:00:00 PST, noai"),),
    "a blank before the colon": (("X-Robots-Tag", "mybot : noai"),),
}
_WORDS = frozenset({"noai", "noimageai", "noindex", "noimageindex"})


@pytest.fixture
def datadiligence() -> ModuleType | None:
    with redirect_stdout(io.StringIO()):
        return _peer("datadiligence.rules")


@pytest.fixture
def img2dataset(monkeypatch: pytest.MonkeyPatch) -> ModuleType | None:
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask a server for its newest version
    return _peer("img2dataset.downloader")


def _peer(name: str) -> ModuleType | None:
    try:
        with warnings.catch_warnings(action="ignore"):
            return importlib.import_module(name)
    except ImportError:
        return None


def _ours(url: str, policy: Mapping[str, str] = {}) -> Verdict | None:
    config = consentcrawl.Config(
        purpose=consentcrawl.purpose("train-ai", TOKEN), policy=consentcrawl.policy(**policy), allow=("127.0.0.0/8",)
    )
    with closing(opener(config=config)) as own:
        try:
            own.open(url, timeout=10).close()
        except consentcrawl.Withheld as withheld:
            return withheld.verdict
    return None


def _head(url: str) -> HTTPMessage:
    with build_opener().open(url, timeout=10) as answer:
        head: HTTPMessage = answer.headers
        return head


def _refused(fields: Fields, **policy: str) -> HTTPMessage:
    """Refuse an image that is served with ``fields``; gives the head as the peers get it."""
    with serving({"/a.jpg": Answer(IMAGE, fields=(*JPEG, *fields))}) as site:
        verdict = _ours(site.origin + "/a.jpg", policy)
        assert verdict is not None
        assert verdict.outcome is Outcome.REFUSE
        return _head(site.origin + "/a.jpg")


def _allowed_by_datadiligence(peer: ModuleType | None, headers: Any) -> bool:
    return peer is None or (
        peer.XRobotsTagHeader(TOKEN).is_allowed(headers=headers) and peer.TDMRepHeader().is_allowed(headers=headers)
    )


@pytest.mark.parametrize("fields", BY_DATADILIGENCE.values(), ids=BY_DATADILIGENCE)
def test_ours_datadiligence_lets_through(fields: Fields, datadiligence: ModuleType | None) -> None:
    assert _allowed_by_datadiligence(datadiligence, _refused(fields))


@pytest.mark.parametrize("fields", AS_A_DICT.values(), ids=AS_A_DICT)
def test_ours_datadiligence_lets_through_as_a_dict(fields: Fields, datadiligence: ModuleType | None) -> None:
    _refused(fields)
    assert _allowed_by_datadiligence(datadiligence, dict(fields))


def test_ours_what_is_said_to_another_crawler_alone_is_not_said_to_us(datadiligence: ModuleType | None) -> None:
    fields = (*JPEG, ("X-Robots-Tag", "otherbot: noindex, noai"))
    with serving({"/a.jpg": Answer(IMAGE, fields=fields)}) as site:
        assert _ours(site.origin + "/a.jpg") is None
        head = _head(site.origin + "/a.jpg")
    assert datadiligence is None or not datadiligence.XRobotsTagHeader(TOKEN).is_allowed(headers=head)


@pytest.mark.parametrize(
    "content",
    [
        signed_images.signed("jpeg", signed_images.assertion("c2pa", ai_generative_training="constrained")),
        signed_images.signed("jpeg", signed_images.assertion("cawg", ai_generative_training="notAllowed")),
    ],
    ids=["constrained", "another label"],
)
def test_ours_datadiligence_lets_credentials_through(content: bytes, datadiligence: ModuleType | None) -> None:
    verdict = consentcrawl.inspect(content, fields=JPEG, token=TOKEN)
    assert verdict.outcome is Outcome.REFUSE
    assert datadiligence is None or datadiligence.C2PAMetadataRule().is_allowed(body=content)


def test_ours_datadiligence_takes_a_reader_that_fails_for_a_permission(datadiligence: ModuleType | None) -> None:
    whole = signed_images.signed("jpeg", signed_images.assertion("c2pa", ai_generative_training="notAllowed"))
    at = whole.index(b"jumb") + 40
    damaged = whole[:at] + bytes(64) + whole[at + 64 :]
    verdict = consentcrawl.inspect(damaged, fields=JPEG, token=TOKEN)
    assert verdict.outcome is not Outcome.PERMIT
    assert datadiligence is None or datadiligence.C2PAMetadataRule().is_allowed(body=damaged)


@pytest.mark.parametrize("fields", BY_IMG2DATASET.values(), ids=BY_IMG2DATASET)
def test_ours_img2dataset_lets_through(fields: Fields, img2dataset: ModuleType | None) -> None:
    head = _refused(fields)
    assert img2dataset is None or not img2dataset.is_disallowed(head, TOKEN, _WORDS)


def test_ours_img2dataset_lets_none_through(img2dataset: ModuleType | None) -> None:
    head = _refused((("X-Robots-Tag", "none"),), search_tags="refuse")
    assert img2dataset is None or not img2dataset.is_disallowed(head, TOKEN, _WORDS)


def test_ours_img2dataset_reads_the_head_of_the_last_hop_only(img2dataset: ModuleType | None) -> None:
    hop = Answer(status=302, fields=(("Location", "/a.jpg"), ("X-Robots-Tag", "noai")))
    with serving({"/hop": hop, "/a.jpg": Answer(IMAGE, fields=JPEG)}) as site:
        assert _ours(site.origin + "/hop") is not None
        assert site.count("/a.jpg") == 0
        assert img2dataset is None or _taken(img2dataset, site.origin + "/hop") == IMAGE


def test_ours_img2dataset_asks_for_what_robots_txt_closes(img2dataset: ModuleType | None) -> None:
    robots = Answer(b"User-agent: *\nDisallow: /\n", fields=(("Content-Type", "text/plain"),))
    with serving({"/robots.txt": robots, "/a.jpg": Answer(IMAGE, fields=JPEG)}) as site:
        assert _ours(site.origin + "/a.jpg") is not None
        assert site.count("/a.jpg") == 0
        assert img2dataset is None or _taken(img2dataset, site.origin + "/a.jpg") == IMAGE


def _taken(img2dataset: ModuleType, url: str) -> bytes:
    stream: io.BytesIO = img2dataset.download_image((0, url), 10, TOKEN, _WORDS)[1]
    with stream:
        return stream.getvalue()
