"""Answers the needs of the signal ``opt_out_list`` out of the configured lists.

What was not looked up, and a list that is damaged while it is in use, is a gap that holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from consentcrawl.core import Asset, Evidence, Need
from consentcrawl.errors import BadPolicy
from consentcrawl.lists.compiled import CompiledList
from consentcrawl.lists.layout import BadList
from consentcrawl.lists.pictures import hashes
from consentcrawl.lists.rows import PERCEPTUAL, Row
from consentcrawl.sources import answered

_PREFIX = "list:"
_CONTENT, _PART = "list:content", "list:part"
"""About the content that is sent along, and about one of which only a part is known."""
_OK = 200
_HASHED_AT_ONCE = 4
Found = list[tuple[str, str, Row]]
"""The list, what the row is about (asset, page or content), and the row."""


class Lists:
    """The source that answers out of the opt-out lists of one taker. Raises BadPolicy for one that cannot be opened."""

    shared = False

    def __init__(self, files: Iterable[Path], clock: Callable[[], float]) -> None:
        """Open every file; ``clock`` gives seconds since the epoch."""
        try:
            self._lists = [CompiledList(file) for file in files]
        except (BadList, OSError) as error:
            msg = f"lists.files: {error}"
            raise BadPolicy(msg) from error
        self._clock = clock
        self._of_content = any(each.of_content for each in self._lists)
        self._unlisted: dict[Need, Evidence] = {}
        self._pool = ThreadPoolExecutor(_HASHED_AT_ONCE, thread_name_prefix="consentcrawl-lists")

    def meets(self, need: Need) -> bool:
        """Return whether ``need`` asks what the lists have about an asset or a content."""
        return need.url.startswith(_PREFIX)

    def known(self, need: Need, asset: Asset) -> Evidence | None:
        """Return the rows that match, unless the hashes of a content must be computed for that."""
        return None if need.content and self._of_content else self._answer(need, asset)

    def obtain(self, need: Need, asset: Asset) -> Future[Evidence]:
        """Return the rows that match, to come.

        The content of the evidence is JSON with ``rows``, each with its list and what of the asset it is about.
        """
        known = self.known(need, asset)
        return self._pool.submit(self._answer, need, asset) if known is None else answered(known)

    def close(self) -> None:
        """Wait for hashes that are being computed, and let go of the files."""
        self._pool.shutdown(wait=True)
        for each in self._lists:
            each.close()

    def _answer(self, need: Need, asset: Asset) -> Evidence:
        found: Found = []
        gap, note, now = "", "", self._clock()
        try:
            gap = self._find(need, asset, found)
        except BadList as error:
            gap, note = "malformed", str(error)
        if not found and not gap:
            return self._nothing(need, now)
        rows = [{"list": name, "of": of, **asdict(row)} for name, of, row in found]
        source = _PREFIX + ",".join(dict.fromkeys(name for name, _, _ in found)) if found else need.url
        return Evidence(need, source, status=_OK, content=_json(rows), at=now, gap=gap, note=note)

    def _find(self, need: Need, asset: Asset, found: Found) -> str:
        """Add what is found; give the reason code of what could not be looked up."""
        if need.url == _PART:
            return "body_limit" if self._of_content else ""
        if need.url == _CONTENT:
            return self._find_content(need.content, found) if self._of_content else ""
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
