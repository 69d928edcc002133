"""The database of the views: a SQLite file, or a schema in PostgreSQL.

Connections are in autocommit mode, and whoever uses one begins and ends its transactions in
words: a reader's is one snapshot, a writer's takes its lock at once. Statements that are
written by hand have `?` for their parameters on both databases.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa

from domain.errors import Busy, StoreUnavailable
from storage.exclusive import AdvisoryLock, Exclusive, FileLock
from storage.network import NETWORK

Kind = Literal["sqlite", "postgresql"]

SCHEMA: Final = "hilo_views"
"""The views' schema in PostgreSQL; dropping it loses nothing."""

BUSY_TIMEOUT_MS: Final = 5_000
"""How long SQLite waits for its one writer; a page is written in a fraction of it."""

CACHE_KIB: Final = 32_768
"""SQLite's page cache for a connection that writes: the inner pages of the indexes of some
ten million rows, so that a page of events reads few pages from the file."""

READER_CACHE_KIB: Final = 4_096
"""The same for a connection that reads; the memory map serves it as well."""

MMAP_BYTES: Final = 1 << 30
"""How much of the file SQLite maps: reading a mapped page copies nothing."""

CHECKPOINT_PAGES: Final = 16_000
"""Pages (64 MB) in SQLite's write-ahead log before they move into the file: the inner pages of
an index are written by every page of events, and so move once for many of those."""

READERS_MAX: Final = 48
"""Reads at one time: more than a server's threads, and fewer than PostgreSQL's connections."""

READER_WAIT_S: Final = 5.0
"""How long a read waits for a connection before it answers `busy`."""

STREAM_ROWS: Final = 2_000
"""Rows fetched at a time where a whole table is read: a few MB."""

STATEMENTS_CACHED: Final = 2_048
"""Statements whose translated text is kept: every query of every generation, many times over."""

_PG_OPTIONS: Final = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "search_path": SCHEMA,
        # Rows and checkpoint are one transaction: after a crash both are as old, and go on.
        "synchronous_commit": "off",
        "jit": "off",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "300s",
    }.items()
)


_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

File = tuple[int, int]
"""Which file a path leads to: device and inode."""

log = logging.getLogger("hilo.views")


