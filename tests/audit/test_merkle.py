"""The tree of RFC 6962, as a frontier."""

from __future__ import annotations

from hashlib import sha256

import pytest

from audit.merkle import EMPTY_ROOT, Frontier, leaf_hash

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


def tree_of(leaves: list[bytes]) -> bytes:
    """The root by the definition: split at the greatest power of two below the size."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = tree_of(leaves[:split]), tree_of(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


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
        assert tree.root() == tree_of(leaves[:size])
