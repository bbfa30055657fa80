"""The evidence store: each document once, given back as it came, by several processes."""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from consentcrawl.ledger.evidence import Document, EvidenceStore, NoEvidence, urn

ROBOTS = b"User-agent: *\nDisallow: /\n"
AT = 1_700_000_000.25


def test_ours_a_document_comes_back_as_it_was_put(tmp_path: Path) -> None:
    fields = (
        ("Content-Type", "text/plain"),
        ("Content-Encoding", "gzip"),
        ("X", "é\r\nWARC-Type: x"),
        ("X-Archive-Orig-A", "b"),
    )
    with EvidenceStore(tmp_path / "e") as store:
        digest = store.put("https://a.example/robots.txt", 200, fields, ROBOTS, AT)
        assert store.get(digest) == Document("https://a.example/robots.txt", 200, fields, ROBOTS, AT)


def test_ours_the_same_answer_is_kept_once_and_another_head_is_a_revisit(tmp_path: Path) -> None:
    with EvidenceStore(tmp_path) as store:
        digest = store.put("https://a.example/", 200, [("Date", "1")], ROBOTS, AT)
        assert store.put("https://a.example/", 200, [("Date", "2")], ROBOTS, AT + 1) == digest
        store.put("https://a.example/", 200, [("X-Robots-Tag", "noai")], ROBOTS, AT + 2)
        assert [d.fields for d in store.answers(digest)] == [(("Date", "1"),), (("X-Robots-Tag", "noai"),)]
        assert [d.content for d in store.answers(digest)] == [ROBOTS, ROBOTS]
    (warc,) = tmp_path.glob("*.warc.gz")
    with warc.open("rb") as file:
        records = ArchiveIterator(file, check_digests="raise")
        assert [(r.rec_type, r.content_stream().read()) for r in records] == [("response", ROBOTS), ("revisit", b"")]


def test_ours_two_stores_share_a_directory(tmp_path: Path) -> None:
    with EvidenceStore(tmp_path) as one, EvidenceStore(tmp_path) as other:
        digest = one.put("https://a.example/", 200, (), ROBOTS, AT)
        one.sync()
        assert other.put("https://a.example/", 200, (), ROBOTS, AT) == digest
        assert other.get(digest).content == ROBOTS
    assert len(list(tmp_path.glob("*.warc.gz"))) == 1


def test_ours_threads_keep_each_document_once(tmp_path: Path) -> None:
    with EvidenceStore(tmp_path) as store:

        def work() -> None:
            for n in range(50):
                store.put(f"https://a.example/{n}", 200, (), b"%d" % n, AT)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.rebuild() == 50


def test_ours_digests_can_be_rebuilt_and_a_torn_end_is_passed_over(tmp_path: Path) -> None:
    with EvidenceStore(tmp_path) as store:
        first = store.put("https://a.example/1", 200, (), b"one", AT)
        second = store.put("https://a.example/2", 200, (), b"two" * 500, AT)
    (warc,) = tmp_path.glob("*.warc.gz")
    (digests,) = tmp_path.glob("*.digests")
    digests.unlink()
    warc.write_bytes(warc.read_bytes()[:-30])
    with EvidenceStore(tmp_path) as store:
        with pytest.raises(NoEvidence):
            store.get(first)
        assert store.rebuild() == 1
        assert store.get(first).content == b"one"
        with pytest.raises(NoEvidence):
            store.get(second)


def test_ours_damage_is_told_and_not_given_back(tmp_path: Path) -> None:
    with EvidenceStore(tmp_path) as store:
        digest = store.put("https://a.example/", 200, (), bytes(range(256)), AT)
    (warc,) = tmp_path.glob("*.warc.gz")
    whole = warc.read_bytes()
    for at in range(len(whole)):
        warc.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with EvidenceStore(tmp_path) as store:
            try:
                assert store.get(digest).content == bytes(range(256))
            except NoEvidence:
                continue


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1), st.text())), st.binary(max_size=200), st.integers(100, 599), st.text())
def test_ours_any_fields_and_bytes_survive(
    tmp_path_factory: pytest.TempPathFactory, fields: list[tuple[str, str]], content: bytes, status: int, path: str
) -> None:
    with EvidenceStore(tmp_path_factory.mktemp("any")) as store:
        digest = store.put("https://a.example/" + path, status, fields, content, AT)
        found = store.get(digest)
    assert (found.status, found.fields, found.content) == (status, tuple(fields), content)


def test_ours_a_document_is_listed_only_once_it_is_durable(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    store.put("https://a.example/", 200, (), ROBOTS, AT)
    (digests,) = tmp_path.glob("*.digests")
    assert digests.read_bytes() == b""
    store.sync()
    listed = digests.read_bytes()
    assert listed.endswith(b"\n")
    store.sync()
    store.close()
    digests.write_bytes(b"\0" * 40 + b"\n\xff\n" + listed)  # what a power cut may leave
    with EvidenceStore(tmp_path) as again:
        assert again.get(sha256(ROBOTS).hexdigest()).content == ROBOTS


def test_ours_what_no_server_sent_is_kept_once_and_as_what_it_is(tmp_path: Path) -> None:
    with EvidenceStore(tmp_path) as store:
        digest = store.note("xmp", "application/rdf+xml", b"<x/>", AT)
        assert store.note("iptc", "text/plain", b"<x/>", AT + 1) == digest
        assert store.get(digest) == Document(urn("xmp"), 0, (("Content-Type", "application/rdf+xml"),), b"<x/>", AT)
        store.put("https://a.example/x.xmp", 200, (), b"<x/>", AT)
        assert [d.status for d in store.answers(digest)] == [0, 200]
        assert store.rebuild() == 2
    (warc,) = tmp_path.glob("*.warc.gz")
    with warc.open("rb") as file:
        assert [r.rec_type for r in ArchiveIterator(file, check_digests="raise")] == ["resource", "revisit"]
