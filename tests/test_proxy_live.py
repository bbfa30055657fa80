"""The live page: what it counts, what it shows, who may look and who may switch."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
import tracemalloc
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from consentcrawl.core import Evidence, Outcome
from consentcrawl.core.evidence import ROBOTS_TXT
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.proxy.live import access_control, parts, search
from consentcrawl.proxy.live.activity import ORIGINS, RECENT, REFUSALS, VIEWERS, Activity
from consentcrawl.proxy.live.parts import news
from consentcrawl.proxy.live.request_log import State
from consentcrawl.proxy.upstream.crawl_delay import crawl_delays
from consentcrawl.steward import Steward
from tests.live_page import NASTY, Page, pass_by, verdict
from tests.proxy_web import web


class Clock:
    def __init__(self) -> None:
        """Stand still."""
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_ours_every_request_is_counted_once_by_how_it_ended() -> None:
    activity = Activity()
    pass_by(activity, verdict(outcome=Outcome.PERMIT), size=7)
    pass_by(activity, verdict(), status=451)
    pass_by(activity, verdict(), status=0)
    pass_by(activity, verdict(outcome=Outcome.UNDETERMINED), status=503)
    pass_by(activity, verdict(enforced=False), size=5)
    pass_by(activity, verdict(outcome=Outcome.PERMIT), status=0)
    pass_by(activity, None, status=405)
    activity.started("GET", "https://art.example/2.jpg")

    assert (activity.requests, activity.pending, activity.delivered, activity.size) == (8, 1, 2, 12)
    counted = {State.DELIVERED: 1, State.REFUSED: 2, State.UNDETERMINED: 1, State.OBSERVED: 1, State.FAILED: 2}
    assert dict(activity.states) == counted
    assert (dict(activity.signals), dict(activity.gaps)) == ({"x_robots_tag": 3}, {"timeout": 1})
    assert parts.headline(activity).startswith("8 requests: 1 delivered, 1 observed, 2 refused")


def test_ours_an_end_after_its_square_was_reused_changes_no_other() -> None:
    activity = Activity()
    first = activity.started("GET", "https://art.example/first")
    for _ in range(RECENT):
        pass_by(activity, verdict(outcome=Outcome.PERMIT))

    activity.ended(first, verdict=verdict(), status=451, size=0, seconds=1.0, decision_seconds=0.0)

    assert {logged.state for logged in activity.recent if logged} == {State.DELIVERED}
    assert activity.states[State.REFUSED] == 1


def test_ours_rate_pace_and_added_latency() -> None:
    clock = Clock()
    activity = Activity(clock=clock)
    assert (activity.rate, activity.decision_time(0.5)) == (0.0, 0.0)
    for number in range(120):
        pass_by(activity, verdict(outcome=Outcome.PERMIT), decision_seconds=number / 1000)
        clock.now += 0.5

    assert activity.rate == pytest.approx(2.0, rel=0.05)
    assert sum(activity.by_second) == pytest.approx(120, abs=2)
    assert (activity.decision_time(0.5), activity.decision_time(1.0)) == (0.059, 0.119)
    assert activity.origins["https://art.example"].interval == pytest.approx(0.5)
    clock.now += 600
    assert (activity.rate, sum(activity.by_second)) == (0.0, 0)


def test_ours_a_million_requests_take_no_more_memory_than_a_few_thousand() -> None:
    activity = Activity()
    made = [verdict(f"https://{n % 1500}.example/{n}", list(Outcome)[n % 3], quote="q" * 400) for n in range(3000)]

    def some(rounds: int) -> int:
        for _ in range(rounds):
            for each in made:
                pass_by(activity, each)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        few, many = some(2), some(8)
    finally:
        tracemalloc.stop()
    assert many < few * 1.02
    assert len(activity.origins) == ORIGINS
    assert len(activity.refusals) == REFUSALS


def test_ours_what_was_no_url_has_no_origin() -> None:
    activity = Activity()

    pass_by(activity, verdict("not a url", Outcome.UNDETERMINED, reason="bad_url"), status=451)

    assert (len(activity.origins), activity.gaps["bad_url"]) == (0, 1)


def test_ours_the_crawl_delay_of_an_origin_is_that_of_its_robots_txt() -> None:
    steward = Steward()
    url, now = "https://slow.example/robots.txt", steward.clock()
    robots = Evidence(ROBOTS_TXT, url, status=200, content=b"User-agent: *\nCrawl-delay: 7\n", at=now)
    steward.store.put(url, robots)
    delay = crawl_delays(steward)

    assert (delay("https://slow.example"), delay("https://other.example")) == (7.0, 0.0)
    steward.close()


@pytest.fixture
def activity() -> Activity:
    made = Activity()
    pass_by(made, verdict(outcome=Outcome.PERMIT), size=20_000)
    pass_by(made, verdict("https://art.example/2.jpg"), status=451)
    pass_by(made, verdict(outcome=Outcome.UNDETERMINED), status=503)
    return made


@pytest.fixture
def page(activity: Activity) -> Iterator[Page]:
    with Page(activity) as made:
        yield made


class Tags(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        """Read."""
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs


def test_ours_the_page_shows_the_very_line_that_refused(page: Page) -> None:
    status, text, fields = page.ask("/")

    assert status == 200
    assert "<q><bdi>noai</bdi></q>" in text
    assert "X-Robots-Tag (x_robots_tag)" in text
    assert "no complete answer came in time" in text
    assert text.count("<i class=") == 3 + 6 + 2  # squares, legend, verdicts
    assert "default-src 'none'" in fields["Content-Security-Policy"]
    assert fields["Cache-Control"] == "no-store"


def test_ours_words_of_strangers_never_become_markup(activity: Activity, page: Page) -> None:
    plain = Tags(page.ask("/")[1])
    pass_by(activity, verdict(f"https://art.example/{NASTY}", quote=NASTY), status=451)
    pass_by(activity, verdict(f"javascript:{NASTY}", Outcome.UNDETERMINED), status=451)
    activity.started(NASTY[:15], NASTY)

    _, text, _ = page.ask("/")

    tags = Tags(text)
    assert tags.names.count("script") == plain.names.count("script") == 1
    assert "img" not in tags.names
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert not [value for name, value in tags.attributes if name == "href" and (value or "").startswith("javascript")]
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;alert(2)&lt;/script&gt;\\u202e" in text


def test_ours_news_are_what_has_changed_and_nothing_else(activity: Activity) -> None:
    async def three() -> list[dict[str, Any] | None]:
        stream = news(activity, every=0)
        said = [await anext(stream)]
        activity.started("GET", f"https://art.example/{NASTY}")
        said += [await anext(stream), await anext(stream)]
        await stream.aclose()  # type: ignore[attr-defined]
        return [json.loads(each.removeprefix(b"data: ")) if each.startswith(b"data") else None for each in said]

    first, second, third = asyncio.run(three())

    assert first is not None
    assert second is not None
    assert first["parts"].keys() == {
        "state",
        "counters",
        "legend",
        "refusals",
        "signals",
        "origins",
        "requests",
        "switches",
    }
    assert [square[:2] for square in first["squares"]] == [[0, "delivered"], [1, "refused"], [2, "undetermined"]]
    assert second["parts"].keys() <= {"counters", "legend", "requests"}
    assert [square[:2] for square in second["squares"]] == [[3, "pending"]]
    assert third is None


def test_ours_the_stream_of_news_is_sent_and_its_viewers_are_counted(activity: Activity, page: Page) -> None:
    link = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    link.request("GET", "/events")
    answer = link.getresponse()

    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.readline().startswith(b"data: {")
    assert activity.viewers == 1
    link.close()
    activity.viewers = VIEWERS
    assert page.ask("/events")[0] == 503


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "[::2]", ""])
def test_ours_a_foreign_name_for_this_address_sees_nothing(host: str, page: Page) -> None:
    assert page.ask("/", Host=host)[0] == 421
    assert page.switch("pause", Host=host) == 421
    assert not page.activity.paused


MALFORMED = ("x:127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "[::1", "a b", "127.0.0.1:1:2", "127.0.0.1@x", "[::1]x")


def test_rfc9112_3_2_a_malformed_host_is_a_bad_request_and_no_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answers = {}
    with web(tmp_path, ui=("127.0.0.1", port)):
        for host in MALFORMED:
            for target in ("/", "/search?q=a", "http://127.0.0.1/", f"http://{host}/", "*", f"//{host}/"):
                with socket.create_connection(("127.0.0.1", port), 5) as link:
                    link.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                    answers[host, target] = link.makefile("rb").read()
    assert {case: answer for case, answer in answers.items() if b" 400 " not in answer.partition(b"\r\n")[0]} == {}
    assert not [answer for answer in answers.values() if b"Traceback" in answer]
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("host", ["consentcrawl.local", "localhost:99", "[::1]:99", "[::1]", "127.0.0.1"])
def test_ours_own_names_see_the_page(host: str, page: Page) -> None:
    assert page.ask("/", Host=host)[0] == 200


def test_ours_switches_need_the_token(page: Page) -> None:
    own = f"http://127.0.0.1:{page.port}"

    assert page.switch("pause", Origin=own) == 303
    assert page.activity.paused
    assert page.ask("/healthz")[1] == "paused\n"
    assert "<strong>Paused</strong>" in page.ask("/")[1]
    assert [page.switch(turn) for turn in ("resume", "observe")] == [303, 303]
    assert (page.activity.paused, page.activity.observing) == (False, True)
    assert page.ask("/healthz")[1] == "observing\n"
    assert "<strong>Observing</strong>" in page.ask("/")[1]
    assert page.switch("enforce") == 303
    assert page.ask("/healthz")[1] == "ok\n"
    for token in ("", "wrong", "é"):
        assert page.switch("observe", token) == 403
    assert page.switch("destroy") == 400
    assert page.activity.observing is False
    assert page.activity.token not in page.ask("/")[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_ours_a_form_of_another_site_switches_nothing(fields: dict[str, str], page: Page) -> None:
    assert page.switch("observe", **fields) == 403
    assert not page.activity.observing


def test_ours_a_long_form_is_not_read(page: Page) -> None:
    assert page.ask("/switch", "POST", "token=" + "x" * 5000)[0] == 413


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        ("/none", "GET", 404),
        ("/switch", "GET", 405),
        ("/", "POST", 405),
        ("/", "HEAD", 200),
        ("/page.js", "GET", 200),
        ("/events", "HEAD", 200),
    ],
)
def test_ours_addresses_and_methods(target: str, method: str, status: int, page: Page) -> None:
    assert page.ask(target, method)[0] == status


def test_ours_absolute_form_is_answered_too(page: Page) -> None:
    assert page.ask("http://consentcrawl.local/healthz", Host="consentcrawl.local")[:2] == (200, "ok\n")


def test_ours_metrics_are_prometheus_text(page: Page) -> None:
    _, text, fields = page.ask("/metrics")

    assert fields["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    for line in (
        'consentcrawl_requests_total{outcome="delivered"} 1.0',
        'consentcrawl_requests_total{outcome="refused"} 1.0',
        'consentcrawl_refusals_total{signal="x_robots_tag"} 1.0',
        'consentcrawl_gaps_total{reason="timeout"} 1.0',
        "consentcrawl_delivered_bytes_total 20000.0",
        "consentcrawl_requests_pending 0.0",
        "consentcrawl_observing 0.0",
        'consentcrawl_added_seconds_bucket{le="0.001"} 0.0',
        'consentcrawl_added_seconds_bucket{le="0.0025"} 3.0',
        "consentcrawl_added_seconds_count 3.0",
    ):
        assert line in text.splitlines(), line


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    record = LedgerRecord.open(tmp_path / "ledger")
    for each in (
        verdict("https://art.example/1.jpg", quote=NASTY),
        verdict("https://art.example/2.jpg", Outcome.PERMIT),
        verdict("https://art.example/3.jpg", Outcome.UNDETERMINED),
        verdict("https://other.example/", enforced=False),
    ):
        record.record_verdict(each, ()).result()
    record.close()
    return tmp_path / "ledger"


def found(page: Page, words: str, outcome: str = "") -> str:
    status, text, _ = page.ask(f"/search?q={quote(words)}&outcome={outcome}")
    assert status == 200
    return text


def test_ours_the_ledger_is_searched_by_url_and_by_origin(ledger: Path, page: Page) -> None:
    page.activity.ledger = ledger

    one = found(page, "HTTPS://art.example:443/1.jpg")
    assert one.count('<th scope="row">') == 1
    assert "&lt;script&gt;alert(2)" in one
    assert "img" not in Tags(one).names
    assert re.findall(r"/(\d)\.jpg</bdi></td>", found(page, "https://art.example")) == ["3", "2", "1"]
    assert "no complete answer came in time" in found(page, "https://art.example", "undetermined")
    assert found(page, "https://art.example", "permit").count('<th scope="row">') == 1
    assert "refuse (observed)" in found(page, "https://other.example")
    assert "no entry about it" in found(page, "https://none.example")
    assert "Not a URL" in found(page, "<b>")
    assert page.ask("/search?q=%ff%00%ed%a0%80")[0] == 200
    with search._ONE_AT_A_TIME:
        assert "still running" in found(page, "https://art.example")


def test_ours_a_search_without_a_ledger_or_in_a_broken_one_says_so(page: Page, tmp_path: Path) -> None:
    assert "There is no ledger" in found(page, "https://art.example")
    page.activity.ledger = tmp_path
    (tmp_path / "log").write_text("no folder")
    assert "could not be read" in found(page, "https://art.example")


def test_ours_a_search_is_filled_in_again() -> None:
    form = search.form(search.Query('"><b>', "refuse"))

    assert "b" not in Tags(form).names
    assert '<option value="refuse" selected>' in form


def test_ours_tokens_are_compared_whole() -> None:
    assert access_control.token_matches("abc", "abc")
    assert not access_control.token_matches("abc", "ab")
    assert not access_control.token_matches("abc", "\udcff")


def test_ours_pictures_in_the_documents_are_small() -> None:
    pictures = {
        path.name: path.stat().st_size for path in (Path(__file__).parents[1] / "docs" / "images").glob("*.png")
    }

    assert {"live-page-light.png", "live-page-dark.png", "refusal-page.png"} <= pictures.keys()
    assert max(pictures.values()) < 200_000
