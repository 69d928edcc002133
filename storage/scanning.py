"""The log read from end to end as plain rows, in one stream: for verifications and exports.

A connection of its own, which reads and nothing else: a process that verifies needs no more of
Hilo than this. What is missing in between shows in the positions; nothing is judged here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import psycopg

from domain.errors import StoreUnavailable
from storage.leaf import Row
from storage.network import NETWORK
from storage.sqlite_connection import path_of

ROWS_AT_ONCE: Final = 1_000
"""Rows fetched together: a few hundred KiB, whatever the log's length."""

_ON_SQLITE: Final = (
    "SELECT position, originator, version, topic, recorded_at, state FROM events"
    " WHERE position > ? AND position <= ? ORDER BY position"
)
_ON_POSTGRES: Final = (
    "SELECT position, uuid_send(originator), version, topic, recorded_at, state"
    " FROM hilo_log.events WHERE position > %s AND position <= %s ORDER BY position"
)


def scanned(url: str, after: int, upto: int) -> Iterator[Row]:
    """The rows from `after` (not itself) to `upto`, by position. Raises StoreUnavailable."""
    reading = _from_sqlite if url.startswith("sqlite") else _from_postgres
    return reading(url, after, upto)


def _from_sqlite(url: str, after: int, upto: int) -> Iterator[Row]:
    try:
        with closing(sqlite3.connect(path_of(url))) as connection:
            connection.execute("PRAGMA query_only = ON")
            with closing(connection.cursor()) as cursor:
                cursor.arraysize = ROWS_AT_ONCE
                yield from cursor.execute(_ON_SQLITE, (after, upto))
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"The log does not answer: {error}") from error


def _from_postgres(url: str, after: int, upto: int) -> Iterator[Row]:
    plain = "postgresql" + url[url.index(":") :]
    try:
        with psycopg.connect(plain, **NETWORK) as connection:
            connection.read_only = True
            with connection.cursor("hilo_scan", binary=True) as cursor:
                cursor.itersize = ROWS_AT_ONCE
                cursor.execute(_ON_POSTGRES, (after, upto))
                yield from cursor
    except psycopg.OperationalError as error:
        raise StoreUnavailable("The log does not answer.") from error
