"""How a compiled list lies on disk: a head of fixed size, then rows, filter, fan-out and index, each with its digest.

The head says how long the file is and proves itself; a file that was cut or changed in its head never opens.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from consentcrawl.errors import ConsentError

MAGIC = b"consentcrawl list 1\n"
HEAD = 4096
KEY, ENTRY = 16, 24
"""Bytes of an index entry: a key, then two of a tag (the category, or a length) and six of the offset of its row."""
SAME = KEY + 2
"""Two entries that begin alike for so many bytes say the same."""
FILTER_BITS = 4
ROWS_PER_SLOT = 3
"""Binary logarithms: sixteen filter bits for each entry, eight entries for each slot of the fan-out."""
SECTIONS = ("rows", "filter", "fanout", "index")


class BadList(ConsentError):
    """A compiled list that is damaged, cut short or no list at all."""


def place(tag: int, offset: int) -> bytes:
    """The end of an index entry."""
    return tag.to_bytes(2) + offset.to_bytes(6)


def tag_and_offset(entry: bytes) -> tuple[int, int]:
    """What ``place`` put at the end of an entry."""
    return int.from_bytes(entry[KEY:SAME]), int.from_bytes(entry[SAME:ENTRY])


def bits(entries: int) -> tuple[int, int]:
    """How many leading bits of a key choose its bit of the filter, and its slot of the fan-out."""
    whole = max(entries, 1).bit_length()
    return whole + FILTER_BITS, max(whole - ROWS_PER_SLOT, 0)


def pack(facts: dict[str, Any]) -> bytes:
    """The head of a file."""
    text = json.dumps(facts, sort_keys=True).encode()
    head = MAGIC + sha256(text).hexdigest().encode() + b"\n" + text + b"\n"
    return head.ljust(HEAD, b" ")


def unpack(head: bytes) -> dict[str, Any]:
    """What a head says. Raises BadList for one that does not prove itself."""
    magic, proof, text = head[: len(MAGIC)], head[len(MAGIC) : len(MAGIC) + 64], head[len(MAGIC) + 65 :].strip()
    if len(head) != HEAD or magic != MAGIC or sha256(text).hexdigest().encode() != proof:
        msg = "not a compiled list, or its head is damaged"
        raise BadList(msg)
    facts: dict[str, Any] = json.loads(text)
    return facts
