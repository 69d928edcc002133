"""Whether the log is what it says: contiguous, in order, readable, hashable; else, where not.

Every row is looked at once, in order: its position follows the one before, its time is not
before the one before, its topic is known, its bytes open (or their key has a tombstone), and
its leaf goes into the tree. The first that is bad ends the run, with what is wrong about it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from audit.merkle import Frontier, leaf_hash
from domain.errors import HiloError
from domain.ports import Entry, StoredEntry
from storage.appending import BrokenLog

MAX_ENTRY_BYTES: Final = 65_535
"""What a tile's entry bundle can hold of one entry: its length is two bytes (C2SP tlog-tiles)."""

PAGE_EVENTS: Final = 1_000
"""Rows that are read and opened together: one look-up of keys for all of them."""

PAGE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of one page: memory stays constant, however large the events are."""


class Verified(Struct, frozen=True):
    """The log is whole: how many events it has, and the root of their tree (32 bytes)."""

    events: int
    root: bytes


class Bad(Struct, frozen=True):
    """The first position that is not right, and what is wrong with it."""

    position: int
    what: str


class Reading(Struct, frozen=True):
    """How the log is read: pages after a position, opening, and the tree entry of a row.

    `page` raises BrokenLog where positions are missing.
    """

    page: Callable[[int, int, int], Sequence[StoredEntry]]
    open_page: Callable[[Sequence[StoredEntry]], Sequence[Entry]]
    entry_bytes: Callable[[StoredEntry], bytes]


def verify(reading: Reading, progress: Callable[[int], None]) -> Verified | Bad:
    """Look at every row of the log; `progress` is told how many were good so far."""
    tree = Frontier()
    last_at = 0
    while True:
        page = _page(reading, tree.size)
        if isinstance(page, Bad):
            return page
        if not page:
            return Verified(tree.size, tree.root())
        for stored in page:
            looked = _looked_at(stored, tree.size + 1, last_at, reading)
            if isinstance(looked, Bad):
                return looked
            tree.add(leaf_hash(looked))
            last_at = stored.recorded_at
        bad = _bad_content(page, reading)
        if bad:
            return bad
        progress(tree.size)


def _page(reading: Reading, after: int) -> Sequence[StoredEntry] | Bad:
    """The rows that follow; near a gap one by one, so that the gap is named and not its page."""
    try:
        return reading.page(after, PAGE_EVENTS, PAGE_BYTES)
    except BrokenLog:
        pass
    try:
        return reading.page(after, 1, PAGE_BYTES)
    except BrokenLog as error:
        return Bad(after + 1, str(error))


def _looked_at(stored: StoredEntry, expected: int, last_at: int, reading: Reading) -> bytes | Bad:
    """The tree entry of a row that is in its place; else what is wrong with it."""
    if stored.position != expected:
        return Bad(expected, f"missing: the next row has position {stored.position}")
    if stored.recorded_at < last_at:
        return Bad(expected, "recorded before the event in front of it")
    try:
        entry = reading.entry_bytes(stored)
    except HiloError as error:
        return Bad(expected, error.detail)
    if len(entry) > MAX_ENTRY_BYTES:
        return Bad(expected, f"its entry has {len(entry)} bytes, above {MAX_ENTRY_BYTES}")
    return entry


def _bad_content(page: Sequence[StoredEntry], reading: Reading) -> Bad | None:
    """Open a page at once; only where that fails, row by row, to name the first."""
    try:
        reading.open_page(page)
    except HiloError:
        for stored in page:
            try:
                reading.open_page((stored,))
            except HiloError as error:
                return Bad(stored.position, error.detail)
    return None
