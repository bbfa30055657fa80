"""The keys under which a row is found: the same for what is listed and for what is asked.

Whatever the scheme, host and path name the same work; a host speaks for the hosts below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import combinations

from consentcrawl.lists import layout
from consentcrawl.lists.rows import CATEGORIES, PERCEPTUAL, Row

MAX_DISTANCE = 11
_PARTS, _PART_BITS = 4, 16
_PART_KEY = 8
_LENGTHS = "lengths"
REPEATED = 1 << _PARTS
"""Tags of rows are below it; those of the further entries of the same row are not."""


def key(kind: str, text: str) -> bytes:
    """Sixteen bytes for what is looked for."""
    return blake2b(f"{kind}\0{text}".encode("utf-8", "replace"), digest_size=layout.KEY).digest()


def lengths(folder: str) -> bytes:
    """The key under which the lengths of the prefixes lie that go on after a folder."""
    return key(_LENGTHS, folder)


def of_row(row: Row) -> bytes:
    """The key of a row that has one key."""
    return key(row.kind, bare(row.value) if row.kind in ("url", "prefix") else row.value)


def entries(row: Row, offset: int) -> Iterator[bytes]:
    """Every index entry of a row whose text lies at ``offset``."""
    tag = CATEGORIES.index(row.category)
    if row.kind in PERCEPTUAL:
        value = bytes.fromhex(row.value)
        for n, part in enumerate(_parts(row.value)):
            yield part_key(row.kind, n, part) + value + layout.place(tag + n * REPEATED, offset)
        return
    yield of_row(row) + layout.place(tag, offset)
    if row.kind == "prefix":
        prefix = bare(row.value)
        yield lengths(prefix[: prefix.rfind("/") + 1]) + layout.place(len(prefix), 0)


def bare(url: str) -> str:
    """A canonical URL without its scheme."""
    return url.partition("://")[2]


def folders(url: str) -> Iterator[str]:
    """Every part of a bare URL that ends in a slash."""
    end = url.find("/")
    while end >= 0:
        yield url[: end + 1]
        end = url.find("/", end + 1)


def domains(host: str) -> Iterator[str]:
    """The host, and every domain above it that has a dot."""
    yield host
    while "." in (host := host.partition(".")[2]):
        yield host


def part_key(kind: str, n: int, part: int) -> bytes:
    """Eight bytes for the n-th sixteen bits of a perceptual hash; the hash itself follows in the entry."""
    return key(kind, f"{n} {part}")[:_PART_KEY]


def near(kind: str, value: str, distance: int) -> Iterator[bytes]:
    """Every part key under which a perceptual hash within ``distance`` bits may lie.

    Of four parts that differ in ``distance`` bits together, one differs in a quarter of them at most.
    """
    for n, part in enumerate(_parts(value)):
        for most in range(distance // _PARTS + 1):
            for flipped in combinations(range(_PART_BITS), most):
                yield part_key(kind, n, part ^ sum(1 << bit for bit in flipped))


def _parts(value: str) -> list[int]:
    return [int(value[4 * n : 4 * n + 4], 16) for n in range(_PARTS)]
