"""The Merkle tree of RFC 6962: hashes, the growing edge, proofs and how they are checked.

A leaf and a node never hash alike (RFC 6962 §2.1, the prefixes 0x00 and 0x01).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
_ROW_HEIGHT = 6
_ROW = 1 << _ROW_HEIGHT
EMPTY_ROOT = sha256(b"").digest()

Node = Callable[[int, int], bytes]
"""``node(height, n)``: the root of the complete subtree over the leaves ``n << height`` to ``(n + 1) << height``."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry (RFC 6962 §2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side (RFC 6962 §2.1)."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The hashes of many entries."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 1, 2, 4, 8 ... hashes."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]


class Frontier:
    """The growing edge of a tree: the roots of its complete subtrees, largest first; all that appending needs."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Begin at an empty tree, or where an earlier edge stood; ValueError when the two do not belong together."""
        self.size, self.hashes = size, list(hashes)
        if len(self.hashes) != size.bit_count():
            msg = "one hash for each complete subtree"
            raise ValueError(msg)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Append leaf hashes."""
        alone = min(-self.size % _ROW, len(leaves))
        whole = len(leaves) - (len(leaves) - alone) % _ROW
        for leaf in leaves[:alone]:
            self._add(leaf, 0)
        for at in range(alone, whole, _ROW):  # whole rows at a time: half the time of one by one
            self._add(complete_root(leaves[at : at + _ROW]), _ROW_HEIGHT)
        for leaf in leaves[max(alone, whole) :]:
            self._add(leaf, 0)

    def _add(self, node: bytes, height: int) -> None:
        """Append a complete subtree."""
        hashes, full = self.hashes, self.size >> height
        while full & 1:
            node = sha256(b"\x01" + hashes.pop() + node).digest()
            full >>= 1
        hashes.append(node)
        self.size += 1 << height

    def root(self) -> bytes:
        """The tree's root at its present size."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            root = node_hash(left, root)
        return root

    def copy(self) -> Frontier:
        """The same edge, to be grown on its own."""
        return Frontier(self.size, self.hashes)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    edge = Frontier()
    edge.extend(leaves)
    return edge.root()


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """The hashes that lead from a leaf to the root at ``size``, nearest first (RFC 6962 §2.1.1); IndexError outside."""
    if not 0 <= index < size:
        msg = f"entry {index} of a tree of {size}"
        raise IndexError(msg)
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_span(middle, end, node))
            end = middle
        else:
            path.append(_span(start, middle, node))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, node: Node) -> list[bytes]:
    """The hashes that show the tree at ``old`` to be a beginning of the tree at ``new`` (RFC 6962 §2.1.2)."""
    if not 0 < old <= new:
        msg = f"from a tree of {old} to one of {new}"
        raise IndexError(msg)
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_span(middle, end, node))
            end = middle
        else:
            path.append(_span(start, middle, node))
            start, whole = middle, False
    return ([] if whole else [_span(start, end, node)]) + path[::-1]


def leads_to(root: bytes, index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Return whether the path leads from the leaf at ``index`` to ``root`` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last = index, size - 1
    for sibling in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            leaf = node_hash(sibling, leaf)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            leaf = node_hash(leaf, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and leaf == root


def grew_into(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Return whether the path shows the old tree to be a beginning of the new one (RFC 9162 §2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    if not path or old > new:
        return False
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    small = large = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            small, large = node_hash(sibling, small), node_hash(sibling, large)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            large = node_hash(large, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and small == old_root and large == new_root


def _split(width: int) -> int:
    """The largest power of two below ``width`` (RFC 6962 §2.1: k < n <= 2k)."""
    return 1 << (width - 1).bit_length() - 1


def _span(start: int, end: int, node: Node) -> bytes:
    """The root over the leaves from ``start`` to ``end``; the largest power of two within divides ``start``."""
    width = end - start
    if width & (width - 1) == 0:
        height = width.bit_length() - 1
        return node(height, start >> height)
    middle = start + _split(width)
    return node_hash(_span(start, middle, node), _span(middle, end, node))
