"""One holder at a time, over processes: for the follower of a ledger, and for a rebuild.

A lock that its process held is free when that process is gone, however it went.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import select
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from domain.errors import StoreUnavailable
from storage.network import NETWORK

if TYPE_CHECKING:
    import psycopg

UNLOCKED_MS_MAX: Final = 1_000
"""How long a server may take to let a lock go: who stops does not wait for one that is silent."""

LOCK_MODE: Final = 0o600
"""The file holds nothing, but it stands in the folder of a ledger."""


class Exclusive(Protocol):
    """What one process at a time may hold."""

    def acquire(self) -> bool:
        """Whether this object holds it now; never waits. Raises StoreUnavailable."""

    def held(self) -> bool:
        """Whether it is still held: a lost connection loses it."""

    def release(self) -> None:
        """Let others have it; nothing happens where it is not held."""


class FileLock:
    """An flock on a file, which it makes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """As in Exclusive."""
        if self._handle is not None:
            return True
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK_MODE)
        except OSError as error:
            raise StoreUnavailable(f"The lock file cannot be opened: {error.strerror}.") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def held(self) -> bool:
        """As in Exclusive."""
        return self._handle is not None

    def release(self) -> None:
        """As in Exclusive."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class AdvisoryLock:
    """A session's advisory lock of a PostgreSQL database, on a connection of its own."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        digest = hashlib.sha256(f"hilo/{name}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._connection: psycopg.Connection[Any] | None = None

    def acquire(self) -> bool:
        """As in Exclusive."""
        if self._connection is not None and self.held():
            return True
        import psycopg  # noqa: PLC0415 - a process on SQLite need not read it

        connection: psycopg.Connection[Any] | None = None
        try:
            connection = psycopg.connect(self._url, autocommit=True, **NETWORK)
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
        except psycopg.Error as error:
            if connection is not None:
                connection.close()
            raise StoreUnavailable("The database does not answer.") from error
        if row is None or not row[0]:
            connection.close()
            return False
        self._connection = connection
        return True

    def held(self) -> bool:
        """As in Exclusive; asks the server, since the lock dies with the connection."""
        import psycopg  # noqa: PLC0415 - as above

        if self._connection is None:
            return False
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            self.release()
            return False
        return True

    def release(self) -> None:
        """As in Exclusive; a server that answers has let it go when this returns."""
        import psycopg  # noqa: PLC0415 - as above

        connection, self._connection = self._connection, None
        if connection is None:
            return
        # A lock goes with its connection too, but only when the server has noticed.
        with suppress(psycopg.Error):
            connection.pgconn.send_query(b"SELECT pg_advisory_unlock_all()")
            connection.pgconn.flush()
            answered = select.poll()
            answered.register(connection.fileno(), select.POLLIN)
            answered.poll(UNLOCKED_MS_MAX)
        with suppress(psycopg.Error):
            connection.close()


def exclusive_for(url: str, path: Path) -> Exclusive:
    """The lock of that name for the users of a database.

    On SQLite a file at `path`; on PostgreSQL an advisory lock that bears the file's name.
    """
    if url.startswith("sqlite"):
        return FileLock(path)
    return AdvisoryLock(url, path.name)
