"""Opt-out lists: what is compiled is found, what is damaged is said to be, and nothing is dropped silently."""

from __future__ import annotations

import gzip
import io
import json
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner

import consentcrawl
from consentcrawl import discovery
from consentcrawl.cli import app
from consentcrawl.core import Asset, Gate, Need, Outcome
from consentcrawl.download import Content, Download, Head, Read, Send, advance
from consentcrawl.drivers.dry_run import judge
from consentcrawl.errors import BadInput, BadPolicy
from consentcrawl.lists import BadList, CompiledList, Row, compile_list, pictures, pieces
from consentcrawl.sources import optout_lists
from consentcrawl.workers import picture
from tests.website import Answer, serving

LISTED = Need(Gate.LOOKUP, "list:asset", holds=True)
CONTENT = b"\x89PNG a picture"
ROWS = [
    Row("url", "http://art.example/a.jpg", "letter", "2026-01-01"),
    Row("prefix", "https://art.example/u/mira", "letter"),
    Row("host", "shop.example", "letter", category="all"),
    Row("maker", "deviantart:808603826"),
    Row("sha256", sha256(CONTENT).hexdigest()),
    Row("phash", "00ff00ff00ff00ff"),
    Row("prefix", "https://art.example/", category="search"),
]
_OPENED: list[CompiledList] = []


def opened(path: Path) -> CompiledList:
    """Open a list until the end of the test."""
    _OPENED.append(CompiledList(path))
    return _OPENED[-1]


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    closing_all()


def closing_all() -> None:
    while _OPENED:
        _OPENED.pop().close()


def _csv(path: Path, rows: list[Row], *more: str) -> Path:
    lines = ["kind,value,source,date,category", *(",".join(asdict(row).values()) for row in rows), *more]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    return compile_list(_csv(tmp_path / "l.csv", ROWS), "ours", tmp_path).path


@pytest.mark.parametrize(
    ("url", "kinds"),
    [
        ("https://art.example/a.jpg", ["url", "prefix"]),
        ("https://art.example/u/mira/1.jpg", ["prefix", "prefix"]),
        ("https://art.example/u/mira", ["prefix", "prefix"]),
        ("https://art.example/u/mir", ["prefix"]),
        ("https://img.shop.example/x.png", ["host"]),
        ("https://shop.example/x.png", ["host"]),
        ("https://myshop.example/x.png", []),
        ("https://art.example/b.jpg", ["prefix"]),
        ("https://art.example:8080/a.jpg", []),
    ],
)
def test_ours_what_is_listed_is_found_and_nothing_else(compiled: Path, url: str, kinds: list[str]) -> None:
    assert [row.kind for row in opened(compiled).about(Asset(url))] == kinds


def test_ours_makers_and_hashes_are_found(compiled: Path) -> None:
    one = opened(compiled)
    assert one.about(Asset("https://cdn.example/1.png", None, ("deviantart:808603826",))) == [ROWS[3]]
    assert one.sha256(sha256(CONTENT).hexdigest()) == [ROWS[4]]
    assert one.sha256("0" * 64) == []
    assert one.perceptual("phash", "00ff00ff00ff01f0") == []
    assert one.perceptual("phash", "00ff00ff00ff0100") == []
    assert one.perceptual("phash", "10ff01ff00ef01ff") == [ROWS[5]]
    assert one.perceptual("dhash", "00ff00ff00ff00ff") == []


def test_ours_five_thousand_rows_are_all_found(tmp_path: Path) -> None:
    rows = [Row("url", f"https://h{n % 97}.example/{n}.jpg") for n in range(5_000)]
    one = opened(compile_list(_csv(tmp_path / "l.csv", rows), "many", tmp_path).path)
    assert all(one.about(Asset(row.value)) == [row] for row in rows)
    assert not any(one.about(Asset(row.value + "x")) for row in rows)
    one.check()


