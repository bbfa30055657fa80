"""robots.txt: RFC 9309, the cases that Google's parser settles, and files made to mislead or to stall."""

from __future__ import annotations

import gzip
import importlib
import json
import os
import time
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.formats import pattern_index
from consentcrawl.formats.ai_agents import AGENTS, CLASS
from consentcrawl.formats.preferences import content_signal
from consentcrawl.formats.robots import Foreign, Form, Rule, Usage, groups, parse, placed, records
from consentcrawl.formats.robots.lines import _PACKED, LIMIT, LOOK_AHEAD, MAX_LINE
from consentcrawl.formats.robots.rules import NOTHING_SAID
from tests.cpu import at_most

CORPUS = os.environ.get("CONSENTCRAWL_CORPUS", "")
ALL = "User-agent: *\n"
OURS = "User-agent: ConsentCrawl\n"
US = "ConsentCrawl"

needs_corpus = pytest.mark.skipif(not CORPUS, reason="CONSENTCRAWL_CORPUS is not set")


def allows(text: str | bytes, target: str, token: str = US) -> bool:
    return parse(text.encode() if isinstance(text, str) else text).access(target, token).allowed


TABLE = [
    ("rfc9309_2_2_2_longest", ALL + "Disallow: /img/\nAllow: /img/pub/", "/img/pub/a.jpg", True),
    ("rfc9309_2_2_2_tie_allows", ALL + "Disallow: /a\nAllow: /a", "/a.jpg", True),
    ("rfc9309_2_2_2_tie_of_wildcard", ALL + "Disallow: /ab\nAllow: /*b", "/ab", True),
    ("rfc9309_2_2_1_named_replaces_all", "User-agent: consentCRAWL\nDisallow:\n\n" + ALL + "Disallow: /", "/x", True),
    ("rfc9309_2_2_1_groups_merge", OURS + "Disallow: /x\n\nUser-agent: consentcrawl\nDisallow: /y", "/y", False),
    ("rfc9309_2_2_1_no_prefix", "User-agent: consent\nDisallow: /", "/", True),
    ("rfc9309_2_2_1_no_longer_name", "User-agent: consentcrawler\nDisallow: /", "/", True),
    ("rfc9309_2_2_4_other_records", "User-agent: A\nContent-Signal: ai-train=no\n" + OURS + "Disallow: /", "/x", False),
    ("rfc9309_2_2_4_whole_keys_disallow", ALL + "DisallowAITraining: /", "/a", True),
    ("rfc9309_2_2_4_whole_keys_allow", ALL + "Disallow: /\nAllowAITraining: /", "/a", False),
    ("rfc9309_2_2_3_end", ALL + "Disallow: /*.jpg$", "/a.jpg?s=1", True),
    ("rfc9309_erratum_7995_leading_star", ALL + "Disallow: *.jpg", "/a.jpg?s=1", False),
    ("rfc9309_2_2_2_unreserved_in_rule", ALL + "Disallow: /%61.jpg", "/a.jpg", False),
    ("rfc9309_2_2_2_unreserved_in_path", ALL + "Disallow: /a.jpg", "/%61.jpg", False),
    ("rfc9309_2_2_2_hex_case", ALL + "Disallow: /a%2fb", "/a%2Fb", False),
    ("rfc9309_2_2_2_hex_case_in_path", ALL + "Disallow: /a%2Fb", "/a%2fb", False),
    ("rfc9309_2_2_2_hex_case_allow", ALL + "Disallow: /\nAllow: /a%2fb", "/a%2Fb", True),
    ("rfc9309_2_2_2_raw_octets", ALL + "Disallow: /ä", "/%C3%A4", False),
    ("rfc9309_2_2_2_blank_in_rule", ALL + "Disallow: /a b", "/a%20b", False),
    ("rfc9309_2_2_2_query_table", ALL + "Disallow: /foo?u=https://foo.bar", "/foo?u=https%3A%2F%2Ffoo.bar", False),
    ("rfc9309_2_2_2_query_table_back", ALL + "Disallow: /foo?u=https%3A%2F%2Ffoo.bar", "/foo?u=https://foo.bar", False),
    ("rfc9309_2_2_3_escaped_dollar", ALL + "Disallow: /x%24", "/x$y", False),
    ("google_ID_Encoding_6_no_lift_by_decoding", ALL + "Disallow: /\nAllow: /foo/bar/%62%61%7A", "/foo/bar/baz", False),
    ("google_ID_Encoding_7", ALL + "Disallow: /\nAllow: /foo/bar/%62%61%7A", "/foo/bar/%62%61%7A", True),
    ("google_ID_Encoding_3_raw_url", ALL + "Disallow: /\nAllow: /ツ", "http://foo.bar/ツ", False),
    ("rfc9309_2_2_bom", b"\xef\xbb\xbfUser-agent: *\nDisallow: /", "/a", False),
    ("google_part_of_a_bom", b"\xef\xbbUser-agent: *\nDisallow: /", "/a", False),
    ("google_bom_in_a_later_line", ALL.encode() + b"\xef\xbb\xbfDisallow: /", "/a", True),
    ("google_missing_colon", "User-agent ConsentCrawl\nDisallow /", "/a", False),
    ("google_three_words_are_no_rule", ALL + "Disallow / all", "/a", True),
    ("google_misspelled", ALL + "Dissallow: /", "/a", False),
    ("google_useragent", "UserAgent: *\ndisAllow : /", "/a", False),
    ("google_version_is_cut", "User-agent: ConsentCrawl/1.0\nDisallow: /", "/a", False),
    ("google_star_and_more", "User-agent: * for all\nDisallow: /", "/a", False),
    ("google_star_behind_a_name", "User-agent: Foo*\nDisallow: /", "/a", True),
    ("google_IndexHTML", ALL + "Allow: /dir/index.html\nDisallow: /", "/dir/", True),
    ("google_IndexHTML_only_the_directory", ALL + "Allow: /dir/index.html\nDisallow: /", "/dir/x", False),
    ("ours_index_htm_inside", ALL + "Allow: /index.html/x\nDisallow: /", "/", False),
    ("google_empty_user_agent_begins_a_group", ALL + "Allow: /\nUser-agent:\nDisallow: /", "/a", True),
    ("rfc9309_2_2_empty_pattern", ALL + "Disallow:", "/a", True),
    ("rfc9309_2_2_rule_before_any_group", "Disallow: /\n" + ALL, "/a", True),
    ("rfc9309_2_2_cr_only", "User-agent: *\rDisallow: /", "/a", False),
    ("rfc9309_2_2_comment", ALL + "Disallow: / # all", "/a", False),
    ("ours_full_url_rule", ALL + "Disallow: https://example.com/", "/a", True),
    ("ours_nbsp_is_no_blank", (ALL + "Disallow:\u00a0/").encode(), "/a", True),
    ("ours_nul_ends_a_disallow", ALL + "Disallow: /pri\0vate", "/private", False),
    ("ours_nul_voids_an_allow", ALL + "Disallow: /\nAllow: /\0x", "/a", False),
    ("ours_nul_before_a_key", ALL + "\0Disallow: /", "/a", False),
    ("ours_gzip_says_nothing", gzip.compress(b"User-agent: *\nDisallow: /", mtime=0), "/a", True),
    ("google_missing_path", ALL + "Disallow: /", "http://example.com", False),
    ("google_query_only", ALL + "Disallow: /?a", "http://example.com?a", False),
    ("ours_fragment_is_cut", ALL + "Disallow: /*.jpg$", "/a.jpg#x", False),
    ("ours_double_slash_is_a_path", ALL + "Disallow: //x", "//x/y", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "target", "allowed"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(text: str | bytes, target: str, allowed: bool) -> None:  # noqa: FBT001 (a column)
    assert allows(text, target) is allowed


@pytest.mark.parametrize("no_line_end", ["\u2028", "\v", "\f", "\x1c", "\x85", "\0"])
def test_rfc9309_2_2_only_cr_and_lf_end_lines(no_line_end: str) -> None:
    assert not allows(f"{ALL}Disallow: /\n# comment{no_line_end}Allow: /a\n", "/a")


@pytest.mark.parametrize("token", ["img2dataset", "IMG2dataset", "Kangaroo Bot", "panscient.com"])
@pytest.mark.parametrize("version", ["", "/2.0"])
def test_ours_a_token_outside_the_grammar_matches_whole(token: str, version: str) -> None:
    text = f"User-agent: {token}{version}\nDisallow: /"
    assert not allows(text, "/", token)
    assert not allows(text, "/", token + "/3.1")
    assert allows("User-agent: img\nDisallow: /", "/", "img2dataset")


def test_rfc9309_2_2_crlf_is_one_line_end() -> None:
    answer = parse(b"User-agent: *\r\n\r\n  Disallow: /x  # why\r\n").access("/x", US)
    assert answer.rule == Rule(3, "Disallow: /x  # why", allow=False)


def test_ours_text_of_a_rule_is_what_stood_there() -> None:
    rule = parse("User-agent: *\nDisallow: /ä/\n".encode() + b"\xff").access("/%C3%A4/", US).rule
    assert rule is not None
    assert rule.text == "Disallow: /ä/"


def test_ours_nothing_said() -> None:
    assert parse(b"").access("/", US) is NOTHING_SAID
    assert parse(b"").access("", US).allowed


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-16-be-with-mark"])
def test_ours_utf16_is_noted_and_heeded(coding: str) -> None:
    mark = b"\xfe\xff" if coding.endswith("mark") else b""
    read = parse(mark + (ALL + "Disallow: /").encode(coding.removesuffix("-with-mark")))
    assert read.gave_up == "encoding"
    assert not read.access("/", US).allowed


def test_google_line_too_long() -> None:
    long = "/x/" + "a" * (MAX_LINE - len("disallow: /x/") - 1)
    text = f"{ALL}disallow: {long}/qux\n"
    assert allows(text, "/fux")
    assert not allows(text, long + "/fux")


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (b"# comment\n", ""),
        (b"\nDisallow: /late\n", "robots_limit"),
        (b"\nuser-agent: x\n", "robots_limit"),
        (b"\nContent-Signal: ai-train=no\n", "robots_limit"),
        (b"\nLicense: https://example.com/l.xml\n", "robots_limit"),
        (b"#" * LOOK_AHEAD, "robots_limit"),
    ],
)
def test_rfc9309_2_5_limit(rest: bytes, reason: str) -> None:
    read = parse(b"User-agent: *\nDisallow: /a\n" + b"# comment\n" * (LIMIT // 10) + rest)
    assert read.gave_up == reason
    assert not read.access("/a", US).allowed


def test_ours_a_line_over_the_limit_is_read_whole() -> None:
    start = b"User-agent: *\nDisallow: /\n#"
    read = parse(start + b"x" * (LIMIT - len(start) - 4) + b"\nAllow: /b\n")
    assert (read.gave_up, read.access("/a", US).allowed, read.access("/b", US).allowed) == ("", False, True)


RECORDS = b"""License: https://example.com/all.xml
User-agent: A
Content-Usage: train-ai=n
User-agent: ConsentCrawl/1.0
User-agent: two words
Disallow: /x
Crawl-Delay : 5
Crawl-delay: nan
Crawl-delay: 1e5
Crawl-delay: 0.5 # slow

User-agent: *
LICENSE: https://example.com/rest.xml
Crawl-delay: 99999999
DisallowAITraining: /art\xc3\xa9
"""


def test_rfc9309_2_2_4_records_stand_in_their_groups() -> None:
    read = parse(RECORDS)
    (usage,) = read.records("content-usage")
    assert (usage.key, usage.value, usage.line, usage.group) == ("content-usage", "train-ai=n", 3, 0)
    assert read.records("host") == ()
    assert [(r.line, r.group) for r in read.records("license")] == [(1, -1), (13, 1)]
    assert [r.text for r in read.records("disallowaitraining")] == ["DisallowAITraining: /arté"]
    assert (read.binding(US), read.binding("A"), read.binding("other")) == ((0,), (0,), (1,))
    assert (read.names(US), read.names("consentcrawl/2.0"), read.names("other")) == (True, True, False)


def test_ours_records_of_other_groups_are_for_everybody_where_they_stand_apart() -> None:
    found = placed(parse(RECORDS), ("license", "content-usage", "disallowaitraining"), US)
    assert [[r.line for r in there] for there in (found.binding, found.everybody, found.foreign)] == [
        [3], [1], [13, 15]
    ]  # fmt: skip
    found = placed(parse(RECORDS), ("license", "content-usage"), "other", anywhere=True)
    assert [[r.line for r in there] for there in (found.binding, found.everybody, found.foreign)] == [
        [1, 13], [], [3]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("between", "apart"),
    [
        ("\n", True), (" \t\n", True), ("Sitemap: /s\n", True), (" site-map : /s\n", True), ("# AI\n", False),
        ("", False), ("\nDisallow: /y\n", False), ("\nDisallow:\n", False), ("Host: x\n", False),
        ("Host: x\n\nHost: y\n", True), ("\nUser-agent: b\n", False),
    ],
)  # fmt: skip
def test_ours_a_record_stands_apart_behind_a_blank_line_or_a_sitemap(between: str, apart: bool) -> None:  # noqa: FBT001
    read = parse(f"User-agent: a\nDisallow: /x\n{between}Content-Signal: ai-train=no\n\nUser-agent: c\n".encode())
    (record,) = read.records("content-signal")
    assert read.stands_apart(record) is apart


def test_ours_crawl_delay() -> None:
    read = parse(RECORDS)
    assert read.crawl_delay(US) == 5.0
    assert read.crawl_delay(US) == 5.0, "asked again"
    assert read.crawl_delay("other") == 86_400.0
    assert parse(b"User-agent: *\nCrawl-delay: " + b"9" * 5000).crawl_delay(US) == 86_400.0
    assert parse(b"User-agent: *\nCrawl-delay: \xb2").crawl_delay(US) is None
    assert parse(b"").crawl_delay(US) is None


def test_ours_tokens_whole_and_truncated() -> None:
    read = parse(RECORDS)
    assert read.tokens == {"a", "consentcrawl", "consentcrawl/1.0", "two words", "two"}
    assert parse(b"User-agent: 008\nDisallow: /").tokens == {"008"}


def test_ours_crawlers_are_found_by_the_groups_that_name_them() -> None:
    read = parse(
        b"User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n\nUser-agent: a, 'CCBot'\nAllow: /\nUser-agent: b\n"
    )
    assert read.crawlers() == {(0, 1): ("ccbot",), (0,): ("gptbot",)}
    assert read.crawlers() is read.crawlers()
    assert read.rules((0, 1)).access("/").rule == Rule(6, "Allow: /", allow=True)
    assert read.rules((0, 1)) is read.rules((0, 1))


@pytest.mark.parametrize(
    ("agent", "tokens"),
    [
        ("GPTbot", "gptbot"), ("GPTBot/1.1", "gptbot"), ("GPTBot #1", "gptbot"), ("Kangaroo Bot", "kangaroo bot"),
        ("Kangaroo Bot/2.0", "kangaroo bot"), ("iaskspider/2.0", "iaskspider/2.0"), ("Scrapy/2.5 (+x)", "scrapy"),
        ("Googlebot | CCBot,GPTBot", "ccbot gptbot"), ("GPTBot Spider", "gptbot"), ("Spider", "spider"),
        ("Baidu Spider", ""), ("spiderman", ""), ("img", ""), ("*", ""), ("", ""), ("(((,,,***", ""),
        ("xGPTBot", ""), ("GPTBot-Image", ""),
    ],
)  # fmt: skip
def test_ours_tokens_of_ai_crawlers_are_found_in_any_form_of_agent(agent: str, tokens: str) -> None:
    named = AGENTS.named(agent)
    assert set(named) == ({tokens} if tokens in AGENTS.tokens else set(tokens.split()))


@pytest.mark.parametrize(
    ("crawlers", "strong"),
    [
        ("", ""), ("gptbot", "gptbot"), ("diffbot", ""), ("diffbot timpibot", "diffbot timpibot"),
        ("diffbot gptbot", "diffbot gptbot"), ("googleother googleother-image googleother-video", ""),
        ("diffbot perplexitybot", ""), ("omgili omgilibot", ""), ("ccbot perplexitybot", "ccbot"),
        ("diffbot omgili omgilibot", "diffbot omgili omgilibot"),
    ],
)  # fmt: skip
def test_ours_one_crawler_of_mixed_purpose_is_no_evidence(crawlers: str, strong: str) -> None:
    assert AGENTS.weigh(crawlers.split()) == set(strong.split())


MANAGED = """\
# BEGIN Cloudflare Managed content
User-agent: *
Allow: /
User-agent: GPTBot
Disallow: /
# END Cloudflare Managed Content
"""


def test_ours_tie_flip_finds_what_a_managed_block_ties_away() -> None:
    read = parse((MANAGED + ALL + "Disallow: /\n").encode())
    assert read.access("/a", US).allowed
    assert read.tie_flip("/a", US) == Rule(8, "Disallow: /", allow=False)
    assert read.tie_flip("/a", "GPTBot") is None
    assert read.tie_flip("/b", US) == read.tie_flip("/a", US)


@pytest.mark.parametrize(
    "text",
    [
        MANAGED + ALL + "Disallow: /lp",
        MANAGED + ALL + "Disallow: /\nAllow: /",
        MANAGED + "User-agent: x\nDisallow: /",
        MANAGED.replace("Allow: /", "Allow: /a") + ALL + "Disallow: /",
        MANAGED.replace("# END", "# STOP") + ALL + "Disallow: /",
        ALL + "Disallow: /\nAllow: /",
        "# END Cloudflare managed content\n" + ALL,
        "",
    ],
)
def test_ours_no_tie_flip(text: str) -> None:
    assert parse(text.encode()).tie_flip("/a", US) is None


def test_ours_two_managed_blocks() -> None:
    text = MANAGED.replace("User", "# BEGIN Cloudflare managed content\nUser", 1) + MANAGED + ALL + "Disallow: /"
    assert parse(text.encode()).tie_flip("/a", US) is not None


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><title>404</title>", b"\xef\xbb\xbf\r\n <HTML lang=en>", b"<?xml version='1.0'?>"]
)
def test_ours_a_page_is_told_from_a_robots_file(body: bytes) -> None:
    assert parse(body).looks_html


def test_ours_a_robots_file_is_no_page() -> None:
    assert not parse(b"User-agent: *\nDisallow: /<html>").looks_html


def test_ours_a_spent_budget_disallows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pattern_index, "BUDGET", 20)
    answer = parse(b"User-agent: *\nAllow: /*longer*than\nDisallow: /*y").access("/" + "a" * 90, US)
    assert (answer.allowed, answer.gave_up) == (False, "robots_budget")
    assert answer.rule == Rule(3, "Disallow: /*y", allow=False)
    assert parse(b"User-agent: *\nAllow: /*y*y").access("/" + "a" * 90, US) is NOTHING_SAID


