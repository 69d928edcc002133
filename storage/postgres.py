"""The log on PostgreSQL: schema `hilo_log`, one row lock that orders the writers, binary COPY.

The library's persistence module for it (PERSISTENCE_MODULE `storage.postgres`, the URL in
LOG_URL): its recorder reads our columns and takes every insert through the one append. Of the
stock recorder's insert nothing remains: its pipeline hangs on large batches, its table lock
fights vacuum, and its database functions lose events (tests/storage/test_library_traps.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from uuid import UUID

import psycopg
from eventsourcing import persistence
from eventsourcing import postgres as library
from eventsourcing.utils import Environment, EnvType, resolve_topic
from psycopg.rows import tuple_row

from domain.errors import OutcomeUnknown, StoreUnavailable
from domain.ports import Appended, Clock, StoredEntry, Verdict
from storage import bridge
from storage.appending import (
    LOCK_WAIT_S,
    Batch,
    Bench,
    Head,
    Ledger,
    Place,
    Taken,
    check_fence,
    commands_of,
    contiguous,
    fence_after,
    places_of,
    require_contiguous,
)
from storage.binary import COPY_EVENTS, BigintArray, UuidArray, copy_of
from storage.leaf import Row as LeafRow
from storage.postgres_connection import (
    READERS_MAX,
    Connection,
    LogDatastore,
    roll_back,
    translated,
)
from storage.schema import migrate_postgres
from storage.wakeup import Notifier, PostgresWakeup

T = TypeVar("T")

_COLUMNS: Final = "position, originator, version, topic, recorded_at, command_id, state"

_LOCK_HEAD: Final = (
    "BEGIN; SELECT position, recorded_at, fence FROM hilo_log.head WHERE one = 1 FOR UPDATE"
)
_PLACES: Final = (
    "SELECT e.originator, e.version, e.position"
    " FROM unnest(%s, %s) AS wanted (originator, version)"
    " JOIN hilo_log.events AS e USING (originator, version)"
)
_COMMANDS: Final = (
    "SELECT e.command_id, e.position FROM unnest(%s) AS wanted (command_id)"
    " JOIN hilo_log.events AS e USING (command_id)"
)
_COUNT: Final = (
    "INSERT INTO hilo_log.balances AS b (connection, source, kind, reason, n, since)"
    " VALUES (%s, %s, %s, '', %s, %s)"
    " ON CONFLICT (connection, source, kind, reason) DO UPDATE SET n = b.n + excluded.n"
)
# The size of what came before decides, so that a page may be large but never the memory.
_SOME: Final = (
    f" FROM (SELECT {_COLUMNS}, sum(octet_length(state))"
    " OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) AS total"
    " FROM hilo_log.events WHERE position > %s ORDER BY position LIMIT %s) AS page"
    " WHERE total <= %s OR position = %s ORDER BY position"
)
_PAGE: Final = f"SELECT {_COLUMNS}{_SOME}"
_LEAF_PAGE: Final = (
    f"SELECT position, uuid_send(originator), version, topic, recorded_at, state{_SOME}"
)

READ_TRIES_MAX: Final = READERS_MAX + 1
"""After a restart of the server every pooled connection is dead once, and then fresh."""

# Plans made while the log was small would go on to read the whole of it when it is large.
_BY_INDEX: Final = (
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
)


class PostgresLogRecorder(library.PostgresApplicationRecorder):
    """The log's store (LogStore) and the library's recorder in one; see storage/appending.py."""

    datastore: LogDatastore

    def __init__(self, datastore: LogDatastore, clock: Clock) -> None:
        super().__init__(datastore, events_table_name="events")
        self.datastore = datastore
        self.sql_create_statements.clear()
        self.clock = clock
        self.wakeup = PostgresWakeup(datastore.connect, lambda: self.head().position)
        self._notifier = Notifier(datastore.connect)
        self._turn = threading.Lock()
        self._writer: Connection | None = None
        self._warned = False
        self._closed = False

    def create_table(self) -> None:
        """Bring the store's tables to the newest version; raises NewerData."""
        with self._turn, translated():
            migrate_postgres(self._connection())

    # ------------------------------------------------------------------ writing

    def append(self, batch: Batch) -> list[Verdict]:
        """See LogStore."""
        with self._turn, translated():
            connection, head = self._lock_head()
            try:
                after, verdicts = self._write(connection, batch, head)
            except BaseException:
                roll_back(connection)
                raise
            self._commit(connection, after)
        self.wakeup.publish(after.position)
        if after.position > head.position:
            self._notifier.tell(after.position)
        return verdicts

    def _lock_head(self) -> tuple[Connection, Head]:
        for last in (False, True):
            connection = self._connection()
            try:
                cursor = connection.execute(_LOCK_HEAD)
                cursor.nextset()
                return connection, Head(*cursor.fetchall()[0])
            except psycopg.OperationalError:
                # A connection that died while it was idle is no reason to refuse anybody.
                if last or not connection.closed:
                    roll_back(connection)
                    raise
        raise AssertionError("unreachable")

    def _write(
        self, connection: Connection, batch: Batch, head: Head
    ) -> tuple[Head, list[Verdict]]:
        check_fence(batch, head)
        with connection.cursor(binary=True) as cursor:
            taken = _taken(cursor, places_of(batch.units), commands_of(batch.units))
            bench = Bench(head, taken, self.clock())
            verdicts = [bench.verdict(sealed) for sealed in batch.units]
            if bench.rows:
                with cursor.copy(COPY_EVENTS) as copy:
                    copy.write(copy_of(bench.rows))
            # In one order everywhere, so that no two transactions wait for each other.
            for key, n in sorted(bench.counts.items()):
                cursor.execute(_COUNT, (*key, n, bench.recorded_at))
        after = Head(bench.position, bench.recorded_at, fence_after(batch, head, bench))
        return after, verdicts

    def _commit(self, connection: Connection, after: Head) -> None:
        """Move the head and commit, in one message; raises OutcomeUnknown.

        Also where nothing is new: that something stands already is an acknowledgement too,
        and the commit that wrote it may have lost its wait for the standby.
        """
        self._warned = False
        try:
            connection.execute(
                f"UPDATE hilo_log.head SET position = {after.position:d},"
                f" recorded_at = {after.recorded_at:d}, fence = {after.fence:d} WHERE one = 1;"
                " COMMIT".encode()
            )
        except psycopg.Error as error:
            if connection.closed:
                raise OutcomeUnknown("The connection was lost during the commit.") from error
            roll_back(connection)
            raise
        if self._warned:
            # A cancelled wait for the synchronous standby leaves a warning and a commit that
            # only this server has.
            raise OutcomeUnknown("The standby did not confirm the commit.")

    def insert_events(
        self, stored_events: Sequence[persistence.StoredEvent], **_: object
    ) -> Sequence[int]:
        """The library's way in (`Application.save`): all or nothing, the same append."""
        unit = bridge.unit_of(stored_events)
        (verdict,) = self.append(Batch((unit,), fence=None))
        if not isinstance(verdict, Appended):
            raise persistence.IntegrityError("The place in the stream is taken.")
        return verdict.positions

    def _connection(self) -> Connection:
        if self._closed:
            raise StoreUnavailable("The log is closed.")
        if self._writer is None or self._writer.closed:
            self._writer = self.datastore.connect()
            self._writer.add_notice_handler(self._noticed)
            for setting in _BY_INDEX:
                self._writer.execute(setting)
        return self._writer

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        self._warned |= notice.severity_nonlocalized == "WARNING"

    # ------------------------------------------------------------------ reading

    def _read(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._ask(lambda cursor: cursor.execute(query.encode(), values).fetchall())

    def _ask(self, read: Callable[[psycopg.Cursor[tuple[Any, ...]]], T]) -> T:
        """What is read with a cursor; dead connections of the pool are passed over."""
        for attempt in range(1, READ_TRIES_MAX + 1):
            with translated(), self._reading() as connection:
                try:
                    with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
                        return read(cursor)
                except psycopg.OperationalError:
                    if attempt == READ_TRIES_MAX or not connection.closed:
                        raise
        raise AssertionError("unreachable")

    @contextmanager
    def _reading(self) -> Iterator[psycopg.Connection[Any]]:
        if self._closed:
            raise StoreUnavailable("The log is closed.")
        with self.datastore.get_connection() as connection:
            yield connection

    def taken(self, places: Sequence[Place], commands: Sequence[bytes]) -> Taken:
        """See LogStore."""
        return self._ask(lambda cursor: _taken(cursor, places, commands))

    def head(self) -> Head:
        """See LogStore."""
        return Head(*self._read("SELECT position, recorded_at, fence FROM hilo_log.head", ())[0])

    def page(self, after: int, limit: int, max_bytes: int) -> list[StoredEntry]:
        """See LogStore."""
        rows = self._read(_PAGE, (after, limit, max_bytes, after + 1))
        return contiguous(after, [StoredEntry(*row) for row in rows])

    def rows(self, after: int, limit: int, max_bytes: int) -> list[LeafRow]:
        """See LogStore."""
        rows: list[Any] = self._read(_LEAF_PAGE, (after, limit, max_bytes, after + 1))
        if rows:
            require_contiguous(after, rows[0][0], rows[-1][0], len(rows))
        return rows

    def stream(self, originator_id: UUID) -> list[StoredEntry]:
        """See LogStore."""
        query = f"SELECT {_COLUMNS} FROM hilo_log.events WHERE originator = %s ORDER BY version"
        return [StoredEntry(*row) for row in self._read(query, (originator_id,))]

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
        where, values = chosen.clauses("version", "%s")
        query = "SELECT originator, version, topic, state FROM hilo_log.events"
        rows = self._read(
            f"{query} WHERE originator = %s{where}", (bridge.as_uuid(originator_id), *values)
        )
        return [persistence.StoredEvent(*row) for row in rows]

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
        where, values = chosen.clauses("position", "%s")
        query = "SELECT originator, version, topic, state, position FROM hilo_log.events"
        rows = self._read(f"{query} WHERE true{where}", values)
        return [persistence.Notification(*row) for row in rows]

    def max_notification_id(self) -> int:
        """The last position; 0 for an empty log."""
        return self.head().position

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> persistence.Subscription[persistence.ApplicationRecorder]:
        """Not offered, as on SQLite: followers read pages and wait on `wakeup`."""
        raise NotImplementedError(type(self).__qualname__)

    # ------------------------------------------------------------------- ledger

    def ledger_row(self) -> Ledger | None:
        """See LogStore."""
        rows = self._read("SELECT id, origin, created_at FROM hilo_log.ledger", ())
        return Ledger(*rows[0]) if rows else None

    def create_ledger(self, ledger: Ledger) -> Ledger:
        """See LogStore."""
        with self._turn, translated():
            self._connection().execute(
                "INSERT INTO hilo_log.ledger (one, id, origin, created_at)"
                " VALUES (1, %s, %s, %s) ON CONFLICT (one) DO NOTHING",
                (ledger.id, ledger.origin, ledger.created_at),
            )
        return self.ledger_row() or ledger

    def close(self) -> None:
        """See LogStore."""
        self.wakeup.close()
        self._notifier.close()
        self._closed = True
        # A commit that waits for a standby keeps its turn for as long as none answers: it is
        # left behind, and whoever asked for it was told that its outcome is unknown.
        if self._turn.acquire(timeout=LOCK_WAIT_S):
            try:
                if self._writer is not None:
                    self._writer.close()
            finally:
                self._turn.release()
        self.datastore.close()


class LogFactory(library.PostgresFactory):
    """The library's factory of this module; LOG_URL is the URL, CLOCK_TOPIC names a clock."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        persistence.InfrastructureFactory.__init__(self, env)
        self.log_datastore = self.datastore = LogDatastore(self.env.get(bridge.LOG_URL) or "")
        self.clock: Clock | None = None
        self._recorders: list[PostgresLogRecorder] = []

    def application_recorder(self) -> PostgresLogRecorder:
        """The log's recorder, on tables of the newest version."""
        clock = self.clock or resolve_topic(self.env.get(bridge.CLOCK_TOPIC) or "")
        recorder = PostgresLogRecorder(self.log_datastore, clock)
        self._recorders.append(recorder)
        recorder.create_table()
        return recorder

    def close(self) -> None:
        """Close what was made, as `Application.close` expects."""
        for recorder in self._recorders:
            recorder.close()
        super().close()


def _taken(
    cursor: psycopg.Cursor[tuple[Any, ...]], places: Sequence[Place], commands: Sequence[bytes]
) -> Taken:
    taken = Taken({}, {})
    if places:
        originators = UuidArray([place[0] for place in places])
        versions = BigintArray([place[1] for place in places])
        for originator, version, position in cursor.execute(_PLACES, (originators, versions)):
            taken.places[(originator.bytes, version)] = position
    if commands:
        for command, position in cursor.execute(_COMMANDS, (UuidArray(commands),)):
            taken.commands[command.bytes] = position
    return taken
