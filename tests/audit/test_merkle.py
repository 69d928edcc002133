"""The tree of RFC 6962: roots, proofs, and everything that must not pass for a proof."""

from __future__ import annotations

from hashlib import sha256

import pytest

from audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    consistent,
    included,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from tests.audit.trees import nodes_over, root_over

# The eight inputs that the reference tests of RFC 6962 use, and the roots of their prefixes.
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_empty_tree_has_the_root_of_nothing() -> None:
    """The root of an empty tree is the hash of nothing."""
    assert Frontier().root() == EMPTY_ROOT == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_known_vectors(size: int) -> None:
    """The root over each prefix of the known inputs is the published one."""
    tree = Frontier()
    for text in INPUTS[:size]:
        tree.add(leaf_hash(bytes.fromhex(text)))
    assert tree.root().hex() == ROOTS[size - 1]


def test_frontier_equals_the_definition() -> None:
    """At every size up to 130 the frontier's root is the one of the recursive definition."""
    leaves = [leaf_hash(number.to_bytes(2, "big")) for number in range(130)]
    tree = Frontier()
    for size, leaf in enumerate(leaves, 1):
        tree.add(leaf)
        assert tree.size == size
        assert tree.root() == root_over(leaves[:size])


LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]

PATHS = {
    (0, 1): "",
    (0, 8): "96a296d2 5f083f0a 6b47aaf2",
    (5, 8): "bc1a0643 ca854ea1 d37ee418",
    (2, 3): "fac54203",
    (1, 5): "6e340b9c 5f083f0a bc1a0643",
}
"""Published audit paths over the known inputs, (index, size): the first four bytes of each hash."""

GROWTHS = {
    (1, 1): "",
    (1, 8): "96a296d2 5f083f0a 6b47aaf2",
    (6, 8): "0ebc5d34 ca854ea1 d37ee418",
    (2, 5): "5f083f0a bc1a0643",
}
"""Published consistency proofs over the known inputs, (old, new)."""


def _short(hashes: list[bytes]) -> str:
    return " ".join(one.hex()[:8] for one in hashes)


def test_proofs_are_those_of_the_known_vectors() -> None:
    """Audit paths and consistency proofs over the known inputs are the published ones."""
    nodes = nodes_over(LEAVES)
    assert {at: _short(inclusion_proof(nodes, *at)) for at in PATHS} == PATHS
    assert {at: _short(consistency_proof(nodes, *at)) for at in GROWTHS} == GROWTHS


def _bent(proof: list[bytes], root: bytes) -> list[list[bytes]]:
    """A proof in the ways in which the published vectors bend it."""
    found = [[*proof, b""], [*proof, root], [root, *proof], [*proof, proof[-1] if proof else root]]
    if proof:
        flipped = bytes((proof[0][0] ^ 1,)) + proof[0][1:]
        found += [proof[:-1], proof[1:], [flipped, *proof[1:]], [proof[0][:31], *proof[1:]], []]
    return found


def test_inclusion_is_proved_by_its_path_alone() -> None:
    """At every size to 33: the path passes; another index, size, leaf, root or path does not."""
    leaves = [leaf_hash(bytes((number,))) for number in range(34)]
    nodes = nodes_over(leaves)
    for size in range(1, 34):
        root = root_over(leaves[:size])
        assert root_of(nodes, size) == root
        for index in range(size):
            proof, leaf = inclusion_proof(nodes, index, size), leaves[index]
            assert included(leaf, (index, size), proof, root)
            for other in (index ^ 1, index + size, -1, index ^ 2):
                assert not included(leaf, (other, size), proof, root), (index, other, size)
            assert not included(leaf, (index, 0), proof, root)
            assert not included(leaves[index + 1], (index, size), proof, root)
            assert not included(leaf, (index, size), proof, EMPTY_ROOT)
            for bent in _bent(proof, root):
                assert not included(leaf, (index, size), bent, root), (index, size, bent)


def test_growth_is_proved_by_its_proof_alone() -> None:
    """At every pair of sizes to 17: the proof passes, and nothing near it does."""
    leaves = [leaf_hash(bytes((number,))) for number in range(18)]
    nodes = nodes_over(leaves)
    roots = [root_over(leaves[:size]) for size in range(18)]
    for new in range(1, 18):
        for old in range(1, new + 1):
            proof = consistency_proof(nodes, old, new)
            was, now = (old, roots[old]), (new, roots[new])
            assert consistent(was, now, proof)
            assert not consistent((old, roots[old - 1]), now, proof)
            assert not consistent(was, (new, roots[new - 1]), proof)
            assert not consistent((new + 1, roots[old]), now, proof)
            for bent in _bent(proof, roots[old]):
                assert not consistent(was, now, bent), (old, new)


@pytest.mark.parametrize(
    ("old", "new", "proof", "passes"),
    [
        ((0, EMPTY_ROOT), (0, EMPTY_ROOT), [], True),
        ((0, EMPTY_ROOT), (2, b"x" * 32), [], True),
        ((0, EMPTY_ROOT), (2, b"x" * 32), [b"x" * 32], False),
        ((0, b"x" * 32), (2, b"x" * 32), [], False),
        ((2, b"x" * 32), (2, b"x" * 32), [], True),
        ((2, b"x" * 32), (2, b"x" * 32), [b"x" * 32], False),
        ((2, b"x" * 32), (2, b"y" * 32), [], False),
        ((2, b"x" * 32), (1, b"y" * 32), [], False),
        ((-1, EMPTY_ROOT), (1, b"y" * 32), [], False),
        ((1, b"x" * 32), (2, b"y" * 32), [], False),
    ],
)
def test_size_zero_and_equal_sizes_are_as_decided(
    old: tuple[int, bytes], new: tuple[int, bytes], proof: list[bytes], *, passes: bool
) -> None:
    """From the empty tree, and from an equal one, only the empty proof is accepted (record 21)."""
    assert consistent(old, new, proof) is passes


def test_there_is_no_proof_of_what_is_not_there() -> None:
    """An index beyond the tree, and a tree that shrinks, have no proof."""
    nodes = nodes_over(LEAVES)
    for index, size in ((0, 0), (8, 8), (-1, 3)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(nodes, index, size)
    for old, new in ((3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="does not begin"):
            consistency_proof(nodes, old, new)
