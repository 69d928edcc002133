"""The log read from end to end as plain rows, with the tiles over it: for verifications.

A connection of its own, which reads and nothing else: a process that verifies needs no more of
Hilo than this, and begins at once for it. What is missing in between shows in the positions;
nothing is judged here but whether a row can be read at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Final, Protocol

from domain.errors import StoreUnavailable
from storage.leaf import Row

_SQLITE_ROWS: Final = (
    "SELECT position, originator, version, topic, recorded_at, state FROM events"
    " WHERE position > ? AND position <= ? ORDER BY position"
)
_SQLITE_TILES: Final = "SELECT n, hashes FROM tiles WHERE level = 0 AND n >= ? AND n < ?"


class Scan(Protocol):
    """An open log. What it gives raises StoreUnavailable through `scanning`."""

    def rows(self, after: int, upto: int) -> AbstractContextManager[Iterator[Row]]:
        """The rows from `after` (not itself) to `upto`, by position.

        Nothing else is asked before they are let go.
        """

    def tiles(self, first: int, end: int) -> dict[int, bytes]:
        """The tiles over the leaves from number `first` to before `end`, those that there are."""


@contextmanager
def scanning(url: str) -> Iterator[Scan]:
    """A log, opened to be read from end to end. Raises StoreUnavailable, also inside."""
    if not url.startswith("sqlite"):
        # On SQLite a process does not wait a quarter of a second for PostgreSQL's driver.
        from storage.scanning_postgres import on_postgres  # noqa: PLC0415 - as said above

        with on_postgres(url) as scan:
            yield scan
        return
    try:
        path = url.partition("///")[2].partition("?")[0]
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA query_only = ON")
            yield SQLiteScan(connection)
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"The log does not answer: {error}") from error


def scanned(url: str, after: int, upto: int) -> Iterator[Row]:
    """The rows from `after` (not itself) to `upto`, by position. Raises StoreUnavailable."""
    with scanning(url) as scan, scan.rows(after, upto) as rows:
        yield from rows


class SQLiteScan:
    """A log on SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def rows(self, after: int, upto: int) -> Iterator[Iterator[Row]]:
        """As in Scan."""
        with closing(self._connection.execute(_SQLITE_ROWS, (after, upto))) as cursor:
            yield cursor

    def tiles(self, first: int, end: int) -> dict[int, bytes]:
        """As in Scan."""
        return dict(self._connection.execute(_SQLITE_TILES, (first, end)))