def test_ours_rule_sets_beyond_the_bound_disallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MAX_COMPILED", 2)
    read = parse(b"User-agent: a\nAllow: /\nDisallow: /b\nUser-agent: c\nAllow: /\nDisallow: /x\n")
    assert read.access("/", "a").allowed
    assert read.gave_up == ""
    answer = read.access("/", "c")
    assert (answer.allowed, answer.rule, read.gave_up) == (False, Rule(6, "Disallow: /x", allow=False), "robots_budget")


def test_ours_tokens_without_end_are_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_KEPT", 2)
    read = parse(b"User-agent: *\nDisallow: /")
    assert not any(read.access("/", f"bot{n}").allowed for n in range(9))
    assert len(read._chosen) <= 2


HOSTILE = {
    "stars": (b"Disallow: /" + b"*a" * 12 + b"b", "/" + "a" * 20_000),
    "sixteen kilobytes of stars": (b"Disallow: /" + b"*a" * 8000 + b"b", "/" + "a" * 8000),
    "wildcard rules": (b"".join(b"Disallow: /*a%d*b\n" % n for n in range(200_000)), "/" + "a1b" * 600),
    "needles made for str.find": (
        b"".join(b"Disallow: /*" + b"a" * 40 + b"%d" % n + b"a" * 40 + b"\n" for n in range(5000)), "/" + "a" * 20_000),
    "agents": (
        b"".join(b"User-agent: b%d\n" % n for n in range(20_000)) + b"Disallow: /x\n" * 2000, "/y"),
    "groups": (b"".join(b"User-agent: b%d\nDisallow: /\n" % n for n in range(100_000)), "/y"),
    "groups of one name": (b"User-agent: consentcrawl\nDisallow: /x\n" * 20_000, "/y"),
    "nested prefixes": (b"".join(b"Allow: /" + b"a" * n + b"\n" for n in range(1000)), "/" + "a" * 500 + "b"),
    "one line": (b"Disallow: /" + b"a" * 10_000_000, "/" + "a" * 9000),
    "managed blocks": (b"# begin cloudflare managed content\n# end cloudflare managed content\n" * 7000, "/"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_ours_hostile_files_take_less_than_a_second(name: str) -> None:
    body, target = HOSTILE[name]
    start = time.process_time()
    read = parse(ALL.encode() + body)
    read.access(target, US)
    read.tie_flip(target, US)
    assert time.process_time() - start < at_most(1)


FORM = Form(
    ("content-signal",),
    lambda record: content_signal(record.value),
    lambda said, where, under: [(said.label, said.allowed, where, under)],
)
SIGNAL = b"Content-Signal: /%d ai-train=no\n"


def test_ours_records_are_read_for_each_key_by_the_longest_path() -> None:
    body = b"User-agent: *\nContent-Signal: ai-train=no, search=no\nContent-Signal: /a search=yes\n"
    said, gave_up = Usage(parse(body), US, FORM).match("/a")
    assert sorted(said) == [("ai-train", False, "line 2", ()), ("search", True, "line 3", ())]
    assert gave_up == ""
    assert not Usage(parse(b"User-agent: other\nContent-Signal: ai-train=no\n"), US, FORM)


def test_ours_of_crawlers_those_with_records_are_evidence() -> None:
    body = b"User-agent: GPTBot\nContent-Signal: ai-train=no\nDisallow: /x\n\nUser-agent: CCBot\nDisallow: /\n"
    said, _ = Usage(parse(body), US, FORM).match("/a")
    assert said == [("ai-train", False, "line 2 (gptbot)", CLASS)]


def test_ours_answers_about_other_crawlers_are_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_KEPT", 2)
    body = b"User-agent: GPTBot\n" + b"".join(b"Disallow: /%d\n" % n for n in range(9))
    foreign = Foreign(parse(body), US, lambda *said: said)
    assert [foreign.refused(f"/{n}")[0][0] for n in range(9)] == [f"Disallow: /{n}" for n in range(9)]
    assert foreign.refused("/8") is foreign.refused("/8")
    assert len(foreign._refused) <= 2


def test_ours_more_records_for_crawlers_than_are_compiled_are_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_COMPILED", 1)
    body = b"User-agent: %s\nContent-Signal: ai-train=no\nDisallow: /x\n"
    body = body % b"GPTBot" + body % b"CCBot"
    usage = Usage(parse(body), US, FORM)
    assert usage
    assert usage.match("/")[1] == "robots_budget"


HOSTILE_RECORDS = {
    "one group of every crawler": b"User-agent: %s\n" % ", ".join(AGENTS.tokens).encode() + SIGNAL % 1 * 8_000,
    "a run of groups for each crawler": b"".join(b"User-agent: %s\nDisallow: /x\n" % a.encode() for a in AGENTS.tokens)
    + b"".join(b"User-agent: %s\n" % a.encode() for a in AGENTS.tokens) + SIGNAL % 1 * 8_000,
    "groups without end": b"User-agent: 'GPTBot', x\nContent-Signal: ai-train=no\nDisallow: /x\n" * 5_000,
    "agents without end": b"User-agent: a, b, c, d, e\n" * 19_000 + b"Disallow: /\n" + SIGNAL,
    "records without end": b"User-agent: x\nDisallow: /x\n" + b"a:b\n" * 60_000 + SIGNAL * 5_000,
    "one long agent": b"User-agent: " + b"GPTBot, " * 2_000 + b"\nDisallow: /\n" + SIGNAL,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_RECORDS)
def test_ours_hostile_records_take_less_than_a_second(name: str) -> None:
    start = time.process_time()
    read = parse(HOSTILE_RECORDS[name])
    Usage(read, US, FORM).match("/1/a.jpg")
    Foreign(read, US, lambda *said: said).refused("/1/a.jpg")
    assert time.process_time() - start < at_most(1)


LINES = st.sampled_from(
    ["User-agent: *", "User-agent: a", "User-agent: b/1", "Disallow: /", "Disallow: /a", "Disallow: /*b$", "Allow: /",
     "Allow: /a*", "Allow: /index.html", "Disallow: /%61", "Crawl-delay: 1", "", "# x", "Allow /b", "Disallow: /?a"],
)  # fmt: skip


@given(st.binary(max_size=200) | st.lists(LINES, max_size=9).map(lambda lines: "\n".join(lines).encode()))
def test_ours_arbitrary_octets_never_raise(body: bytes) -> None:
    read = parse(body)
    read.access("/a", "a")
    read.crawlers()
    assert all(read.stands_apart(record) in (True, False) for record in read.records("foo") if record.group >= 0)
    read.tie_flip("/a", "a")
    assert read.gave_up in ({"unsupported"} if body.startswith(_PACKED) else {"", "encoding"})


@settings(max_examples=200)
@given(
    st.lists(LINES, max_size=9),
    st.sampled_from(["/", "/a", "/ab", "/%61b", "/c?a"]),
    st.sampled_from(["/", "/a", "/*b", "*"]),
)
def test_ours_one_more_disallow_never_permits(lines: list[str], target: str, pattern: str) -> None:
    before = [*lines, "User-agent: consentcrawl", "Disallow: /zzz"]
    after = [*before, f"Disallow: {pattern}"]
    assert allows("\n".join(before), target) >= allows("\n".join(after), target)


@needs_corpus
def test_google_and_peer_cases_all_come_out() -> None:
    cases = json.loads(Path(CORPUS, "robots_cases.json").read_text())
    bench = bench_module()
    wrong = [
        c["name"] for c in cases if parse(bench.octets(c)).access(c["url"], c["user_agent"]).allowed is not c["allowed"]
    ]
    assert wrong == []


def bench_module() -> ModuleType:
    """Load the peers, whose differential is run here on a sample."""
    pytest.importorskip("jwm.robotstxt")
    return importlib.import_module("bench.robots_peers")


@needs_corpus
def test_rfc9309_every_difference_from_protego_and_google_has_its_clause() -> None:
    bench = bench_module()
    asked, kinds = bench.differential(bench.real_files(Path(CORPUS))[::7], most=6)
    assert asked > 5000
    assert [kind for kind in kinds if kind[2] == "unexplained"] == []
    assert [kind for kind in kinds if kind[0].startswith("Google") and kind[1]] == []
