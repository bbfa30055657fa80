"""Content credentials: really signed images, through the worker, to a verdict (C2PA 1.4, CAWG 1.1)."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl import errors
from consentcrawl.config import Config, policy
from consentcrawl.core import (
    BODY,
    HEAD,
    Agreement,
    Category,
    Evidence,
    Gap,
    Gate,
    Need,
    Outcome,
    Policy,
    Preference,
    Verdict,
)
from consentcrawl.core.evidence import Pairs
from consentcrawl.drivers import aiohttp as aiohttp_driver
from consentcrawl.drivers import dry_run
from consentcrawl.drivers import requests as requests_driver
from consentcrawl.drivers.inspect_file import inspect
from consentcrawl.formats import c2pa, image
from consentcrawl.sources import manifests
from consentcrawl.steward import Steward
from consentcrawl.workers import manifest
from consentcrawl.workers.pool import TIMED_OUT, Limits, Workers
from tests import signed_images as signed
from tests.cpu import at_most
from tests.website import Answer, Site, serving

P, R, U = Outcome.PERMIT, Outcome.REFUSE, Outcome.UNDETERMINED
REFUSED = {
    "ai_generative_training": "train-generative",
    "ai_training": "train",
    "ai_inference": "ai-use",
    "data_mining": "tdm",
}
NO_TRAINING = signed.assertion(ai_training="notAllowed")
EVERYTHING = signed.assertion(ai_training="allowed", ai_generative_training="allowed", data_mining="allowed")
JPEG = (("Content-Type", "image/jpeg"),)


def said(verdict: Verdict) -> set[tuple[str, str]]:
    """What was stated, without remarks."""
    return {
        (str(g.statement.category), str(g.statement.preference))
        for g in verdict.grounds
        if g.statement.preference is not Preference.UNKNOWN
    }


def reasons(verdict: Verdict) -> set[str]:
    return {gap.reason for gap in verdict.gaps}


@pytest.mark.parametrize("container", signed.FORMATS)
@pytest.mark.parametrize("era", ["c2pa", "cawg"])
@pytest.mark.parametrize("key", REFUSED)
def test_cawg_1_1_every_use_of_both_eras(container: str, era: str, key: str) -> None:
    for word in ("notAllowed", "constrained", "allowed"):
        verdict = inspect(signed.signed(container, signed.assertion(era, **{key: word})))
        expected = {(REFUSED[key], "disallowed")}
        if word == "allowed":
            expected = {("train-other" if key == "ai_training" else REFUSED[key], "allowed")} - {("tdm", "allowed")}
        assert said(verdict) == expected
        assert not verdict.gaps


@pytest.mark.parametrize("container", ["gif", "tiff", "avif"])
def test_c2pa_2_2_appendix_a_other_containers(container: str) -> None:
    assert inspect(signed.signed(container, NO_TRAINING)).outcome is R


def test_c2pa_2_2_appendix_a_jpeg_xl() -> None:
    boxes = [(b"JXL ", b"\r\n\x87\n"), (b"ftyp", b"jxl \0\0\0\0jxl "), (b"jxlc", b"\xff\x0a\0\0\0\0\0\0")]
    source = b"".join((len(content) + 8).to_bytes(4, "big") + name + content for name, content in boxes)
    assert inspect(signed.signed("jxl", NO_TRAINING, source=source)).outcome is R


def test_c2pa_2_2_appendix_a_a_drawing() -> None:
    drawing = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><path d="M1 1"/></svg>'
    image = signed.signed("svg+xml", NO_TRAINING, source=drawing)
    assert inspect(image).outcome is R
    assert inspect(b"\xef\xbb\xbf\n" + image.partition(b"?>")[2]).outcome is R


def test_cawg_1_1_constraints_are_told_in_the_maker_s_words() -> None:
    entry = {"use": "constrained", "constraint_info": "Ask us first"}
    verdict = inspect(signed.signed("jpeg", signed.assertion(ai_generative_training=entry)))
    (ground,) = verdict.deciding
    assert ground.statement.note == "constrained: Ask us first"


def test_ours_an_agreement_overrides_a_constraint() -> None:
    entry = {"use": "constrained", "constraint_info": "Ask us first"}
    image = signed.signed("jpeg", signed.assertion(ai_generative_training=entry))
    with serving({"/1.jpg": Answer(image, fields=JPEG)}) as site:
        held = Agreement("they said yes", frozenset({Category.TRAIN_GENERATIVE}), prefixes=(site.origin,))
        steward = Steward(config(agreements=(held,)))
        verdict = dry_run.judge(steward, site.origin + "/1.jpg", reach=Gate.BODY)
        steward.close()
    assert verdict.outcome is P
    assert verdict.agreement == "they said yes"


def test_c2pa_1_4_several_instances_add_up() -> None:
    image = signed.signed("png", EVERYTHING, signed.assertion(ai_generative_training="notAllowed"))
    assert inspect(image).outcome is R


def test_c2pa_1_4_entries_without_the_wrapper_and_assertions_in_json() -> None:
    bare = {"label": "c2pa.training-mining", "data": {"c2pa.ai_training": {"use": "notAllowed"}}}
    assert inspect(signed.signed("jpeg", bare)).outcome is R
    assert inspect(signed.signed("jpeg", NO_TRAINING | {"kind": "Json"})).outcome is R


def test_c2pa_2_2_compressed_manifests_are_read() -> None:
    image = signed.signed("jpeg", NO_TRAINING, settings=signed.COMPRESSED)
    assert b"training-mining" not in image
    assert inspect(image).outcome is R


def test_ours_a_compressed_manifest_whose_store_has_lost_its_name_is_a_gap() -> None:
    image = signed.signed("jpeg", NO_TRAINING, settings=signed.COMPRESSED)
    changed = image.replace(b"jumdc2", b"jumdXX").replace(b"c2pa\0", b"XXXX\0")
    verdict = inspect(changed)
    assert verdict.outcome is U
    assert reasons(verdict) == {"malformed"}


def test_ours_where_no_manifest_is_active_any_may_be_meant() -> None:
    assert manifest._active({"manifests": {"a": {}, "b": {}}}, "") == ["a", "b"]


@pytest.mark.parametrize(
    ("uses", "state"),
    [
        ({"ai_training": "notAllowed"}, "NotVerified"),
        ({"ai_training": "constrained"}, "NotVerified"),
        ({"ai_training": "notAllowed", "ai_inference": "allowed"}, "Valid"),
        ({"ai_training": "allowed"}, "Valid"),
        ({}, "Valid"),
    ],
)
def test_ours_a_signature_is_verified_only_where_something_could_be_allowed(uses: dict[str, str], state: str) -> None:
    said = [signed.assertion(**uses)] if uses else []
    told = manifest.read(signed.signed("jpeg", *said))
    assert (told["state"], len(told["active"])) == (state, len(said))


def test_ours_where_a_part_speaks_as_well_all_is_verified() -> None:
    refusing = signed.assertion(ai_training="notAllowed")
    told = manifest.read(signed.edited("jpeg", signed.signed("jpeg", refusing), refusing))
    assert (told["state"], len(told["active"]), len(told["ingredients"])) == ("Valid", 1, 1)


def test_ours_an_opt_in_policy_takes_what_a_sound_manifest_allows() -> None:
    image = signed.signed("jpeg", EVERYTHING)
    assert inspect(image, policy=policy("opt-in")).outcome is P
    assert inspect(tampered(image), policy=policy("opt-in")).outcome is R


def tampered(image: bytes) -> bytes:
    """The image with other pixels: in a small JPEG the last bytes before EOI are pixels."""
    return image[:-6] + bytes([image[-6] ^ 1]) + image[-5:]


def test_ours_tampered_pixels_forbid_and_never_allow() -> None:
    assert inspect(tampered(signed.signed("jpeg", NO_TRAINING))).outcome is R
    verdict = inspect(tampered(signed.signed("jpeg", EVERYTHING)))
    assert verdict.outcome is P
    assert said(verdict) == set()
    assert "allows nothing" in verdict.grounds[0].statement.note


@pytest.mark.parametrize("container", signed.FORMATS)
def test_ours_an_image_cut_off_anywhere_is_never_simply_permitted(container: str) -> None:
    image = signed.signed(container, NO_TRAINING)
    for size in range(64, len(image) - 1, len(image) // 25):
        assert inspect(image[:size]).outcome is not P, size


def test_c2pa_2_2_ingredients_are_noted_and_refuse_if_the_policy_says_so() -> None:
    parent = signed.signed("jpeg", NO_TRAINING)
    image = signed.edited("jpeg", parent)
    noted = inspect(image)
    assert noted.outcome is P
    assert noted.grounds[0].statement.note == "said of a part of this image"
    assert inspect(image, policy=policy(ingredients="refuse")).outcome is R
    assert inspect(signed.edited("jpeg", parent, EVERYTHING), policy=policy("opt-in")).outcome is P


def test_c2pa_2_2_11_an_update_manifest_speaks_of_its_parent_s_content() -> None:
    updated = signed.updated("jpeg", signed.signed("jpeg", NO_TRAINING))
    assert inspect(updated).outcome is R
    assert inspect(signed.updated("jpeg", updated)).outcome is R


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader that is bounded by its work alone, however busy the machine."""
    made = Workers(manifests._PROGRAM, limits=Limits(seconds=100))
    monkeypatch.setattr(manifests, "workers", lambda: made)
    yield
    made.shut()


