"""A small generator of repeatable choices, so that the demo company is the same for everybody.

The house allows no `random` outside `app/compose.py`, and `random` promises its sequences only
from version to version. This is SplitMix64 (Steele, Lea and Flood, 2014) started from a BLAKE2b
hash of labels: other labels give another, independent sequence, on every machine for ever.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

MASK_64 = (1 << 64) - 1
GOLDEN_GAMMA = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB


def digest(*labels: object, size: int = 16) -> bytes:
    """Return `size` bytes (at most 64) that depend on the labels and on nothing else."""
    text = "\x1f".join(str(label) for label in labels)
    return blake2b(text.encode(), digest_size=size).digest()


def uuid_of(*labels: object) -> str:
    """Return a version 8 UUID in its canonical text, decided by the labels."""
    raw = bytearray(digest(*labels, size=16))
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def digits_of(*labels: object, count: int) -> str:
    """Return `count` decimal digits without a leading zero, decided by the labels."""
    number = int.from_bytes(digest(*labels, size=16), "big")
    return str(10 ** (count - 1) + number % (9 * 10 ** (count - 1)))


class Dice:
    """A sequence of choices that only its labels decide."""

    __slots__ = ("_state",)

    def __init__(self, *labels: object) -> None:
        """Begin the sequence of these labels."""
        self._state = int.from_bytes(digest(*labels, size=8), "big")

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to `limit` - 1."""
        self._state = (self._state + GOLDEN_GAMMA) & MASK_64
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * MIX_1) & MASK_64
        mixed = ((mixed ^ (mixed >> 27)) * MIX_2) & MASK_64
        return (mixed ^ (mixed >> 31)) % limit

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """Return true in `percent` of 100 cases."""
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices, which must not be empty."""
        return choices[self.below(len(choices))]
