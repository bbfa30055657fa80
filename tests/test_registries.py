"""Registries: many URLs to a call, each answer kept by URL, and whatever is odd is a gap that holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from consentcrawl.config import Config, load
from consentcrawl.core import Asset, Evidence, Gate, Need, Outcome
from consentcrawl.net.guard import ConnectTo
from consentcrawl.sources import registries
from consentcrawl.sources.registries import Registries
from consentcrawl.steward import Steward
from consentcrawl.storage.memory import MemoryStore
from consentcrawl_plugins import spawning
from tests.raw_server import RawServer, certificate, response

assert spawning.SPEC.registry
REGISTRY = spawning.SPEC.registry
HOST = "opts-api.spawningaiapi.com"
SECRETS = {"spawning.api_key": "0123"}
Rows = list[dict[str, object]]


def answer(urls: Sequence[str], out: str = "out") -> bytes:
    return json.dumps({"urls": [{"url": u, "optOut": out in u, "optIn": "in" in u} for u in urls]}).encode()


class Reader:
    """Answers calls as a script says, and keeps them."""

    def __init__(self, *script: Callable[[list[str]], tuple[int | None, bytes]]) -> None:
        """Begin the script."""
        self.script, self.calls = list(script), list[Need]()

    def read(self, need: Need, url: str) -> Evidence:
        self.calls.append(need)
        status, content = self.script[min(len(self.calls), len(self.script)) - 1](need.content.decode().split())
        return Evidence(need, url, status=status, content=content, at=1.0, gap="" if status else "timeout")

    def head(self, *_: object) -> Evidence:
        raise AssertionError

    prefix = head


def asking(reader: Reader, secrets: dict[str, str] = SECRETS) -> Registries:
    config = Config(secrets=secrets)
    return Registries(config, MemoryStore(), lambda: 1.0, [REGISTRY], reader=reader, pause=lambda _: None)


def good(urls: list[str]) -> tuple[int, bytes]:
    return 200, answer(urls)


def test_ours_ten_thousand_urls_to_a_call_and_each_is_asked_once() -> None:
    reader = Reader(good)
    asked = asking(reader)
    urls = [f"https://art.example/{n}.jpg" for n in range(12_000)]
    asked.prepare(urls)
    answers = [asked.obtain(REGISTRY.need, Asset(url)).result(10) for url in urls]
    assert not any(a.gap for a in answers)
    assert max(len(call.content.split()) for call in reader.calls) <= registries.MOST_URLS
    assert sum(len(call.content.split()) for call in reader.calls) == len(urls)
    assert reader.calls[0].fields[0] == ("Authorization", "API 0123")
    asked.prepare(urls)
    assert asked.known(REGISTRY.need, Asset(urls[0])) is not None
    asked.close()


@pytest.mark.parametrize(
    ("script", "reason", "calls"),
    [
        ([lambda _: (200, b"<html>under maintenance")], "malformed", 1),
        ([lambda _: (200, b"{}")], "malformed", 1),
        ([lambda _: (200, answer(["https://other.example/"]))], "malformed", 1),
        ([lambda u: (200, answer([*u, *u]))], "malformed", 1),
        ([lambda _: (None, b"")], "timeout", 1),
        ([lambda _: (403, b"")], "blocked", 1),
        ([lambda _: (429, b"")], "unreachable", 3),
        ([lambda _: (503, b""), good], "", 2),
        ([lambda _: (429, b""), lambda _: (500, b""), good], "", 3),
        ([lambda _: 1 / 0], "reader_failed", 1),
    ],
)
def test_ours_odd_answers_are_gaps(
    script: list[Callable[[list[str]], tuple[int, bytes]]], reason: str, calls: int
) -> None:
    reader = Reader(*script)
    asked = asking(reader)
    evidence = asked.obtain(REGISTRY.need, Asset("https://art.example/1.jpg")).result(10)
    assert (evidence.gap, len(reader.calls)) == (reason, calls)
    asked.close()


def test_ours_a_missing_row_is_a_gap_and_an_opt_out_beside_it_counts() -> None:
    asked = asking(Reader(lambda u: (200, answer([x for x in u if "lost" not in x]))))
    asked.prepare(["https://art.example/lost", "https://art.example/out"])
    lost = asked.obtain(REGISTRY.need, Asset("https://art.example/lost")).result(10)
    out = asked.obtain(REGISTRY.need, Asset("https://art.example/out")).result(10)
    assert (lost.gap, out.gap) == ("malformed", "malformed")
    assert b'"optOut": true' in out.content
    asked.close()


def test_ours_no_key_is_a_gap_and_not_kept() -> None:
    reader = Reader(good)
    asked = asking(reader, {})
    evidence = asked.obtain(REGISTRY.need, Asset("https://art.example/1.jpg")).result(10)
    assert (evidence.gap, reader.calls) == ("no_key", [])
    assert asked.known(REGISTRY.need, Asset("https://art.example/1.jpg")) is None
    asked.close()


def test_ours_a_section_without_a_key_is_configured(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[platforms.spawning]\n")
    assert load(tmp_path / "c.toml", {}).configured == {"platforms.spawning"}


def test_ours_the_registry_behind_its_name_over_tls(tmp_path: Path) -> None:
    roots, tls = certificate(tmp_path, HOST)
    url = "http://127.0.0.1:9/out.jpg"
    with RawServer(response(200, answer([url])), tls) as server:
        config = Config(
            secrets=SECRETS, platforms=frozenset({"spawning"}), roots=str(roots), allow=("127.0.0.0/8",),
            connect_to=(ConnectTo(HOST, 443, "127.0.0.1", server.port),),
        )  # fmt: skip
        by = Steward(config)
        by.prepare([url, "no url"])
        inquiry = by.open(url, reach=Gate.LOOKUP, settle=False)
        by.look_up(inquiry)
        verdict = by.decide(inquiry)
        again = by.open(url, reach=Gate.LOOKUP)
        by.close()
    assert verdict.outcome is Outcome.REFUSE
    assert {ground.signal for ground in verdict.deciding} >= {"spawning"}
    assert again.needs() == []
    assert server.connections == 1
    sent = server.seen[0]
    assert b"Authorization: API 0123\r\n" in sent
    assert sent.startswith(b"POST /api/v2/query/urls/ ")
    assert sent.endswith(b"\r\n\r\n" + url.encode() + b"\n")