@pytest.mark.usefixtures("patient")
def test_ours_changed_manifests_forbid_or_leave_a_gap_and_allow_nothing_new() -> None:
    chance = random.Random(7)  # noqa: S311 (no secret)
    for container in signed.FORMATS:
        forbidding = signed.signed(container, signed.assertion(ai_generative_training="notAllowed"))
        for _ in range(120):
            changed = mutated(chance, forbidding)
            verdict = inspect(changed, fields=JPEG)
            assert not {preference for _, preference in said(verdict)} & {"allowed"}
            # Where the container's own mark of a manifest is gone, there is none.
            assert verdict.outcome is R or verdict.gaps or not image.find(changed).c2pa
            assert TIMED_OUT.gap not in reasons(verdict)  # S11


def mutated(chance: random.Random, image: bytes) -> bytes:
    """The image with some of its bytes changed, taken out or put in."""
    changed = bytearray(image)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + 4] = b"\xff\xff\xff\xff"
            case 2:
                del changed[at : at + chance.randrange(40)]
            case _:
                changed[at:at] = changed[at : at + chance.randrange(40)]
    return bytes(changed)


@pytest.mark.parametrize("junk", [b"", b"c2pa", b"\0" * 5000, b"\0\0\0\x08jumb" * 2000])
def test_ours_segments_full_of_nothing_are_read_in_time(junk: bytes) -> None:
    part = b"JP\0\1\0\0\0\1" + junk[:60000]
    image = b"\xff\xd8\xff\xeb" + (len(part) + 2).to_bytes(2, "big") + part + signed.picture()[2:]
    begun = time.process_time()
    verdict = inspect(image)
    assert verdict.outcome in (P, U)
    assert TIMED_OUT.gap not in reasons(verdict)
    assert time.process_time() - begun < at_most(1)


