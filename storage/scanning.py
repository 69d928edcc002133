"""The log read from end to end as plain rows, with the tiles over it: for verifications.

A connection of its own, which reads and nothing else: a process that verifies needs no more of
Hilo than this, and begins at once for it. What is missing in between shows in the positions;
nothing is judged here but whether a row can be read at all.
"""

from __future__ import annotations

import select
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from struct import Struct
from struct import error as not_packed
from typing import TYPE_CHECKING, Any, Final, Protocol

from domain.errors import Damaged, StoreUnavailable
from storage.leaf import Row
from storage.network import NETWORK

if TYPE_CHECKING:
    import psycopg

_SQLITE_ROWS: Final = (
    "SELECT position, originator, version, topic, recorded_at, state FROM events"
    " WHERE position > ? AND position <= ? ORDER BY position"
)
_SQLITE_TILES: Final = "SELECT n, hashes FROM tiles WHERE level = 0 AND n >= ? AND n < ?"

# A COPY is the one answer of PostgreSQL that comes while the rest is still being read: a cursor's
# pages are waited for. Columns of a fixed width come first, so that one look takes them all.
_POSTGRES_ROWS: Final = (
    "COPY (SELECT position, originator, version, recorded_at, topic, state FROM hilo_log.events"
    " WHERE position > {after:d} AND position <= {upto:d} ORDER BY position)"
    " TO STDOUT (FORMAT BINARY)"
)
_POSTGRES_TILES: Final = (
    "SELECT n, hashes FROM hilo_log.tiles WHERE level = 0 AND n >= %s AND n < %s"
)
_COPY_BEGINS: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
"""What stands before the first row of a binary COPY: its signature, no flags, no extension."""

_COPY_ENDS: Final = b"\xff\xff"
_COPY_ROW: Final = Struct(">hiqi16siiiqi")
"""A row up to its topic's length: how many columns, then each after its length."""

_COPY_SHAPE: Final = (6, 8, 16, 4, 8)
"""Columns, and the lengths of the first four."""


class Scan(Protocol):
    """An open log. What it gives raises StoreUnavailable through `scanning`."""

    def rows(self, after: int, upto: int) -> AbstractContextManager[Iterator[Row]]:
        """The rows from `after` (not itself) to `upto`, by position. Raises Damaged.

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
    """A log on PostgreSQL, read as its server sends it, row by row."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    @contextmanager
    def rows(self, after: int, upto: int) -> Iterator[Iterator[Row]]:
        """As in Scan."""
        query = _POSTGRES_ROWS.format(after=after, upto=upto)
        with closing(self._copied(query)) as copied:
            yield self._read(copied, after)

    def _read(self, copied: Iterator[bytes], before: int) -> Iterator[Row]:
        look = _COPY_ROW.unpack_from
        for raw in copied:
            try:
                some, _a, position, _b, originator, _c, version, _d, recorded_at, size = look(raw)
                at = _COPY_ROW.size + size
                if (some, _a, _b, _c, _d) != _COPY_SHAPE:
                    raise Damaged(before + 1, "one of its columns holds what it cannot")
                yield (
                    position,
                    originator,
                    version,
                    str(raw[_COPY_ROW.size : at], "utf-8"),
                    recorded_at,
                    raw[at + 4 :],
                )
            except (not_packed, UnicodeDecodeError) as error:
                raise Damaged(before + 1, "one of its columns holds what it cannot") from error
            before = position

    def tiles(self, first: int, end: int) -> dict[int, bytes]:
        """As in Scan."""
        with self._connection.cursor(binary=True) as cursor:
            return dict(cursor.execute(_POSTGRES_TILES, (first, end)).fetchall())

    def _copied(self, query: str) -> Generator[bytes, None, None]:
        """The rows of a binary COPY, as they come; nothing is fetched twice or waited for."""
        from psycopg import errors, pq  # noqa: PLC0415 - as above

        server = self._connection.pgconn
        begun = server.exec_(query.encode())
        if begun.status != pq.ExecStatus.COPY_OUT:
            raise errors.error_from_result(begun)
        arrived = select.poll()
        arrived.register(server.socket, select.POLLIN)
        first, size = True, 0
        try:
            while size >= 0:
                size, data = server.get_copy_data(1)
                if size > 0:
                    raw = bytes(data)
                    if first:
                        first, raw = False, raw.removeprefix(_COPY_BEGINS)
                    if raw != _COPY_ENDS:
                        yield raw
                elif size == 0:
                    arrived.poll()
                    server.consume_input()
        finally:
            while size >= 0:  # what nobody asked for any more: some rows of a block
                size, _ = server.get_copy_data(0)
            while (done := server.get_result()) is not None:
                if done.status != pq.ExecStatus.COMMAND_OK:
                    raise errors.error_from_result(done)
