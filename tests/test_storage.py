"""The stores: what is kept, for how long, how much, and who fetches."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consentcrawl.core import ROBOTS_TXT, Category, Evidence, Fields, Gate, Ground, Need, disallow
from consentcrawl.storage import NO_ANSWER_SERVES, Store
from consentcrawl.storage.memory import MemoryStore
from consentcrawl.storage.sqlite import LEASE_SECONDS, SqliteStore
from consentcrawl.storage.turns import HELD_SECONDS

URL = "https://art.example/robots.txt"
NOW = 1_767_225_600.0
KINDS: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "kept.db"),
}


@pytest.fixture(params=sorted(KINDS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = KINDS[request.param](tmp_path)
    yield made
    made.close()


def evidence(need: Need = ROBOTS_TXT, *, status: int | None = 200, content: bytes = b"x", gap: str = "") -> Evidence:
    return Evidence(need, URL, status=status, fields=Fields([("A", "b")]), content=content, at=NOW, gap=gap)


GROUND = Ground(
    "robots_meta", disallow(Category.TRAIN, "noai", "line 3", under=("inherit", "all")), "https://art.example/1"
)


def test_rfc9309_2_4_an_answer_serves_a_day_and_no_longer(store: Store) -> None:
    store.put(URL, evidence())
    kept = store.get(URL, ROBOTS_TXT, NOW + 86_399)
    assert kept is not None
    assert (kept.status, kept.content, kept.fields.pairs, kept.at) == (200, b"x", (("A", "b"),), NOW)
    assert store.get(URL, ROBOTS_TXT, NOW + 86_400) is None


@pytest.mark.parametrize("answer", [evidence(status=None, gap="dns"), evidence(status=503), evidence(gap="truncated")])
def test_ours_no_answer_is_kept_for_a_shorter_time(store: Store, answer: Evidence) -> None:
    store.put(URL, answer)
    kept = store.get(URL, ROBOTS_TXT, NOW + NO_ANSWER_SERVES - 1)
    assert kept is not None
    assert (kept.status, kept.gap) == (answer.status, answer.gap)
    assert store.get(URL, ROBOTS_TXT, NOW + NO_ANSWER_SERVES) is None


def test_ours_the_answer_to_another_need_is_not_given_out(store: Store) -> None:
    store.put(URL, evidence())
    assert store.get(URL, Need(Gate.LOOKUP, "/robots.txt", serves=60), NOW) is None
    assert store.get("https://other.example/robots.txt", ROBOTS_TXT, NOW) is None


def test_ours_what_was_learnt_is_recalled_by_key_once_and_in_time(store: Store) -> None:
    assert store.recall(["a", "b"], NOW) == []
    store.learn([("a", (GROUND, NOW + 10)), ("a", (GROUND, NOW + 20))])
    assert store.recall(["b"], NOW) == []
    assert store.recall(["b", "a"], NOW + 15) == [GROUND]
    assert store.recall(["a"], NOW + 20) == []


def test_ours_memory_is_bounded() -> None:
    store = MemoryStore(documents=3, size=1_000, keys=2)
    for n in range(5):
        store.put(f"{URL}?{n}", evidence())
        store.learn([(str(n), (GROUND, NOW + 10))])
    assert [store.get(f"{URL}?{n}", ROBOTS_TXT, NOW) is None for n in range(5)] == [True, True, False, False, False]
    assert [store.recall([str(n)], NOW) == [] for n in range(5)] == [True, True, True, False, False]
    store.put(URL, evidence(content=b"x" * 999))
    assert store.get(f"{URL}?4", ROBOTS_TXT, NOW) is not None
    store.put(URL, evidence(content=b"x" * 1_001))
    assert store.get(URL, ROBOTS_TXT, NOW) is None
    assert store.get(f"{URL}?4", ROBOTS_TXT, NOW) is None


def test_ours_memory_leases_are_left_to_single_flight() -> None:
    store = MemoryStore()
    assert store.lease(URL, NOW)
    assert store.lease(URL, NOW)
    store.release(URL)
    store.close()


def test_ours_sqlite_survives_a_restart(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "kept.db")
    first.put(URL, evidence())
    first.learn([("a", (GROUND, NOW + 10))])
    first.close()
    again = SqliteStore(tmp_path / "kept.db")
    kept = again.get(URL, ROBOTS_TXT, NOW)
    assert kept is not None
    assert kept is again.get(URL, ROBOTS_TXT, NOW)
    assert again.recall(["a"], NOW) == [GROUND]
    again.close()


def test_ours_sqlite_refuses_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "kept.db").write_bytes(b"not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        SqliteStore(tmp_path / "kept.db")


def test_ours_sqlite_gives_each_thread_a_connection_of_its_own(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "kept.db")
    store.put(URL, evidence())
    store._front = MemoryStore()
    seen: list[Evidence | None] = []
    thread = threading.Thread(target=lambda: seen.append(store.get(URL, ROBOTS_TXT, NOW)))
    thread.start()
    thread.join()
    assert seen[0] is not None
    store.close()


def _take(path: Path, now: float, out: multiprocessing.Queue[bool]) -> None:
    out.put(SqliteStore(path).lease(URL, now))


def test_ours_one_process_has_the_lease_until_it_runs_out(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    mine = SqliteStore(path)
    assert mine.lease(URL, NOW)
    context = multiprocessing.get_context("fork")
    out: multiprocessing.Queue[bool] = context.Queue()

    def others(now: float) -> bool:
        process = context.Process(target=_take, args=(path, now, out))
        process.start()
        process.join()
        return out.get(timeout=5)

    assert not others(NOW + LEASE_SECONDS - 1)
    assert others(NOW + LEASE_SECONDS)
    mine.release(URL)
    assert not mine.lease(URL, NOW + LEASE_SECONDS)
    assert mine.lease(URL, NOW - 10 * LEASE_SECONDS), "a clock set back does not keep a lease for ever"
    mine.close()


def test_ours_a_clock_that_was_set_back_makes_nothing_serve_longer(store: Store) -> None:
    store.put(URL, evidence())
    store.learn([("a", (GROUND, NOW + 86_400))])
    for now, there in ((NOW, True), (NOW - 200, True), (NOW - 400, False), (NOW - 10 * 365 * 86_400, False)):
        assert (store.get(URL, ROBOTS_TXT, now) is not None) == there
        assert bool(store.recall(["a"], now)) == there


def test_ours_a_locked_file_knows_nothing_and_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consentcrawl.storage.sqlite._WAIT_SECONDS", 0.01)
    store, other = SqliteStore(tmp_path / "s"), SqliteStore(tmp_path / "s")
    other.put("https://b.example/robots.txt", evidence())
    blocking = sqlite3.connect(tmp_path / "s", isolation_level=None)
    blocking.execute("BEGIN EXCLUSIVE")
    assert store.lease(URL, NOW)
    store.put(URL, evidence())
    store.release(URL)
    store.learn([("a", (GROUND, NOW + 10))])
    assert store.get(URL, ROBOTS_TXT, NOW) is not None
    assert store.recall(["a"], NOW) == [GROUND]
    blocking.execute("ROLLBACK")
    blocking.close()
    (tmp_path / "s").write_bytes(b"no database" * 1000)
    fresh = "https://c.example/robots.txt"
    assert store.get(fresh, ROBOTS_TXT, NOW) is None
    assert store.lease(fresh, NOW)
    for each in (store, other):
        each.close()


ORIGIN = "https://art.example"


def test_ours_one_request_to_an_origin_at_a_time_and_no_closer_than_its_delay(store: Store) -> None:
    assert store.take_turn(ORIGIN, NOW, 2.0) == 0
    assert 0 < store.take_turn(ORIGIN, NOW + 3, 2.0) <= 1
    assert store.take_turn("https://other.example", NOW, 2.0) == 0
    store.end_turn(ORIGIN, NOW + 6)
    assert store.take_turn(ORIGIN, NOW + 4, 2.0) == pytest.approx(2.0)
    assert store.take_turn(ORIGIN, NOW + 6, 2.0) == 0


def test_ours_a_turn_that_was_never_ended_is_over_after_ten_seconds(store: Store) -> None:
    assert store.take_turn(ORIGIN, NOW, 2.0) == 0
    assert store.take_turn(ORIGIN, NOW + HELD_SECONDS - 1, 2.0) > 0
    assert store.take_turn(ORIGIN, NOW + HELD_SECONDS, 2.0) == 0


def test_ours_an_origin_that_is_put_off_stays_held(store: Store) -> None:
    assert store.take_turn(ORIGIN, NOW, 0.0) == 0
    store.end_turn(ORIGIN, NOW + 1, held=True)
    assert store.take_turn(ORIGIN, NOW + 2, 0.0) > 0
    store.end_turn(ORIGIN, NOW)
    assert store.take_turn(ORIGIN, NOW + 2, 0.0) == 0


def test_ours_a_turn_from_a_clock_that_was_set_back_does_not_count(store: Store) -> None:
    store.end_turn(ORIGIN, NOW + 10 * 86_400)
    assert store.take_turn(ORIGIN, NOW, 2.0) == 0


@pytest.mark.parametrize("value", ["'soon'", "x'ff'", "NULL", "9e999", "-9e999"])
@pytest.mark.parametrize("column", ["next_at", "held_until"])
def test_ours_a_damaged_turn_is_one_that_is_not_there(tmp_path: Path, column: str, value: str) -> None:
    store = SqliteStore(tmp_path / "kept.db")
    store.end_turn(ORIGIN, NOW)
    with sqlite3.connect(tmp_path / "kept.db") as database:
        database.execute(f"UPDATE pace SET {column} = {value}")  # noqa: S608 (the cases above)
    assert store.take_turn(ORIGIN, NOW + 1, 2.0) == 0
    with sqlite3.connect(tmp_path / "kept.db") as database:
        database.execute(f"UPDATE pace SET {column} = {value}")  # noqa: S608 (the cases above)
    store.end_turn(ORIGIN, NOW + 5)
    assert store.take_turn(ORIGIN, NOW + 2, 2.0) == pytest.approx(3.0)
    store.close()


def test_ours_a_store_that_cannot_be_written_keeps_turns_in_memory(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "kept.db")
    with sqlite3.connect(tmp_path / "kept.db") as database:
        database.execute("DROP TABLE pace")
    assert store.take_turn(ORIGIN, NOW, 2.0) == 0
    store.end_turn(ORIGIN, NOW + 2)
    assert store.take_turn(ORIGIN, NOW + 1, 2.0) == pytest.approx(1.0)
    store.close()