def test_ours_jsonl_and_parquet_say_the_same_as_csv(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_bytes("".join(json.dumps(asdict(row)) + "\n" for row in ROWS).encode())
    pq.write_table(pa.Table.from_pylist([asdict(row) for row in ROWS]), tmp_path / "l.parquet")
    for name in ("l.jsonl", "l.parquet"):
        built = compile_list(tmp_path / name, name.replace(".", "-"), tmp_path)
        assert built.bad_rows == 0
        assert opened(built.path).about(Asset("https://shop.example/")) == [ROWS[2]]


def test_ours_bad_rows_are_counted_with_their_lines(tmp_path: Path) -> None:
    bad = [
        "ulr,https://a.example/", "url,nonsense://x,,,", "sha256,abc,,,", "url,https://a.example/,,,sell", "maker,,,,",
        f"url,https://a.example/{'a' * 9000},,,", 'url,"https://a.example/never closed', "url,https://a.example/,,,,,",
        "host,example,,,", "host,https://a.example/path,,,", "host,a.example:81,,,", "dhash,xyz,,,", "x" * 200_000,
        f"maker,x:1,{'s' * 13_000},,",
    ]  # fmt: skip
    source = _csv(tmp_path / "l.csv", ROWS[:1], *bad, "url,https://last.example/", "host,*.star.example")
    built = compile_list(source, "ours", tmp_path)
    assert (built.bad_rows, [row.line for row in built.bad]) == (len(bad), [*range(3, 3 + len(bad))])
    assert opened(built.path).about(Asset("https://last.example/")) == [Row("url", "https://last.example/")]
    assert opened(built.path).about(Asset("https://a.star.example/")) == [Row("host", "star.example")]
    source.write_bytes(b"kind,value\nmaker,\xff\n\nmaker,x\n")
    assert [row.line for row in compile_list(source, "ours", tmp_path).bad] == [2]
    (tmp_path / "l.jsonl").write_text('{"kind":"maker","value":"x:1"}\n[]\n{\n\n')
    built = compile_list(tmp_path / "l.jsonl", "more", tmp_path)
    assert [row.line for row in built.bad] == [2, 3]


@pytest.mark.parametrize("content", ["", "kind,source\nurl,x\n", "x" * 70_000, "kind,kind,value\n"])
def test_ours_what_is_no_list_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "l.csv").write_text(content)
    with pytest.raises(BadInput):
        compile_list(tmp_path / "l.csv", "ours", tmp_path)
    for name in ("l.xml", "l.parquet.gz", "none.csv"):
        with pytest.raises(BadInput):
            compile_list(tmp_path / name, "ours", tmp_path)
    assert not list(tmp_path.glob("*.optout"))


def test_ours_a_cut_or_changed_file_never_opens_or_fails_its_check(compiled: Path) -> None:
    whole = compiled.read_bytes()
    for damaged in (whole[:-1], whole + b"x", whole[:100], b"", whole[:40] + b"z" + whole[41:], b"x" * len(whole)):
        compiled.write_bytes(damaged)
        with pytest.raises(BadList):
            opened(compiled)
    compiled.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BadList, match="index"):
        opened(compiled)
    compiled.write_bytes(whole.replace(b"letter", b"latter"))
    with pytest.raises(BadList, match="rows"):
        opened(compiled).check()


def test_ours_a_damaged_row_is_an_error_and_not_unlisted(compiled: Path) -> None:
    compiled.write_bytes(compiled.read_bytes().replace(b"art.example/a.jpg", b"art.example/b.jpg"))
    with pytest.raises(BadList):
        opened(compiled).about(Asset("https://art.example/a.jpg"))
    by = consentcrawl.Steward(consentcrawl.Config(lists=(str(compiled),)))
    verdict = by.decide(by.open("https://art.example/a.jpg", reach=Gate.LOOKUP))
    assert "malformed" in {gap.reason for gap in verdict.gaps}
    assert verdict.outcome is Outcome.UNDETERMINED
    by.close()


def test_ours_a_list_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy):
        consentcrawl.Steward(consentcrawl.Config(lists=(str(tmp_path / "none.optout"),)))


