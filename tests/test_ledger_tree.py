"""The tree agrees with RFC 6962 as pymerkle has it, and the tiles with C2SP."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree, verify_consistency

from consentcrawl.ledger import tiles
from consentcrawl.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    complete_root,
    consistency_path,
    grew_into,
    inclusion_path,
    leads_to,
    leaf_hash,
    node_hash,
    root_of,
)  # fmt: skip

trees = st.lists(st.binary(max_size=4), min_size=1, max_size=70)


def hashed(entries: list[bytes]) -> list[bytes]:
    """The leaves."""
    return [leaf_hash(entry) for entry in entries]


def oracle(entries: list[bytes]) -> InmemoryTree:
    """The same tree as pymerkle builds it."""
    tree = InmemoryTree()
    for entry in entries:
        tree.append_entry(entry)
    return tree


def node_over(leaves: list[bytes], height: int, number: int) -> bytes:
    """A complete subtree's root, worked out."""
    return complete_root(leaves[number << height : (number + 1) << height])


def test_rfc6962_2_1_known_roots() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert node_hash(b"a", b"b") == sha256(b"\x01ab").digest()
    assert Frontier().root() == EMPTY_ROOT


@settings(max_examples=80, deadline=None)
@given(trees)
def test_rfc6962_2_1_roots_equal_pymerkle_at_every_size(entries: list[bytes]) -> None:
    tree, edge = oracle(entries), Frontier()
    for size, leaf in enumerate(hashed(entries), 1):
        edge.extend([leaf])
        assert edge.root() == tree.get_root(size)
        assert Frontier(size, edge.copy().hashes).root() == edge.root()


@settings(max_examples=80, deadline=None)
@given(trees, st.data())
def test_rfc6962_2_1_1_inclusion_equals_pymerkle(entries: list[bytes], data: st.DataObject) -> None:
    leaves, size = hashed(entries), len(entries)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, lambda h, n: node_over(leaves, h, n))
    proof = oracle(entries).prove_inclusion(index + 1, size)
    assert sorted(path) == sorted(set_of(proof.path, leaves[index]))
    assert leads_to(root_of(leaves), index, size, leaves[index], path)
    for other in range(size):
        same = leaves[other] == leaves[index] and path == inclusion_path(
            other, size, lambda h, n: node_over(leaves, h, n)
        )
        assert leads_to(root_of(leaves), other, size, leaves[index], path) == (other == index or same)


def set_of(path: list[bytes], leaf: bytes) -> list[bytes]:
    """The oracle's path without the leaf itself, which it begins with."""
    left = list(path)
    left.remove(leaf)
    return left


@settings(max_examples=120, deadline=None)
@given(trees, st.data())
def test_rfc6962_2_1_2_consistency_holds_for_beginnings_only(entries: list[bytes], data: st.DataObject) -> None:
    leaves, new = hashed(entries), len(entries)
    old = data.draw(st.integers(1, new))
    path = consistency_path(old, new, lambda h, n: node_over(leaves, h, n))
    roots = root_of(leaves[:old]), root_of(leaves)
    assert grew_into(old, roots[0], new, roots[1], path)
    assert not grew_into(old, bytes(32), new, roots[1], path)
    assert not grew_into(old, roots[0], new, bytes(32), path)
    assert not grew_into(old, roots[0], new, roots[1], [*path, bytes(32)])
    if path:
        assert not grew_into(old, roots[0], new, roots[1], path[:-1])
    # pymerkle goes one step deeper than RFC 6962 where the old tree is complete, so its proof is checked on our roots.
    verify_consistency(*roots, oracle(entries).prove_consistency(old, new))


def test_rfc9162_2_1_3_2_a_path_too_long_or_outside_leads_nowhere() -> None:
    leaves = hashed([b"a", b"b", b"c"])
    path = inclusion_path(2, 3, lambda h, n: node_over(leaves, h, n))
    assert leads_to(root_of(leaves), 2, 3, leaves[2], path)
    assert not leads_to(root_of(leaves), 2, 3, leaves[2], [*path, bytes(32)])
    assert not leads_to(root_of(leaves), 3, 3, leaves[2], path)
    assert grew_into(0, EMPTY_ROOT, 3, root_of(leaves), [])
    assert not grew_into(2, root_of(leaves[:2]), 3, root_of(leaves), [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 2)])
def test_rfc6962_2_1_1_no_path_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_path(index, size, lambda _, __: b"")
    with pytest.raises(IndexError):
        consistency_path(size + 1, size, lambda _, __: b"")


def test_ours_a_frontier_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="one hash"):
        Frontier(3, [bytes(32)])


def test_c2sp_tlog_tiles_paths() -> None:
    assert tiles.path_of(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tiles.path_of(2, 5, 17) == "tile/2/005.p/17"


def test_c2sp_tlog_tiles_of_a_tree_of_70000() -> None:
    full = tiles.full_after(0, 70_000)
    assert len([1 for level, _ in full if level == 0]) == 273
    assert [tile for tile in full if tile[0]] == [(1, 0)]
    assert tiles.partial_at(70_000) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert tiles.partial_at(256) == [(1, 0, 1)]
    assert tiles.full_after(0, 70_000) == sorted(tiles.full_after(0, 300) + tiles.full_after(300, 70_000))


def test_c2sp_tlog_tiles_give_the_nodes_of_the_tree() -> None:
    leaves = hashed([b"%d" % n for n in range(512)])

    def hashes(level: int, start: int, count: int) -> list[bytes]:
        return [node_over(leaves, 8 * level, n) for n in range(start, start + count)]

    node = tiles.node_from(hashes)
    assert node(9, 0) == root_of(leaves)
    assert node(3, 5) == node_over(leaves, 3, 5)
    assert tiles.split(b"".join(leaves)) == leaves
