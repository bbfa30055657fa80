"""Lists in, lists out: every row answered once, in order, its URL byte for byte."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.core import Category, Gap, Gate, Ground, Hop, Outcome, Verdict, disallow
from consentcrawl.dataset import parquet, readers, writers
from consentcrawl.dataset.ordered import in_order
from consentcrawl.dataset.readers import Columns, Row, read
from consentcrawl.dataset.writers import COLUMNS, CsvWriter, JsonlWriter, ParquetRows, encoded, printable
from consentcrawl.errors import BadInput

URL = "https://a.example/1.jpg"
ODD = b"https://a.example/\xff\xfe \x1b[31m=1"


def file(directory: Path, name: str, content: bytes) -> str:
    path = directory / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return str(path)


def urls(*sources: str, columns: Columns | None = None, form: str | None = None) -> list[str]:
    return [row.url for row in read(sources, columns, form)]


@pytest.mark.parametrize("name", ["list.txt", "list.txt.gz"])
def test_ours_a_line_is_a_row_byte_for_byte(tmp_path: Path, name: str) -> None:
    content = (
        b"\xef\xbb\xbfhttps://a.example/1\r\n\n  \t\n  https://b.example/2 \n"
        + ODD
        + b"\nnot a url\x0b\xe2\x80\xa8x\nlast"
    )

    assert urls(file(tmp_path, name, content)) == [
        "https://a.example/1",
        "  https://b.example/2 ",
        ODD.decode("utf-8", "surrogateescape"),
        "not a url\x0b\u2028x",
        "last",
    ]


def test_ours_a_url_is_a_list_of_one() -> None:
    assert list(read([URL, "ftp://x"])) == [Row(URL), Row("ftp://x")]


@pytest.mark.parametrize("name", ["list.csv", "list.csv.gz"])
def test_rfc4180_cells_may_be_quoted_and_short_rows_are_rows(tmp_path: Path, name: str) -> None:
    content = b'id,url,shown\r\n1,"https://a.example/,""1""",https://a.example/p\r\n2\r\n\r\n3,https://b.example/,\r\n'

    assert list(read([file(tmp_path, name, content)], Columns("url", "shown"))) == [
        Row('https://a.example/,"1"', "https://a.example/p"),
        Row(""),
        Row("https://b.example/"),
    ]


def test_ours_a_json_line_is_a_row_whatever_its_url_is(tmp_path: Path) -> None:
    content = (
        b'{"u": "https://a.example/", "p": null}\n\n{"u": null, "p": "x"}\n{"u": 7, "p": ""}\n{"u": "\\ud800", "p": 1}'
    )

    assert list(read([file(tmp_path, "l.jsonl", content)], Columns("u", "p"))) == [
        Row("https://a.example/"),
        Row("", "x"),
        Row("7"),
        Row("\ud800", "1"),
    ]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_ours_parquet_columns_of_text_are_read(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"n": [1, 2, 3], "url": pa.array([URL, None, "é"], pa.string()).cast(kind)})
    pq.write_table(table, tmp_path / "l.parquet")
    packed = file(tmp_path, "l.parquet.gz", (tmp_path / "l.parquet").read_bytes())

    assert urls(str(tmp_path / "l.parquet"), packed) == [URL, "", "é"] * 2


