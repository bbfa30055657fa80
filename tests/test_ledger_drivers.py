"""What drivers and dry runs leave in the ledger: every verdict, what it rested on, and what the caller was given."""

from __future__ import annotations

import asyncio
import errno
import gzip
import json
import pickle
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests
from typer.testing import CliRunner

import consentcrawl
from consentcrawl.cli import app
from consentcrawl.cli.tally import Tally
from consentcrawl.core import Outcome
from consentcrawl.drivers import aiohttp as aiohttp_driver
from consentcrawl.drivers import requests as requests_driver
from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.erasure import erase_rows
from consentcrawl.ledger.evidence import EvidenceStore
from consentcrawl.ledger.journal import SEGMENTS
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.reading import Line, lines
from consentcrawl.ledger.recording import Delivered
from consentcrawl.ledger.recording.audit import audit
from consentcrawl.ledger.recording.batch import BatchRecord
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.ledger.recording.opening import EVIDENCE
from consentcrawl.ledger.records import as_verdict, verdict_record
from consentcrawl.ledger.segment_rows import PERSONAL, as_entry, as_row
from consentcrawl.ledger.segments import SegmentReader, check_segment
from consentcrawl.ledger.verify import verify
from consentcrawl.steward import Steward
from tests.faults import FaultyFiles
from tests.test_ledger_entry import verdict as full_verdict
from tests.test_ledger_record import URL, ground, robots, verdict
from tests.website import FILM_HEAD, Answer, Site, noise, serving

IMAGE = noise()
FILM = FILM_HEAD + bytes(range(256)) * 1000
TEXT = b"<p>art</p>" * 500
ROBOTS = b"User-agent: *\nDisallow: /closed/\n"
HTML = ("Content-Type", "text/html")
PAGES = {
    "/robots.txt": Answer(ROBOTS, fields=(("Content-Type", "text/plain"),)),
    "/free.jpg": Answer(IMAGE, fields=(("Content-Type", "image/jpeg"),)),
    "/noai.jpg": Answer(IMAGE, fields=(("Content-Type", "image/jpeg"), ("X-Robots-Tag", "noai"))),
    "/film.mp4": Answer(FILM, fields=(("Content-Type", "video/mp4"),)),
    "/packed.html": Answer(gzip.compress(TEXT), fields=(HTML, ("Content-Encoding", "gzip"))),
    "/empty.jpg": Answer(status=204),
    "/hop": Answer(status=302, fields=(("Location", "/free.jpg"),)),
}
CONFIG = consentcrawl.Config(allow=("127.0.0.0/8",))
Get = Callable[[str, Path, str], None]


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


def by_requests(url: str, ledger: Path, how: str) -> None:
    with requests_driver.session(config=CONFIG, ledger=ledger) as session:
        if how == "whole":
            session.get(url, timeout=5)
        elif how == "head":
            session.head(url, timeout=5)
        elif how == "part":
            response = session.get(url, stream=True, timeout=5)
            next(response.iter_content(1000))
            response.close()
        elif how == "pieces":
            for _ in session.get(url, stream=True, timeout=5).iter_content(777):
                pass
        else:  # the file below, as shutil.copyfileobj reads it
            raw = session.get(url, stream=True, timeout=5).raw
            while raw.read(5000, decode_content=True):
                pass


def by_aiohttp(url: str, ledger: Path, how: str) -> None:
    async def get() -> None:
        async with (
            aiohttp_driver.session(config=CONFIG, ledger=ledger) as session,
            session.request("HEAD" if how == "head" else "GET", url) as response,
        ):
            if how == "whole":
                await response.read()
            elif how == "part":
                await response.content.readexactly(1000)
            elif how == "pieces":
                async for _ in response.content.iter_chunked(777):
                    pass
            elif how == "raw":
                async for _ in response.content.iter_chunks():
                    pass

    asyncio.run(get())


GETS: dict[str, Get] = {"requests": by_requests, "aiohttp": by_aiohttp}


def kept(ledger: Path, kind: str) -> list[Line]:
    assert verify(ledger).findings == []
    return [line for line in lines(ledger) if line.record["kind"] == kind]


