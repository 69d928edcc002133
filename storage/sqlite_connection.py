"""Connections to the log's SQLite file: durable on every commit, and fair to other processes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final

from eventsourcing import persistence
from eventsourcing import sqlite as library
from sqlalchemy.engine import make_url

from domain.errors import StoreUnavailable
from storage.appending import LOCK_WAIT_S

LOCK_POLL_S: Final = 0.001
"""SQLite's own waiting sleeps up to 100 ms between looks, and so misses the gaps that a busy
importer leaves; a look costs microseconds."""

CHECKPOINT_PAGES: Final = 4_000
"""Pages (16 MiB) in the write-ahead log before they move to the database: index pages that
are hit again and again move once. SQLite's own 1,000 cost a third of the throughput."""

CHECKPOINT_STEP_PAGES: Final = 1_000
"""After so many pages a thread beside the writer begins to move them, so that the commit which
reaches CHECKPOINT_PAGES finds little left to do: the longest commits take half the time."""

_PAGE_BYTES: Final = 4_096

STATEMENTS_KEPT: Final = 256
"""Prepared statements of the writer: one for each size of a batch that is usual."""

CACHE_KIB: Final = 32_000
"""The writer's page cache: the upper floors of the index for some million events."""

SESSION: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    # Without it INSERT OR REPLACE deletes a row behind the back of the trigger that refuses.
    "PRAGMA recursive_triggers = ON",
    f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
)

_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def path_of(url: str) -> str:
    """The file that a `sqlite:///…` URL (or a bare path) names."""
    return str(make_url(url).database) if url.startswith("sqlite:") else url


class LogPool(library.SQLiteConnectionPool):
    """The library's pool of connections, here for reading."""

    def _create_connection(self) -> library.SQLiteConnection:
        connection = super()._create_connection()
        plain = connection._sqlite_conn  # noqa: SLF001 - the library offers no hook
        plain.row_factory = None
        for pragma in SESSION:
            plain.execute(pragma)
        return connection


class LogDatastore(library.SQLiteDatastore):
    """The library's datastore over our pool."""

    def __init__(self, path: str) -> None:
        super().__init__(path, lock_timeout=int(LOCK_WAIT_S))
        self.pool.close()
        self.pool = LogPool(db_name=path, lock_timeout=int(LOCK_WAIT_S))
        self.path = path


class Checkpointer:
    """Moves pages from the write-ahead log to the database while the writer goes on writing."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._condition = threading.Condition()
        self._pages = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def wrote(self, events: int, size_bytes: int) -> None:
        """A commit wrote so many events: about a page each for the index, and their bytes."""
        with self._condition:
            self._pages += events + size_bytes // _PAGE_BYTES
            if self._pages < CHECKPOINT_STEP_PAGES:
                return
            self._condition.notify_all()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="hilo-log-checkpointer", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Stop; returns when the thread is gone. The last connection to close moves the rest."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        # Nothing depends on it: what it cannot move now, the writer's own checkpoint moves.
        with suppress(sqlite3.Error), closing(sqlite3.connect(self._path)) as connection:
            for pragma in SESSION:
                connection.execute(pragma)
            while self._wanted():
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _wanted(self) -> bool:
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._pages >= CHECKPOINT_STEP_PAGES)
            self._pages = 0
            return not self._closed


def open_writer(path: str) -> sqlite3.Connection:
    """The connection that writes; raises StoreUnavailable when the file stays locked."""
    connection = sqlite3.connect(
        path,
        timeout=0.0,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_KEPT,
    )
    try:
        # The first to come changes the file's mode, and locks the others out meanwhile.
        patiently(connection, "PRAGMA journal_mode = WAL")
        for pragma in (*SESSION, f"PRAGMA cache_size = -{CACHE_KIB}"):
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Run a statement that needs a lock; raises StoreUnavailable when it was never free."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY:
                raise
            if time.monotonic() > deadline:
                raise StoreUnavailable("Another process keeps the log locked.") from error
            time.sleep(LOCK_POLL_S)
        else:
            return


@contextmanager
def translated() -> Iterator[None]:
    """What says that the database does not answer becomes StoreUnavailable; bugs stay bugs."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except (sqlite3.DatabaseError, persistence.OperationalError) as error:
        raise StoreUnavailable(f"The log does not answer: {error}") from error
    except (persistence.InterfaceError, persistence.ConnectionPoolClosedError) as error:
        raise StoreUnavailable("The log cannot be opened.") from error