def test_ours_a_parquet_column_without_a_value_has_rows_all_the_same(tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": pa.nulls(2)}), tmp_path / "l.parquet")

    assert urls(str(tmp_path / "l.parquet")) == ["", ""]


def test_ours_parquet_strings_that_are_no_utf8_are_kept(tmp_path: Path) -> None:
    array = pa.Array.from_buffers(pa.string(), 1, pa.array([ODD], pa.binary()).buffers())
    pq.write_table(pa.table({"url": array, "page": ["p"]}), tmp_path / "l.parquet")

    (row,) = read([str(tmp_path / "l.parquet")], Columns("url", "page"))

    assert encoded(row.url) == ODD
    assert row.page == "p"


def test_ours_stdin_is_lines_or_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def stdin(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    stdin(b"a\nb\n")
    assert urls("-") == ["a", "b"]
    stdin(b"url\na\n")
    assert urls("-", form="csv") == ["a"]
    packed = io.BytesIO()
    pq.write_table(pa.table({"url": [URL]}), packed)
    stdin(packed.getvalue())
    assert urls("-", form="parquet") == [URL]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("l.csv", b"a,b\n1,2\n", r"l\.csv: line 1: no column 'url' among 'a', 'b'"),
        ("l.csv", b"", r"l\.csv: line 1: no column 'url' among none"),
        ("l.csv", b"url,url\n", r"l\.csv: line 1: more than one column 'url'"),
        ("l.csv", b'url\nx\n"y\nz\n', r"l\.csv: line 4: "),
        ("l.jsonl", b'{"url": "x"}\n{"url": }\n', r"l\.jsonl: line 2, column 9: "),
        ("l.jsonl", b'{"link": "x"}\n', r"l\.jsonl: line 1: no column 'url' among 'link'"),
        ("l.jsonl", b'["x"]\n', r"l\.jsonl: line 1: not a JSON object"),
        ("l.jsonl", b"[" * 100_000, r"l\.jsonl: line 1, column 1: "),
        ("l.jsonl", b'{"url": ' + b"9" * 5000 + b"}", r"l\.jsonl: line 1, column 1: "),
        ("l.parquet", b"PAR1 and nothing", r"l\.parquet: "),
        ("l.doc", b"x", r"l\.doc: a list is txt, csv, jsonl, parquet"),
        ("none", b"x", r"none: a list is"),
    ],
)
def test_ours_what_is_no_list_names_file_line_and_column(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    source = file(tmp_path, name, content)

    with pytest.raises(BadInput, match=says) as caught:
        urls(source)

    assert "\n" not in str(caught.value)


def test_ours_a_packed_list_that_was_cut_off_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "l.txt.gz").write_bytes(gzip.compress(b"x\n" * 9999)[:-9])

    with pytest.raises(BadInput, match=r"l\.txt\.gz"):
        urls(str(tmp_path / "l.txt.gz"))


