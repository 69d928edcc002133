"""Trees by their definition, slowly: what ours is held against."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from audit.merkle import Nodes


def root_over(leaves: Sequence[bytes]) -> bytes:
    """The root by the definition: split at the greatest power of two below the size."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = root_over(leaves[:split]), root_over(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


def nodes_over(leaves: Sequence[bytes]) -> Nodes:
    """The nodes of a tree, by the definition."""

    def node(level: int, index: int) -> bytes:
        part = leaves[index << level : (index + 1) << level]
        assert len(part) == 1 << level
        return root_over(part)

    return node
