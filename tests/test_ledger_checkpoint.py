"""Checkpoints: C2SP's own example, and every other spelling refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.ledger.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    VerifierKey,
    new_key,
    open_checkpoint,
    parse_note,
    parse_text,
    parse_verifier,
    sign,
    signers_of,
)  # fmt: skip

KEY = new_key("example.com/log")
OTHER = new_key("example.com/log")
HEAD = Checkpoint("example.com/log", 20_852_163, bytes(range(32)))
NOTE = sign(HEAD, [KEY])
# The key and the note of golang.org/x/mod/sumdb/note, as its documentation shows them.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_c2sp_signed_note_a_note_of_another_implementation_is_read() -> None:
    key = parse_verifier(GO_KEY)
    assert signers_of(parse_note(GO_NOTE.encode()), [key]) == (key,)
    assert str(key) == GO_KEY


def test_c2sp_checkpoint_round() -> None:
    assert open_checkpoint(NOTE.encode(), [KEY.verifier]) == HEAD
    assert NOTE.split("\n")[:3] == ["example.com/log", "20852163", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
    assert parse_verifier(str(KEY.verifier)) == KEY.verifier


def test_c2sp_signed_note_unknown_keys_are_passed_over_and_known_ones_must_be_right() -> None:
    both = sign(HEAD, [OTHER, KEY])
    assert open_checkpoint(both.encode(), [KEY.verifier]) == HEAD
    assert signers_of(parse_note(both.encode()), [KEY.verifier, OTHER.verifier]) == (OTHER.verifier, KEY.verifier)
    with pytest.raises(BadCheckpoint, match="no known key"):
        open_checkpoint(NOTE.encode(), [OTHER.verifier])
    wrong = NOTE.replace("20852163", "20852164")
    with pytest.raises(BadCheckpoint, match="is wrong"):
        open_checkpoint(wrong.encode(), [KEY.verifier])


def test_ours_every_single_bit_of_a_checkpoint_counts() -> None:
    note = NOTE.encode()
    for at in range(len(note) * 8):
        changed = bytearray(note)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(BadCheckpoint):
            open_checkpoint(bytes(changed), [KEY.verifier])


ROOT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n", f"a\n1\n{ROOT}", f"\n1\n{ROOT}\n", f"a\n01\n{ROOT}\n", f"a\n-1\n{ROOT}\n",
        f"a\n\N{ARABIC-INDIC DIGIT ONE}\n{ROOT}\n",
        f"a\n1\n{ROOT}\nextension\n",
        f"a\n1\n{ROOT[:-2]}9=\n", f"a\n1\n{ROOT[:-1]}\n", "a\n1\nAAAA\n", f"a\n1\n {ROOT}\n",
        f"a\n{'9' * 20}\n{ROOT}\n",
    ],
)  # fmt: skip
def test_c2sp_checkpoint_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        parse_text(text)


@pytest.mark.parametrize(
    "note",
    [
        b"", b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n", b"x\n\n", NOTE.encode()[:-1], NOTE.encode() + b"\n",
        NOTE.encode() + b"x\n",
        NOTE.replace("\n", "\r\n").encode(), NOTE.replace("— ", "- ").encode(), NOTE.replace("— ", "—  ").encode(),
        NOTE.replace("\n", "\N{LINE SEPARATOR}").encode(), NOTE.replace("— example.com/log ", "— a+b ").encode(),
        NOTE.encode() + NOTE.encode().split(b"\n\n")[1] * 16, b"x" * 70_000, b"text\n\n\xe2\x80\x94 a AAAA\n",
    ],
)  # fmt: skip
def test_c2sp_signed_note_other_spellings_are_refused(note: bytes) -> None:
    with pytest.raises(BadCheckpoint):
        open_checkpoint(note, [KEY.verifier])


def test_c2sp_signed_note_a_line_separator_in_the_text_is_not_a_line_end() -> None:
    text = "a\N{LINE SEPARATOR}b\n"
    note = parse_note((text + "\n" + KEY.line(text)).encode())
    assert note.text == text
    assert signers_of(note, [KEY.verifier]) == (KEY.verifier,)


@pytest.mark.parametrize(
    "line",
    [
        "", "a", "a+b", "a+00000000+AAAA", GO_KEY + " ", GO_KEY.replace("c74f", "c74e"), " " + GO_KEY,
        GO_KEY.replace("+ARpc", "+AhpC"),
    ],
)  # fmt: skip
def test_c2sp_signed_note_a_verifier_key_has_one_spelling(line: str) -> None:
    with pytest.raises(BadCheckpoint):
        parse_verifier(line)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\N{NO-BREAK SPACE}b"])
def test_c2sp_signed_note_key_names_have_no_spaces_and_no_plus(name: str) -> None:
    with pytest.raises(BadCheckpoint):
        new_key(name)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_ours_arbitrary_bytes_raise_nothing_else(note: bytes) -> None:
    with pytest.raises(BadCheckpoint):
        open_checkpoint(note, [VerifierKey("a", bytes(32))])
