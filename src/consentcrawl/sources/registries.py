"""The source that asks registries about many URLs at once: 10,000 to a call, ten calls at a time.

What a registry did not answer, or not in the form that was agreed, is a gap that holds, never a permission.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from consentcrawl.config import Config
from consentcrawl.core import Asset, Evidence, Need, Registry
from consentcrawl.sources.web import Reads, filled, missing
from consentcrawl.storage import Store

MOST_URLS = 10_000
MOST_BYTES = 2 * 1024 * 1024
AT_ONCE = 10
TIMEOUT = 20.0
"""Seconds for one call."""
TRIES = 3
_BACK_OFF = 0.5
_GATHERED_FOR = 0.01
_TOO_MANY, _SERVER_ERROR, _OK = 429, 500, 200

Waiting = dict[str, Future[Evidence]]


class Registries:
    """The source that asks registries, as their signals describe them."""

    shared = False

    def __init__(  # noqa: PLR0913 (two have defaults)
        self,
        config: Config,
        store: Store,
        clock: Callable[[], float],
        among: Iterable[Registry],
        *,
        reader: Reads | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask with a reader of their own, whose calls may take longer."""
        self._config, self._store, self._clock, self._pause = config, store, clock, pause
        self._reader: Reads = reader or replace(config, timeout=TIMEOUT).reader()
        self._modules = {registry.need.url: registry for registry in among}
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="consentcrawl-registry")
        self._changing = threading.Lock()
        self._flights: dict[str, Waiting] = {name: {} for name in self._modules}
        self._gathered: dict[str, Waiting] = {name: {} for name in self._modules}

    def meets(self, need: Need) -> bool:
        """Return whether ``need`` asks one of these registries about an asset."""
        return need.url in self._modules

    def known(self, need: Need, asset: Asset) -> Evidence | None:
        """Return what a registry said about the asset, if it was asked before."""
        return self._store.get(_key(need, asset.url), need, self._clock())

    def obtain(self, need: Need, asset: Asset) -> Future[Evidence]:
        """Ask about one asset; those that are asked about within a moment go into one call."""
        with self._changing:
            return self._gather(need, asset.url)

    def close(self) -> None:
        """Wait for the calls that are under way."""
        self._pool.shutdown(wait=True)

    def prepare(self, urls: Iterable[str]) -> None:
        """Begin to ask about many canonical URLs; does not wait."""
        with self._changing:
            for url in dict.fromkeys(urls):
                for module in self._modules.values():
                    self._gather(module.need, url)

    def _gather(self, need: Need, url: str) -> Future[Evidence]:
        """Return the call that is under way, what is known, or a place in the next call."""
        flights, gathered = self._flights[need.url], self._gathered[need.url]
        flight = flights.get(url)
        if flight is not None:
            return flight
        flight = Future()
        known = self._store.get(_key(need, url), need, self._clock())
        if known is not None:
            flight.set_result(known)
            return flight
        flights[url] = gathered[url] = flight
        if len(gathered) == 1 or len(gathered) % MOST_URLS == 0:
            self._pool.submit(self._call, need)
        return flight

    def _call(self, need: Need) -> None:
        """Ask about all that was gathered, a call's worth at a time."""
        self._pause(_GATHERED_FOR)
        while batch := self._batch(need):
            try:
                answers = self._kept(need, self._answers(need, list(batch)))
            except Exception as error:  # noqa: BLE001 (the callers wait for it)
                answers = dict.fromkeys(batch, self._gap(need, "reader_failed", f"{type(error).__name__}: {error}"))
            with self._changing:
                for url in batch:
                    self._flights[need.url].pop(url, None)
            for url, flight in batch.items():
                flight.set_result(answers[url])

    def _kept(self, need: Need, answers: dict[str, Evidence]) -> dict[str, Evidence]:
        """Keep answers, but not that a key is missing: it may be there with the next start."""
        for url, answer in answers.items():
            if answer.gap != "no_key":
                self._store.put(_key(need, url), answer)
        return answers

    def _batch(self, need: Need) -> Waiting:
        batch: Waiting = {}
        size = 0
        with self._changing:
            gathered = self._gathered[need.url]
            while gathered and len(batch) < MOST_URLS and size < MOST_BYTES:
                url = next(iter(gathered))
                batch[url] = gathered.pop(url)
                size += len(url) + 1
        return batch

    def _answers(self, need: Need, urls: Sequence[str]) -> dict[str, Evidence]:
        module = self._modules[need.url]
        asking = module.ask(urls)
        if lacking := missing(self._config, asking, asking.url):
            note = f"[platforms.*] of the settings lacks {', '.join(lacking)}"
            return dict.fromkeys(urls, self._gap(need, "no_key", note))
        answer = self._read(filled(self._config, asking, asking.url))
        if answer.gap or answer.status != _OK:
            gap = answer.gap or ("unreachable" if answer.unreachable else "blocked")
            return dict.fromkeys(urls, self._gap(need, gap, f"{asking.url}: status {answer.status}"))
        rows, odd = module.rows(answer.content)
        return self._split(need, urls, rows, odd, asking.url)

    def _split(
        self, need: Need, urls: Sequence[str], rows: Sequence[tuple[str, object]], odd: str, source: str
    ) -> dict[str, Evidence]:
        """Return each URL its own rows; an answer about other URLs than were asked about is odd as a whole."""
        by_url: dict[str, list[object]] = {}
        for url, row in rows:
            by_url.setdefault(url, []).append(row)
        reason = odd or ("malformed" if len(rows) != len(urls) or by_url.keys() != set(urls) else "")
        return {
            url: Evidence(
                need, source, status=_OK, content=json.dumps({"urls": by_url.get(url, [])}).encode(),
                at=self._clock(), gap=reason, note="not the rows that were asked for" if reason else "",
            )
            for url in urls
        }  # fmt: skip

    def _read(self, need: Need) -> Evidence:
        """Read, and try again a few times where a registry is busy or broken."""
        answer = self._reader.read(need, need.url)
        for n in range(1, TRIES):
            if answer.status is None or not (answer.status == _TOO_MANY or answer.status >= _SERVER_ERROR):
                break
            self._pause(_BACK_OFF * 2**n * (0.5 + random.random()))  # noqa: S311 (spreads the tries)
            answer = self._reader.read(need, need.url)
        return answer

    def _gap(self, need: Need, reason: str, note: str) -> Evidence:
        return Evidence(need, need.url, gap=reason, at=self._clock(), note=note)


def _key(need: Need, url: str) -> str:
    """The address under which a registry's answer about a URL is kept."""
    return f"{need.url} {url}"
