"""fsspec and what reads through it (pandas, pyarrow, datasets, webdataset): one decision for one open."""

from __future__ import annotations

import asyncio
import errno
import gc
import importlib
import io
import multiprocessing
import pickle
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import consentcrawl
from consentcrawl.core import Fields, Outcome
from consentcrawl.drivers.fsspec import ConsentFileSystem, Refused, Undetermined, filesystem, install, uninstall
from consentcrawl.drivers.shared.representations import Decided, Representation
from tests.kept import Kept
from tests.website import FILM_HEAD, Answer, Site, noise, serving

IMAGE = noise()
JPEG = (("Content-Type", "image/jpeg"), ("ETag", '"1"'))
CSV = b"a,b\n1,2\n3,4\n"
LONG = FILM_HEAD + bytes(range(256)) * 4_000
RANGES = (("Content-Type", "video/mp4"), ("ETag", '"2"'), ("Accept-Ranges", "bytes"))


def _parquet() -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table({"n": list(range(1_000))}), content)
    return content.getvalue()


def _tar() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        member = tarfile.TarInfo("one.txt")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    return content.getvalue()


PAGES = {
    "/robots.txt": Answer(b"User-agent: *\nDisallow: /closed/\n", fields=(("Content-Type", "text/plain"),)),
    "/free.jpg": Answer(IMAGE, fields=JPEG),
    "/noai.jpg": Answer(IMAGE, fields=(*JPEG, ("X-Robots-Tag", "noai"))),
    "/closed/a.csv": Answer(CSV),
    "/a.csv": Answer(CSV, fields=(("Content-Type", "text/csv"),)),
    "/a.parquet": Answer(_parquet(), fields=(("Content-Type", "application/octet-stream"),)),
    "/noai.csv": Answer(CSV, fields=(("Content-Type", "text/csv"), ("X-Robots-Tag", "noai"))),
    "/long.bin": Answer(LONG, fields=RANGES),
    "/a.tar": Answer(_tar(), fields=(("Content-Type", "application/x-tar"),)),
    "/busy.jpg": Answer(status=429, fields=(("Retry-After", "60"),)),
    "/gone.jpg": Answer(status=404),
    "/list/": Answer(b'<a href="/list/one.csv">one</a>', fields=(("Content-Type", "text/html"),)),
    "/list/one.csv": Answer(CSV),
}
CONFIG = consentcrawl.Config(allow=("127.0.0.0/8",))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(PAGES) as running:
        yield running


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def steward(kept: Kept) -> Iterator[consentcrawl.Steward]:
    made = consentcrawl.Steward(CONFIG, record=kept)
    yield made
    made.close()


@pytest.fixture
def files(steward: consentcrawl.Steward) -> Iterator[ConsentFileSystem]:
    made = filesystem(steward=steward)
    yield made
    made.close()


@pytest.fixture
def installed(steward: consentcrawl.Steward) -> Iterator[None]:
    install(steward=steward)
    yield
    uninstall()


def _of_the_file(site: Site, path: str) -> list[str]:
    return [method for method, target in site.asked if target == path]


def test_ours_a_refusal_is_a_permission_error(files: ConsentFileSystem, site: Site) -> None:
    ways: list[Callable[[str], Any]] = [files.info, files.cat_file, files.open, files.size, files.ls]
    for way in ways:
        with pytest.raises(Refused) as raised:
            way(site.origin + "/noai.jpg")
        assert isinstance(raised.value, PermissionError)
        assert raised.value.errno == errno.EACCES
        assert raised.value.verdict.deciding[0].statement.quote == "noai"
    with pytest.raises(Undetermined) as open_question:
        files.info(site.origin + "/busy.jpg")
    assert open_question.value.errno == errno.EACCES


