"""The laws of the core, with signals made up for the purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentcrawl.config import policy, purpose
from consentcrawl.core import (
    BODY,
    HEAD,
    PRESETS,
    ROBOTS_TXT,
    Agreement,
    Asset,
    Category,
    Evidence,
    Fields,
    Gap,
    Gate,
    Ground,
    Inquiry,
    Need,
    Outcome,
    Policy,
    Preference,
    Statement,
    allow,
    disallow,
    plan,
    remark,
)
from tests.signals_made_up import MadeUp

ASSET = Asset("https://art.example/img/1.jpg", "https://art.example/work/1")
TRAIN_AI = purpose()
OTHER = Need(Gate.LOOKUP, "/.well-known/other")


def inquiry(*signals: MadeUp, rules: Policy | None = None, **more: Any) -> Inquiry:
    return Inquiry(ASSET, TRAIN_AI, rules or Policy(), plan(ASSET, TRAIN_AI, signals), **more)


def answer(need: Need, **more: Any) -> Evidence:
    return Evidence(need, need.at(ASSET), status=200, **more)


def says(*said: Statement | Gap | Need, asks: Sequence[Need] = (ROBOTS_TXT,)) -> MadeUp:
    return MadeUp(tuple(asks), lambda _evidence: said)


def run(opened: Inquiry, **more: Any) -> Outcome:
    while needs := opened.needs():
        for need in needs:
            opened.tell(answer(need, **more))
    return opened.verdict().outcome


NO = disallow(Category.TRAIN, "noai", "line 1")
YES = allow(Category.TRAIN_GENERATIVE, "train-ai=y", "line 2")


def test_ours_gates_come_in_order_and_each_need_once() -> None:
    one, two = says(asks=(ROBOTS_TXT, HEAD)), says(asks=(BODY, ROBOTS_TXT))
    opened = inquiry(one, two)
    seen = []
    while needs := opened.needs():
        seen.append([need.gate for need in needs])
        for need in needs:
            opened.tell(answer(need))
    assert seen == [[Gate.LOOKUP], [Gate.HEAD], [Gate.BODY]]
    assert opened.verdict().outcome is Outcome.PERMIT
    assert opened.verdict().gate is Gate.BODY
    assert len(one.heard) == len(two.heard) == 2


def test_ours_a_refusal_settles_and_is_not_carried_to_the_next_gate() -> None:
    opened = inquiry(says(NO, asks=(ROBOTS_TXT,)), says(asks=(OTHER, HEAD)))
    opened.tell(answer(ROBOTS_TXT))
    assert opened.needs() == []
    verdict = opened.verdict()
    assert verdict.outcome is Outcome.REFUSE
    assert verdict.gate is Gate.LOOKUP
    assert [ground.statement for ground in verdict.deciding] == [NO]


def test_ours_without_settling_the_gate_is_completed_and_no_more() -> None:
    opened = inquiry(says(NO, asks=(ROBOTS_TXT,)), says(NO, asks=(OTHER,)), says(asks=(HEAD,)), settle=False)
    opened.tell(answer(ROBOTS_TXT))
    assert opened.needs() == [OTHER]
    opened.tell(answer(OTHER))
    assert opened.needs() == []
    assert len(opened.verdict().deciding) == 2


def test_ours_reach_ends_the_inquiry_and_the_permit_says_so() -> None:
    opened = inquiry(says(asks=(ROBOTS_TXT, HEAD)), reach=Gate.LOOKUP)
    assert run(opened) is Outcome.PERMIT
    assert opened.verdict().gate is Gate.LOOKUP


def test_ours_what_was_not_asked_is_ignored_and_what_was_not_answered_holds() -> None:
    opened = inquiry(says(NO))
    opened.tell(answer(OTHER))
    verdict = opened.verdict()
    assert verdict.outcome is Outcome.UNDETERMINED
    assert [gap.reason for gap in verdict.gaps] == ["not_fetched"]


@pytest.mark.parametrize(
    ("said", "rules", "expected"),
    [
        ((), "default", Outcome.PERMIT),
        ((), "opt-in", Outcome.REFUSE),
        ((YES,), "opt-in", Outcome.PERMIT),
        ((YES, NO), "default", Outcome.REFUSE),
        ((Gap("x", "malformed"),), "default", Outcome.PERMIT),
        ((Gap("x", "malformed"),), "strict", Outcome.UNDETERMINED),
        ((Gap("x", "blocked", holds=True),), "default", Outcome.UNDETERMINED),
        ((Gap("x", "blocked", holds=True), NO), "default", Outcome.REFUSE),
        ((disallow(Category.SEARCH, "noindex", "x"),), "default", Outcome.PERMIT),
        ((disallow(Category.TRAIN_OTHER, "x", "x"),), "default", Outcome.PERMIT),
        ((disallow(Category.TDM, "1", "x"),), "default", Outcome.REFUSE),
        ((replace(NO, under=("ai_agents", "any")),), "default", Outcome.PERMIT),
        ((replace(NO, under=("ai_agents", "any")),), "strict", Outcome.REFUSE),
        ((remark(Category.TRAIN, "cc-by", "x", "a licence"),), "default", Outcome.PERMIT),
    ],
)
def test_ours_weighing(said: Sequence[Statement | Gap], rules: str, expected: Outcome) -> None:
    assert run(inquiry(says(*said), rules=PRESETS[rules])) is expected


def test_aipref_combining_an_allowed_never_cancels_a_disallowed() -> None:
    for first, second in permutations([says(YES), says(NO)]):
        assert run(inquiry(first, second)) is Outcome.REFUSE


def test_tdmrep_5_5_the_more_local_statement_supersedes_within_its_family() -> None:
    of_file = disallow(Category.TDM, "1", "file", family="tdmrep", rank=0)
    of_field = allow(Category.TDM, "0", "field", family="tdmrep", rank=1)
    assert run(inquiry(says(of_file, of_field), settle=False)) is Outcome.PERMIT
    assert run(inquiry(says(of_field, of_file, NO), settle=False)) is Outcome.REFUSE
    assert run(inquiry(says(of_file, replace(of_field, under=("inherit", "all"))), settle=False)) is Outcome.REFUSE


def test_ours_an_agreement_overrides_and_is_named() -> None:
    held = Agreement("contract 7", frozenset({Category.TRAIN}), hosts=("example",))
    opened = inquiry(says(NO), agreements=(held,))
    assert run(opened) is Outcome.PERMIT
    assert opened.verdict().agreement == "contract 7"
    assert run(inquiry(says(disallow(Category.ACQUIRE, "Disallow: /", "line 1")), agreements=(held,))) is Outcome.REFUSE
    for elsewhere in (
        Agreement("by prefix", frozenset({Category.TRAIN}), prefixes=("https://other.example/",)),
        Agreement("by key", frozenset({Category.TRAIN}), keys=("deviantart:1",)),
        Agreement(
            "half a name", frozenset({Category.TRAIN}), prefixes=("https://ar", "https://art.exa", "https://", "")
        ),
    ):
        assert run(inquiry(says(NO), agreements=(elsewhere,))) is Outcome.REFUSE


def test_ours_an_agreement_stands_in_for_an_allowance_under_opt_in() -> None:
    held = Agreement("contract 8", frozenset({Category.TRAIN_GENERATIVE}), prefixes=("https://art.example/img/",))
    assert run(inquiry(says(), rules=PRESETS["opt-in"], agreements=(held,))) is Outcome.PERMIT


def test_ours_a_permission_in_what_was_not_had_whole_does_not_count() -> None:
    opened = inquiry(says(YES), rules=PRESETS["opt-in"])
    opened.tell(answer(ROBOTS_TXT, gap="truncated"))
    assert opened.verdict().grounds[0].signal == "policy"
    refusing = inquiry(says(NO))
    refusing.tell(answer(ROBOTS_TXT, gap="truncated"))
    assert refusing.verdict().outcome is Outcome.REFUSE


def test_ours_a_gap_in_a_need_that_holds_is_undetermined() -> None:
    opened = inquiry(says(asks=(HEAD,)))
    opened.needs()
    opened.tell(answer(HEAD, gap="bad_head"))
    assert opened.verdict().outcome is Outcome.UNDETERMINED


def test_ours_a_reader_that_raises_is_a_gap() -> None:
    def broken(_evidence: Evidence) -> list[Statement]:
        raise RuntimeError

    opened = inquiry(MadeUp((ROBOTS_TXT,), broken), says(asks=(ROBOTS_TXT,)))
    assert run(opened) is Outcome.UNDETERMINED
    assert opened.verdict().gaps[0].reason == "reader_failed"


def test_ours_statements_about_another_key_are_kept_for_it() -> None:
    about = replace(NO, about="https://art.example/img/2.jpg")
    opened = inquiry(says(about))
    assert run(opened) is Outcome.PERMIT
    assert [aside.statement for aside in opened.asides] == [about]
    told = inquiry(says())
    told.recall([Ground("made_up", about, "https://art.example/work/1")])
    assert told.needs() == []
    assert told.verdict().outcome is Outcome.REFUSE


def test_ours_further_needs_are_followed_to_a_depth_and_never_in_a_circle() -> None:
    def leads_on(evidence: Evidence) -> list[Need]:
        return [Need(Gate.LOOKUP, evidence.url + "x")]

    opened = inquiry(MadeUp((ROBOTS_TXT,), leads_on))
    assert run(opened) is Outcome.PERMIT
    assert len(opened.evidence) == 4
    assert opened.verdict().gaps[0].reason == "depth"

    circle = inquiry(says(ROBOTS_TXT, asks=(ROBOTS_TXT,)))
    assert run(circle) is Outcome.PERMIT
    assert [gap.reason for gap in circle.verdict().gaps] == ["depth"]

    shared = inquiry(says(OTHER), says(NO, asks=(OTHER,)), settle=False)
    assert run(shared) is Outcome.REFUSE


def test_ours_a_look_up_named_twice_is_made_once_and_is_no_circle() -> None:
    licence = Need(Gate.LOOKUP, "https://art.example/licence.xml", holds=True)

    def names_it(evidence: Evidence) -> list[Need]:
        return [licence] if evidence.need in (ROBOTS_TXT, HEAD) else []

    late = MadeUp((HEAD,), lambda e: [licence] if e.need == HEAD else [YES], __name__="tests.late")
    opened = inquiry(MadeUp((ROBOTS_TXT, HEAD), names_it), late)
    assert run(opened) is Outcome.PERMIT
    assert [told.need for told in opened.evidence] == [ROBOTS_TXT, licence, HEAD]
    assert opened.verdict().gaps == ()
    assert [ground.statement for ground in opened.verdict().grounds] == [YES]


def test_ours_what_could_not_be_had_may_be_noted_from_outside() -> None:
    opened = inquiry()
    opened.lack(Gap("page", "bad_url"))
    assert run(opened) is Outcome.PERMIT
    assert opened.verdict().gaps[0].as_json() == {"need": "page", "reason": "bad_url"}
    assert opened.asset is ASSET
    assert opened.gate is Gate.BODY


def test_ours_three_values_have_no_truth_value() -> None:
    verdict = inquiry().verdict()
    for value in (verdict, verdict.outcome, Preference.UNKNOWN):
        with pytest.raises(TypeError):
            bool(value)


def test_ours_the_json_has_the_documented_keys_in_order() -> None:
    opened = inquiry(says(NO))
    run(opened)
    said = opened.verdict(decided_at=1_767_225_600.5, version="1").as_json()
    keys = ["url", "outcome", "purpose", "gate", "enforced", "grounds", "gaps", "hops"]
    keys += ["decided_at", "policy", "version"]
    assert list(said) == keys
    assert list(said["grounds"][0]) == ["signal", "category", "preference", "quote", "where", "source", "note"]
    assert said["decided_at"] == "2026-01-01T00:00:00.500+00:00"


def test_ours_a_statement_rests_on_words() -> None:
    with pytest.raises(ValueError, match="needs the words"):
        disallow(Category.TRAIN, "", "nowhere")
    assert len(disallow(Category.TRAIN, "n" * 5_000, "x").quote) == 500


def test_ours_assets_are_cut_from_canonical_urls() -> None:
    asset = Asset("https://[2001:db8::1]:8443/a?b")
    assert (asset.origin, asset.target, asset.host) == ("https://[2001:db8::1]:8443", "/a?b", "[2001:db8::1]")
    assert Asset("https://a.example:8443/").host == "a.example"
    assert Asset("https://a.example").target == "/"


def test_ours_fields_keep_repeats_and_compare_names_without_case() -> None:
    fields = Fields([("X-Robots-Tag", "a"), ("x-robots-tag", "b")])
    assert fields.lines("x-robots-tag") == ["a", "b"]
    assert (fields.first("x-robots-tag"), fields.first("server"), fields.lines("server")) == ("a", "", [])


def test_ours_readings_are_made_once() -> None:
    made = []

    def reader(content: bytes, more: int) -> int:
        made.append(content)
        return len(content) + more

    evidence = answer(ROBOTS_TXT, content=b"abc")
    assert [evidence.parsed(reader, 7), evidence.parsed(reader, 7), evidence.parsed(len)] == [10, 10, 3]
    assert made == [b"abc"]
    assert evidence.found
    assert not evidence.unreachable
    assert evidence.content_type == ""
    assert Evidence(ROBOTS_TXT, "x").unreachable


PARTS = st.sampled_from(
    [NO, YES, Gap("x", "malformed"), Gap("x", "blocked", holds=True), disallow(Category.ACQUIRE, "x", "y"),
     allow(Category.TRAIN, "x", "y"), disallow(Category.SEARCH, "x", "y"), replace(NO, under=("search_tags", "refuse"))]
)  # fmt: skip


@given(st.lists(PARTS, min_size=1, max_size=4), st.sampled_from(sorted(PRESETS)), st.randoms())
def test_law_the_order_of_answers_is_irrelevant(said: list[Statement | Gap], rules: str, random: Any) -> None:
    needs = [Need(Gate.LOOKUP, f"/{n}") for n in range(len(said))]
    signals = [says(part, asks=(need,)) for part, need in zip(said, needs, strict=True)]
    outcomes = set()
    for _ in range(3):
        opened = inquiry(*signals, rules=PRESETS[rules], reach=Gate.LOOKUP)
        random.shuffle(needs)
        for need in needs:
            opened.tell(answer(need))
        outcomes.add(opened.verdict().outcome)
    assert len(outcomes) == 1


@given(st.lists(PARTS, max_size=4), st.lists(PARTS, max_size=3), st.sampled_from(sorted(PRESETS)))
def test_law_more_evidence_never_turns_refuse_into_permit(
    first: list[Statement | Gap], more: list[Statement | Gap], rules: str
) -> None:
    chosen = PRESETS[rules]
    if chosen.unknown == "refuse":
        return  # there an allowance is what a permit needs
    if run(inquiry(says(*first), rules=chosen)) is Outcome.REFUSE:
        assert run(inquiry(says(*first), says(*more), rules=chosen)) is Outcome.REFUSE


def test_ours_policy_digest_names_the_policy() -> None:
    assert policy("strict").digest != policy("default").digest == Policy().digest
    assert (
        policy("default", signals_off=["c2pa", "rsl"]).digest == policy("default", signals_off=["rsl", "c2pa"]).digest
    )