@pytest.mark.parametrize("get", GETS.values(), ids=GETS)
@pytest.mark.parametrize(
    ("asked", "content"),
    [
        ("/free.jpg whole", IMAGE),
        ("/free.jpg pieces", IMAGE),
        ("/film.mp4 whole", FILM),
        ("/film.mp4 part", FILM[:1000]),
        ("/film.mp4 raw", FILM),
        ("/packed.html whole", TEXT),
        ("/packed.html pieces", TEXT),
        ("/packed.html raw", TEXT),
        ("/empty.jpg whole", b""),
        ("/free.jpg head", b""),
    ],
)
def test_ours_an_outcome_tells_what_the_caller_was_given(
    get: Get, asked: str, content: bytes, site: Site, tmp_path: Path
) -> None:
    path, how = asked.split()
    get(site.origin + path, tmp_path / "l", how)
    (decided,), (outcome,) = kept(tmp_path / "l", "verdict"), kept(tmp_path / "l", "outcome")
    assert outcome.record["verdict"] == decided.index
    assert (outcome.record["size"], outcome.record["sha256"]) == (len(content), sha256(content).hexdigest())
    assert outcome.urls == decided.urls == (site.origin + path,)


@pytest.mark.parametrize("get", GETS.values(), ids=GETS)
def test_ours_every_hop_and_every_refusal_is_there_with_what_it_rested_on(get: Get, site: Site, tmp_path: Path) -> None:
    get(site.origin + "/hop", tmp_path / "l", "whole")
    for path in ("/noai.jpg", "/closed/a.jpg"):
        with pytest.raises(consentcrawl.Refused):
            get(site.origin + path, tmp_path / "l", "whole")
    with pytest.raises(consentcrawl.Undetermined):
        get("http://a.example/" + "a" * 9000, tmp_path / "l", "whole")
    said = kept(tmp_path / "l", "verdict")
    assert [line.urls[0].removeprefix(site.origin)[:20] for line in said] == [
        "/hop", "/free.jpg", "/noai.jpg", "/closed/a.jpg", "http://a.example/aaa",
    ]  # fmt: skip
    assert [line.record["status"] for line in kept(tmp_path / "l", "outcome")] == [302, 200]
    store = EvidenceStore(tmp_path / "l" / EVIDENCE)
    for line in said[:4]:
        sent = {each.url: document for each, document in store.behind(line.record["evidence"])}
        document = sent[site.origin + "/robots.txt"]
        assert document is not None
        assert document.content == ROBOTS


@pytest.mark.parametrize("driver", ["requests", "aiohttp"])
def test_ours_without_a_durable_record_no_byte_is_delivered(driver: str, site: Site, tmp_path: Path) -> None:
    record = LedgerRecord.open(tmp_path / "l")
    record._keeper._store._files = FaultyFiles(1, errno.ENOSPC)
    steward = Steward(CONFIG, record=record)

    async def ask() -> None:
        async with (
            aiohttp_driver.session(steward=steward) as session,
            session.get(site.origin + "/free.jpg") as response,
        ):
            await response.read()

    def get() -> None:
        requests_driver.session(steward=steward).get(site.origin + "/free.jpg", timeout=5)

    for _ in range(2):
        with pytest.raises(LedgerBroken):
            get() if driver == "requests" else asyncio.run(ask())
    assert kept(tmp_path / "l", "verdict") == []
    with pytest.raises(LedgerBroken):
        steward.close()


def test_ours_a_response_that_nobody_closed_is_told_of_when_it_is_gone(site: Site, tmp_path: Path) -> None:
    steward = Steward(CONFIG, record=LedgerRecord.open(tmp_path / "l"))
    session = requests_driver.session(steward=steward)
    response = session.get(site.origin + "/film.mp4", stream=True, timeout=5)
    response.raw.read(10)
    del response
    session.close()
    steward.close()
    (outcome,) = kept(tmp_path / "l", "outcome")
    assert outcome.record["size"] == 10


