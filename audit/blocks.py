"""A stretch of the log, looked at event by event: the part of a verification that costs time.

A block begins where a tile does. Blocks know nothing of each other, so that several processes may
each take some; audit/verify.py joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from msgspec import Struct

from audit.merkle import HASH_BYTES, Frontier, subtree
from audit.tree import TILE_HASHES, TileReader, hashes_of
from domain.errors import Damaged
from storage.leaf import Row

T = TypeVar("T")

BLOCK_EVENTS: Final = 64 * TILE_HASHES
"""Events of a block: a tenth of a second's work, so that several processes end together. As many
are in one file of a bundle."""

Seen = tuple[int, str, int, bytes]
"""An event as verifications see it: position, topic, recorded_at (µs), leaf hash."""


class Bad(Struct, frozen=True):
    """The first position that is not right, and what is wrong with it.

    `code` says the same in a word, for programs and for readers of other languages: `missing`,
    `order` (a position twice), `time` (before the one in front), `topic` (unknown), `changed` (not
    what the tree was made of), `tree` (a tile is missing or wrong), `checkpoint` (signed over other
    events), `note` (what was signed cannot be read, or not by that key), `unreadable`.
    """

    position: int
    what: str
    code: str = "unreadable"


class Block(Struct):
    """What became of a block: its events, first and last time, the hashes over its full tiles.

    `rest` are the peaks of what follows the last full tile; `prefixes` has, for each size asked
    for, the peaks of the leaves between the tile that it lies in and it. `bad` ends the
    verification.
    """

    after: int
    events: int
    first_at: int
    last_at: int
    tiles: list[bytes]
    rest: list[bytes]
    prefixes: dict[int, list[bytes]]
    bad: Bad | None = None


class Ask(Struct, frozen=True):
    """A block to be looked at: the positions after `after`, up to `upto`.

    `sizes`: where checkpoints end in it. `covered`: so many events have tiles to compare with.
    """

    after: int
    upto: int
    sizes: tuple[int, ...]
    covered: int


class Columns(NamedTuple):
    """Events in a row, column by column; `bad`: the next one cannot be read."""

    positions: Sequence[int]
    topics: Sequence[str]
    times: Sequence[int]
    leaves: Sequence[bytes]
    bad: Bad | None = None


Entries = Callable[[Iterable[Row]], list[bytes]]
"""Makes of rows what is hashed to their leaves: `entries_maker` with the prefix of a leaf."""

Take = Callable[[int], Columns]
"""Gives the next events, at most so many; fewer where there are no more, or one is bad."""


def rows_taken(rows: Iterable[Row], entries: Entries) -> Take:
    """Rows of a log, with their leaf hashes; `entries` makes what is hashed of them."""
    stream = iter(rows)

    def take(room: int) -> Columns:
        some, bad = _some(stream, room)
        try:
            leaves = [sha256(entry).digest() for entry in entries(some)]
        except Damaged as error:
            bad = Bad(error.position, error.what)
            good = next(at for at, row in enumerate(some) if row[0] == error.position)
            some = some[:good]
            leaves = [sha256(entry).digest() for entry in entries(some)]
        if not some:
            return Columns((), (), (), (), bad)
        positions, _, _, topics, times, _ = zip(*some, strict=True)
        return Columns(positions, topics, times, leaves, bad)

    return take


def seen_taken(seen: Iterable[Seen]) -> Take:
    """Events whose leaf hashes are known already."""
    stream = iter(seen)

    def take(room: int) -> Columns:
        some, bad = _some(stream, room)
        if not some:
            return Columns((), (), (), (), bad)
        positions, topics, times, leaves = zip(*some, strict=True)
        return Columns(positions, topics, times, leaves, bad)

    return take


def _some(stream: Iterator[T], room: int) -> tuple[list[T], Bad | None]:
    some: list[T] = []
    try:
        some.extend(islice(stream, room))
    except Damaged as error:
        return some, Bad(error.position, error.what)
    return some, None


def look(take: Take, ask: Ask, tiles: TileReader, topics: frozenset[str]) -> Block:
    """Look at a block: contiguous, in time, of known topics, and as the tiles have it."""
    block = Block(ask.after, 0, 0, 0, [], [], {})
    while ask.after + block.events < ask.upto and block.bad is None:
        start = ask.after + block.events
        leaves = _leaves(take(min(TILE_HASHES, ask.upto - start)), block, topics)
        block.bad = _first(_compared(leaves, start, ask, tiles), block.bad)
        for size in ask.sizes:
            if start < size < start + TILE_HASHES and size <= start + len(leaves):
                block.prefixes[size] = _peaks(leaves[: size - start])
        if len(leaves) < TILE_HASHES:
            block.rest = _peaks(leaves)
            break
        block.tiles.append(subtree(leaves))
    return block


def _first(one: Bad | None, other: Bad | None) -> Bad | None:
    """What is wrong at the lower position."""
    found = [bad for bad in (one, other) if bad is not None]
    return min(found, key=lambda bad: bad.position, default=None)


def _leaves(columns: Columns, block: Block, topics: frozenset[str]) -> Sequence[bytes]:
    """The leaf hashes of the next events that are right; `bad` is set where one is not.

    All of them are looked at column by column; only where that fails, one by one.
    """
    positions, names, times, leaves, bad = columns
    before = block.after + block.events
    count = len(positions)
    whole = (
        list(positions) == list(range(before + 1, before + count + 1))
        and list(times) == sorted(times)
        and (not count or times[0] >= block.last_at)
        and topics.issuperset(names)
    )
    if not whole:
        found = _out_of_line(columns, before, block.last_at, topics)
        count, bad = found.position - before - 1, found
    block.bad = bad
    if count:
        if not block.events:
            block.first_at = times[0]
        block.last_at = times[count - 1]
    block.events += count
    return leaves[:count]


def _out_of_line(columns: Columns, before: int, last_at: int, topics: frozenset[str]) -> Bad:
    """The first of some events that is out of line; one of them is."""
    expected = before
    for position, topic, at in zip(*columns[:3], strict=True):
        expected += 1
        if position != expected:
            return _displaced(position, expected)
        if at < last_at:
            return Bad(expected, "recorded before the event in front of it", "time")
        if topic not in topics:
            return Bad(expected, f"it has the unknown topic {topic[:80]!r}", "topic")
        last_at = at
    raise AssertionError("unreachable")


def _displaced(found: int, expected: int) -> Bad:
    if found > expected:
        return Bad(expected, f"missing: the next event has position {found}", "missing")
    return Bad(expected, f"an event has position {found} a second time", "order")


def _compared(leaves: Sequence[bytes], after: int, ask: Ask, tiles: TileReader) -> Bad | None:
    """The first leaf that the tile over it has otherwise; None where they are the same."""
    covered = min(len(leaves), ask.covered - after)
    if covered <= 0:
        return None
    number = after // TILE_HASHES
    tile = (tiles(0, number) or b"")[: covered * HASH_BYTES]
    if tile == b"".join(leaves[:covered]):
        return None
    for at, (leaf, kept) in enumerate(zip(leaves, hashes_of(tile), strict=False)):
        if leaf != kept:
            what = "it is not what the tree was made of: it was changed"
            return Bad(after + at + 1, what, "changed")
    short = after + len(tile) // HASH_BYTES + 1
    return Bad(short, f"the tree's tile 0/{number} is missing or short", "tree")


def _peaks(leaves: Sequence[bytes]) -> list[bytes]:
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.peaks
