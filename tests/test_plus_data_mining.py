"""What is made of an image's metadata beyond the vectors: notes, families, and gaps of prefixes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.core import BODY, PURPOSES, Asset, Evidence, Gap, Preference, Purpose, Statement
from consentcrawl.formats import image
from consentcrawl.signals import plus_data_mining
from tests import containers, images, make_plus_vectors, packets
from tests.containers import jpeg_with

DENIAL = packets.data_mining("element", "DMI-PROHIBITED")
ASSET = Asset("https://art.example/1")
PURPOSE = Purpose("train-ai", "consentcrawl", PURPOSES["train-ai"])


@pytest.mark.parametrize(
    ("content", "whole", "reason"),
    [
        (containers.plain("PNG")[:-12], False, "body_limit"),
        (containers.webp(DENIAL)[:60], False, "body_limit"),
        (containers.tiff(DENIAL)[:200], False, "body_limit"),
        (containers.heif(DENIAL)[:-9], False, "body_limit"),
        (containers.heif(DENIAL)[:-9], True, "truncated"),
        (containers.plain("JPEG")[:-9], False, ""),
        (containers.plain("JPEG")[:-9], True, ""),
        (jpeg_with(b"\xff\xe1\0\0"), False, "malformed"),
    ],
)
def test_ours_a_prefix_is_a_gap_where_metadata_may_stand_in_the_rest(
    content: bytes,
    whole: bool,  # noqa: FBT001 (a case)
    reason: str,
) -> None:
    evidence = Evidence(BODY, ASSET.url, status=200, content=content, whole=whole)
    gaps = [said for said in plus_data_mining.read(evidence, ASSET, PURPOSE) if isinstance(said, Gap)]
    assert gaps[-1:] == ([Gap(ASSET.url, reason, holds=True)] if reason else [])


def test_plus_see_terms_carry_the_words_they_point_to() -> None:
    inside = (
        "<plus:DataMining>DMI-PROHIBITED-SEECONSTRAINT</plus:DataMining>"
        "<plus:OtherConstraints>Ask me</plus:OtherConstraints>"
        '<Iptc4xmpExt:LinkedEncRightsExpr rdf:resource="https://r.example/"/>'
    )
    evidence = Evidence(BODY, ASSET.url, status=200, content=images.with_xmp("jpeg", inside))
    said = [each for each in plus_data_mining.read(evidence, ASSET, PURPOSE) if isinstance(each, Statement)]
    assert {each.note for each in said} == {"Ask me · https://r.example/"}


def test_tdmrep_5_5_a_reservation_in_the_file_supersedes_those_around_it() -> None:
    evidence = Evidence(BODY, ASSET.url, content=images.with_xmp("jpeg", "", 'tdm:reservation="1"'))
    said = [each for each in plus_data_mining.read(evidence, ASSET, PURPOSE) if isinstance(each, Statement)]
    assert {(each.family, each.rank, str(each.preference)) for each in said} == {("tdmrep", 2, "disallowed")}


def test_ours_the_made_vectors_are_those_of_the_script() -> None:
    made = make_plus_vectors.FILE.read_text(encoding="utf-8").partition(make_plus_vectors.MARK)[2]
    assert made == "\n" + "\n".join(make_plus_vectors.vectors())


def test_ours_notes_are_few_however_many_values_there_are() -> None:
    many = "<dc:rights><rdf:Bag>" + "<rdf:li>mine</rdf:li>" * 5_000 + "</rdf:Bag></dc:rights>"
    many += "<tdm:reservation>0</tdm:reservation>" * 100 + "<tdm:reservation>1</tdm:reservation>"
    many += "<plus:DataMining>?</plus:DataMining>" * 100 + "<plus:DataMining>DMI_PROHIBITED</plus:DataMining>"
    many += "".join(f'<o{n}:DataMining xmlns:o{n}="http://o.example/{n}"/>' for n in range(100))
    evidence = Evidence(BODY, ASSET.url, status=200, content=images.with_xmp("png", many))
    said = [each for each in plus_data_mining.read(evidence, ASSET, PURPOSE) if isinstance(each, Statement)]
    assert len(said) < 100
    assert {each.quote for each in said if each.preference is Preference.DISALLOWED} == {
        "tdm:reservation 1",
        "DMI_PROHIBITED",
    }


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(images.CONTAINERS)), st.data())
def test_ours_a_damaged_image_never_raises_and_never_allows(container: str, data: st.DataObject) -> None:
    content = bytearray(images.with_data_mining(container, "element", "DMI-PROHIBITED"))
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from((0, 1, 2, 127, 128, 255)))
    kept = bytes(content[: data.draw(st.integers(0, len(content)))])
    said = list(plus_data_mining.read(Evidence(BODY, ASSET.url, status=200, content=kept), ASSET, PURPOSE))
    assert not any(isinstance(each, Statement) and each.preference is Preference.ALLOWED for each in said)
    for offset, length in image.find(kept).c2pa:
        assert min(offset, length) >= 0
