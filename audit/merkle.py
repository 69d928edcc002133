"""The Merkle tree of RFC 6962: hashes, a frontier that grows, and proofs with their checks.

A frontier keeps one hash for each power of two in the size: at most 63. Proofs need the inner
nodes as well; whoever makes one gives them as `Nodes`, for instance from tiles (audit/tree.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

EMPTY_ROOT: Final = sha256(b"").digest()
"""RFC 6962, 2.1: the root of a tree without leaves."""

HASH_BYTES: Final = 32
"""SHA-256."""

Nodes = Callable[[int, int], bytes]
"""The hash of a complete subtree: (level, index) → 32 bytes; level 0 holds the leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash (32 bytes) of a leaf: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash (32 bytes) over two nodes: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root over the peaks of a tree, the largest first; EMPTY_ROOT where there are none."""
    if not peaks:
        return EMPTY_ROOT
    *rest, node = peaks
    for peak in reversed(rest):
        node = sha256(b"\x01" + peak + node).digest()
    return node


def subtree(hashes: Sequence[bytes]) -> bytes:
    """The hash over a complete subtree: as many nodes as a power of two, in order."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return hashes[0]


class Frontier:
    """A tree that grows leaf by leaf and knows its size and root.

    `add` may be given nodes of one level instead of leaves; `size` then counts those.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self.peaks: list[bytes] = list(peaks)

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash (32 bytes)."""
        size, node, peaks = self.size, leaf, self.peaks
        while size & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            size >>= 1
        peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root (32 bytes) over all leaves so far."""
        return fold(self.peaks)


# ------------------------------------------------------------------------------ making proofs


def peaks_of(nodes: Nodes, size: int) -> list[bytes]:
    """The peaks of a tree of `size` leaves, the largest first."""
    found, start = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append(nodes(level, start >> level))
            start += 1 << level
    return found


def root_of(nodes: Nodes, size: int) -> bytes:
    """The root over the first `size` leaves."""
    return fold(peaks_of(nodes, size))


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The audit path (RFC 6962, 2.1.1) of leaf `index`, from 0, in the tree of `size` leaves.

    Raises ValueError where the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    return _path(nodes, index, 0, size)


def _path(nodes: Nodes, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(nodes, index, start, middle), _range(nodes, middle, end)]
    return [*_path(nodes, index, middle, end), _range(nodes, start, middle)]


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """The proof (RFC 6962, 2.1.2) that the tree of `new` leaves begins with that of `old`.

    Empty for an empty or an equal old tree. Raises ValueError where `old` is the larger one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not begin with one of {old}")
    return [] if old in {0, new} else _steps(nodes, old, (0, new), whole=True)


def _steps(nodes: Nodes, old: int, part: tuple[int, int], *, whole: bool) -> list[bytes]:
    start, end = part
    if old == end:
        return [] if whole else [_range(nodes, start, end)]
    middle = start + _split(end - start)
    if old <= middle:
        rest = _range(nodes, middle, end)
        return [*_steps(nodes, old, (start, middle), whole=whole), rest]
    rest = _range(nodes, start, middle)
    return [*_steps(nodes, old, (middle, end), whole=False), rest]


def _split(count: int) -> int:
    """The greatest power of two below a count."""
    return 1 << ((count - 1).bit_length() - 1)


def _range(nodes: Nodes, start: int, end: int) -> bytes:
    """The hash over leaves of a part that the recursion reached."""
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(count)
    return node_hash(_range(nodes, start, middle), _range(nodes, middle, end))


# ---------------------------------------------------------------------------- checking proofs


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162, 2.1.3.2); None where it cannot be one."""
    if not 0 <= index < size:
        return None
    at, last, node = index, size - 1, leaf
    for one in proof:
        if last == 0 or len(one) != HASH_BYTES:
            return None
        if at & 1 or at == last:
            node = node_hash(one, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, one)
        at, last = at >> 1, last >> 1
    return node if last == 0 else None


def included(leaf: bytes, place: tuple[int, int], proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a path proves that a leaf stands at (index, size) in the tree with that root."""
    return root_from_inclusion(leaf, *place, proof) == root


def consistent(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Whether a proof (RFC 9162, 2.1.4.2) shows that tree `new` begins with `old`: (size, root).

    From the empty tree, whose root must be EMPTY_ROOT, and from an equal one, only the empty
    proof is accepted: docs/decisions/0021.
    """
    (old_size, old_root), (new_size, new_root) = old, new
    if not 0 <= old_size <= new_size or any(len(one) != HASH_BYTES for one in proof):
        return False
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if old_size == new_size:
        return not proof and old_root == new_root
    path = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    return _consistent(old, new, path) if path else False


def _consistent(old: tuple[int, bytes], new: tuple[int, bytes], path: list[bytes]) -> bool:
    at, last = old[0] - 1, new[0] - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node_hash(one, before), node_hash(one, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, one)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old[1] and after == new[1]
