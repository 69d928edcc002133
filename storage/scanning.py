"""The log read from end to end as plain rows, with the tiles over it: for verifications.

A connection of its own, which reads and nothing else: a process that verifies needs no more of
Hilo than this, and begins at once for it. What is missing in between shows in the positions;
nothing is judged here but whether a row can be read at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Protocol

from domain.errors import StoreUnavailable
from storage.leaf import Row
from storage.network import NETWORK

if TYPE_CHECKING:
    import psycopg

_SQLITE_ROWS: Final = (
    "SELECT position, originator, version, topic, recorded_at, state FROM events"
    " WHERE position > ? AND position <= ? ORDER BY position"
)
_SQLITE_TILES: Final = "SELECT n, hashes FROM tiles WHERE level = 0 AND n >= ? AND n < ?"

_POSTGRES_ROWS: Final = (
    "SELECT position, uuid_send(originator), version, topic, recorded_at, state"
    " FROM hilo_log.events WHERE position > %s AND position <= %s ORDER BY position"
)
_POSTGRES_LAST: Final = "SELECT coalesce(max(position), 0) FROM hilo_log.events"
_POSTGRES_TILES: Final = (
    "SELECT n, hashes FROM hilo_log.tiles WHERE level = 0 AND n >= %s AND n < %s"
)

ROWS_AT_ONCE: Final = 1_024
"""Positions asked for together: a few hundred KiB, whatever the log's length."""


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
        with _on_postgres(url) as scan:
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


@contextmanager
def _on_postgres(url: str) -> Iterator[Scan]:
    import psycopg  # noqa: PLC0415 - a quarter of a second that a process on SQLite does not need

    plain = "postgresql" + url[url.index(":") :]
    try:
        with psycopg.connect(plain, autocommit=True, **NETWORK) as connection:
            connection.execute("SET default_transaction_read_only = on")
            connection.execute("SET client_encoding = 'UTF8'")
            yield PostgresScan(connection)
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreUnavailable("The log does not answer.") from error


class PostgresScan:
    """A log on PostgreSQL."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    @contextmanager
    def rows(self, after: int, upto: int) -> Iterator[Iterator[Row]]:
        """As in Scan."""
        with closing(self._pages(after, upto)) as pages:
            yield chain.from_iterable(pages)

    def _pages(self, after: int, upto: int) -> Generator[list[Row], None, None]:
        """Rows in order; a page is on its way while the one before is looked at."""
        upto = min(upto, self._connection.execute(_POSTGRES_LAST).fetchall()[0][0])
        with self._connection.pipeline():
            page = self._asked(after, upto)
            for first in range(after + ROWS_AT_ONCE, upto, ROWS_AT_ONCE):
                following = self._asked(first, upto)
                yield page.fetchall()
                page = following
            yield page.fetchall()

    def _asked(self, after: int, upto: int) -> psycopg.Cursor[Any]:
        between = (after, min(after + ROWS_AT_ONCE, upto))
        return self._connection.cursor(binary=True).execute(_POSTGRES_ROWS, between, prepare=True)

    def tiles(self, first: int, end: int) -> dict[int, bytes]:
        """As in Scan."""
        with self._connection.cursor(binary=True) as cursor:
            return dict(cursor.execute(_POSTGRES_TILES, (first, end)).fetchall())