# What the native reader may not do, and where it does not run.


def test_ours_the_parser_opens_no_connection() -> None:
    with serving({}) as site:
        image, _ = signed.remote("jpeg", site.origin + "/1.c2pa", NO_TRAINING)
        assert b'"remote"' in manifests.workers().ask(image, b"").content
        verdict = inspect(image)
        assert site.asked == []
    assert verdict.outcome is P
    assert verdict.gaps == (
        Gap(site.origin + "/1.c2pa", "not_fetched", note="a C2PA manifest lies elsewhere, and remote_manifests is off"),
    )


def test_ours_the_native_reader_is_not_loaded_here() -> None:
    code = (
        "import sys; from consentcrawl.drivers.inspect_file import inspect;"
        "v = inspect(sys.stdin.buffer.read()); assert 'c2pa' not in sys.modules; print(v.outcome)"
    )
    image = signed.signed("jpeg", NO_TRAINING)
    ran = subprocess.run([sys.executable, "-c", code], input=image, capture_output=True, check=True)
    assert ran.stdout.strip() == b"refuse"
    assert not ran.stderr


def test_ours_an_image_without_manifest_asks_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> Any:
        pytest.fail("a worker was asked")

    monkeypatch.setattr(manifests, "workers", asked)
    assert inspect(signed.picture()).outcome is P


