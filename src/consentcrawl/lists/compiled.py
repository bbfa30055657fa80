"""Opens a compiled list and asks it: a filter and a fan-out are held, all else is read where it lies.

What cannot be read is an error, never "not listed".
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from consentcrawl.core import Asset
from consentcrawl.lists import keys, layout
from consentcrawl.lists.heaps import little
from consentcrawl.lists.layout import BadList
from consentcrawl.lists.pieces import Pieces
from consentcrawl.lists.rows import PERCEPTUAL, ROW_LIMIT, Row, of_text

__all__ = ["BadList", "CompiledList"]

_PIECE = 1 << 20
_PROOF = 10
"""Bytes of a row beside its cells: the checksum and the end of the line."""


class CompiledList:
    """One opt-out list, ready to be asked. Safe for threads and forks.

    Raises BadList for a file that is cut short or whose head or index is damaged, OSError for one that cannot be
    opened. Rows prove themselves when they are read.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, and see that its head, its length and its index are right."""
        self.path, self._pieces = path, Pieces(path)
        try:
            self._open()
        except BadList as error:
            self.close()
            msg = f"{path}: {error}"
            raise BadList(msg) from None

    def _open(self) -> None:
        self.facts = layout.unpack(self._pieces.at(0, layout.HEAD))
        if self._pieces.size() != self.facts["size"]:
            msg = "it is not as long as its head says"
            raise BadList(msg)
        self.name, self.kinds = str(self.facts["name"]), frozenset(self.facts["kinds"])
        filter_bits, slot_bits = layout.bits(self.facts["entries"])
        self._filter_shift, self._slot_shift = 64 - filter_bits, 64 - slot_bits
        self._filter, self._fanout = b"".join(self._proven("filter")), array("Q", b"".join(self._proven("fanout")))
        little(self._fanout)
        for _ in self._proven("index"):
            pass
        self._index: int = self.facts["sections"]["index"][0]

    def close(self) -> None:
        """Let go of the file."""
        self._pieces.close()

    def check(self) -> None:
        """Read the rows against their digest, too. Raises BadList for damage."""
        for _ in self._proven("rows"):
            pass

    @property
    def of_content(self) -> bool:
        """Return whether there are rows about contents."""
        return not self.kinds.isdisjoint(("sha256", *PERCEPTUAL))

    def about(self, asset: Asset) -> list[Row]:
        """Return the rows about an asset's URL, host and work keys. Raises BadList."""
        url, kinds = keys.bare(asset.url), self.kinds
        found: list[Row] = []
        if "url" in kinds:
            found += self._rows("url", url)
        if "prefix" in kinds:
            found += self._prefixes(url)
        if "host" in kinds:
            for domain in keys.domains(asset.host):
                found += self._rows("host", domain)
        if "maker" in kinds:
            for key in asset.work_keys:
                found += self._rows("maker", key)
        return found

    def sha256(self, digest: str) -> list[Row]:
        """Return the rows about a content with this SHA-256, in hex. Raises BadList."""
        return list(self._rows("sha256", digest)) if "sha256" in self.kinds else []

    def perceptual(self, kind: str, value: str) -> list[Row]:
        """Return the rows whose dHash or pHash (16 hex digits) is as near as the list says. Raises BadList."""
        if kind not in self.kinds:
            return []
        distance, asked = int(self.facts["distance"]), int(value, 16)
        places = {
            entry[layout.SAME :]: entry
            for key in keys.near(kind, value, distance)
            for entry in self._entries(key)
            if (int.from_bytes(entry[len(key) : layout.KEY]) ^ asked).bit_count() <= distance
        }
        return [self._row(layout.tag_and_offset(entry)[1]) for entry in places.values()]

    def _prefixes(self, url: str) -> Iterator[Row]:
        """Return the rows of every prefix of ``url``: each folder tells how long those are that go on after it."""
        for folder in keys.folders(url):
            for entry in self._entries(keys.lengths(folder)):
                length, _ = layout.tag_and_offset(entry)
                if length <= len(url):
                    yield from self._rows("prefix", url[:length])

    def _rows(self, kind: str, text: str) -> Iterator[Row]:
        key = keys.key(kind, text)
        for entry in self._entries(key):
            row = self._row(layout.tag_and_offset(entry)[1])
            if keys.of_row(row) != key:
                msg = f"{self.path}: its index leads to another row"
                raise BadList(msg)
            yield row

    def _entries(self, key: bytes) -> Iterator[bytes]:
        """Return the index entries that begin with ``key``; most keys end at the filter."""
        top = int.from_bytes(key[:8])
        bit = top >> self._filter_shift
        if not self._filter[bit >> 3] >> (bit & 7) & 1:
            return
        slot = top >> self._slot_shift
        first = self._fanout[slot - 1] if slot else 0
        length = (self._fanout[slot] - first) * layout.ENTRY
        entries = self._pieces.at(self._index + first * layout.ENTRY, length)
        at = entries.find(key)
        while at >= 0:
            if at % layout.ENTRY == 0:
                yield entries[at : at + layout.ENTRY]
            at = entries.find(key, at + 1)

    def _row(self, at: int) -> Row:
        try:
            return of_text(self._pieces.some(at, ROW_LIMIT + _PROOF))
        except (ValueError, TypeError) as error:
            msg = f"{self.path}: the row at {at} is damaged: {error}"
            raise BadList(msg) from error

    def _proven(self, part: str) -> Iterator[bytes]:
        """Return a section in pieces, and see in the end that it is what was written."""
        start, length = self.facts["sections"][part]
        digest = sha256()
        for at in range(start, start + length, _PIECE):
            piece = self._pieces.at(at, min(_PIECE, start + length - at))
            digest.update(piece)
            yield piece
        if digest.hexdigest() != self.facts["sha256"][part]:
            msg = f"its section {part!r} is damaged"
            raise BadList(msg)
