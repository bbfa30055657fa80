"""Answers the needs of the signal ``opt_out_list`` out of the configured lists.

What was not looked up, and a list that is damaged while it is in use, is a gap that holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from consentcrawl.core import Asset, Evidence, Need
from consentcrawl.errors import BadPolicy
from consentcrawl.lists.compiled import CompiledList
from consentcrawl.lists.layout import BadList
from consentcrawl.lists.pictures import hashes
from consentcrawl.lists.rows import PERCEPTUAL, Row

PREFIX = "list:"
CONTENT, PART = "list:content", "list:part"
"""About the content that is sent along, and about one of which only a part is known."""
_OK = 200
Found = list[tuple[str, str, Row]]
"""The list, what the row is about (asset, page or content), and the row."""


class Lists:
    """The lists of one taker. Raises BadPolicy for one that cannot be opened."""

    def __init__(self, files: Iterable[Path]) -> None:
        """Open every file."""
        try:
            self._lists = [CompiledList(file) for file in files]
        except (BadList, OSError) as error:
            msg = f"lists.files: {error}"
            raise BadPolicy(msg) from error
        self.of_content = any(each.of_content for each in self._lists)
        self._unlisted: dict[Need, Evidence] = {}

    def close(self) -> None:
        """Let go of the files."""
        for each in self._lists:
            each.close()

    def answer(self, need: Need, asset: Asset, now: float) -> Evidence:
        """Return the rows that match: JSON with ``rows``, each with its list and what of the asset it is about.

        Blocks for a content where there are lists of contents.
        """
        found: Found = []
        gap, note = "", ""
        try:
            gap = self._find(need, asset, found)
        except BadList as error:
            gap, note = "malformed", str(error)
        if not found and not gap:
            return self._nothing(need, now)
        rows = [{"list": name, "of": of, **asdict(row)} for name, of, row in found]
        source = PREFIX + ",".join(dict.fromkeys(name for name, _, _ in found)) if found else need.url
        return Evidence(need, source, status=_OK, content=_json(rows), at=now, gap=gap, note=note)

    def _find(self, need: Need, asset: Asset, found: Found) -> str:
        """Add what is found; give the reason code of what could not be looked up."""
        if need.url == PART:
            return "body_limit" if self.of_content else ""
        if need.url == CONTENT:
            return self._find_content(need.content, found) if self.of_content else ""
        for each in self._lists:
            found += ((each.name, "asset", row) for row in each.about(asset))
            if asset.page is not None and asset.page != asset.url:
                found += ((each.name, "page", row) for row in each.about(Asset(asset.page)))
        return ""

    def _find_content(self, content: bytes, found: Found) -> str:
        digest = sha256(content).hexdigest()
        for each in self._lists:
            found += ((each.name, "content", row) for row in each.sha256(digest))
        of_pictures = [each for each in self._lists if not each.kinds.isdisjoint(PERCEPTUAL)]
        if not of_pictures:
            return ""
        known = hashes(content)
        for each in of_pictures:
            found += ((each.name, "content", row) for row in _alike(each, known.by_kind))
        return known.gap

    def _nothing(self, need: Need, now: float) -> Evidence:
        """Return the answer that no list has it: the same one for every asset, so that it is read once."""
        if need.content:
            return Evidence(need, need.url, status=_OK, content=_json([]), at=now)
        kept = self._unlisted.get(need)
        if kept is None:
            kept = self._unlisted[need] = Evidence(need, need.url, status=_OK, content=_json([]), at=now)
        return kept


def _alike(each: CompiledList, by_kind: Iterable[tuple[str, str]]) -> Iterator[Row]:
    for kind, value in by_kind:
        yield from each.perceptual(kind, value)


def _json(rows: list[dict[str, str]]) -> bytes:
    return json.dumps({"rows": rows}).encode()