def test_ours_a_task_that_forgets_its_response_is_told_of_as_well(site: Site, tmp_path: Path) -> None:
    steward = Steward(CONFIG, record=LedgerRecord.open(tmp_path / "l"))

    async def get() -> None:
        async with aiohttp_driver.session(steward=steward) as session:
            response = await session.get(site.origin + "/film.mp4")
            await response.content.readexactly(10)
            stream = response.content
            response.close()
            del stream, response
            other = await session.get(site.origin + "/free.jpg")
            assert await other.content.readany()
            assert other.content.read_nowait(0) == b""

    asyncio.run(get())
    steward.close()
    assert [line.record["size"] for line in kept(tmp_path / "l", "outcome")] == [10, len(IMAGE)]


def test_ours_a_session_shuts_its_own_steward_and_no_other(site: Site, tmp_path: Path) -> None:
    session = requests_driver.session(config=CONFIG, ledger=tmp_path / "l")
    session.get(site.origin + "/free.jpg", timeout=5)
    again = pickle.dumps(session)
    session.close()
    assert kept(tmp_path / "l", "run-stop")
    copy: requests.Session = pickle.loads(again)  # noqa: S301 (made above)
    with copy, pytest.raises(consentcrawl.Refused):
        copy.get(site.origin + "/closed/a.jpg", timeout=5)
    steward = Steward(CONFIG)
    requests_driver.session(steward=steward).close()
    assert steward.decide(steward.open("https://a.example/")).outcome is Outcome.UNDETERMINED
    with pytest.raises(ValueError, match="its own ledger"):
        requests_driver.session(steward=steward, ledger=tmp_path / "l")
    steward.close()


def test_ours_settings_and_environment_name_the_ledger(tmp_path: Path) -> None:
    file = tmp_path / "consentcrawl.toml"
    file.write_text(f'[ledger]\ndirectory = "{tmp_path}/a"\n')
    assert consentcrawl.load(file, {}).ledger == f"{tmp_path}/a"
    config = consentcrawl.load(file, {"CONSENTCRAWL_LEDGER_DIRECTORY": f"{tmp_path}/b"})
    Steward(config).close()
    assert len(kept(tmp_path / "b", "run-stop")) == 1
    for odd in ("directory = 1", 'place = "x"'):
        file.write_text(f"[ledger]\n{odd}\n")
        with pytest.raises(consentcrawl.BadPolicy, match="ledger"):
            consentcrawl.load(file, {})


def check(*words: str) -> tuple[int, list[dict[str, Any]]]:
    result = CliRunner().invoke(app, ["check", "--allow-net", "127.0.0.0/8", "--format", "jsonl", "-q", *words])
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_ours_check_of_single_urls_writes_entries(site: Site, tmp_path: Path) -> None:
    code, (row,) = check(site.origin + "/noai.jpg", "--ledger", str(tmp_path / "l"))
    (line,) = kept(tmp_path / "l", "verdict")
    assert code == 1
    assert as_verdict(line.record, line.urls)["grounds"][0]["quote"] == row["grounds"][0]["quote"] == "noai"
    assert next(lines(tmp_path / "l")).record["command"] == "check"


def test_ours_check_of_a_list_writes_a_segment_that_gives_every_verdict_back(site: Site, tmp_path: Path) -> None:
    urls = tmp_path / "urls.txt"
    paths = ["/free.jpg", "/noai.jpg", "/hop", "/closed/a.jpg", "/empty.jpg"]
    urls.write_text("".join(f"{site.origin}{path}\n" for path in paths) + "no url\n")
    ledger = tmp_path / "l"
    _, said = check(str(urls), "--ledger", str(ledger))
    (entry,) = kept(ledger, "segment")
    path = ledger / SEGMENTS / entry.record["file"]
    assert check_segment(path, entry.record) == ()
    assert entry.record["personal_columns"] == list(PERSONAL)
    told = [as_verdict(*as_entry(row)) for _, row in SegmentReader(path, entry.record).rows()]
    assert len(told) == entry.record["rows"] == len(paths) + 2  # a hop has a row of its own, and so has what is no URL
    for row in said:
        same = [each for each in told if each["url"] in (row["url"], row["hops"] and site.origin + "/free.jpg")]
        assert any(_alike(each, row) for each in same), row
    store = EvidenceStore(ledger / EVIDENCE)
    with Ledger.open(ledger) as log:
        assert erase_rows(log, entry.index, SegmentReader(path, entry.record), [site.origin + "/free.jpg"]) == 2
    assert audit(ledger).report.findings == []
    reader = SegmentReader(path, entry.record)
    assert list(reader.naming([site.origin + "/free.jpg"])) == []
    for _, row in reader.naming([site.origin + "/noai.jpg"]):
        record, found = as_entry(row)
        assert found == (site.origin + "/noai.jpg",)
        contents = [document.content for _, document in store.behind(record["evidence"]) if document is not None]
        assert ROBOTS in contents
        assert any(b"X-Robots-Tag: noai" in content for content in contents)


