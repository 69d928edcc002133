"""The blocks of a database's log. It loads little: a process beside this one begins with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from audit.blocks import Ask, Block, look, rows_taken
from audit.looking import Look
from audit.tree import TILE_HASHES
from storage.leaf import LEAF_PREFIX, entries_maker
from storage.scanning import scanning


class DatabaseReader(Struct, frozen=True):
    """Reads the log of a database; `covered` tiles from its tree."""

    url: str
    origin: str
    topics: frozenset[str]

    @contextmanager
    def opened(self) -> Iterator[Look]:
        """As in Reader. Raises StoreUnavailable, also inside."""
        entries = entries_maker(self.origin, LEAF_PREFIX)
        with scanning(self.url) as scan:

            def look_at(ask: Ask) -> Block:
                end = -(-min(ask.upto, ask.covered) // TILE_HASHES)
                tiles = scan.tiles(ask.after // TILE_HASHES, end)
                with scan.rows(ask.after, ask.upto) as rows:
                    take = rows_taken(rows, entries)
                    return look(take, ask, lambda _, number: tiles.get(number), self.topics)

            yield look_at
