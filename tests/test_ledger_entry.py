"""Entries, frames and records: one spelling each, and no work named in the clear."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.core import Category, Gap, Gate, Ground, Hop, Outcome, Policy, Verdict, disallow
from consentcrawl.ledger import frames, records
from consentcrawl.ledger.entry import (
    LIMIT,
    SALT_BYTES,
    BadEntry,
    canonical,
    commitment,
    commitment_in,
    decode,
    encode,
    personal_part,
    urls_of,
)  # fmt: skip
from consentcrawl.ledger.frames import Batch

URL = "https://art.example/work/1.jpg"
PAGE = "https://art.example/work/1"
ROBOTS = "https://art.example/robots.txt"


def verdict(**more: Any) -> Verdict:
    """A refusal with two grounds and a gap."""
    grounds = (
        Ground("robots_txt", disallow(Category.ACQUIRE, "Disallow: /work", "line 3"), ROBOTS),
        Ground("robots_meta", disallow(Category.TRAIN, "noai", "meta"), PAGE),
    )
    parts: dict[str, Any] = {
        "url": URL, "outcome": Outcome.REFUSE, "purpose": "train-ai", "gate": Gate.LOOKUP, "enforced": True,
        "grounds": grounds, "gaps": (Gap(URL, "timeout"), Gap(ROBOTS, "tls")), "deciding": grounds[1:],
        "hops": (Hop("https://art.example/old", 301),), "decided_at": 1_700_000_000.1234,
    }  # fmt: skip
    return Verdict(**{**parts, **more})


def test_rfc8785_the_same_record_has_the_same_bytes() -> None:
    record = {"kind": "outcome", "b": [1, None, True, "é\n\x1f"], "a": {"z": -1, "y": "/"}}
    assert encode(record) == '{"a":{"y":"/","z":-1},"b":[1,null,true,"é\\n\\u001f"],"kind":"outcome"}'.encode()
    assert decode(encode(record)) == record


@pytest.mark.parametrize(
    "record",
    [
        {"x": 1.0}, {"x": [1.5e3]}, {"x": 1e30}, {"x": float("nan")}, {"x": float("inf")}, {"x": 2**53},
        {"x": -(2**53)}, {"é": 1}, {"x": {"é": "é"}}, {"x": b""}, {"x": {1, 2}}, {"x": "\ud800"},
        {1: 2, "a": 3}, {"x": 5e-7}, {"x": [-0.0]},
    ],
)  # fmt: skip
def test_ours_floats_large_numbers_and_odd_keys_are_refused(record: dict[Any, Any]) -> None:
    with pytest.raises(BadEntry):
        canonical(record)


def test_ours_deep_and_circular_records_are_refused() -> None:
    circular: dict[str, Any] = {"é": 1}
    circular["x"] = circular
    with pytest.raises(BadEntry):
        canonical(circular)
    deep: Any = "é"
    for _ in range(40):
        deep = [deep]
    with pytest.raises(BadEntry):
        canonical({"x": deep})


def test_c2sp_tlog_tiles_an_entry_is_at_most_65535_bytes() -> None:
    room = LIMIT - len(encode({"kind": "outcome", "x": ""}))
    assert len(encode({"kind": "outcome", "x": "y" * room})) == LIMIT
    with pytest.raises(BadEntry):
        encode({"kind": "outcome", "x": "y" * (room + 1)})
    with pytest.raises(BadEntry):
        personal_part(["y" * LIMIT], bytes(SALT_BYTES))
    with pytest.raises(BadEntry):
        personal_part(["\ud800"], bytes(SALT_BYTES))


@pytest.mark.parametrize("record", [{}, {"kind": "other"}, {"kind": None}])
def test_ours_only_known_kinds(record: dict[str, Any]) -> None:
    with pytest.raises(BadEntry):
        encode(record)


@pytest.mark.parametrize("entry", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_ours_what_is_no_record_is_told(entry: bytes) -> None:
    with pytest.raises(BadEntry):
        decode(entry)


def test_ours_a_commitment_is_found_in_the_bytes_and_cannot_be_feigned() -> None:
    part = personal_part([URL], bytes(range(SALT_BYTES)))
    feigned = f'","personal":"{commitment(b"")}"'
    entry = encode({"kind": "outcome", "a": feigned, "personal": commitment(part)})
    assert commitment_in(entry) == commitment(part)
    assert commitment_in(encode({"kind": "outcome", "a": feigned})) == ""
    assert urls_of(part) == [URL]
    assert urls_of(b"") == []


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ_09", max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text("abc", max_size=3), plain))
def test_ours_what_is_plain_comes_back(record: dict[str, Any]) -> None:
    said = canonical(record)
    assert json.loads(said) == record
    assert canonical(json.loads(said)) == said


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=700), st.binary(max_size=60)), min_size=1, max_size=20), st.integers(0, 2**40)
)
def test_ours_a_batch_comes_back_from_its_frame(parts: list[tuple[bytes, bytes]], first: int) -> None:
    batch = Batch(first, [a for a, _ in parts], [b for _, b in parts])
    data = frames.frame(frames.batch_payload(batch))
    assert len(data) % frames.SECTOR == 0
    assert [(end, frames.batch_of(payload)) for end, payload in frames.frames_in(data + bytes(1024))] == [
        (len(data), batch)
    ]


def test_ours_zeros_are_never_frames_and_padding_is_zeros() -> None:
    assert list(frames.frames_in(bytes(4096))) == []
    data = frames.frame(b"x")
    assert list(frames.frames_in(data[:-1] + b"\1")) == []
    assert frames.payload_at(data, 510) is None
    for at in range(9):
        assert list(frames.frames_in(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])) == []


@pytest.mark.parametrize("payload", [b"", bytes(12), bytes(11) + b"\x09abc", bytes(8) + b"\0\0\0\2\0\0"])
def test_ours_what_is_no_batch_is_told(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"batch|bundle|personal"):
        frames.batch_of(payload)


def test_ours_a_verdict_names_no_work_in_the_clear_and_comes_back_whole() -> None:
    record, urls = records.verdict_record(verdict(), ["ab" * 32])
    entry = encode(record).decode()
    assert "work/" not in entry.replace("Disallow: /work", "")
    assert ROBOTS in entry
    assert urls == [URL, PAGE, "https://art.example/old"]
    assert record["at"] == 1_700_000_000_123
    back = records.as_verdict(decode(entry.encode()), urls)
    said = verdict().as_json()
    assert {g["source"] for g in back["grounds"]} == {ROBOTS, PAGE}
    assert (back["url"], back["hops"], back["gaps"]) == (said["url"], said["hops"], said["gaps"])
    assert records.as_verdict(decode(entry.encode()), ())["url"] == ""


def test_ours_of_many_grounds_those_that_decide_are_kept() -> None:
    many = tuple(Ground("s", disallow(Category.TDM, "q" * 500, f"line {n}"), ROBOTS) for n in range(500))
    record, urls = records.verdict_record(verdict(grounds=many, deciding=many[-1:], gaps=()))
    assert record["grounds"][0]["where"] == "line 499"
    assert record["left_out"] == 460
    assert len(encode(record)) < LIMIT
    assert len(personal_part(urls, bytes(16))) < LIMIT


def test_ours_outcomes_and_policies() -> None:
    for url, file, urls in ((URL, "a/1.jpg", [URL, "a/1.jpg"]), ('https://a.example/"', "", ['https://a.example/"'])):
        said: dict[str, Any] = {"at": 1.5, "verdict": 7, "status": 200, "size": 3, "digest": "ab", "file": file}
        entry, personal = records.outcome_entry(url, **said)
        record = {"kind": "outcome", "at": 1500, "verdict": 7, "status": 200, "size": 3, "sha256": "ab"}
        assert (entry, urls_of(personal)) == (encode({**record, "personal": commitment(personal)}), urls)
    policy, _ = records.policy_record(Policy(signals_off=frozenset({"b", "a"})), 2.0)
    assert policy["policy"]["signals_off"] == ["a", "b"]
    assert policy["sha256"] == Policy(signals_off=frozenset({"b", "a"})).digest
    assert encode(policy)


words = st.text(max_size=20)
sources = st.sampled_from(
    [ROBOTS, URL, PAGE, "https://art.example/.well-known/tdmrep.json", "https://art.example/robots.txt?x"]
)
grounds_drawn = st.builds(
    lambda quote, where, note, source: Ground("s", disallow(Category.TDM, quote, where, note=note), source),
    words.filter(bool), words, words, sources,
)  # fmt: skip
gaps_drawn = st.builds(Gap, need=sources, reason=st.sampled_from(["timeout", "tls"]), note=words)
hops_drawn = st.builds(Hop, sources, st.sampled_from([301, 307]))


@settings(max_examples=150, deadline=None)
@given(
    grounds=st.lists(grounds_drawn, max_size=2), gaps=st.lists(gaps_drawn, max_size=2),
    hops=st.lists(hops_drawn, max_size=2), evidence=st.lists(st.just("ab" * 32), max_size=2), enforced=st.booleans(),
    policy=words, agreement=words, page=st.just("") | sources,
)  # fmt: skip
def test_rfc8785_a_verdict_is_written_in_the_one_spelling_and_comes_back(evidence: list[str], **said: Any) -> None:
    one = verdict(**{name: tuple(value) if isinstance(value, list) else value for name, value in said.items()})
    entry, personal = records.verdict_entry(one, evidence)
    record, urls = decode(entry), urls_of(personal)
    assert entry == encode(record)
    assert record["personal"] == commitment(personal)
    back, told = records.as_verdict(record, urls), one.as_json()
    assert [{k: v for k, v in g.items() if v} for g in told["grounds"]] == back["grounds"]
    assert all(back[name] == told[name] for name in ("url", "gaps", "hops", "outcome", "gate", "enforced", "policy"))
    assert (record.get("agreement", ""), record.get("evidence", [])) == (said["agreement"], evidence)
    place = record.get("page", "")
    assert (urls[place] if isinstance(place, int) else place) == said["page"]


def test_ours_words_that_utf8_cannot_say_do_not_stop_a_verdict() -> None:
    for count in (1, 2):
        grounds = (Ground("s", disallow(Category.TDM, "a\ud800", "b\udfff"), ROBOTS),) * count
        entry, _ = records.verdict_entry(verdict(grounds=grounds, deciding=grounds, gaps=(), hops=()))
        assert decode(entry)["grounds"][0]["quote"] == "a?"


def test_ours_a_verdict_is_written_down_whatever_strangers_wrote() -> None:
    long = Ground("s", disallow(Category.TDM, "q", "w" * LIMIT), ROBOTS)
    many = tuple(Ground("s", disallow(Category.TDM, "\U0001f600" * 500, "é" * 9000), URL + "é" * n) for n in range(90))
    gaps = tuple(Gap(f"{URL}?{n}\n" + "\1" * 9000, "bad_url", note="\ud800" * 9000) for n in range(90))
    hops = tuple(Hop(f"{URL}?" + f"{n}" * 8000, 302) for n in range(10))
    for said in ({"grounds": (long,)}, {"grounds": many}, {"grounds": many, "gaps": gaps, "hops": hops}):
        one = verdict(**{"gaps": (), "hops": (), "url": "\1\ud800" * 9000, **said})
        entry, personal = records.verdict_entry(one)
        assert decode(entry)["grounds"][0]["where"].endswith("…")
        assert urls_of(personal)[0].startswith("\\x01\\ud800")


def test_ours_of_what_does_not_fit_the_rest_is_counted() -> None:
    grounds = tuple(Ground("s", disallow(Category.TDM, "\U0001f600" * 500, f"{n}"), ROBOTS) for n in range(60))
    entry, _ = records.verdict_entry(verdict(grounds=grounds, deciding=(), gaps=(), hops=()))
    assert (len(decode(entry)["grounds"]), decode(entry)["left_out"]) == (8, 52)
