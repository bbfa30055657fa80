"""Politeness: Crawl-delay, Retry-After, one request per origin at a time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from consentcrawl.core import ROBOTS_TXT, Evidence, Fields
from consentcrawl.net import pace
from consentcrawl.net.pace import Pace, Parked, retry_after

A, B = "https://a.example", "https://b.example"


def test_ours_one_request_per_origin_at_a_time() -> None:
    turns, inside, most = Pace(), [0], [0]

    def ask(_: int) -> None:
        with turns.turn(A):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.002)
            inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(16)))

    assert most == [1]


def test_ours_other_origins_go_on_meanwhile() -> None:
    turns, met = Pace(), threading.Barrier(2, timeout=2)

    def ask(origin: str) -> None:
        with turns.turn(origin):
            met.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ask, [A, B]))


def test_ours_crawl_delay_lies_between_two_requests() -> None:
    turns, asked = Pace(), []
    turns.note(A, delay=0.05)

    for _ in range(3):
        with turns.turn(A):
            asked.append(time.monotonic())

    assert asked[1] - asked[0] > 0.045
    assert asked[2] - asked[1] > 0.045


def test_rfc9110_10_2_3_retry_after_is_waited_for() -> None:
    turns, started = Pace(), time.monotonic()
    turns.heed(A, Evidence(ROBOTS_TXT, A, status=429, fields=Fields([("Retry-After", "1")])))
    turns.note(A)

    with turns.turn(A, delayed=False):
        assert time.monotonic() - started < 0.5
    with turns.turn(A):
        assert time.monotonic() - started > 0.9


def test_ours_retry_after_of_a_success_is_no_wish() -> None:
    turns = Pace(most=0)
    turns.heed(A, Evidence(ROBOTS_TXT, A, status=200, fields=Fields([("Retry-After", "100")])))

    with turns.turn(A):
        pass


@pytest.mark.parametrize("delay", [121.0, 1e308, float("inf"), float("nan")])
def test_ours_an_origin_that_wants_too_long_is_parked_after_its_first_request(delay: float) -> None:
    turns = Pace()
    turns.note(A, delay=delay)
    with turns.turn(A):
        pass

    with pytest.raises(Parked, match=r"a\.example"), turns.turn(A):
        pass


def test_ours_a_negative_delay_is_none() -> None:
    turns, started = Pace(), time.monotonic()
    turns.note(A, delay=-3)

    for _ in range(3):
        with turns.turn(A):
            pass

    assert time.monotonic() - started < 0.5


def test_ours_stopping_wakes_those_who_wait() -> None:
    turns = Pace()
    turns.note(A, retry_after=60)
    threading.Timer(0.05, turns.stop).start()
    started = time.monotonic()

    with pytest.raises(Parked), turns.turn(A):
        pass

    assert time.monotonic() - started < 5
    with pytest.raises(Parked), turns.turn(B, delayed=False):
        pass


def test_ours_origins_that_may_be_asked_at_once_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_ORIGINS_KEPT", 2)
    turns = Pace()
    turns.note(A, retry_after=60)
    turns.note(B, delay=1)
    turns.note("https://c.example", delay=1)

    assert list(turns._origins) == [A, "https://c.example"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("9" * 400, float("inf")),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("Thu, 01 Jan 99999 00:00:00 GMT", None),
    ],
)
def test_rfc9110_10_2_3_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(value, now=10.0) == seconds