def test_ours_the_signal_is_left_out_without_lists() -> None:
    names = {module.__name__.rpartition(".")[2] for module in discovery.active(consentcrawl.policy())}
    assert names.isdisjoint({"opt_out_list", "spawning"})


def test_ours_an_answer_is_not_shared_by_the_origin(tmp_path: Path) -> None:
    with serving({"/1.png": Answer(CONTENT), "/2.png": Answer(b"another")}) as site:
        rows = [Row("url", f"{site.origin}/listed.png"), Row("sha256", sha256(CONTENT).hexdigest())]
        path = compile_list(_csv(tmp_path / "l.csv", rows), "ours", tmp_path).path
        by = consentcrawl.Steward(consentcrawl.Config(lists=(str(path),), allow=("127.0.0.0/8",)))
        outcomes = {
            name: judge(by, f"{site.origin}/{name}.png", reach=Gate.BODY)
            for name in ("2", "listed", "1", "2", "listed")
        }
        assert {name: str(v.outcome) for name, v in outcomes.items()} == {
            "1": "refuse",
            "2": "permit",
            "listed": "refuse",
        }
        assert outcomes["listed"].deciding[0].source == "list:ours"
        assert outcomes["listed"].gate is Gate.LOOKUP
        assert site.count("/listed.png") == 0
        download = Download(by, f"{site.origin}/2.png")
        assert isinstance(advance(download), Send)
        assert isinstance(advance(download, Head(200, consentcrawl.core.Fields())), Read)
        verdict = advance(download, Content(b"part", ended=False))
        assert isinstance(verdict, consentcrawl.Verdict)
        assert verdict.outcome is Outcome.UNDETERMINED
        by.close()


def test_ours_lists_on_the_command_line(tmp_path: Path) -> None:
    run = CliRunner()
    source, to = str(_csv(tmp_path / "l.csv", ROWS, "x,y,,,")), ["--to", str(tmp_path)]
    added = run.invoke(app, ["lists", "add", source, "--name", "ours", *to])
    assert (added.exit_code, "line 9" in added.output) == (1, True)
    assert run.invoke(app, ["lists", "add", source, "--name", "../ours", *to]).exit_code == 2
    shown = run.invoke(app, ["lists", "show", "--check", *to])
    assert json.loads(shown.stdout)["kinds"]["url"] == 1
    found = run.invoke(app, ["lists", "test", "https://shop.example/1", "ours", *to])
    assert (found.exit_code, json.loads(found.stdout)["value"]) == (1, "shop.example")
    for asked, code in (
        ("https://free.example/", 0), ("00ff00ff00ff00ff", 1), ("0" * 64, 0), ("zz", 2), ("http://", 2),
    ):  # fmt: skip
        assert run.invoke(app, ["lists", "test", asked, *to]).exit_code == code
    assert run.invoke(app, ["lists", "show", "--to", str(tmp_path / "none")]).exit_code == 2
    _csv(tmp_path / "l.csv", [ROWS[0], ROWS[0]])
    again = run.invoke(app, ["lists", "add", source, "--name", "ours", *to])
    assert (again.exit_code, "rows that repeat an earlier one: 1" in again.output) == (0, True)
    assert run.invoke(app, ["lists", "show", str(tmp_path / "ours.optout")]).exit_code == 0


def test_ours_the_scheme_may_be_missing_and_a_star_may_end_a_prefix(tmp_path: Path) -> None:
    rows = [Row("prefix", "art.example/u/*"), Row("prefix", "cut.example/gall"), Row("prefix", "whole.example")]
    one = opened(compile_list(_csv(tmp_path / "l.csv", rows), "ours", tmp_path).path)
    for url, listed in (
        ("http://art.example/u/1.jpg", True), ("http://cut.example/gallery/1.jpg", True),
        ("http://cut.example/g", False), ("http://whole.example/?/x", True),
        ("http://whole.example.net/", False), ("http://art.example/", False),
    ):  # fmt: skip
        assert bool(one.about(Asset(url))) is listed, url


