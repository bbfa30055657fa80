"""Tiles: the tree's hashes in rows of 256, as C2SP tlog-tiles lays them out.

A tile says nothing that the entries do not say; it may be deleted and made again.
"""

from __future__ import annotations

from collections.abc import Callable

from consentcrawl.ledger.tree import HASH_BYTES, complete_root

WIDTH = 256
HEIGHT = 8

Hashes = Callable[[int, int, int], list[bytes]]
"""``hashes(level, start, count)``: hashes of one level, within one tile."""


def path_of(level: int, number: int, width: int = WIDTH) -> str:
    """Where a tile lies below the ledger: ``tile/0/x001/x234/067``, with ``.p/W`` when it is partial."""
    parts = [f"{number % 1000:03}"]
    while number := number // 1000:
        parts.append(f"x{number % 1000:03}")
    return f"tile/{level}/{'/'.join(reversed(parts))}" + (f".p/{width}" if width < WIDTH else "")


def full_after(start: int, end: int) -> list[tuple[int, int]]:
    """Level and number of every tile that fills as a tree grows from ``start`` to ``end``, lowest level first."""
    filled = []
    level = 0
    while (end := end // WIDTH) > 0:
        start //= WIDTH
        filled += [(level, number) for number in range(start, end)]
        level += 1
    return filled


def partial_at(size: int) -> list[tuple[int, int, int]]:
    """Level, number and width of the tiles that are partial at ``size`` (C2SP tlog-tiles, "Merkle Tree")."""
    tiles = []
    level = 0
    while size:
        if size % WIDTH:
            tiles.append((level, size // WIDTH, size % WIDTH))
        size //= WIDTH
        level += 1
    return tiles


def split(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def node_from(hashes: Hashes) -> Callable[[int, int], bytes]:
    """The roots of complete subtrees, out of rows of tiles."""

    def node(height: int, number: int) -> bytes:
        level, above = divmod(height, HEIGHT)
        return complete_root(hashes(level, number << above, 1 << above))

    return node
