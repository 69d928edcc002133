"""Receipts and requests to witnesses: proofs as lines of text (C2SP tlog-proof, tlog-witness)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from audit.merkle import included, leaf_hash
from audit.notes import BadNote, Checkpoint, Verifier, b64hash, opened

RECEIPT: Final = "c2sp.org/tlog-proof@v1"
"""The first line of a receipt: which format it is."""

PROOF_HASHES_MAX: Final = 63
"""Hashes of one proof: a tree has no more levels."""


class Receipt(Struct, frozen=True):
    """A proof that the log holds an entry: its index (from 0), the path, a signed checkpoint.

    `entry`, where the receipt carries it, is what the leaf hash is made of.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    entry: bytes | None = None

    def text(self) -> str:
        """The receipt as a file."""
        extra = [f"extra {b64encode(self.entry).decode()}"] if self.entry is not None else []
        lines = [RECEIPT, *extra, f"index {self.index}", *hash_lines(self.proof)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    def check(self, leaf: bytes, verifiers: Sequence[Verifier], origin: str) -> Checkpoint:
        """The checkpoint under which a leaf hash stands. Raises BadNote where it does not."""
        found = opened(self.checkpoint, verifiers, origin)
        if not included(leaf, (self.index, found.size), self.proof, found.root):
            raise BadNote("The receipt does not prove this event.")
        return found


def read_receipt(raw: str) -> Receipt:
    """A receipt from its text; nothing is checked yet. Raises BadNote."""
    head, parting, checkpoint = raw.partition("\n\n")
    first, *lines = head.split("\n")
    if first != RECEIPT or not parting or not lines:
        raise BadNote("This is not a receipt.")
    entry = None
    if lines[0].startswith("extra "):
        entry = b64decode(lines.pop(0).removeprefix("extra "))
    number = lines[0].removeprefix("index ") if lines else ""
    if not number.isdecimal() or str(int(number)) != number:
        raise BadNote("The receipt's index is not a plain number.")
    return Receipt(int(number), read_hashes(lines[1:]), checkpoint, entry)


def leaf_in(receipt: Receipt) -> bytes | None:
    """The leaf hash of the entry that a receipt carries; None where it carries none."""
    return None if receipt.entry is None else leaf_hash(receipt.entry)


def hash_lines(hashes: Sequence[bytes]) -> list[str]:
    """Hashes in base64, one a line."""
    return [b64encode(one).decode() for one in hashes]


def read_hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Hashes from lines of base64. Raises BadNote."""
    if len(lines) > PROOF_HASHES_MAX:
        raise BadNote("The proof has too many lines.")
    found = [b64hash(line) for line in lines]
    if None in found:
        raise BadNote("A line of the proof is not 32 bytes in base64.")
    return tuple(one for one in found if one is not None)