def test_ours_many_prefixes_after_one_folder_cost_no_more_than_their_lengths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Row("prefix", f"https://art.example/maker{n}") for n in range(3_000)]
    one = opened(compile_list(_csv(tmp_path / "l.csv", rows), "ours", tmp_path).path)
    reads: list[int] = []
    some = one._pieces.some

    def counted(start: int, length: int) -> bytes:
        reads.append(length)
        return some(start, length)

    monkeypatch.setattr(one._pieces, "some", counted)
    assert [row.value for row in one.about(Asset("https://art.example/maker1234/1.jpg"))] == [
        f"https://art.example/maker{n}" for n in (1, 12, 123, 1234)
    ]
    assert sum(reads) < 100_000


def test_ours_rows_that_say_the_same_are_counted_and_another_category_is_not_the_same(tmp_path: Path) -> None:
    rows = [Row("host", "art.example", str(n)) for n in range(500)] + [Row("host", "art.example", category="search")]
    rows += [Row("phash", "0" * 16), Row("phash", "0" * 16), Row("prefix", "https://a.example/b")]
    built = compile_list(_csv(tmp_path / "l.csv", rows), "ours", tmp_path)
    assert built.repeated == 500
    found = opened(built.path).about(Asset("https://art.example/"))
    assert {(row.source, row.category) for row in found} == {("0", "train"), ("", "search")}


def test_ours_perceptual_hashes_match_within_the_distance_of_the_list_and_no_further(tmp_path: Path) -> None:
    value = 0x0123_4567_89AB_CDEF
    draw = random.Random(7)  # noqa: S311 (the same draws always)
    for distance in (0, 4, 10, 11):
        rows = [Row("dhash", f"{value:016x}"), *(Row("dhash", f"{draw.getrandbits(64):016x}") for _ in range(50))]
        one = opened(compile_list(_csv(tmp_path / "l.csv", rows), "ours", tmp_path, distance=distance).path)
        for flipped in range(14):
            for _ in range(5):
                asked = value
                for bit in draw.sample(range(64), flipped):
                    asked ^= 1 << bit
                found = [row.value for row in one.perceptual("dhash", f"{asked:016x}")]
                assert (f"{value:016x}" in found) is (flipped <= distance)
    with pytest.raises(BadInput):
        compile_list(tmp_path / "l.csv", "ours", tmp_path, distance=12)


def _png(side: int = 200, *, another: bool = False) -> bytes:
    """Make a picture of patches, at the size asked for."""
    patches = Image.frombytes("L", (5, 5), random.Random(another).randbytes(25))  # noqa: S311 (the same patches always)
    content = io.BytesIO()
    patches.resize((side, side), Image.Resampling.BICUBIC).save(content, "PNG")
    return content.getvalue()


def test_ours_a_picture_that_looks_alike_is_refused(tmp_path: Path) -> None:
    dhash, phash = (value for _, value in pictures.hashes(_png()).by_kind)
    with serving({"/a.png": Answer(_png(170)), "/b.png": Answer(_png(another=True))}) as site:
        for row in (Row("dhash", dhash), Row("phash", phash)):
            path = compile_list(_csv(tmp_path / "l.csv", [row]), "ours", tmp_path).path
            by = consentcrawl.Steward(consentcrawl.Config(lists=(str(path),), allow=("127.0.0.0/8",)))
            outcomes = [judge(by, f"{site.origin}/{name}.png", reach=Gate.BODY).outcome for name in "ab"]
            assert outcomes == [Outcome.REFUSE, Outcome.PERMIT]
            by.close()


def test_ours_an_image_that_cannot_be_hashed_is_a_gap_and_what_is_no_image_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert pictures.hashes(b"words") == pictures.Hashes()
    assert pictures.hashes(_png()[:60]) == pictures.Hashes(gap="unsupported")
    monkeypatch.setattr(pictures, "find_spec", lambda _: None)
    assert pictures.hashes(_png()) == pictures.Hashes(gap="unsupported")


