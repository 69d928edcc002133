"""The Merkle tree of RFC 6962, as a frontier: enough to know the root of all that came.

A frontier keeps one hash for each power of two in the size: at most 63. Proofs need tiles,
which are another matter.
"""

from __future__ import annotations

from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""RFC 6962, 2.1: the root of a tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash (32 bytes) of a leaf: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


class Frontier:
    """A tree that grows leaf by leaf and knows its size and root."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash (32 bytes)."""
        size, node, peaks = self.size, leaf, self._peaks
        while size & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            size >>= 1
        peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root (32 bytes) over all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        *rest, node = self._peaks
        for peak in reversed(rest):
            node = sha256(b"\x01" + peak + node).digest()
        return node
