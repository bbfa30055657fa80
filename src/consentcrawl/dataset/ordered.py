"""Rows worked on at once and given back in order.

One worker at a time works for an origin; no more rows than the window are in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Generic, TypeVar

R = TypeVar("R")
V = TypeVar("V")

WINDOW = 4096
_TURN = 64


def in_order(  # noqa: PLR0913 (the rows, the work and their bounds)
    rows: Iterable[R],
    origin: Callable[[R], str],
    work: Callable[[R], V],
    *,
    workers: int,
    window: int = WINDOW,
    give_up: Callable[[], None] = lambda: None,
) -> Generator[tuple[R, V], None, None]:
    """Return each row with what ``work`` makes of it, in order; ``workers`` origins are at work at a time.

    What ``work`` raises is raised here, at its row. When the caller stops or is interrupted, rows that nobody began
    are dropped, and ``give_up`` is called before those under way are waited for.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="consentcrawl-row") as pool:
        queues = _Queues(pool, work)
        try:
            yield from _answered(rows, lambda row: queues.put(origin(row), row), window)
        finally:
            queues.stop()
            give_up()


def _answered(rows: Iterable[R], put: Callable[[R], Future[V]], window: int) -> Generator[tuple[R, V], None, None]:
    waiting: deque[tuple[R, Future[V]]] = deque()
    for row in rows:
        if len(waiting) >= window:
            yield _first(waiting)
        waiting.append((row, put(row)))
        while waiting and waiting[0][1].done():
            yield _first(waiting)
    while waiting:
        yield _first(waiting)


def _first(waiting: deque[tuple[R, Future[V]]]) -> tuple[R, V]:
    row, answer = waiting.popleft()
    return row, answer.result()


class _Queues(Generic[R, V]):
    """A queue for each origin that has rows waiting, each with one worker at most."""

    def __init__(self, pool: ThreadPoolExecutor, work: Callable[[R], V]) -> None:
        self._pool, self._work = pool, work
        self._queues: dict[str, deque[tuple[R, Future[V]]]] = {}
        self._changing = Lock()
        self._stopped = False

    def put(self, origin: str, row: R) -> Future[V]:
        answer: Future[V] = Future()
        with self._changing:
            queue = self._queues.get(origin)
            if queue is not None:
                queue.append((row, answer))
                return answer
            self._queues[origin] = deque([(row, answer)])
        self._pool.submit(self._serve, origin)
        return answer

    def stop(self) -> None:
        self._stopped = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _serve(self, origin: str) -> None:
        """Work for one origin for a while, then let another have the worker."""
        queue = self._queues[origin]
        for _ in range(_TURN):
            row, answer = queue[0]
            try:
                answer.set_result(self._work(row))
            except BaseException as error:  # noqa: BLE001 (raised where it is asked for)
                answer.set_exception(error)
            with self._changing:
                queue.popleft()
                if not queue:
                    del self._queues[origin]
                    return
            if self._stopped:
                return
        if not self._stopped:
            self._pool.submit(self._serve, origin)