def test_ours_the_hashes_are_those_that_everybody_computes() -> None:
    falling = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90)
    rising = ImageOps.mirror(falling)
    assert {picture._dhash(falling), picture._dhash(rising)} == {"0" * 16, "f" * 16}
    assert picture.read(b"words") == ""
    assert picture.read(_png()) == "".join(value for _, value in pictures.hashes(_png()).by_kind)
    low = picture._low([1.0] * 32)
    assert low[0] == pytest.approx(32.0)
    assert low[1:] == pytest.approx([0.0] * 7)


def test_ours_packed_lists_are_read_and_cut_ones_are_an_error(tmp_path: Path) -> None:
    packed = gzip.compress(_csv(tmp_path / "l.csv", ROWS).read_bytes())
    (tmp_path / "l.csv.gz").write_bytes(packed)
    assert compile_list(tmp_path / "l.csv.gz", "ours", tmp_path).kinds.total() == len(ROWS)
    (tmp_path / "l.csv.gz").write_bytes(packed[:-9])
    with pytest.raises(BadInput):
        compile_list(tmp_path / "l.csv.gz", "cut", tmp_path)
    assert [path.name for path in tmp_path.glob("*.optout")] == ["ours.optout"]


@pytest.mark.parametrize("at_once", [True, False])
def test_ours_threads_ask_one_list(compiled: Path, monkeypatch: pytest.MonkeyPatch, *, at_once: bool) -> None:
    monkeypatch.setattr(pieces, "_AT_ONCE", at_once)
    one, found = opened(compiled), list[int]()

    def ask() -> None:
        found.extend(len(one.about(Asset(f"https://{n}.shop.example/"))) for n in range(200))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 800


def test_ours_a_file_that_is_cut_or_closed_while_in_use_is_an_error(compiled: Path) -> None:
    one = opened(compiled)
    with compiled.open("r+b") as file:
        file.truncate(100)
    with pytest.raises(BadList):
        one.about(Asset("https://art.example/a.jpg"))
    one.close()
    with pytest.raises(BadList):
        one.about(Asset("https://art.example/a.jpg"))


def test_ours_an_index_that_leads_astray_is_an_error(compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened(compiled)
    monkeypatch.setattr(one, "_row", lambda _at: ROWS[1])
    with pytest.raises(BadList, match="another row"):
        one.about(Asset("https://art.example/a.jpg"))


def test_ours_what_shows_the_work_is_asked_about_too(tmp_path: Path) -> None:
    rows = [
        Row("url", "https://art.example/work/1"),
        Row("host", "blog.example"),
        Row("prefix", "https://x.example/p/"),
    ]
    path = compile_list(_csv(tmp_path / "l.csv", rows), "ours", tmp_path).path
    lists = optout_lists.Lists([path], lambda: 1.0)
    for page, refused in (("https://art.example/work/1", 1), ("https://blog.example/", 1), ("https://c.example/", 0)):
        evidence = lists.obtain(LISTED, Asset("https://cdn.example/1.jpg", page)).result()
        assert len(json.loads(evidence.content)["rows"]) == refused
    unlisted = [lists.known(LISTED, Asset(f"https://cdn.example/{n}.jpg")) for n in range(2)]
    assert unlisted[0] is unlisted[1]
    lists.close()


def test_ours_whatever_byte_is_changed_a_listed_work_is_never_unlisted(compiled: Path) -> None:
    whole, draw = compiled.read_bytes(), random.Random(3)  # noqa: S311 (the same draws always)
    for _ in range(300):
        at = draw.randrange(len(whole))
        compiled.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
        with suppress(BadList):
            one = opened(compiled)
            assert one.about(Asset("https://art.example/a.jpg")) == [ROWS[0], ROWS[6]]
            assert one.about(Asset("https://cdn.example/1.png", None, ("deviantart:808603826",))) == [ROWS[3]]
            assert one.sha256(ROWS[4].value) == [ROWS[4]]
            assert one.perceptual("phash", ROWS[5].value) == [ROWS[5]]
        closing_all()