def test_ours_a_missing_file_a_folder_and_a_column_of_numbers_are_no_lists(tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": [1]}), tmp_path / "numbers.parquet")
    pq.write_table(pa.table({"link": ["x"]}), tmp_path / "other.parquet")
    (tmp_path / "folder.txt").mkdir()

    for name in ("numbers.parquet", "other.parquet", "folder.txt", "nothing.txt", "nothing.parquet"):
        with pytest.raises(BadInput, match=name):
            urls(str(tmp_path / name))


def test_ours_a_line_without_end_is_no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LINE_LIMIT", 10)

    with pytest.raises(BadInput, match="line 2: longer than 10 bytes"):
        urls(file(tmp_path, "l.txt", b"short\n12345678901\n"))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_ours_any_bytes_are_rows_or_bad_input(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    directory = tmp_path_factory.mktemp("any")
    for name in ("l.txt", "l.csv", "l.jsonl", "l.parquet"):
        try:
            found = urls(file(directory, name, content))
        except BadInput:
            continue
        assert all(isinstance(url, str) for url in found)


# Writers


def refusal(url: str = URL, quote: str = "=HYPERLINK(1)", where: str = "line 1") -> Verdict:
    ground = Ground("robots_txt", disallow(Category.ACQUIRE, quote, where), "https://a.example/robots.txt")
    return Verdict(url, Outcome.REFUSE, "train-ai", Gate.LOOKUP, True, (ground,), (), deciding=(ground,))  # noqa: FBT003 (a field)


def unknown() -> Verdict:
    gaps = (Gap("https://a.example/x", "timeout"), Gap(URL, "parked", holds=True, note="@x"))
    hops = (Hop("https://b.example/", 301),)
    return Verdict(URL, Outcome.UNDETERMINED, "train-ai", Gate.HEAD, False, (), gaps, hops)  # noqa: FBT003 (a field)


def written(kind: type[JsonlWriter | CsvWriter | ParquetRows], *answered: tuple[Row, Verdict]) -> bytes:
    stream = io.BytesIO()
    writer = kind(stream)
    for row, verdict in answered:
        writer.write(row, verdict)
    writer.close()
    return stream.getvalue()


def test_ours_a_json_line_is_ascii_with_the_url_as_it_stood() -> None:
    odd = ODD.decode("utf-8", "surrogateescape")
    lines = written(JsonlWriter, (Row(odd, "p"), refusal(quote="\x1b[2J\u202e")), (Row(URL), unknown()))

    first, second = map(json.loads, lines.splitlines())

    assert lines.isascii()
    assert b"\x1b" not in lines
    assert list(first) == [
        "url", "page", "outcome", "purpose", "gate", "enforced", "grounds", "gaps", "hops", "decided_at",
        "policy", "version",
    ]  # fmt: skip
    assert encoded(first["url"]) == ODD
    assert "page" not in second
    assert second["gaps"][1] == {"need": URL, "reason": "parked", "note": "@x"}


def test_ours_a_csv_cell_is_no_formula_and_the_url_is_as_it_stood() -> None:
    text = written(
        CsvWriter, (Row("=1\x1b+", "-p"), refusal()), (Row(ODD.decode("utf-8", "surrogateescape")), unknown())
    )
    header, first, second = csv.reader(io.StringIO(text.decode("utf-8", "surrogateescape")))

    cells, more = dict(zip(header, first, strict=True)), dict(zip(header, second, strict=True))
    assert header == list(COLUMNS)
    assert (cells["url"], cells["page"], cells["quote"], cells["enforced"]) == (
        "=1\x1b+",
        "'-p",
        "'=HYPERLINK(1)",
        "true",
    )
    assert (cells["signal"], cells["where"], cells["source"]) == (
        "robots_txt",
        "line 1",
        "https://a.example/robots.txt",
    )
    assert json.loads(cells["grounds"])[0]["category"] == "acquire"
    assert (more["reason"], more["need"], more["signal"]) == ("parked", URL, "")
    assert encoded(more["url"]) == ODD
    assert b"\n\\ud800\\udcff," in written(CsvWriter, (Row("\ud800\udcff"), unknown()))


def test_ours_parquet_rows_are_written_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "GROUP_ROWS", 2)
    answered = [(Row(f"{URL}?{n}"), refusal()) for n in range(5)] + [(Row("\udcff\ud800"), unknown())]

    file = pq.ParquetFile(io.BytesIO(written(ParquetRows, *answered)))
    table = file.read().to_pylist()

    assert file.num_row_groups == 3
    assert [row["url"] for row in table[:5]] == [f"{URL}?{n}" for n in range(5)]
    assert table[5]["url"] == "\\udcff\\ud800"
    assert (table[0]["enforced"], table[0]["quote"], table[5]["reason"]) == (True, "=HYPERLINK(1)", "parked")


def test_ours_a_permit_has_empty_cells() -> None:
    cells = writers.as_cells(Row(URL), Verdict(URL, Outcome.PERMIT, "tdm", Gate.BODY, True, (), ()))  # noqa: FBT003 (a field)

    assert (cells["signal"], cells["reason"], cells["gaps"], cells["gate"]) == ("", "", "[]", "body")
    assert list(cells) == list(COLUMNS)


@pytest.mark.parametrize(
    "mark", ["\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028", "\ud800", "\ufeff", "\n"]
)
def test_ours_nothing_that_steers_a_terminal_is_printed(mark: str) -> None:
    assert printable(f"a{mark}b").isascii()
    assert printable("Zoë ©") == "Zoë ©"


@settings(max_examples=100)
@given(st.binary(max_size=50))
def test_ours_bytes_come_out_as_they_went_in(content: bytes) -> None:
    assert encoded(readers.decoded(content)) == content


# In order


def test_ours_rows_come_in_order_however_long_each_takes() -> None:
    def work(n: int) -> int:
        time.sleep(0.005 if n % 7 == 0 else 0)
        return -n

    answered = list(in_order(range(300), lambda n: str(n % 20), work, workers=8, window=32))

    assert answered == [(n, -n) for n in range(300)]


def test_ours_one_worker_works_for_an_origin_at_a_time() -> None:
    at_work: set[str] = set()

    def work(row: tuple[str, int]) -> None:
        assert row[0] not in at_work
        at_work.add(row[0])
        time.sleep(0.0005)
        at_work.remove(row[0])

    given_rows = [(str(n % 3), n) for n in range(300)]
    assert len(list(in_order(given_rows, lambda row: row[0], work, workers=8))) == 300


def test_ours_no_more_than_the_window_is_read_ahead() -> None:
    taken: list[int] = []
    let_go = threading.Event()

    def source() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    answered = in_order(source(), str, lambda _: let_go.wait(5), workers=2, window=10)
    threading.Timer(0.05, let_go.set).start()
    next(answered)

    assert len(taken) <= 11
    answered.close()


def test_ours_what_work_raises_is_raised_at_its_row() -> None:
    def work(n: int) -> int:
        return 1 // (n - 2)

    answered = in_order(range(5), str, work, workers=2)

    assert [next(answered), next(answered)] == [(0, -1), (1, -1)]
    with pytest.raises(ZeroDivisionError):
        next(answered)


def test_ours_a_caller_that_stops_drops_what_nobody_began() -> None:
    begun: list[int] = []

    def work(n: int) -> None:
        begun.append(n)
        time.sleep(0.005)

    answered = in_order(range(500), lambda _: "one", work, workers=2)
    next(answered)
    answered.close()

    assert len(begun) < 20
