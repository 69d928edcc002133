"""Which contacts have a gram: three characters that stand in a word, or at its beginning.

Contacts go by their numbers (projections/directory_rows.py). A posting is a gram's contacts
among 4,096 numbers in a row: a list of offsets where they are few, else one bit a number. So a
hundred thousand contacts that have a gram are some twenty-five short rows, what several grams
have in common is an AND of long integers, and how many that are is known before anything else is
looked at. Each set of contacts has one way to be written.

That a contact has all grams of a piece says that it may have the piece; its haystack knows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import sqlalchemy as sa
from msgspec import Struct

from projections.base import RowTable
from projections.directory_rows import BYTEWISE
from projections.views import Reading

START: Final = "\n"
"""Stands before each word of a haystack, and before a gram that begins a word; in no word."""

PIECE_MIN_CHARS: Final = 3
"""Pieces from inside a word have so many characters; shorter ones stand in nearly every name."""

OFFSETS: Final = (0, 1, 2, 3, 4, 5, 6, 9)
"""Where the grams of an anchored word begin: of a beginning of up to 9 characters every one is
in a gram, and twelve characters single one out."""

GRAMS_ASKED_MAX: Final = 5
"""Grams of one piece that are looked up: more of them hardly leave fewer contacts."""

SEGMENT: Final = 4_096
"""Numbers in one posting: so dense a posting is 512 bytes, eight of them a page of the file."""

LISTED_MAX: Final = 32
"""Numbers that are listed, two bytes each; one bit for every number takes less for more."""

_LISTED_BYTES: Final = 2 * LISTED_MAX
_SEGMENT_BYTES: Final = SEGMENT // 8


class PostingRow(Struct, gc=False):
    """The contacts that have a gram among the numbers from `segment` × 4,096 on, packed."""

    gram: str
    segment: int
    packed: bytes = b""


POSTINGS: Final = RowTable(
    "postings",
    PostingRow,
    key=("gram", "segment"),
    columns={"gram": BYTEWISE, "segment": sa.BigInteger(), "packed": sa.LargeBinary()},
)


# --------------------------------------------------------------------------- packing


def changed(packed: bytes, come: Iterable[int], gone: Iterable[int]) -> bytes:
    """A posting with other offsets, 0 to 4,095 each; empty where none is left."""
    if len(packed) <= _LISTED_BYTES:
        offsets = {*_listed(packed), *come}
        offsets.difference_update(gone)
        return _list(offsets) if len(offsets) <= LISTED_MAX else _map(_marked(offsets))
    marks = bytearray(_SEGMENT_BYTES)
    marks[: len(packed)] = packed
    for offset in come:
        marks[offset >> 3] |= 1 << (offset & 7)
    for offset in gone:
        marks[offset >> 3] &= ~(1 << (offset & 7))
    bits = int.from_bytes(marks, "little")
    return _map(marks) if bits.bit_count() > LISTED_MAX else _list(numbers_of(bits))


def _listed(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 2}H", packed)


def _list(offsets: Iterable[int]) -> bytes:
    ordered = sorted(offsets)
    return struct.pack(f"<{len(ordered)}H", *ordered)


def _marked(offsets: Iterable[int]) -> bytearray:
    marks = bytearray(_SEGMENT_BYTES)
    for offset in offsets:
        marks[offset >> 3] |= 1 << (offset & 7)
    return marks


def _map(marks: bytearray) -> bytes:
    """One bit a number, to the last one; always longer than a list."""
    return bytes(marks).rstrip(b"\0").ljust(_LISTED_BYTES + 1, b"\0")


def numbers_of(bits: int) -> list[int]:
    """The numbers whose bits are set, in their order."""
    marks, found = f"{bits:b}"[::-1], list[int]()
    place = marks.find("1")
    while place >= 0:
        found.append(place)
        place = marks.find("1", place + 1)
    return found


# ----------------------------------------------------------------------------- grams


def grams_of(free: str, anchored: str) -> set[str]:
    """The grams of a haystack's free and anchored words."""
    found: set[str] = set()
    for word in free.split(START)[1:]:
        found.add(START + word[:1])
        found.add(START + word[:2])
        found.update([word[start : start + 3] for start in range(len(word) - 2)])
    for word in anchored.split(START)[1:]:
        found.add(START + word[:1])
        found.add(START + word[:2])
        found.update([_anchored(word, at) for at in OFFSETS if at + 3 <= len(word)])
    return found


def _anchored(word: str, offset: int) -> str:
    """The gram of an anchored word that begins there."""
    return f"{START}{word[offset : offset + 3]}{offset}"


def grams_asked(piece: str) -> list[list[str]]:
    """The ways to have a piece: for each the grams that are had together."""
    if len(piece) < PIECE_MIN_CHARS:
        return [[START + piece]]
    inside = [piece[start : start + 3] for start in range(len(piece) - 2)]
    apart = -(-len(inside) // GRAMS_ASKED_MAX)
    # Side by side from the beginning on; the last one so that it ends where the piece does.
    last = len(piece) - 3
    anchored = [_anchored(piece, at) for at in OFFSETS if at == last or (at % 3 == 0 and at < last)]
    return [inside[::apart], anchored]


# --------------------------------------------------------------------------- looking


def may_have(reading: Reading, terms: Sequence[Sequence[str]]) -> int:
    """The contacts that may have a piece of each term: a bit for each, by their numbers."""
    asked = [[way for piece in term for way in grams_asked(piece)] for term in terms]
    held = _held(reading, sorted({gram for ways in asked for way in ways for gram in way}))
    found = -1
    for ways in asked:
        either = 0
        for way in ways:
            together = -1
            for gram in way:
                together &= held.get(gram, 0)
            either |= together
        found &= either
    return found


def _held(reading: Reading, grams: list[str]) -> dict[str, int]:
    """The contacts of each gram."""
    where, params = f"gram IN ({', '.join('?' * len(grams))})", tuple[object, ...](grams)
    if reading.kind == "postgresql":
        where, params = "gram = ANY(?)", (grams,)
    sql = f"SELECT gram, segment, packed FROM {reading.name(POSTINGS)} WHERE {where}"
    rows: dict[str, list[tuple[int, bytes]]] = {}
    for gram, segment, packed in reading.fetch(sql, params):
        rows.setdefault(gram, []).append((segment, packed))
    return {gram: bits_of(listed) for gram, listed in rows.items()}


def bits_of(postings: Sequence[tuple[int, bytes]]) -> int:
    """The contacts in a gram's postings, each with its segment: a bit for each number."""
    whole = bytearray((max(postings)[0] + 1) * _SEGMENT_BYTES)
    for segment, packed in postings:
        start = segment * _SEGMENT_BYTES
        if len(packed) > _LISTED_BYTES:
            whole[start : start + len(packed)] = packed
        else:
            for offset in _listed(packed):
                whole[start + (offset >> 3)] |= 1 << (offset & 7)
    return int.from_bytes(whole, "little")


def chunks(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The numbers, so many at a time."""
    return (numbers[start : start + size] for start in range(0, len(numbers), size))
