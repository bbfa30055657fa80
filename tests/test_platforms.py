"""Lists of files on platforms: how many look-ups they take, and what is found from an address alone."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import consentcrawl
from consentcrawl import discovery
from consentcrawl.cli import app
from consentcrawl.core import Gate, Outcome, Verdict, host_of, name_of
from tests import platform_works, vector_files
from tests.platform_web import PlatformWeb, platforms
from tests.platform_works import LISTS, World, addresses, files, opted_out


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformWeb]:
    with platforms(tmp_path_factory.mktemp("web")) as running:
        yield running


@pytest.fixture(autouse=True)
def floors_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-ups are counted here, and not timed: the floors of platforms have tests of their own."""
    monkeypatch.setattr("consentcrawl.sources.pacing.seconds_between", lambda *_: 0.0)


@pytest.fixture
def world(web: PlatformWeb) -> World:
    web.answers, world = World(), World()
    web.answers = world
    web.asked.clear()
    return world


@pytest.fixture
def settings(web: PlatformWeb, tmp_path: Path) -> Path:
    """Settings that lead every host here, with a key for each platform that wants one."""
    connect_to = [f":443:127.0.0.1:{web.https}", f":80:127.0.0.1:{web.http}"]
    lines = ["[network]", f"connect_to = {connect_to}", f"roots = '{web.directory / 'ca.pem'}'"]
    for name, value in platform_works.KEYS.items():
        platform, key = name.split(".")
        lines += [f"[platforms.{platform}]"] * (f"[platforms.{platform}]" not in lines) + [f"{key} = '{value}'"]
    path = tmp_path / "consentcrawl.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def check(settings: Path, *words: str) -> Result:
    result = CliRunner().invoke(app, ["check", "--config", str(settings), "--gate", "lookup", "--quiet", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def decide(steward: consentcrawl.Steward, url: str) -> Verdict:
    inquiry = steward.open(url, reach=Gate.LOOKUP)
    steward.look_up(inquiry)
    return steward.decide(inquiry)


def test_ours_a_thousand_files_take_no_more_look_ups_than_works_and_makers(
    web: PlatformWeb, world: World, settings: Path, tmp_path: Path
) -> None:
    rows = list(addresses(17))[:1000]
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(url for _, url in rows), "utf-8")
    options = (str(listed), "--store", str(tmp_path / "store.db"), "--format", "jsonl")
    first = check(settings, *options)
    works = len(rows) // 2
    assert len(rows) == 1000
    assert len(web.look_ups) == len(set(web.look_ups)), "nothing is asked for twice"
    assert len(web.look_ups) <= works + len(world.makers)
    assert sum("wikimedia" in place or "500px" in place for place in web.look_ups) <= 4, "50 works in one look-up"
    verdicts = [json.loads(line) for line in first.stdout.splitlines()]
    outcomes = Counter(verdict["outcome"] for verdict in verdicts)
    assert outcomes.keys() == {"permit", "refuse", "undetermined"}
    web.asked.clear()
    second = check(settings, *options)
    assert web.asked == []
    again = [json.loads(line) for line in second.stdout.splitlines()]
    assert [v["outcome"] for v in again] == [v["outcome"] for v in verdicts]


WORKS_AND_MAKERS = 3 + 3


@pytest.mark.parametrize("platform", LISTS)
@pytest.mark.usefixtures("world")
def test_ours_a_platform_costs_what_is_written(platform: str, web: PlatformWeb) -> None:
    steward = consentcrawl.Steward(web.config(secrets=platform_works.KEYS))
    urls = [url for n in (1001, 1002, 1003) for url in files(platform, n)]
    cost, outcomes = LISTS[platform]["look_ups"], LISTS[platform]["outcomes"]
    for expected in (cost, 0):
        web.asked.clear()
        steward.prepare(urls)
        assert sorted({str(decide(steward, url).outcome) for url in urls}) == outcomes
        assert len(web.look_ups) == expected
    # A Bluesky maker's choice lies in four documents, however many their works.
    assert cost <= WORKS_AND_MAKERS or platform == "bluesky"
    steward.close()


def test_ours_a_makers_further_works_cost_nothing_at_bluesky(web: PlatformWeb, world: World) -> None:
    steward = consentcrawl.Steward(web.config())
    for n in range(0, 400, 4):
        decide(steward, files("bluesky", n)[0])
    assert (len(web.look_ups), len(world.makers)) == (4, 1)
    steward.close()


def test_ours_the_lists_are_those_of_their_platforms() -> None:
    hosts = discovery.Hosts(discovery.signals())
    for platform, table in vector_files.tables(vector_files.PLUGINS, "list"):
        assert table.keys() <= {"name", "files", "look_ups", "outcomes", "answer"}
        for url in files(table["name"], 1000):
            assert platform in map(name_of, hosts.plugins(host_of(url)))


@pytest.mark.usefixtures("world")
def test_ours_a_list_of_deviations_alone_is_refused_where_their_pages_say_so(
    web: PlatformWeb, settings: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "deviations.txt"
    listed.write_text("\n".join(files("deviantart", n)[0] for n in range(100_000, 100_040)), "utf-8")
    result = check(settings, str(listed), "--format", "jsonl")
    verdicts = [json.loads(line) for line in result.stdout.splitlines()]
    assert [v["outcome"] for v in verdicts] == ["refuse" if opted_out(n) else "permit" for n in range(100_000, 100_040)]
    assert result.exit_code == 1
    assert {ground["signal"] for ground in verdicts[0]["grounds"]} == {"deviantart"}
    assert len(web.look_ups) == 40


@pytest.mark.usefixtures("world")
def test_ours_a_page_answers_for_the_other_works_on_it(web: PlatformWeb) -> None:
    steward = consentcrawl.Steward(web.config())
    assert decide(steward, files("deviantart", 2000)[0]).outcome is Outcome.REFUSE
    web.asked.clear()
    other = decide(steward, files("deviantart", 9000)[0])
    assert (other.outcome, web.look_ups) == (Outcome.REFUSE, [])
    assert other.deciding[0].source == "https://www.deviantart.com/deviation/2000"
    steward.close()


@pytest.mark.usefixtures("world")
def test_ours_keys_are_sent_and_never_shown(web: PlatformWeb) -> None:
    steward = consentcrawl.Steward(web.config(secrets={"flickr.api_key": "k", "gelbooru.api_key": "k"}))
    verdict = decide(steward, files("flickr", 1234567)[0])
    assert "api_key=k&" in web.look_ups[0]
    shown = json.dumps(verdict.as_json())
    assert "license 4" in shown
    assert "api_key=k&" not in shown
    steward.close()


@pytest.mark.usefixtures("world")
def test_ours_tasks_follow_a_source_as_threads_do(web: PlatformWeb) -> None:
    steward = consentcrawl.Steward(web.config())

    async def ask(n: int) -> Outcome:
        inquiry = steward.open(files("danbooru", n)[0], reach=Gate.LOOKUP)
        await steward.look_up_async(inquiry)
        return steward.decide(inquiry).outcome

    async def all_at_once() -> list[Outcome]:
        return await asyncio.gather(*(ask(n) for n in (3000, 3001, 3000)))

    assert asyncio.run(all_at_once()) == [Outcome.REFUSE, Outcome.PERMIT, Outcome.REFUSE]
    assert len(web.look_ups) == 4
    steward.close()


def test_ours_a_platform_that_refuses_joint_look_ups_is_asked_for_each(web: PlatformWeb, world: World) -> None:
    web.answers = lambda place: None if "%7C" in place else world(place)
    steward = consentcrawl.Steward(web.config())
    urls = [files("wikimedia", n)[0] for n in range(3)]
    steward.prepare([*urls, "no address", "https://art.example/1.jpg"])
    assert [decide(steward, url).outcome for url in urls] == [Outcome.PERMIT] * 3
    assert len(web.look_ups) == 4
    steward.close()