class Slot:
    """A connection that one thread at a time uses: SQLAlchemy's, and the driver's below it.

    `file` is the one that it reads, whatever lies at its path by now; None on PostgreSQL.
    """

    __slots__ = ("_cursor", "connection", "driver", "file", "kind")

    def __init__(self, engine: sa.Engine, kind: Kind, cache_kib: int) -> None:
        self.kind = kind
        self.file: File | None = None
        self.connection = engine.connect()
        driver: Any = self.connection.connection.driver_connection
        self.driver = driver
        if kind == "sqlite":
            self.driver.execute(f"PRAGMA cache_size = -{cache_kib}")
            self._cursor: Any = self.driver
        else:
            self._cursor = self.driver.cursor(binary=True)

    def run(self, sql: str, params: Sequence[object] = ()) -> int:
        """Execute a statement; the number of rows that it changed."""
        return int(self.cursor(sql, params).rowcount)

    def fetch(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Execute a query; its rows."""
        rows: list[tuple[Any, ...]] = self.cursor(sql, params).fetchall()
        return rows

    def cursor(self, sql: str, params: Sequence[object] = ()) -> Any:  # noqa: ANN401 - a driver's
        """Execute a statement; the driver's cursor."""
        if self.kind == "sqlite":
            return self._cursor.execute(sql, params)
        if not params:
            return self._cursor.execute(sql)
        return self._cursor.execute(for_postgres(sql), params)

    def begin_with(self, begin: str, query: str, words: Sequence[str]) -> list[tuple[Any, ...]]:
        """Begin a transaction and ask its first query; on PostgreSQL in one round trip.

        The parameters are words of the program's own.
        """
        if self.kind == "sqlite":
            self.driver.execute(begin)
            return self.fetch(query, words)
        for word in words:
            query = query.replace("?", f"'{word}'", 1)
        cursor = self.driver.execute(f"{begin}; {query}")
        cursor.nextset()
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def stream(self, sql: str) -> Iterator[Sequence[Any]]:
        """The rows of a query, read a chunk at a time, inside an open transaction."""
        for rows in self.chunks(sql):
            yield from rows

    def chunks(self, sql: str) -> Iterator[Sequence[Sequence[Any]]]:
        """The rows of a query, some thousands at a time, inside an open transaction."""
        if self.kind == "sqlite":
            found = self.driver.execute(sql)
        else:
            found = self.driver.cursor("stream", binary=True)
            found.execute(sql)
        try:
            while chunk := found.fetchmany(STREAM_ROWS):
                yield chunk
        finally:
            found.close()

    def rollback(self) -> None:
        """End the transaction, if there is one; a broken connection has none."""
        with suppress(sqlite3.Error, *_postgres_errors("Error")):
            self.driver.rollback()

    def close(self) -> None:
        """Give the connection back to the system."""
        with suppress(sqlite3.Error, *_postgres_errors("Error"), sa.exc.SQLAlchemyError):
            self.connection.invalidate()
            self.connection.close()


@lru_cache(maxsize=STATEMENTS_CACHED)
def for_postgres(sql: str) -> str:
    """A statement with `?` for its parameters, as psycopg wants it; binary parameters."""
    return sql.replace("%", "%%").replace("?", "%b")


def is_refusal(error: BaseException) -> bool:
    """Whether an error says that the database does not answer, not that an event is poison."""
    if isinstance(error, sa.exc.DBAPIError):
        return error.orig is not None and is_refusal(error.orig)
    if is_damage(error):
        return True
    silent = (sqlite3.OperationalError, sa.exc.TimeoutError)
    postgres = _postgres_errors("OperationalError", "InterfaceError")
    return isinstance(error, (*silent, *postgres)) and not isinstance(
        error, _postgres_errors("DataError")
    )


def _postgres_errors(*names: str) -> tuple[type[Exception], ...]:
    """Errors of psycopg by their names.

    A process on SQLite never reads that library (a tenth of a second), and meets none of them.
    """
    psycopg = sys.modules.get("psycopg")
    return tuple(getattr(psycopg, name) for name in names) if psycopg else ()


def is_damage(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, says that a file of SQLite is not what was written."""
    if isinstance(error, sa.exc.DBAPIError):
        error = error.orig
    if isinstance(error, sqlite3.DatabaseError):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
    return error is not None and is_damage(error.__cause__)


class Database:
    """The engine, and the slots of its readers and writers.

    `url`: sqlite:///<file> or postgresql://…. Raises StoreUnavailable where it cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self._path = str(self.url.database)
        self.kind: Kind = "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        self.engine = self._engine()
        self._idle: list[Slot] = []
        self._places = threading.BoundedSemaphore(READERS_MAX)

    def _engine(self) -> sa.Engine:
        pool: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "poolclass": sa.NullPool}
        if self.kind == "postgresql":
            return sa.create_engine(
                self.url, connect_args={**NETWORK, "options": _PG_OPTIONS}, **pool
            )
        engine = sa.create_engine(self.url, connect_args={"check_same_thread": False}, **pool)
        sa.event.listen(engine, "connect", _pragmas)
        return engine

    def writer(self) -> Slot:
        """A connection for one who writes; to be closed."""
        return self._slot(CACHE_KIB)

    def reader(self) -> Slot:
        """A connection for one read; to be given back. Raises Busy, StoreUnavailable."""
        if not self._places.acquire(timeout=READER_WAIT_S):
            raise Busy("Too many reads at one time.")
        try:
            while self._idle:
                slot = self._idle.pop()
                if slot.file == self.file:
                    return slot
                slot.close()
        except IndexError:  # another thread was faster
            pass
        try:
            return self._slot(READER_CACHE_KIB)
        except BaseException:
            self._places.release()
            raise

    def give_back(self, slot: Slot, *, broken: bool) -> None:
        """A reader is done; a broken connection is not used again."""
        if broken:
            slot.close()
        else:
            self._idle.append(slot)
        self._places.release()

    @property
    def file(self) -> File | None:
        """The file at the path now; None where there is none, and on PostgreSQL."""
        if self.kind != "sqlite":
            return None
        try:
            found = os.stat(self._path)  # noqa: PTH116 - for every read: twice as fast
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def heal(self, error: BaseException, file: File | None) -> None:
        """Where an error says that a file is damaged, set that aside; the next opening makes one.

        Views are made of the log, so nothing is lost; the file is kept for whoever looks for
        the cause, until another one is damaged.
        """
        if file is None or not is_damage(error):
            return
        lock = self.exclusive("damaged")
        if not lock.acquire():
            return  # another process is about it
        try:
            if self.file == file:
                path = self._path
                for end in ("", "-wal", "-shm"):
                    with suppress(FileNotFoundError):
                        Path(path + end).replace(f"{path}.damaged{end}")
                log.error("%s is damaged: it lies aside, and the views are made anew", path)
        finally:
            lock.release()
        self.close_idle()

    def _slot(self, cache_kib: int) -> Slot:
        with translated():
            slot = Slot(self.engine, self.kind, cache_kib)
        slot.file = self.file
        return slot

    def exclusive(self, name: str) -> Exclusive:
        """A lock of that name beside these views, over processes."""
        if self.kind == "sqlite":
            return FileLock(Path(f"{self.url.database}.{name}.lock"))
        url = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return AdvisoryLock(url, f"views/{name}")

    def close_idle(self) -> None:
        """Close the connections that nobody reads with."""
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """Close the idle connections; a reader that is at work closes its own."""
        self.close_idle()
        self.engine.dispose()


@contextmanager
def writing(slot: Slot) -> Iterator[Slot]:
    """One transaction of a writer: committed at the end, rolled back on any error."""
    with translated():
        slot.run("BEGIN IMMEDIATE" if slot.kind == "sqlite" else "BEGIN")
        try:
            yield slot
            slot.run("COMMIT")
        except BaseException:
            slot.rollback()
            raise


@contextmanager
def translated() -> Iterator[None]:
    """Where a database does not answer, say StoreUnavailable."""
    try:
        yield
    except Exception as error:
        if is_refusal(error):
            raise StoreUnavailable("The views do not answer.") from error
        raise


def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        # The file is disposable: after a power cut it is whole, and at worst a little older.
        "synchronous = NORMAL",
        # What an erasure purges must not lie in free pages.
        "secure_delete = ON",
        f"mmap_size = {MMAP_BYTES}",
        "temp_store = MEMORY",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")
