"""The log on SQLite: one file, write-ahead log, every commit on the disk before it is told.

The library's persistence module for it (PERSISTENCE_MODULE `storage.sqlite`, the file in
LOG_URL): its recorder reads our columns and takes every insert through the one append.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec
from eventsourcing import persistence
from eventsourcing import sqlite as library
from eventsourcing.utils import Environment, EnvType, resolve_topic

from domain.errors import OutcomeUnknown, StoreUnavailable
from domain.ports import Appended, Clock, StoredEntry, Verdict
from storage import bridge
from storage.appending import (
    Batch,
    Bench,
    Head,
    Ledger,
    Place,
    Row,
    Taken,
    check_fence,
    commands_of,
    contiguous,
    fence_after,
    places_of,
    require_contiguous,
)
from storage.leaf import Row as LeafRow
from storage.schema import migrate_sqlite
from storage.sqlite_connection import (
    Checkpointer,
    LogDatastore,
    open_writer,
    path_of,
    patiently,
    translated,
)
from storage.wakeup import SQLiteWakeup

ROWS_MAX: Final = 512
"""Rows inserted, or places asked for, by one statement: its text grows with them."""

ROWS_EXACT: Final = 64
"""Rows that one statement takes, whatever their number: each number is a statement prepared, and
the batches of a busy server differ by a few. More go in powers of two and a rest."""

_COLUMNS: Final = "position, originator, version, topic, recorded_at, command_id, state"
_LEAF_COLUMNS: Final = "position, originator, version, topic, recorded_at, state"


class SQLiteLogRecorder(library.SQLiteApplicationRecorder):
    """The log's store (LogStore) and the library's recorder in one; see storage/appending.py."""

    datastore: LogDatastore

    def __init__(self, datastore: LogDatastore, clock: Clock) -> None:
        super().__init__(datastore, events_table_name="events")
        self.datastore = datastore
        self.clock = clock
        self.wakeup = SQLiteWakeup(datastore.path, lambda: self.head().position)
        self._checkpointer = Checkpointer(datastore.path)
        self._turn = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._closed = False

    def construct_create_table_statements(self) -> list[str]:
        """None: the tables come from the migrations."""
        return []

    def create_table(self) -> None:
        """Bring the store's tables to the newest version; raises NewerData."""
        with self._turn, translated():
            connection = self._connection()
            migrate_sqlite(connection, lambda: patiently(connection, "BEGIN IMMEDIATE"))

    # ------------------------------------------------------------------ writing

    def append(self, batch: Batch) -> list[Verdict]:
        """See LogStore."""
        with self._turn, translated():
            connection = self._connection()
            patiently(connection, "BEGIN IMMEDIATE")
            try:
                head, verdicts = self._write(connection, batch)
            except BaseException:
                connection.rollback()
                raise
            self._commit(connection)
        self.wakeup.publish(head.position)
        return verdicts

    def _write(self, connection: sqlite3.Connection, batch: Batch) -> tuple[Head, list[Verdict]]:
        head = _head(connection)
        check_fence(batch, head)
        taken = _taken(connection, places_of(batch.units), commands_of(batch.units))
        bench = Bench(head, taken, self.clock())
        verdicts = [bench.verdict(sealed) for sealed in batch.units]
        _insert(connection, bench.rows)
        if bench.counts:
            connection.executemany(
                "INSERT INTO balances (connection, source, kind, reason, n, since)"
                " VALUES (?, ?, ?, '', ?, ?)"
                " ON CONFLICT (connection, source, kind, reason) DO UPDATE SET n = n + excluded.n",
                [(*key, n, bench.recorded_at) for key, n in sorted(bench.counts.items())],
            )
        self._checkpointer.wrote(len(bench.rows), sum([len(row[6]) for row in bench.rows]))
        # Also where nothing is new: that something stands already is an acknowledgement too,
        # and the commit before may have been cut off between the write and the disk.
        after = Head(bench.position, bench.recorded_at, fence_after(batch, head, bench))
        connection.execute(
            "UPDATE head SET position = ?, recorded_at = ?, fence = ?",
            (after.position, after.recorded_at, after.fence),
        )
        return after, verdicts

    def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            # Whether the frames reached the disk nobody can say: begin again from the file.
            self._writer = None
            connection.close()
            raise OutcomeUnknown("The disk did not confirm the write.") from error

    def insert_events(
        self, stored_events: Sequence[persistence.StoredEvent], **_: object
    ) -> Sequence[int]:
        """The library's way in (`Application.save`): all or nothing, the same append."""
        unit = bridge.unit_of(stored_events)
        (verdict,) = self.append(Batch((unit,), fence=None))
        if not isinstance(verdict, Appended):
            raise persistence.IntegrityError("The place in the stream is taken.")
        return verdict.positions

    def _connection(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreUnavailable("The log is closed.")
        if self._writer is None:
            self._writer = open_writer(self.datastore.path)
        return self._writer

    # ------------------------------------------------------------------ reading

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._closed:
            raise StoreUnavailable("The log is closed.")
        with translated(), self.datastore.get_connection(commit=False) as pooled:
            yield pooled._sqlite_conn  # noqa: SLF001 - its cursor class hides iteration

    def taken(self, places: Sequence[Place], commands: Sequence[bytes]) -> Taken:
        """See LogStore."""
        with self._reading() as connection:
            return _taken(connection, places, commands)

    def head(self) -> Head:
        """See LogStore."""
        with self._reading() as connection:
            return _head(connection)

    def page(self, after: int, limit: int, max_bytes: int) -> list[StoredEntry]:
        """See LogStore."""
        return contiguous(after, _entries(self._some(_COLUMNS, after, limit, max_bytes)))

    def rows(self, after: int, limit: int, max_bytes: int) -> list[LeafRow]:
        """See LogStore."""
        rows = self._some(_LEAF_COLUMNS, after, limit, max_bytes)
        if rows:
            require_contiguous(after, rows[0][0], rows[-1][0], len(rows))
        return rows

    def _some(self, columns: str, after: int, limit: int, max_bytes: int) -> list[Any]:
        """Rows after a position, their last column the state."""
        query = f"SELECT {columns} FROM events WHERE position > ? ORDER BY position LIMIT ?"
        rows: list[tuple[Any, ...]] = []
        size = 0
        with self._reading() as connection, closing(connection.execute(query, (after, limit))) as c:
            for row in c:
                size += len(row[-1])
                if rows and size > max_bytes:
                    break
                rows.append(row)
        return rows

    def stream(self, originator_id: UUID) -> list[StoredEntry]:
        """See LogStore."""
        query = f"SELECT {_COLUMNS} FROM events WHERE originator = ? ORDER BY version"
        with self._reading() as connection:
            return _entries(connection.execute(query, (originator_id.bytes,)).fetchall())

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[persistence.StoredEvent]:
        """The library's read of a stream."""
        chosen = bridge.Selection(gt=gt, upto=lte, desc=desc, limit=limit)
        where, values = chosen.clauses("version", "?")
        query = f"SELECT originator, version, topic, state FROM events WHERE originator = ?{where}"
        with self._reading() as connection:
            rows = connection.execute(query, (bridge.as_uuid(originator_id).bytes, *values))
            return [persistence.StoredEvent(UUID(bytes=row[0]), *row[1:]) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[persistence.Notification]:
        """The library's read of the log."""
        after = bridge.after(start, inclusive=inclusive_of_start)
        chosen = bridge.Selection(gt=after, upto=stop, limit=limit, topics=tuple(topics))
        where, values = chosen.clauses("position", "?")
        query = f"SELECT originator, version, topic, state, position FROM events WHERE true{where}"
        with self._reading() as connection:
            rows = connection.execute(query, values)
            return [persistence.Notification(UUID(bytes=row[0]), *row[1:]) for row in rows]

    def max_notification_id(self) -> int:
        """The last position; 0 for an empty log."""
        return self.head().position

    # ------------------------------------------------------------------- ledger

    def ledger_row(self) -> Ledger | None:
        """See LogStore."""
        with self._reading() as connection:
            row = connection.execute("SELECT id, origin, created_at FROM ledger").fetchone()
        return Ledger(UUID(bytes=row[0]), row[1], row[2]) if row else None

    def create_ledger(self, ledger: Ledger) -> Ledger:
        """See LogStore."""
        with self._turn, translated():
            connection = self._connection()
            patiently(connection, "BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO ledger (one, id, origin, created_at) VALUES (1, ?, ?, ?)"
                " ON CONFLICT (one) DO NOTHING",
                (ledger.id.bytes, ledger.origin, ledger.created_at),
            )
            connection.execute("COMMIT")
        return self.ledger_row() or ledger

    def close(self) -> None:
        """See LogStore."""
        self.wakeup.close()
        self._checkpointer.close()
        with self._turn:
            self._closed = True
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        self.datastore.close()


class LogFactory(library.SQLiteFactory):
    """The library's factory of this module; LOG_URL is the file, CLOCK_TOPIC names a clock."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        persistence.InfrastructureFactory.__init__(self, env)
        self.log_datastore = self.datastore = LogDatastore(
            path_of(self.env.get(bridge.LOG_URL) or "")
        )
        self.clock: Clock | None = None
        self._recorders: list[SQLiteLogRecorder] = []

    def application_recorder(self) -> SQLiteLogRecorder:
        """The log's recorder, on tables of the newest version."""
        clock = self.clock or resolve_topic(self.env.get(bridge.CLOCK_TOPIC) or "")
        recorder = SQLiteLogRecorder(self.log_datastore, clock)
        self._recorders.append(recorder)
        recorder.create_table()
        return recorder

    def close(self) -> None:
        """Close what was made, as `Application.close` expects."""
        for recorder in self._recorders:
            recorder.close()
        super().close()


def _head(connection: sqlite3.Connection) -> Head:
    return Head(*connection.execute("SELECT position, recorded_at, fence FROM head").fetchone())


def _taken(
    connection: sqlite3.Connection, places: Sequence[Place], commands: Sequence[bytes]
) -> Taken:
    taken = Taken({}, {})
    for start in range(0, len(places), ROWS_MAX):
        values = [value for place in places[start : start + ROWS_MAX] for value in place]
        pairs = _padded(values, 2)
        for originator, version, position in connection.execute(
            _places_query(len(pairs) // 2), pairs
        ):
            taken.places[(originator, version)] = position
    for start in range(0, len(commands), ROWS_MAX):
        chunk = _padded(list(commands[start : start + ROWS_MAX]), 1)
        taken.commands.update(connection.execute(_commands_query(len(chunk)), chunk))
    return taken


def _insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Insert in a few statements: `executemany` would let go of the interpreter at each row.

    In a process whose event loop is busy every such step may wait for a turn of milliseconds.
    """
    start = 0
    while start < len(rows):
        left = len(rows) - start
        count = left if left <= ROWS_EXACT else min(ROWS_MAX, 1 << (left.bit_length() - 1))
        values = [value for row in rows[start : start + count] for value in row]
        connection.execute(_insert_query(count), values)
        start += count


@cache
def _insert_query(count: int) -> str:
    return f"INSERT INTO events ({_COLUMNS}) VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * count)


def _padded(values: list[Any], width: int) -> list[Any]:
    """The values, the last repeated up to a power of two, so that few statements are prepared."""
    count = len(values) // width
    missing = (1 << (count - 1).bit_length()) - count
    return values + values[-width:] * missing


@cache
def _places_query(count: int) -> str:
    # A plain `(originator, version) IN (VALUES …)` reads the whole table: the join must be led.
    pairs = ", ".join(["(?, ?)"] * count)
    return (
        f"WITH wanted (originator, version) AS (VALUES {pairs})"
        " SELECT e.originator, e.version, e.position FROM wanted CROSS JOIN events AS e"
        " ON e.originator = wanted.originator AND e.version = wanted.version"
    )


@cache
def _commands_query(count: int) -> str:
    marks = ", ".join(["?"] * count)
    return f"SELECT command_id, position FROM events WHERE command_id IN ({marks})"


def _entries(rows: Sequence[tuple[Any, ...]]) -> list[StoredEntry]:
    # One call for all the UUIDs takes a tenth of making each of them.
    originators = msgspec.convert([row[1] for row in rows], list[UUID])
    return [
        StoredEntry(
            position,
            originator,
            version,
            topic,
            recorded_at,
            UUID(bytes=command) if command is not None else None,
            state,
        )
        for originator, (position, _, version, topic, recorded_at, command, state) in zip(
            originators, rows, strict=True
        )
    ]
