"""The steward: one look-up for all who ask, pages only where robots.txt lets us, what was learnt for others."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Timer

import pytest

import consentcrawl
from consentcrawl.core import Asset, Evidence, Fields, Gate, Need, Outcome
from consentcrawl.download import Content, Download, Head, Read, Send, advance
from consentcrawl.storage.sqlite import SqliteStore
from tests.website import Answer, Site, serving

LOOPBACK = ("127.0.0.0/8",)
CLOSED = {"/robots.txt": Answer(b"User-agent: *\nDisallow: /private/\n", slow=0.15)}


def steward(**more: object) -> consentcrawl.Steward:
    keys = {key: more.pop(key) for key in ("store", "record", "clock", "reader") if key in more}
    return consentcrawl.Steward(consentcrawl.Config(allow=LOOPBACK, **more), **keys)  # type: ignore[arg-type]


def decide(by: consentcrawl.Steward, url: str, page: str | None = None) -> consentcrawl.Verdict:
    inquiry = by.open(url, page, reach=Gate.LOOKUP)
    by.look_up(inquiry)
    return by.decide(inquiry)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(CLOSED) as running:
        yield running


def test_ours_one_robots_request_however_many_threads_ask(site: Site) -> None:
    by = steward()
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda n=n: outcomes.append(decide(by, f"{site.origin}/private/{n}.jpg").outcome))
        for n in range(60)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.REFUSE] * 60
    assert site.count("/robots.txt") == 1
    by.close()


def test_ours_one_robots_request_however_many_tasks_ask(site: Site) -> None:
    by = steward()

    async def ask(n: int) -> Outcome:
        inquiry = by.open(f"{site.origin}/private/{n}.jpg", reach=Gate.LOOKUP)
        await by.look_up_async(inquiry)
        return by.decide(inquiry).outcome

    async def all_at_once() -> list[Outcome]:
        return await asyncio.gather(*(ask(n) for n in range(300)))

    assert asyncio.run(all_at_once()) == [Outcome.REFUSE] * 300
    assert site.count("/robots.txt") == 1
    by.close()


def test_ours_cancelling_the_first_to_ask_stops_nobody_else(site: Site) -> None:
    by = steward()

    async def ask() -> Outcome:
        inquiry = by.open(f"{site.origin}/private/1.jpg", reach=Gate.LOOKUP)
        await by.look_up_async(inquiry)
        return by.decide(inquiry).outcome

    async def first_gives_up() -> Outcome:
        first = asyncio.create_task(ask())
        await asyncio.sleep(0.03)
        second = asyncio.create_task(ask())
        first.cancel()
        return await second

    assert asyncio.run(first_gives_up()) is Outcome.REFUSE
    assert site.count("/robots.txt") == 1
    by.close()


def _ask(origin: str, path: Path, out: multiprocessing.Queue[str]) -> None:
    by = steward(store=SqliteStore(path))
    for n in range(5):
        out.put(str(decide(by, f"{origin}/private/{n}.jpg").outcome))
    by.close()


def test_ours_one_robots_request_however_many_processes_ask(site: Site, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    out: multiprocessing.Queue[str] = context.Queue()
    SqliteStore(tmp_path / "shared.db").close()
    processes = [context.Process(target=_ask, args=(site.origin, tmp_path / "shared.db", out)) for _ in range(3)]
    for process in processes:
        process.start()
    outcomes = [out.get(timeout=30) for _ in range(15)]
    for process in processes:
        process.join()
    assert outcomes == ["refuse"] * 15
    assert site.count("/robots.txt") == 1


def _hang(path: Path, url: str) -> None:
    SqliteStore(path).lease(url, time.time())
    os.kill(os.getpid(), signal.SIGKILL)


def test_ours_a_killed_leader_is_replaced_when_its_lease_runs_out(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consentcrawl.storage.sqlite.LEASE_SECONDS", 0.5)
    path = tmp_path / "shared.db"
    store = SqliteStore(path)
    process = multiprocessing.get_context("fork").Process(target=_hang, args=(path, site.origin + "/robots.txt"))
    process.start()
    process.join()
    by = steward(store=store)
    assert decide(by, site.origin + "/private/1.jpg").outcome is Outcome.REFUSE
    assert site.count("/robots.txt") == 1
    by.close()


def test_ours_a_dead_host_is_tried_once() -> None:
    with serving({}) as gone:
        origin = gone.origin
    tried: list[str] = []
    real = consentcrawl.Config(allow=LOOPBACK).reader()

    class Counting:
        def read(self, need: Need, url: str) -> Evidence:
            tried.append(url)
            return real.read(need, url)

    by = steward(reader=Counting())
    for n in range(5):
        verdict = decide(by, f"{origin}/{n}.jpg")
        assert (verdict.outcome, verdict.gate) == (Outcome.UNDETERMINED, Gate.LOOKUP), "RFC 9309 section 2.3.1.4"
    assert tried.count(origin + "/robots.txt") == 1
    by.close()


def test_ours_a_page_is_looked_up_only_where_its_robots_txt_lets_us() -> None:
    page = Answer(b'<meta name="robots" content="noai">', fields=(("Content-Type", "text/html"),))
    pages = {"/robots.txt": Answer(b"User-agent: *\nDisallow: /private/\n"), "/work": page, "/private/work": page}
    with serving(pages) as site, serving({}) as cdn:
        by = steward()
        refused = decide(by, cdn.origin + "/1.jpg", site.origin + "/work")
        assert refused.outcome is Outcome.REFUSE
        assert refused.deciding[0].source == site.origin + "/work"
        closed = decide(by, cdn.origin + "/1.jpg", site.origin + "/private/work")
        assert "page_refused" in [gap.reason for gap in closed.gaps]
        assert site.count("/private/work") == 0
        by.close()


def test_ours_a_page_that_is_no_url_is_a_gap(site: Site) -> None:
    by = steward()
    verdict = decide(by, site.origin + "/1.jpg", "not a page")
    assert (verdict.outcome, verdict.gaps[0].reason) == (Outcome.PERMIT, "bad_url")
    by.close()


def test_ours_what_a_page_says_of_its_images_is_kept_for_them() -> None:
    html = b'<meta name="robots" content="noimageai"><img src="/img/7.jpg">'
    with serving({"/work": Answer(html, fields=(("Content-Type", "text/html"),))}) as site:
        by = steward()
        page = Download(by, site.origin + "/work")
        assert isinstance(advance(page), Send)
        assert isinstance(advance(page, Head(200, Fields([("Content-Type", "text/html")]))), Read)
        verdict = advance(page, Content(html, ended=True))
        assert isinstance(verdict, consentcrawl.Verdict)
        assert verdict.outcome is Outcome.REFUSE
        image = decide(by, site.origin + "/img/7.jpg")
        assert image.outcome is Outcome.REFUSE
        assert "noimageai" in image.deciding[0].statement.quote
        by.close()


def test_ours_a_url_that_cannot_be_read_has_a_verdict_too() -> None:
    by = steward()
    with pytest.raises(consentcrawl.BadUrl) as error:
        by.open("ftp://a.example/")
    verdict = by.unreadable("ftp://a.example/", error.value)
    assert (verdict.url, verdict.outcome, verdict.gaps[0].reason) == (
        "ftp://a.example/",
        Outcome.UNDETERMINED,
        "bad_url",
    )
    by.close()


def test_ours_the_verdict_is_recorded_with_its_evidence_before_it_is_given_out(site: Site) -> None:
    kept: list[tuple[consentcrawl.Verdict, list[str]]] = []

    class Record:
        def record_verdict(self, verdict: consentcrawl.Verdict, evidence: list[Evidence], *_: object) -> Future[int]:
            kept.append((verdict, [told.url for told in evidence]))
            durable: Future[int] = Future()
            Timer(0.05, durable.set_result, (0,)).start()
            return durable

        def close(self) -> None:
            kept.clear()

    by = steward(record=Record())
    verdict = decide(by, site.origin + "/private/1.jpg")
    assert kept[0][0] is verdict
    assert site.origin + "/robots.txt" in kept[0][1]
    by.close()


def test_ours_a_page_look_up_asks_the_robots_txt_of_each_step_it_is_sent_on() -> None:
    pages = {
        "/robots.txt": Answer(b"User-agent: *\nDisallow: /closed/"),
        "/open.html": Answer(status=302, fields=(("Location", "/next.html"),)),
        "/next.html": Answer(b"<meta name=robots content=noai>", fields=(("Content-Type", "text/html"),)),
        "/shut.html": Answer(status=302, fields=(("Location", "/closed/a.html"),)),
        "/round.html": Answer(status=302, fields=(("Location", "/round.html"),)),
        "/bad.html": Answer(status=302, fields=(("Location", "http://a b/"),)),
        "/lost.html": Answer(status=302),
    }
    with serving(pages) as site:
        by = steward()
        for page, gap in [
            ("open", ""),
            ("shut", "page_refused"),
            ("round", "redirects"),
            ("bad", "bad_url"),
            ("lost", "redirects"),
        ]:
            inquiry = by.open(f"{site.origin}/{page}.jpg", f"{site.origin}/{page}.html", reach=Gate.LOOKUP)
            by.look_up(inquiry)
            verdict = by.decide(inquiry)
            assert [g.reason for g in verdict.gaps if g.need.endswith("html")] == ([gap] if gap else []), page
            assert (verdict.outcome is Outcome.REFUSE) is (page == "open")
        assert site.count("/closed/a.html") == 0
        assert site.count("/round.html") == 6
        by.close()


def test_ours_keys_are_filled_in_and_a_missing_one_is_a_gap() -> None:
    with serving({"/api?key=s3cret": Answer(b"{}")}) as site:
        need = Need(Gate.LOOKUP, site.origin + "/api?key={made_up.api_key}", fields=(("X-Key", "{made_up.api_key}"),))
        with_key = steward(secrets={"made_up.api_key": "s3cret"})
        answered = with_key._router.web.obtain(need, Asset(need.url)).result()
        assert (answered.status, answered.need) == (200, need)
        assert site.heads[0]["x-key"] == "s3cret"
        assert "s3cret" not in repr(with_key.store.__dict__)
        without = steward()
        assert without._router.web.obtain(need, Asset(need.url)).result().gap == "no_key"
        assert len(site.asked) == 1
        with_key.close()
        without.close()


def test_rfc9309_2_4_a_robots_txt_is_asked_again_after_a_day(site: Site) -> None:
    now = [time.time()]
    by = steward(clock=lambda: now[0])
    for expected in (1, 1):
        decide(by, site.origin + "/1.jpg")
        assert site.count("/robots.txt") == expected
    now[0] += 86_401
    decide(by, site.origin + "/1.jpg")
    assert site.count("/robots.txt") == 2
    by.close()
