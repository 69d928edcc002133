"""The tree over the log, kept as tiles: a consumer that grows it, and a reader of its nodes.

Tile n of level L holds the hashes of level 8·L from 256·n on, 256 of them at most (C2SP
tlog-tiles). Only the last tile of a level is not full; it is written again until it is.

The tiles lie in the log's own store, so a tree that is ahead of its log, or beside it, is no
restored backup: somebody changed one of the two. It is then left as it is, for it is evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Final

from audit.merkle import HASH_BYTES, Nodes, subtree
from domain.errors import Damaged
from storage.leaf import LEAF_PREFIX, Row, entries_maker, leaf_hash
from storage.source import Mark, Page, Source

if TYPE_CHECKING:
    from domain.ports import Entry, StoredEntry
    from storage.source import Pages
    from storage.tree_store import TreeStore

TILE_HEIGHT: Final = 8
TILE_HASHES: Final = 1 << TILE_HEIGHT
"""Hashes of a full tile."""

TILE_BYTES: Final = TILE_HASHES * HASH_BYTES

TILES_KEPT: Final = 512
"""Full tiles in memory, 4 MiB: those above the leaves serve every proof."""

LEVELS_MAX: Final = 8
"""Levels of tiles: 2⁶⁴ events."""

GROUP: Final = 1_000
"""A tile's number is written in groups of three digits."""


Rows = Callable[[int, int, int], list[Row]]
"""(after, limit, max_bytes) → rows in order, without a gap, at least one where there is any."""


class Leaves(Page, frozen=True):
    """A page as the tree takes it: leaf hashes (32 bytes), and no event."""

    hashes: list[bytes]


class LeafSource(Source):
    """A log read for its leaves alone: nothing is opened, and no key is needed.

    Its pages are Leaves; `read` raises Damaged for an event that cannot be taken apart.
    """

    def __init__(self, log: tuple[bytes, Pages, Rows], origin: str) -> None:
        ledger_id, pages, self._rows = log
        super().__init__(ledger_id, pages, _Unopened(), lambda stored: leaf_hash(stored, origin))
        self._id = ledger_id
        self._entries = entries_maker(origin, LEAF_PREFIX)

    def _page(self, after: int, limit: int, max_bytes: int) -> Leaves | None:
        rows = self._rows(after, limit, max_bytes)
        if not rows:
            return None
        hashes = [sha256(entry).digest() for entry in self._entries(rows)]
        return Leaves([], Mark(self._id, rows[-1][0], hashes[-1]), hashes)


class _Unopened:
    """Implements Opener: a tree is made of what is stored, so no event is opened."""

    def open_page(self, _: Sequence[StoredEntry]) -> list[Entry]:
        """None of them."""
        return []


class Tree:
    """The tree as a consumer of the follower."""

    name = "tree"

    def __init__(self, store: TreeStore, ledger_id: bytes) -> None:
        self._store = store
        self._ledger_id = ledger_id
        self._refused: str | None = None

    def mark(self) -> Mark | None:
        """How far it came; None where it was refused."""
        if self._refused is not None:
            return None
        return self._store.mark() or Mark(self._ledger_id, 0, b"")

    def apply(self, page: Page) -> bool:
        """Add a page's leaves; False where somebody else did."""
        if not isinstance(page, Leaves):
            raise TypeError(page)
        before = page.mark.position - len(page.hashes)
        tiles = grown(self._store, before, page.hashes)
        return self._store.grow(before, page.mark, tiles)

    def refuse(self, reason: str) -> None:
        """It does not belong to this log."""
        self._refused = reason

    def rebuild(self, source: Source) -> None:
        """Nothing is made again over a tree that differs. Raises Damaged."""
        position = source.head()
        reason, self._refused = self._refused, None  # looked at anew at the next start
        raise Damaged(position, f"the tree does not belong to this log: {reason}; hilo verify")


