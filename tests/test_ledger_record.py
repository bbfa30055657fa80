"""The ledger as a steward sees it: what is kept with a verdict, in which order, and what a failed write stops."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from consentcrawl.config import Config, policy
from consentcrawl.core import (
    BODY,
    HEAD,
    ROBOTS_TXT,
    Category,
    Evidence,
    Fields,
    Gap,
    Gate,
    Ground,
    Need,
    Outcome,
    Verdict,
    disallow,
)
from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.evidence import Document, EvidenceStore, NoEvidence
from consentcrawl.ledger.evidence.evidence_list import MEDIA_TYPE, LookedUp, read, written
from consentcrawl.ledger.reading import Line, lines
from consentcrawl.ledger.recording import Delivered
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.ledger.recording.opening import EVIDENCE
from consentcrawl.ledger.verify import verify
from tests import containers, packets
from tests.faults import FaultyFiles

URL = "https://art.example/work/1.jpg"
ROBOTS = b"User-agent: *\nDisallow: /private/\n"
AT = 1_790_000_000.5
SECRET = "k3y-of-the-taker"  # noqa: S105 (nobody's)


def answer(need: Need, url: str, content: bytes = b"", status: int | None = 200, **more: str) -> Evidence:
    """One answer; keywords are its fields, but for ``gap``."""
    gap = more.pop("gap", "")
    fields = Fields((name.replace("_", "-"), value) for name, value in more.items())
    return Evidence(need, url, status=status, fields=fields, content=content, at=AT, gap=gap)


def robots(content: bytes = ROBOTS) -> Evidence:
    """A robots.txt."""
    return answer(ROBOTS_TXT, "https://art.example/robots.txt", content, Content_Type="text/plain", Date="today")


def verdict(*grounds: Ground, url: str = URL, gaps: tuple[Gap, ...] = ()) -> Verdict:
    """Some verdict."""
    outcome = Outcome.REFUSE if grounds else Outcome.PERMIT
    return Verdict(
        url=url, outcome=outcome, purpose="train-ai", gate=Gate.BODY, enforced=True, grounds=grounds, gaps=gaps,
        decided_at=AT, version="1", deciding=grounds,
    )  # fmt: skip


def ground(source: str, quote: str = "noai") -> Ground:
    """A statement read from ``source``."""
    return Ground("x_robots_tag", disallow(Category.TRAIN, quote, "somewhere"), source)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[LedgerRecord]:
    """An open ledger."""
    opened = LedgerRecord.open(tmp_path / "l", Config(secrets={"flickr.api_key": SECRET, "flickr.user": "123"}))
    yield opened
    opened.close()


def line(record: LedgerRecord, index: int) -> Line:
    """An entry."""
    return next(lines(record.ledger.directory, index))


def behind(record: LedgerRecord, index: int) -> list[tuple[LookedUp, Document | None]]:
    """What an entry rests on."""
    store = EvidenceStore(record.ledger.directory / EVIDENCE)
    return list(store.behind(line(record, index).record.get("evidence", ())))


def test_ours_a_run_begins_with_who_runs_and_under_which_policy(tmp_path: Path) -> None:
    config = Config(policy=policy("strict"), contact="https://taker.example/")
    LedgerRecord.open(tmp_path / "l", config, command="check").close()
    started, decided, ended = lines(tmp_path / "l")
    assert started.record["command"] == "check"
    assert started.record["user_agent"] == config.user_agent
    assert started.record["purpose"] == "train-ai"
    assert decided.record["policy"]["gaps"] == "hold"
    assert ended.record["kind"] == "run-stop"


def test_ours_an_entry_leads_to_the_bytes_that_the_server_sent(record: LedgerRecord) -> None:
    gone = answer(Need(Gate.LOOKUP, "/ai.txt"), "https://art.example/ai.txt", b"nothing", 404)
    dead = answer(Need(Gate.LOOKUP, "/x.json"), "https://art.example/x.json", status=None, gap="timeout")
    index = record.record_verdict(verdict(), [robots(), gone, dead]).result()
    said = {each.url: (each.status, each.gap, document) for each, document in behind(record, index)}
    assert said["https://art.example/x.json"] == (None, "timeout", None)
    status, _, found = said["https://art.example/robots.txt"]
    assert (status, found) == (
        200,
        Document(
            "https://art.example/robots.txt", 200, (("Content-Type", "text/plain"), ("Date", "today")), ROBOTS, AT
        ),
    )
    assert said["https://art.example/ai.txt"][0] == 404
    assert len(line(record, index).record["evidence"]) == 1


def test_ours_what_is_kept_already_is_named_again_and_written_once(record: LedgerRecord) -> None:
    shared = [robots()]
    first = record.record_verdict(verdict(), shared).result()
    others = [record.record_verdict(verdict(url=f"{URL}?{n}"), [*shared]) for n in range(20)]
    again = record.record_verdict(verdict(), [robots()]).result()
    named = {tuple(line(record, each.result()).record["evidence"]) for each in others}
    assert named == {tuple(line(record, n).record["evidence"]) for n in (first, again)}
    assert len(list((record.ledger.directory / EVIDENCE).glob("*.warc.gz"))) == 1
    assert EvidenceStore(record.ledger.directory / EVIDENCE).rebuild() == 2  # the document and the list


def test_rfc9112_10_1_the_head_is_kept_where_a_ground_rests_on_it_and_else_not(record: LedgerRecord) -> None:
    head = answer(HEAD, URL, X_Robots_Tag="noai", Set_Cookie="session=1")
    refused = record.record_verdict(verdict(ground(URL)), [robots(), head]).result()
    permitted = record.record_verdict(verdict(url=URL + "?"), [robots(), answer(HEAD, URL + "?")]).result()
    kept = [document for _, document in behind(record, refused) if document is not None][-1]
    assert kept.fields == (("Content-Type", "message/http"),)
    assert kept.content == b"HTTP/1.1 200 \r\nX-Robots-Tag: noai\r\n\r\n"
    assert URL not in kept.url
    assert len(behind(record, permitted)) == 1


def test_ours_of_an_image_the_packets_are_kept_and_never_the_pixels(record: LedgerRecord) -> None:
    packet = packets.data_mining("element", "DMI-PROHIBITED")
    image = containers.jpeg(packet)
    body = answer(BODY, URL, image, Content_Type="image/jpeg")
    index = record.record_verdict(verdict(ground(URL)), [robots(), body]).result()
    kept = [document for _, document in behind(record, index)]
    assert [d.content for d in kept if d is not None][1:] == [packet]
    page = answer(Need(Gate.LOOKUP, "https://art.example/p"), "https://art.example/p", image)
    looked_up, document = behind(record, record.record_verdict(verdict(), [page]).result())[0]
    assert document is None
    assert sha256(image).hexdigest() in looked_up.note


def test_ours_a_page_and_what_a_native_reader_made_of_an_image_are_kept_as_what_they_are(record: LedgerRecord) -> None:
    page = answer(BODY, URL, b"<meta name=robots content=noai>", Content_Type="text/html")
    told = answer(Need(Gate.BODY, "c2pa:manifest", holds=True), URL, b'{"active": []}')
    gap = Gap("c2pa:manifest", "malformed", holds=True)
    index = record.record_verdict(verdict(ground(URL), gaps=(gap,)), [page, told]).result()
    kept = [(d.url, dict(d.fields)["Content-Type"], d.content) for _, d in behind(record, index) if d is not None]
    assert kept == [
        ("urn:consentcrawl:content", "text/html", page.content),
        ("urn:consentcrawl:c2pa:manifest", "application/json", told.content),
    ]


def test_ours_what_is_neither_page_nor_image_is_a_work_and_not_kept(record: LedgerRecord) -> None:
    film = answer(BODY, URL, b"\0\0\0\x18ftypmp42" + bytes(100), Content_Type="video/mp4")
    assert behind(record, record.record_verdict(verdict(ground(URL)), [film]).result()) == []
    silent = answer(HEAD, URL, status=None, gap="timeout")
    gap = Gap(URL, "timeout", holds=True)
    assert behind(record, record.record_verdict(verdict(gaps=(gap,)), [silent]).result()) == []


def test_ours_rows_of_lists_and_registries_are_kept_as_what_they_are(record: LedgerRecord) -> None:
    listed = answer(Need(Gate.LOOKUP, "list:asset"), "list:asset", b'{"rows": []}')
    ((looked_up, document),) = behind(record, record.record_verdict(verdict(), [listed]).result())
    assert document is not None
    assert (looked_up.url, document.url, document.content) == (
        "list:asset",
        "urn:consentcrawl:list:asset",
        b'{"rows": []}',
    )


def test_ours_a_ground_learnt_from_another_asset_leads_to_the_evidence_of_that(record: LedgerRecord) -> None:
    page = "https://art.example/page"
    noai = answer(BODY, page, b"<meta name=robots content=noimageai>", Content_Type="text/html")
    learnt = [ground(page)]
    about_page = record.record_verdict(verdict(url=page), [robots(), noai], learnt).result()
    index = record.record_verdict(verdict(ground(page)), [robots()]).result()
    assert noai.content in [document.content for _, document in behind(record, index) if document is not None]
    assert noai.content in [document.content for _, document in behind(record, about_page) if document is not None]
    known = [robots()]
    for url in (URL + "?a", URL + "?b"):  # kept first, then named at once
        third = record.record_verdict(verdict(ground(page), url=url), known).result()
        assert noai.content in [document.content for _, document in behind(record, third) if document is not None]


def test_ours_the_takers_keys_are_not_kept(record: LedgerRecord) -> None:
    api = f"https://api.example/?key={SECRET}"
    told = answer(Need(Gate.LOOKUP, api), api, f'{{"key": "{SECRET}", "n": 123}}'.encode(), X_Echo=SECRET)
    index = record.record_verdict(verdict(), [told]).result()
    ((looked_up, document),) = behind(record, index)
    assert document is not None
    assert document.content == b'{"key": "{flickr.api_key}", "n": 123}'
    assert looked_up.url == "https://api.example/?key={flickr.api_key}"
    assert all(SECRET.encode() not in path.read_bytes() for path in record.ledger.directory.rglob("*.digests"))
    assert SECRET not in repr(document)


def test_ours_entries_about_one_url_keep_their_order(record: LedgerRecord) -> None:
    shared = [robots()]
    record.record_verdict(verdict(), shared).result()
    futures = []
    for n in range(40):
        fresh = answer(HEAD, URL, X_N=str(n))
        futures.append(record.record_verdict(verdict(ground(URL, f"{n}")), [*shared, fresh]))
        futures.append(record.record_verdict(verdict(), shared))
    indices = [future.result() for future in futures]
    assert indices == sorted(indices)


def test_ours_tasks_and_threads_hand_in_together(record: LedgerRecord) -> None:
    told: list[int] = []

    def work(name: str) -> None:
        mine = [robots(ROBOTS + name.encode())]
        told.extend(record.record_verdict(verdict(url=f"{URL}?{name}{n}"), mine).result() for n in range(30))

    async def tasks() -> list[int]:
        futures = [record.record_verdict(verdict(url=f"{URL}?task{n}"), [robots()]) for n in range(30)]
        return await asyncio.gather(*map(asyncio.wrap_future, futures))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    told += asyncio.run(tasks())
    for thread in threads:
        thread.join()
    assert sorted(told) == list(range(2, 152))


def test_ours_outcomes_name_their_verdict(record: LedgerRecord) -> None:
    index = record.record_verdict(verdict(), [robots()]).result()
    outcome = record.record_outcomes([(verdict(), index, Delivered(200, 3, "ab" * 32, "a.jpg"))]).result()
    kept = line(record, outcome)
    assert (kept.record["verdict"], kept.record["size"], kept.record["sha256"]) == (index, 3, "ab" * 32)
    assert kept.urls == (URL, "a.jpg")


def test_ours_after_the_end_nothing_is_taken(tmp_path: Path) -> None:
    record = LedgerRecord.open(tmp_path / "l")
    shared = [robots()]
    record.record_verdict(verdict(), shared).result()
    record.close()
    record.close()
    late = (record.record_verdict(verdict(), shared), record.record_verdict(verdict(), [robots(b"other")]))
    for future in (*late, record.record_outcomes([(verdict(), 1, Delivered(200, 0, ""))])):
        with pytest.raises(LedgerBroken, match="closed"):
            future.result()
    assert verify(tmp_path / "l").holds


def test_ours_two_processes_are_told_of_both_ways_out(tmp_path: Path) -> None:
    with pytest.raises(LedgerBroken, match=r"ledger of its own.*merge.*consentcrawl proxy"):
        _twice(tmp_path / "l")
    _twice(tmp_path / "l-{process}")
    assert len(list(tmp_path.glob("l-*"))) == 2


def _twice(directory: Path) -> None:
    first = LedgerRecord.open(directory)
    try:
        LedgerRecord.open(directory).close()
    finally:
        first.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads: that is what is tried
def test_ours_a_forked_process_is_refused_and_closes_nothing(tmp_path: Path) -> None:
    record = LedgerRecord.open(tmp_path / "l")
    shared = [robots()]
    record.record_verdict(verdict(), shared).result()
    (told, tell), (there, here) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.write(here, b".")
        refused = record.record_verdict(verdict(), shared).exception(5)
        record.close()
        os.read(told, 1)
        os._exit(0 if "before a fork" in str(refused) else 1)
    os.read(there, 1)
    record.record_verdict(verdict(), shared).result()
    record.close()
    LedgerRecord.open(tmp_path / "l").close()  # while the other process is still there
    os.write(tell, b".")
    assert os.waitpid(child, 0)[1] == 0
    assert [each.record["kind"] for each in lines(tmp_path / "l")][2:5] == ["verdict", "verdict", "run-stop"]


@pytest.mark.parametrize(("code", "step"), [(errno.ENOSPC, 1), (errno.EIO, 4)])
def test_ours_whatever_call_of_the_evidence_store_fails_nothing_more_is_acknowledged(
    tmp_path: Path, code: int, step: int
) -> None:
    for at in range(1, 40, step):
        directory = tmp_path / f"{at}"
        record = LedgerRecord.open(directory)
        files = FaultyFiles(at, code)
        record._keeper._store._files = files
        acknowledged = _acknowledged(record)
        broken = [each for each in acknowledged if isinstance(each, LedgerBroken)]
        assert bool(broken) == files.failed, at
        assert acknowledged[len(acknowledged) - len(broken) :] == broken, at
        if files.failed:
            with pytest.raises(LedgerBroken):
                record.close()
        else:
            record.close()
        _everything_leads_to_its_documents(directory, len(acknowledged) - len(broken))
        if not files.failed:
            return
    pytest.fail("so many calls are made for six documents?")


def _acknowledged(record: LedgerRecord) -> list[int | BaseException]:
    told: list[int | BaseException] = []
    for n in range(3):
        future = record.record_verdict(verdict(url=f"{URL}?{n}"), [robots(b"# %d" % n)])
        told.append(future.exception(5) or future.result())
    return told


def _everything_leads_to_its_documents(directory: Path, count: int) -> None:
    assert verify(directory).holds
    store = EvidenceStore(directory / EVIDENCE)
    verdicts = [each for each in lines(directory) if each.record["kind"] == "verdict"]
    assert len(verdicts) == count
    for n, each in enumerate(verdicts):
        ((_, document),) = store.behind(each.record["evidence"])
        assert document is not None
        assert document.content == b"# %d" % n


def test_ours_a_failure_of_the_log_is_told_by_futures_and_at_the_end(tmp_path: Path) -> None:
    files = FaultyFiles(0, errno.EIO)
    record = LedgerRecord.open(tmp_path / "l", files=files)
    shared = [robots()]
    record.record_verdict(verdict(), shared).result()
    files._at = files.calls + 1
    for _ in range(2):
        with pytest.raises(LedgerBroken):
            record.record_verdict(verdict(), shared).result()
    with pytest.raises(LedgerBroken):
        record.record_verdict(verdict(), [robots(b"new")]).result()
    with pytest.raises(LedgerBroken):
        record.close()


_KILLED = """
import sys
from tests.test_ledger_record import LedgerRecord, URL, robots, verdict
record = LedgerRecord.open(sys.argv[1])
n = 0
while True:
    index = record.record_verdict(verdict(url=f"{URL}?{n}"), [robots(b"# %d" % (n // 3))]).result()
    print(index, n, flush=True)
    n += 1
"""


@pytest.mark.parametrize("after", [1, 17, 60])
def test_ours_killed_after_an_acknowledgement_entry_and_documents_are_there(tmp_path: Path, after: int) -> None:
    directory = tmp_path / "l"
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(directory)], stdout=subprocess.PIPE, text=True, cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}/src{os.pathsep}{root}"},
    ) as child:  # fmt: skip
        assert child.stdout is not None
        acknowledged = [next(child.stdout).split() for _ in range(after)]
        child.send_signal(signal.SIGKILL)
        acknowledged += [each.split() for each in child.stdout if each.endswith("\n")]
    LedgerRecord.open(directory).close()
    assert verify(directory).holds
    there = {each.index: each for each in lines(directory)}
    store = EvidenceStore(directory / EVIDENCE)
    for index, n in acknowledged:
        kept = there[int(index)]
        assert kept.urls == (f"{URL}?{n}",)
        ((_, document),) = store.behind(kept.record["evidence"])
        assert document is not None
        assert document.content == b"# %d" % (int(n) // 3)


def test_ours_a_list_of_look_ups_is_read_as_it_was_written() -> None:
    items = (LookedUp("https://a.example/\ud800", None, 1, "timeout"), LookedUp("b", 200, 2, digest="ab", whole=False))
    assert set(read(written(items))) == set(items)
    assert written(items) == written(reversed(items))
    for odd in (b"", b"[]", b'{"look_ups": [{"n": 1}]}', b'{"look_ups": 1}'):
        with pytest.raises(ValueError, match=r".+"):
            read(odd)


def test_ours_a_status_that_was_changed_afterwards_is_found(tmp_path: Path) -> None:
    with EvidenceStore(tmp_path) as store:
        digest = store.put("https://a.example/", 404, (), b"x", AT)
        said = written([LookedUp("https://a.example/", 200, 1, digest=digest, head="0" * 32)])
        listed = store.note("look-ups", MEDIA_TYPE, said, AT)
        with pytest.raises(NoEvidence):
            list(store.behind([listed]))


def test_ours_a_store_takes_over_the_files_of_another(tmp_path: Path) -> None:
    with EvidenceStore(tmp_path / "a") as one, EvidenceStore(tmp_path / "b") as other:
        digest = one.put("https://a.example/", 200, (), b"x", AT)
        one.sync()
        assert other.adopt(tmp_path / "a") == 2
        assert other.get(digest).content == b"x"
        assert other.adopt(tmp_path / "none") == 0