def _alike(told: dict[str, Any], row: dict[str, Any]) -> bool:
    same = ("outcome", "purpose", "gate", "enforced", "policy", "version", "hops")
    quotes = [[ground["quote"] for ground in each["grounds"]] for each in (told, row)]
    return all(told[key] == row[key] for key in same) and quotes[0] == quotes[1]


def test_ours_a_verdict_comes_back_from_its_row_as_from_its_entry() -> None:
    for one in (full_verdict(), verdict(), verdict(ground(URL))):
        record, urls = verdict_record(one, ["ab" * 32])
        row = dict.fromkeys(("agreement", "left_out", "evidence")) | as_row(record, urls)
        grounds = [dict.fromkeys(("source", "place")) | ground for ground in row["grounds"] or ()]
        gaps = [dict.fromkeys(("source", "place")) | gap for gap in row["gaps"] or ()]
        hops = [dict.fromkeys(("source", "place")) | hop for hop in row["hops"] or ()]
        back, found = as_entry(row | {"grounds": grounds, "gaps": gaps, "hops": hops})
        assert as_verdict(back, found) == as_verdict(record, urls)


def test_ours_a_batch_is_written_when_it_is_full_and_when_it_is_old(tmp_path: Path) -> None:
    now = [0.0]
    opened = LedgerRecord.open(tmp_path / "none")
    record = BatchRecord(opened.ledger, opened._keeper, rows=5, clock=lambda: now[0])
    shared = [robots()]
    for n in range(12):
        assert record.record_verdict(verdict(url=f"{URL}?{n}"), shared).result() == n
    now[0] = 700.0
    record.record_verdict(verdict(), [robots(b"other")]).result()
    record.record_verdict(verdict(ground(URL)), shared).result()
    with pytest.raises(LedgerBroken, match="dry run"):
        record.record_outcomes([(verdict(), 0, Delivered(200, 1, ""))]).result()
    record.close()
    record.close()
    with pytest.raises(LedgerBroken, match="closed"):
        record.record_verdict(verdict(), shared).result()
    entries = [line.record for line in lines(tmp_path / "none") if line.record["kind"] == "segment"]
    assert [entry["rows"] for entry in entries] == [5, 5, 3, 1]
    assert pq.read_table(tmp_path / "none" / SEGMENTS / entries[0]["file"]).num_rows == 5
    opened.close()


def test_ours_a_batch_whose_documents_cannot_be_kept_is_broken(tmp_path: Path) -> None:
    record = BatchRecord.open(tmp_path / "l")
    record._keeper._store._files = FaultyFiles(3, errno.ENOSPC)
    told = [record.record_verdict(verdict(url=f"{URL}?{n}"), [robots(b"%d" % n)]).exception() for n in range(3)]
    assert any(isinstance(each, LedgerBroken) for each in told)
    with pytest.raises(LedgerBroken):
        record.close()
    assert kept(tmp_path / "l", "segment") == []


def test_ours_an_interrupted_list_keeps_its_rows(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = tmp_path / "urls.txt"
    urls.write_text(f"{site.origin}/free.jpg\n{site.origin}/noai.jpg\n")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Tally, "count", interrupt)
    code, _ = check(str(urls), "--ledger", str(tmp_path / "l"))
    assert code == 130
    (entry,) = kept(tmp_path / "l", "segment")
    assert entry.record["rows"] >= 1