def test_ours_without_the_extra_a_manifest_is_a_gap_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "installed", lambda: False)
    verdict = inspect(signed.signed("jpeg", NO_TRAINING))
    assert verdict.outcome is U
    assert reasons(verdict) == {"unsupported"}
    assert "consentcrawl-middleware[c2pa]" in verdict.gaps[0].note


# Through the drivers.


def config(rules: Policy | None = None, **more: Any) -> Config:
    return Config(policy=rules or Policy(), allow=("127.0.0.1/32",), contact="https://taker.example/", **more)


@pytest.fixture(scope="module")
def web() -> Iterator[Site]:
    images = {
        "/no.jpg": signed.signed("jpeg", NO_TRAINING),
        "/yes.jpg": signed.signed("jpeg", EVERYTHING),
        "/plain.jpg": signed.picture(),
        "/big.jpg": signed.signed("jpeg", NO_TRAINING) + b"\0" * 2_000_000,
    }
    with serving({path: Answer(image, fields=JPEG) for path, image in images.items()}) as site:
        yield site


EXPECTED = {"/no.jpg": R, "/yes.jpg": P, "/plain.jpg": P, "/big.jpg": R}


def test_ours_requests_withholds_what_the_manifest_refuses(web: Site) -> None:
    with requests_driver.session(config=config()) as session:
        for path, outcome in EXPECTED.items():
            if outcome is P:
                assert session.get(web.origin + path).content[:2] == b"\xff\xd8"
            else:
                with pytest.raises(errors.Refused, match="ai_training"):
                    session.get(web.origin + path)


def test_ours_aiohttp_withholds_what_the_manifest_refuses(web: Site) -> None:
    async def run() -> None:
        async with aiohttp_driver.session(config=config()) as session:
            for path, outcome in EXPECTED.items():
                if outcome is P:
                    async with session.get(web.origin + path) as response:
                        assert (await response.read())[:2] == b"\xff\xd8"
                else:
                    with pytest.raises(errors.Refused, match="ai_training"):
                        await session.get(web.origin + path)

    asyncio.run(run())


