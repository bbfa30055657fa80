"""Politeness: Crawl-delay, Retry-After, one request per origin at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import count

import pytest

from consentcrawl.core import ROBOTS_TXT, Evidence, Fields
from consentcrawl.net import pace
from consentcrawl.net.pace import Pace, Parked, Turn, retry_after
from consentcrawl.storage.turns import HELD_SECONDS, Turns

A, B = "https://a.example", "https://b.example"


class Clock:
    """A clock that goes on only while it is waited for."""

    now = 100.0

    def __call__(self) -> float:
        return self.now

    def after(self, seconds: float, function: Callable[[], None]) -> None:
        self.now += seconds
        threading.Thread(target=function).start()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Pace:
    return Pace(clock=clock, after=clock.after)


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


class Later:
    """A clock of its own that stands still until ``until`` is called; functions come due on the way."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 1_767_225_600.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def __call__(self) -> float:
        return self.now

    def after(self, seconds: float, function: Callable[[], None]) -> None:
        """Call ``function`` in so many seconds of this clock."""
        heappush(self._due, (self.now + seconds, next(self._numbers), function))

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self.now, _, function = heappop(self._due)
            function()
        self.now = end


def paced(**more: float) -> tuple[Later, Pace]:
    clock = Later()
    return clock, Pace(clock=clock, after=clock.after, **more)  # type: ignore[arg-type]


def before(turns: Pace) -> Turn:
    turn = turns.before(A)
    assert turn is not None
    return turn


class Untouched:
    """A store that must not be asked."""

    def take_turn(self, origin: str, now: float, delay: float) -> float:
        """Fail."""
        raise AssertionError(origin, now, delay)

    def end_turn(self, origin: str, next_at: float, *, held: bool = False) -> None:
        """Fail."""
        raise AssertionError(origin, next_at, held)


def test_ours_an_origin_that_nothing_delays_is_asked_at_once_without_the_store() -> None:
    turns = Pace(shared=Untouched())

    for _ in range(3):
        turn = turns.before(A)
        turns.ended(A, turn, Evidence(ROBOTS_TXT, A, status=200))
        assert turn is None


def test_ours_the_next_turn_counts_from_when_the_last_request_ended() -> None:
    clock, turns = paced(minimum=0.2)
    first, second, third = (before(turns) for _ in range(3))
    assert (first.done(), second.done()) == (True, False)

    clock.wait(0.19)  # a late sender: counted from its turn, the second would come 0.01 seconds after it
    assert not second.done()
    turns.ended(A, first)
    clock.wait(0.19)
    assert not second.done()
    clock.wait(0.02)
    assert (second.done(), third.done()) == (True, False)
    turns.ended(A, second)
    clock.wait(0.21)
    assert third.done()


def test_ours_a_turn_that_is_given_up_while_it_waits_holds_up_none() -> None:
    clock, turns = paced(minimum=1.0)
    first, second, third = (before(turns) for _ in range(3))
    turns.ended(A, first)
    turns.ended(A, second)

    clock.wait(1.01)

    assert second.cancelled()
    assert third.done()


def test_ours_a_request_that_never_ends_holds_its_origin_for_ten_seconds() -> None:
    clock, turns = paced(minimum=0.1)
    before(turns)
    second = before(turns)

    clock.wait(HELD_SECONDS - 1)
    assert not second.done()
    clock.wait(1.2)
    assert second.done()


def test_ours_a_policy_file_waits_for_no_delay_and_counts_as_a_request() -> None:
    clock, turns = paced(minimum=1.0)
    turns.ended(A, before(turns))
    policy_file = turns.before(A, delayed=False)
    assert policy_file is not None
    assert policy_file.done()

    clock.wait(0.9)
    turns.ended(A, policy_file)
    asset = before(turns)
    clock.wait(0.9)
    assert not asset.done()
    clock.wait(0.2)
    assert asset.done()


def test_ours_a_crawl_delay_that_was_just_read_counts_from_now() -> None:
    clock, turns = paced()
    turns.inform(A, 2.0, asked_at=clock.now - 0.5, until=clock.now + 60)  # others may have asked since
    asset = before(turns)

    clock.wait(1.9)
    assert not asset.done()
    clock.wait(0.2)
    assert asset.done()


def test_ours_a_robots_txt_that_was_read_long_ago_delays_nothing() -> None:
    clock, turns = paced()
    turns.inform(A, 2.0, asked_at=clock.now - 3, until=clock.now + 60)

    assert before(turns).done()


BUSY = Evidence(ROBOTS_TXT, A, status=503)


def test_ours_back_off_without_retry_after_doubles_from_a_second_then_parks() -> None:
    clock, turns = paced()
    turns.ended(A, turns.before(A), BUSY)
    waits = []
    while (turn := before(turns)).done() is False or turn.exception() is None:
        asked = clock.now
        while not turn.done():
            clock.wait(0.25)
        waits.append(clock.now - asked)
        turns.ended(A, turn, BUSY)

    assert waits == pytest.approx([1, 2, 4, 8, 16, 32, 64], abs=0.3)
    parked = turn.exception()
    assert isinstance(parked, Parked)
    assert parked.seconds == 128


def test_ours_a_success_ends_the_back_off() -> None:
    clock, turns = paced()
    for _ in range(3):
        turn = turns.before(A)
        turns.ended(A, turn, BUSY)
        clock.wait(20)
    turns.ended(A, before(turns), Evidence(ROBOTS_TXT, A, status=200))

    assert turns.before(A) is None


def test_rfc9110_10_2_3_the_answer_to_a_policy_file_does_not_shorten_the_wait() -> None:
    clock, turns = paced()
    turns.ended(A, turns.before(A), Evidence(ROBOTS_TXT, A, status=503, fields=Fields([("Retry-After", "30")])))
    turns.ended(A, turns.before(A, delayed=False), Evidence(ROBOTS_TXT, A, status=200))
    asset = before(turns)

    clock.wait(29)
    assert not asset.done()
    clock.wait(2)
    assert asset.done()


def test_ours_other_origins_go_on_while_one_is_left_alone() -> None:
    clock, turns = paced()
    turns.note(A, retry_after=100)
    waiting = before(turns)
    assert turns.before(B) is None
    assert not waiting.done()
    clock.wait(101)
    assert waiting.done()


def test_ours_two_paces_on_one_store_are_one_clock() -> None:
    clock, shared = Later(), Turns()
    first, second = (Pace(minimum=0.2, shared=shared, clock=clock, after=clock.after) for _ in range(2))
    mine, others = before(first), before(second)
    clock.wait(1.0)
    assert not others.done()
    first.ended(A, mine)
    clock.wait(0.19)
    assert not others.done()
    clock.wait(0.05)
    assert others.done()
