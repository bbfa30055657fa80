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


class Clock:
    """A clock that goes on only while it is waited for."""

    now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False

    def is_set(self) -> bool:
        return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Pace:
    made = Pace(clock=clock)
    made._stopped = clock  # type: ignore[assignment]
    return made


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


def test_ours_crawl_delay_lies_between_two_requests(turns: Pace, clock: Clock) -> None:
    asked = []
    turns.note(A, delay=5)

    for _ in range(3):
        with turns.turn(A):
            asked.append(clock())

    assert asked == [100.0, 105.0, 110.0]


def test_rfc9110_10_2_3_retry_after_is_waited_for(turns: Pace, clock: Clock) -> None:
    turns.heed(A, Evidence(ROBOTS_TXT, A, status=429, fields=Fields([("Retry-After", "1")])))
    turns.note(A)

    with turns.turn(A, delayed=False):
        assert clock() == 100.0
    with turns.turn(A):
        assert clock() == 101.0


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


def test_ours_a_negative_delay_is_none(turns: Pace, clock: Clock) -> None:
    turns.note(A, delay=-3)

    for _ in range(3):
        with turns.turn(A):
            pass

    assert clock() == 100.0


def test_ours_stopping_wakes_those_who_wait() -> None:
    turns = Pace()
    turns.note(A, retry_after=60)
    threading.Timer(0.05, turns.stop).start()

    with pytest.raises(Parked), turns.turn(A):  # whoever had waited all the time would have had the turn
        pass

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