def test_ours_reading_a_manifest_does_not_stop_the_loop(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def slow(_self: manifests.Manifests, need: Need) -> Evidence:
        threads.append(threading.current_thread().name)
        time.sleep(0.3)
        return Evidence(need, web.origin, gap="timeout")

    async def ticks() -> int:
        count = 0
        async with aiohttp_driver.session(config=config()) as session:
            reading = asyncio.ensure_future(session.get(web.origin + "/no.jpg"))
            while not reading.done():
                await asyncio.sleep(0.01)
                count += 1
            with pytest.raises(errors.Undetermined):
                await reading
        return count

    monkeypatch.setattr(manifests.Manifests, "answer", slow)
    assert asyncio.run(ticks()) > 10
    assert threads[0].startswith("consentcrawl-manifest")  # not one of those that resolve names


def test_ours_a_dry_run_to_the_body_reads_the_manifest(web: Site) -> None:
    steward = Steward(config())
    for path, outcome in EXPECTED.items():
        assert dry_run.judge(steward, web.origin + path, reach=Gate.BODY).outcome is outcome
    steward.close()


# Manifests elsewhere.

ON = policy(remote_manifests="on")


def elsewhere(robots: bytes = b"", *, by_field: bool = False, status: int = 200) -> tuple[Verdict, Site]:
    """Judge an image whose manifest lies on its own server."""
    pages: dict[str, Answer] = {"/robots.txt": Answer(robots, fields=(("Content-Type", "text/plain"),))}
    with serving(pages) as site:
        image, manifest = signed.remote("jpeg", site.origin + "/1.c2pa", NO_TRAINING)
        fields = (("Link", '</1.c2pa>; rel="c2pa-manifest"'),) if by_field else ()
        pages["/1.c2pa"] = Answer(manifest, status, (("Content-Type", "application/c2pa"),))
        pages["/1.jpg"] = Answer(image, fields=(*JPEG, *fields))
        steward = Steward(config(ON))
        verdict = dry_run.judge(steward, site.origin + "/1.jpg", reach=Gate.BODY)
        steward.close()
    return verdict, site


@pytest.mark.parametrize("by_field", [False, True])
def test_c2pa_2_2_a_manifest_elsewhere_is_fetched_once_and_counts(by_field: bool) -> None:  # noqa: FBT001 (a case)
    verdict, site = elsewhere(by_field=by_field)
    assert verdict.outcome is R
    assert site.count("/1.c2pa") == 1


def test_ours_a_manifest_elsewhere_is_under_robots_txt() -> None:
    verdict, site = elsewhere(b"User-agent: *\nDisallow: /1.c2pa\n")
    assert (verdict.outcome, reasons(verdict)) == (U, {"page_refused"})
    assert site.count("/1.c2pa") == 0


def test_ours_a_manifest_elsewhere_that_is_not_there_is_a_gap() -> None:
    verdict, _ = elsewhere(status=404)
    assert (verdict.outcome, reasons(verdict)) == (U, {"bad_status"})


class Given:
    """Gives one image for every asset; everything else is looked up as it is for everybody."""

    def __init__(self, image: bytes) -> None:
        """Return ``image``."""
        self.image, self.real = image, Config(timeout=1.0).reader()

    def read(self, need: Need, url: str) -> Evidence:
        return Evidence(need, url, status=404) if "art.example" in url else self.real.read(need, url)

    def head(self, url: str, _fields: Pairs = ()) -> Evidence:
        return Evidence(HEAD, url, status=200)

    def prefix(self, url: str, _limit: int = 0, _fields: Pairs = ()) -> Evidence:
        return Evidence(BODY, url, status=200, content=self.image)


def test_ours_a_manifest_elsewhere_in_a_private_network_is_not_asked_for() -> None:
    with serving({}) as site:
        image, _ = signed.remote("jpeg", site.origin + "/1.c2pa", NO_TRAINING)
        steward = Steward(Config(policy=ON, contact="https://taker.example/"), reader=Given(image))
        verdict = dry_run.judge(steward, "https://art.example/1.jpg", reach=Gate.BODY)
        steward.close()
        assert site.asked == []
    assert (verdict.outcome, {gap.reason for gap in verdict.gaps if gap.holds}) == (U, {"page_refused"})


# The reader of the reader's JSON.

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["allowed", "notAllowed"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["use", "entries", "data", "label", "active", "cawg.ai_training", "constraint_info"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries({"state": values, "active": values, "ingredients": values}, optional={"failed": values})
    | values
)
def test_ours_any_json_is_read_without_raising(told: Any) -> None:
    manifest = c2pa.read(json.dumps(told).encode())
    for use in (*manifest.active, *manifest.ingredients):
        assert use.use in (c2pa.ALLOWED, c2pa.NOT_ALLOWED)
        assert use.quote


def test_ours_of_very_many_entries_those_that_forbid_are_kept() -> None:
    words = ["allowed"] * 500 + ["notAllowed"] * 2
    active = [signed.assertion(ai_training=word) for word in words]
    manifest = c2pa.read(json.dumps({"state": "Valid", "active": active}).encode())
    assert [use.use for use in manifest.active[:3]] == [c2pa.NOT_ALLOWED, c2pa.NOT_ALLOWED, c2pa.ALLOWED]
    assert len(manifest.active) == 64