def test_ours_what_is_not_there_is_not_found_as_ever(
    files: ConsentFileSystem, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    for way in (files.info, files.cat_file):
        with pytest.raises(FileNotFoundError):
            way(site.origin + "/gone.jpg")
    assert [files.exists(site.origin + path) for path in ("/free.jpg", "/gone.jpg", "/noai.jpg", "/closed/a.csv")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["Withheld"] * 2
    with pytest.raises(Refused):
        files.exists(site.origin + "/noai.jpg", strict=True)
    assert not files.isdir(site.origin + "/closed/")
    assert files.isdir(site.origin + "/list/")
    assert files.glob(site.origin + "/list/*.csv") == [site.origin + "/list/one.csv"]
    assert site.count("/closed/a.csv") == site.count("/closed/") == 0


def test_ours_a_file_refused_after_its_head_is_asked_for_once(files: ConsentFileSystem, site: Site) -> None:
    with pytest.raises(Refused):
        files.open(site.origin + "/noai.jpg")
    assert _of_the_file(site, "/noai.jpg") == ["HEAD"]


def test_ours_the_ranges_of_one_open_are_one_decision(files: ConsentFileSystem, site: Site, kept: Kept) -> None:
    with files.open(site.origin + "/long.bin", block_size=50_000, cache_type="none") as file:
        parts = []
        for start in (0, 100_000, 500_000, 900_000):
            file.seek(start)
            parts.append(file.read(20_000) == LONG[start : start + 20_000])
    assert parts == [True] * 4
    # The head of the HEAD request, and the content from its beginning; the other parts are of what was judged.
    assert [verdict.outcome for verdict in kept.verdicts] == [Outcome.PERMIT] * 2
    assert _of_the_file(site, "/long.bin") == ["HEAD", "GET", "GET", "GET", "GET", "GET"]


def test_rfc9110_13_1_5_a_part_of_another_representation_is_judged_anew(
    files: ConsentFileSystem, site: Site, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.origin + "/long.bin"
    assert files.cat_file(url, start=0, end=10) == LONG[:10]
    assert files.cat_file(url, start=10, end=20) == LONG[10:20]
    assert len(kept.verdicts) == 1
    page = b'<meta name="robots" content="noai">' + b" " * 100
    html = (("Content-Type", "text/html"), ("ETag", '"3"'))
    monkeypatch.setitem(PAGES, "/long.bin", Answer(page, fields=html))
    with pytest.raises(Refused):
        files.cat_file(url, start=40, end=50)


def test_ours_the_head_of_each_part_has_its_say(
    files: ConsentFileSystem, site: Site, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.origin + "/long.bin"
    assert files.cat_file(url, start=0, end=10) == LONG[:10]
    monkeypatch.setitem(PAGES, "/long.bin", Answer(LONG, fields=(*RANGES, ("X-Request-Id", "7"))))
    assert files.cat_file(url, start=10, end=20) == LONG[10:20]
    assert _of_the_file(site, "/long.bin") == ["GET", "GET", "GET"]
    monkeypatch.setitem(PAGES, "/long.bin", Answer(LONG, fields=(*RANGES, ("X-Robots-Tag", "noai"))))
    with pytest.raises(Refused):
        files.cat_file(url, start=20, end=30)
    assert [verdict.outcome for verdict in kept.verdicts] == [Outcome.PERMIT, Outcome.PERMIT, Outcome.REFUSE]


def test_ours_what_was_decided_serves_for_its_time_only() -> None:
    now = [0.0]
    decided = Decided(lambda: now[0])
    fields = Fields([("ETag", '"1"'), ("Content-Length", "5")])
    known = Representation.of(200, fields)
    assert known is not None
    assert known.is_of(replace(known, says=frozenset({("x-robots-tag", "noai")})))
    decided.permit("a", known)
    assert decided.permitted("a") is known
    now[0] = 601.0
    assert decided.permitted("a") is None
    for number in range(10_001):
        decided.permit(str(number), known)
    assert decided.permitted("9998") is None
    assert decided.permitted("10000") is known


@pytest.mark.parametrize(
    ("status", "pairs"), [(404, [("ETag", '"1"')]), (200, []), (200, [("ETag", 'W/"1"'), ("Last-Modified", "x")])]
)
def test_rfc9110_8_8_1_what_no_strong_validator_tells_is_no_known_representation(
    status: int, pairs: list[tuple[str, str]]
) -> None:
    assert Representation.of(status, Fields(pairs)) is None


@pytest.mark.usefixtures("installed")
def test_ours_pandas_obeys(site: Site) -> None:
    pandas = pytest.importorskip("pandas")
    with fsspec.open(site.origin + "/a.csv") as file:
        assert pandas.read_csv(file)["b"].tolist() == [2, 4]
    for path in ("/noai.csv", "/closed/a.csv"):
        with pytest.raises(PermissionError), fsspec.open(site.origin + path) as file:
            pandas.read_csv(file)
    assert site.count("/closed/a.csv") == 0


@pytest.mark.usefixtures("installed")
def test_ours_pyarrow_obeys(site: Site) -> None:
    table = pq.read_table(site.origin + "/a.parquet", filesystem=fsspec.filesystem("http"))
    assert table.num_rows == 1_000
    with pytest.raises(PermissionError):
        pq.read_table(site.origin + "/closed/a.parquet", filesystem=fsspec.filesystem("http"))


@pytest.mark.usefixtures("installed")
def test_ours_an_image_column_of_datasets_obeys(site: Site) -> None:
    datasets = pytest.importorskip("datasets")
    urls = [site.origin + path for path in ("/free.jpg", "/noai.jpg", "/closed/a.jpg")]
    column = datasets.Dataset.from_dict({"image": urls}).cast_column("image", datasets.Image())
    assert column[0]["image"].size == (130, 130)
    for number in (1, 2):
        with pytest.raises(PermissionError):
            column[number]
    assert site.count("/closed/a.jpg") == 0


@pytest.mark.usefixtures("installed")
def test_ours_webdataset_obeys_where_it_opens_by_fsspec(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    webdataset = pytest.importorskip("webdataset")
    schemes = importlib.import_module("webdataset.gopen").gopen_schemes
    monkeypatch.setitem(schemes, "http", lambda url, *_: fsspec.open(url).open())
    (sample,) = webdataset.WebDataset(site.origin + "/a.tar", shardshuffle=False)
    assert sample["txt"] == b"hello"
    with pytest.raises(PermissionError):
        list(webdataset.WebDataset(site.origin + "/closed/a.tar", shardshuffle=False))


def test_ours_uninstall_gives_the_filesystems_back(steward: consentcrawl.Steward, site: Site) -> None:
    before = [fsspec.get_filesystem_class(scheme) for scheme in ("http", "https")]
    install(steward=steward)
    install(steward=steward)
    assert fsspec.filesystem("https") is fsspec.filesystem("https")
    uninstall()
    uninstall()
    assert [fsspec.get_filesystem_class(scheme) for scheme in ("http", "https")] == before
    with fsspec.open(site.origin + "/noai.jpg") as file:
        assert file.read() == IMAGE


def test_ours_what_the_caller_sets_stays_on_the_callers_request(steward: consentcrawl.Steward, site: Site) -> None:
    client = {"headers": {"user-agent": "mine/1", "Authorization": "Bearer secret"}, "cookies": {"own": "1"}}
    own = filesystem(steward=steward, client_kwargs=client)
    assert own.cat_file(site.origin + "/free.jpg") == IMAGE
    own.close()
    for (_, target), head in zip(site.asked, site.heads, strict=True):
        mine = target == "/free.jpg"
        assert [name in head for name in ("authorization", "cookie")] == [mine, mine]
        assert (head["user-agent"] == "mine/1") == mine


def test_ours_what_is_sent_is_asked_about_as_well(files: ConsentFileSystem, site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)
    with pytest.raises(Refused):
        files.put_file(str(tmp_path / "a.csv"), site.origin + "/closed/a.csv")
    with pytest.raises(Refused):
        files.pipe_file(site.origin + "/closed/b.csv", CSV)
    assert site.count("/closed/a.csv") == site.count("/closed/b.csv") == 0


def test_ours_a_client_that_drops_the_consent_is_refused(steward: consentcrawl.Steward, site: Site) -> None:
    async def careless(**more: Any) -> aiohttp.ClientSession:
        more.pop("middlewares")
        return aiohttp.ClientSession(**more)

    own = filesystem(steward=steward, get_client=careless)
    for _ in range(2):
        with pytest.raises(TypeError, match="middlewares"):
            own.cat_file(site.origin + "/free.jpg")
    assert site.count("/free.jpg") == 0


def test_ours_asynchronous_and_streamed_reading(steward: consentcrawl.Steward, site: Site) -> None:
    async def read() -> bytes:
        own = filesystem(steward=steward, asynchronous=True)
        session = await own.set_session()
        file = await own.open_async(site.origin + "/free.jpg", "rb")
        content: bytes = await file.read()
        await file.close()
        await session.close()
        return content

    assert asyncio.run(read()) == IMAGE
    own = filesystem(steward=steward)
    with own.open(site.origin + "/free.jpg", block_size=0) as file:
        assert file.read() == IMAGE
    own.get_file(site.origin + "/free.jpg", got := io.BytesIO())
    assert got.getvalue() == IMAGE
    own.close()


def test_ours_a_filesystem_goes_to_another_process_without_its_steward(site: Site) -> None:
    own = filesystem("archive", config=CONFIG)
    there = pickle.loads(pickle.dumps(own))  # noqa: S301 (our own)
    assert there._held.config.purpose.name == "archive"
    assert there.cat_file(site.origin + "/noai.jpg") == IMAGE
    for each in (own, there):
        each.close()
        assert each._held._steward is None
    given = consentcrawl.Steward(CONFIG)
    with pytest.raises(TypeError):
        pickle.dumps(filesystem(steward=given))
    given.close()
    gc.collect()


def test_ours_what_was_installed_goes_along_to_another_process(site: Site) -> None:
    install("archive", config=CONFIG)
    packed = pickle.dumps(fsspec.filesystem("http"))
    uninstall()
    there = pickle.loads(packed)  # noqa: S301 (our own)
    assert there.cat_file(site.origin + "/noai.jpg") == IMAGE
    there.close()


def _in_child(url: str, answers: Any) -> None:
    try:
        with fsspec.open(url) as file:
            answers.put(file.read())
    except BaseException as error:  # noqa: BLE001 (the parent looks)
        answers.put(type(error).__name__)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_ours_a_forked_worker_asks_with_a_steward_of_its_own(site: Site) -> None:
    install(config=CONFIG)
    with fsspec.open(site.origin + "/free.jpg") as file:
        assert file.read() == IMAGE
    forked = multiprocessing.get_context("fork")
    answers = forked.Queue()
    for path, expected in (("/free.jpg", IMAGE), ("/noai.jpg", "Refused")):
        child = forked.Process(target=_in_child, args=(site.origin + path, answers))
        child.start()
        assert answers.get(timeout=20) == expected
        child.join()
    uninstall()


def test_ours_a_filesystem_keeps_a_ledger_of_its_own(site: Site, tmp_path: Path) -> None:
    own = filesystem(config=CONFIG, ledger=tmp_path / "ledger")
    assert own.cat_file(site.origin + "/free.jpg") == IMAGE
    own.close()
    assert list((tmp_path / "ledger").iterdir())
