"""Who waits for the log to grow is woken here: by this process's writer, or by another's.

A wake-up is only a hint that there is something to read: what counts is the head in the log,
so a lost one costs a moment and never an event.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from domain.errors import StoreUnavailable

if TYPE_CHECKING:
    import psycopg

DATA_VERSION_POLL_S: Final = 0.02
"""SQLite tells nobody of another process's commit; asking costs 5 µs, and 20 ms is no delay."""

SAFETY_POLL_S: Final = 1.0
"""A notification can be lost with its connection, so the head is read now and then as well."""

LISTEN_STEP_S: Final = 0.2
"""How soon a listener notices that it was closed."""

RECONNECT_S: Final = 0.5
"""Pause before a listener tries a server again that was not there."""

NOTIFY_GAP_S: Final = 0.01
"""At most a hundred notifications a second: each costs the server as much as a small append."""

CHANNEL: Final = "hilo_log"
"""The channel of NOTIFY; PostgreSQL keeps channels of different databases apart."""


class Wakeup:
    """Waiting for the log to grow, woken by the writer of this process."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._position = 0
        self._closed = False
        self.observer: Callable[[int], None] | None = None

    def publish(self, position: int) -> None:
        """The log has reached a position; who waits for it goes on.

        `observer` hears of it too, in the thread that publishes: quick, and never raises.
        """
        with self._condition:
            if position <= self._position:
                return
            self._position = position
            self._condition.notify_all()
        if self.observer is not None:
            self.observer(position)

    def correct(self, head: Callable[[], int]) -> None:
        """Read the head in the log, and believe it also where it is lower than what was told.

        After a restore the log is shorter: who waits behind its end would never rest. What is
        published while the head is being read is newer, and stays.
        """
        before = self._position
        found = head()
        with self._condition:
            if found < before == self._position:
                self._position = found
        self.publish(found)

    def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until the log goes beyond a position; False when the time ran out, or on close."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._position > after, timeout_s)
            return self._position > after

    def close(self) -> None:
        """Let everybody go who waits; later calls of `wait` return at once."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()


class SQLiteWakeup(Wakeup):
    """Also sees commits of other processes: a waiting thread polls `PRAGMA data_version`."""

    def __init__(self, path: str, head: Callable[[], int]) -> None:
        super().__init__()
        self._path = path
        self._head = head
        self._probing = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._seen = -1

    def wait(self, after: int, timeout_s: float) -> bool:
        """As in Wakeup; of several waiting threads one at a time looks at the file."""
        deadline = time.monotonic() + timeout_s
        while not self._closed:
            self._probe()
            step_s = min(DATA_VERSION_POLL_S, deadline - time.monotonic())
            if super().wait(after, max(step_s, 0.0)):
                return True
            if step_s <= 0:
                return False
        return False

    def close(self) -> None:
        """As in Wakeup."""
        super().close()
        with self._probing:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _probe(self) -> None:
        if not self._probing.acquire(blocking=False):
            return
        try:
            # A file that cannot be asked now is asked again at the next step.
            with suppress(sqlite3.Error, StoreUnavailable):
                version = self._data_version()
                if version != self._seen:
                    self.correct(self._head)
                    self._seen = version
        finally:
            self._probing.release()

    def _data_version(self) -> int:
        if self._closed:
            return self._seen
        if self._connection is None:
            self._connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False
            )
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


class PostgresWakeup(Wakeup):
    """Also hears the NOTIFY of other processes: a thread listens while somebody waits."""

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], head: Callable[[], int]
    ) -> None:
        super().__init__()
        self._connect = connect
        self._head = head
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def wait(self, after: int, timeout_s: float) -> bool:
        """As in Wakeup; the first call starts the listening thread."""
        with self._starting:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._listen, name="hilo-log-listener", daemon=True
                )
                self._thread.start()
        return super().wait(after, timeout_s)

    def close(self) -> None:
        """As in Wakeup; returns when the thread is gone."""
        super().close()
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _listen(self) -> None:
        import psycopg  # noqa: PLC0415 - a process on SQLite need not read it

        while not self._closed:
            with suppress(psycopg.Error, StoreUnavailable), self._connect() as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                self._hear(connection)
            with self._condition:
                self._condition.wait_for(lambda: self._closed, RECONNECT_S)

    def _hear(self, connection: psycopg.Connection[Any]) -> None:
        asked = 0.0
        while not self._closed:
            if time.monotonic() - asked >= SAFETY_POLL_S:
                self.correct(self._head)
                asked = time.monotonic()
            for notice in connection.notifies(timeout=LISTEN_STEP_S, stop_after=1):
                self.publish(int(notice.payload))


class Notifier:
    """Tells other processes of this one's commits, on a connection of its own.

    Inside the append a NOTIFY would hold a lock of the whole cluster while the commit waits
    for its standby. Positions that come while one is being told melt into one.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._condition = threading.Condition()
        self._position = 0
        self._told = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def tell(self, position: int) -> None:
        """Have the position told soon; returns at once."""
        with self._condition:
            self._position = max(self._position, position)
            self._condition.notify_all()
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="hilo-log-notifier", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Stop; what was not told is found by the others' safety poll."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        import psycopg  # noqa: PLC0415 - a process on SQLite need not read it

        while not self._closed:
            with suppress(psycopg.Error, StoreUnavailable), self._connect() as connection:
                # Nobody relies on a notification, so it need not wait for any standby.
                connection.execute("SET synchronous_commit = off")
                self._tell_all(connection)
            with self._condition:
                self._condition.wait_for(lambda: self._closed, RECONNECT_S)

    def _tell_all(self, connection: psycopg.Connection[Any]) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or self._position > self._told)
                position, closed = self._position, self._closed
            if closed:
                return
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, str(position)))
            self._told = position
            with self._condition:
                self._condition.wait_for(lambda: self._closed, NOTIFY_GAP_S)