def grown(store: TreeStore, size: int, leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles, by (level, number), that change when a tree of `size` gets more leaves."""
    changed: dict[tuple[int, int], bytes] = {}
    level, start, hashes = 0, size, leaves
    while hashes:
        number, have = divmod(start, TILE_HASHES)
        before = store.tiles(level, [number]).get(number, b"") if have else b""
        if len(before) < have * HASH_BYTES:
            raise Damaged(size, f"tile {level}/{number} of the tree is missing or short")
        row = before[: have * HASH_BYTES] + b"".join(hashes)
        parents = []
        for at in range(0, len(row), TILE_BYTES):
            tile = row[at : at + TILE_BYTES]
            changed[level, number] = tile
            number += 1
            if len(tile) == TILE_BYTES:
                parents.append(tile_root(tile))
        level, start, hashes = level + 1, start // TILE_HASHES, parents
    return changed


def tile_root(tile: bytes) -> bytes:
    """The hash over a full tile."""
    return subtree(hashes_of(tile))


def hashes_of(tile: bytes) -> list[bytes]:
    """The hashes of a tile, one by one."""
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


TileReader = Callable[[int, int], bytes | None]
"""(level, number) → the hashes of a tile; None where there is no such tile."""


def nodes_of(read: TileReader) -> Nodes:
    """The nodes of a tree from its tiles. They raise Damaged where a tile is missing or short."""

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        number, at = divmod(index << height, TILE_HASHES)
        tile = read(tile_level, number) or b""
        part = tile[at * HASH_BYTES : (at + (1 << height)) * HASH_BYTES]
        if len(part) != HASH_BYTES << height:
            what = f"tile {tile_level}/{number} of the tree is missing or short"
            raise Damaged((index << level) + 1, what)
        return subtree(hashes_of(part))

    return node


class Tiles:
    """The stored tiles; full ones are remembered, for they never change."""

    def __init__(self, store: TreeStore) -> None:
        self._store = store
        self._full: dict[tuple[int, int], bytes] = {}
        self._lock = Lock()

    def __call__(self, level: int, number: int) -> bytes | None:
        """The hashes of a tile."""
        found = self._full.get((level, number))
        if found is not None:
            return found
        tile = self._store.tiles(level, [number]).get(number)
        if tile is not None and len(tile) == TILE_BYTES:
            with self._lock:
                if len(self._full) >= TILES_KEPT:
                    self._full.clear()
                self._full[level, number] = tile
        return tile


def tile_path(level: int | str, number: int, width: int = TILE_HASHES) -> str:
    """The path of a tile below the log's address, as in `tile/0/x001/x234/067.p/12`.

    The level `entries` names a bundle of entries.
    """
    *front, last = _groups(number)
    groups = "/".join([*(f"x{one:03}" for one in front), f"{last:03}"])
    partial = f".p/{width}" if width < TILE_HASHES else ""
    return f"tile/{level}/{groups}{partial}"


def read_tile_path(text: str) -> tuple[int, int] | None:
    """Number and width from what follows the level in a tile's path; None if it is none."""
    plain, parting, wide = text.partition(".p/")
    *front, last = plain.split("/")
    groups = [one.removeprefix("x") for one in front] + [last]
    if not all(one.startswith("x") for one in front):
        return None
    if not all(len(one) == 3 and one.isascii() and one.isdecimal() for one in groups):  # noqa: PLR2004 - digits of a group
        return None
    number = int("".join(groups))
    width = TILE_HASHES
    if parting:
        if not (wide.isascii() and wide.isdecimal() and 0 < int(wide[:4]) < TILE_HASHES):
            return None
        width = int(wide)
    return (number, width) if tile_path(0, number, width) == f"tile/0/{text}" else None


def widths(size: int, level: int) -> tuple[int, int]:
    """How many full tiles a level has in a tree of that size, and the width of the last one."""
    return divmod(size >> (TILE_HEIGHT * level), TILE_HASHES)


def _groups(number: int) -> list[int]:
    found = [number % GROUP]
    while number >= GROUP:
        number //= GROUP
        found.insert(0, number % GROUP)
    return found
