"""The tables of the log's store, and how they come to be: each migration runs once, ever.

`events` is the log. `head` is its one row of state, whose lock orders all writers: the last
position, the last time, and the fence that an erasure raises. `ledger` is who this log is.
The others are the small mutable tables of its trade (storage/trade.py), which live here so
that an atom's verdict and its counter can be one transaction.

A migration that has been released is never edited; a later shape is a new migration.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, LiteralString

from msgspec import Struct

from domain.errors import NewerData
from storage import blob_tables, schema_tree

if TYPE_CHECKING:
    import psycopg

SCHEMA: Final = "hilo_log"
"""The schema of all our tables on PostgreSQL, where the three stores may share a database."""

MIGRATION_LOCK: Final = 0x48494C4F_4C4F47
"""The advisory lock ("HILOLOG") under which processes that start together take turns."""


class Migration(Struct, frozen=True):
    """One step from the version before it, said for each database."""

    version: int
    sqlite: tuple[LiteralString, ...]
    postgres: tuple[LiteralString, ...]


_FIRST_ON_SQLITE: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TABLE events (
        position INTEGER PRIMARY KEY CHECK (position > 0),
        originator BLOB NOT NULL CHECK (length(originator) = 16),
        version INTEGER NOT NULL CHECK (version > 0),
        topic TEXT NOT NULL,
        recorded_at INTEGER NOT NULL,
        command_id BLOB CHECK (length(command_id) = 16),
        state BLOB NOT NULL,
        UNIQUE (originator, version)
    )
    """,
    "CREATE UNIQUE INDEX events_command ON events (command_id) WHERE command_id IS NOT NULL",
    """
    CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
    """
    CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END
    """,
    """
    CREATE TABLE head (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        position INTEGER NOT NULL,
        recorded_at INTEGER NOT NULL,
        fence INTEGER NOT NULL
    )
    """,
    "INSERT INTO head (one, position, recorded_at, fence) VALUES (1, 0, 0, 0)",
    """
    CREATE TABLE ledger (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id BLOB NOT NULL CHECK (length(id) = 16),
        origin TEXT NOT NULL,
        created_at INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE balances (
        connection TEXT NOT NULL,
        source TEXT NOT NULL,
        kind TEXT NOT NULL,
        reason TEXT NOT NULL,
        n INTEGER NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (connection, source, kind, reason)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE quarantine (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        connection TEXT NOT NULL,
        source TEXT NOT NULL,
        received_at INTEGER NOT NULL,
        atom INTEGER NOT NULL,
        reason TEXT NOT NULL,
        error TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        body BLOB,
        key_id BLOB,
        state TEXT NOT NULL
    )
    """,
    "CREATE INDEX quarantine_list ON quarantine (state, received_at, id)",
    """
    CREATE TABLE jobs (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        kind TEXT NOT NULL,
        payload BLOB NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        state TEXT NOT NULL,
        error TEXT
    )
    """,
    "CREATE INDEX jobs_due ON jobs (kind, state, due_at)",
    """
    CREATE TABLE arrivals (
        connection TEXT NOT NULL,
        source TEXT NOT NULL,
        last_at INTEGER,
        address TEXT,
        error TEXT,
        PRIMARY KEY (connection, source)
    ) WITHOUT ROWID
    """,
)

# The state is ciphertext: trying to compress it would only cost time, hence STORAGE EXTERNAL.
# ENABLE ALWAYS: a session in replica mode may not change the log either.
_FIRST_ON_POSTGRES: Final[tuple[LiteralString, ...]] = (
    """
    CREATE TABLE hilo_log.events (
        position bigint PRIMARY KEY CHECK (position > 0),
        originator uuid NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        topic text NOT NULL,
        recorded_at bigint NOT NULL,
        command_id uuid,
        state bytea NOT NULL,
        CONSTRAINT events_place UNIQUE (originator, version)
    )
    """,
    "ALTER TABLE hilo_log.events ALTER COLUMN state SET STORAGE EXTERNAL",
    """
    CREATE UNIQUE INDEX events_command ON hilo_log.events (command_id)
    WHERE command_id IS NOT NULL
    """,
    """
    CREATE FUNCTION hilo_log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER events_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON hilo_log.events
    FOR EACH STATEMENT EXECUTE FUNCTION hilo_log.refuse_change()
    """,
    "ALTER TABLE hilo_log.events ENABLE ALWAYS TRIGGER events_refuse_change",
    """
    CREATE TABLE hilo_log.head (
        one integer PRIMARY KEY CHECK (one = 1),
        position bigint NOT NULL,
        recorded_at bigint NOT NULL,
        fence bigint NOT NULL
    )
    """,
    "INSERT INTO hilo_log.head (one, position, recorded_at, fence) VALUES (1, 0, 0, 0)",
    """
    CREATE TABLE hilo_log.ledger (
        one integer PRIMARY KEY CHECK (one = 1),
        id uuid NOT NULL,
        origin text NOT NULL,
        created_at bigint NOT NULL
    )
    """,
    """
    CREATE TABLE hilo_log.balances (
        connection text NOT NULL,
        source text NOT NULL,
        kind text NOT NULL,
        reason text NOT NULL,
        n bigint NOT NULL,
        since bigint NOT NULL,
        PRIMARY KEY (connection, source, kind, reason)
    )
    """,
    """
    CREATE TABLE hilo_log.quarantine (
        id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
        connection text NOT NULL,
        source text NOT NULL,
        received_at bigint NOT NULL,
        atom integer NOT NULL,
        reason text NOT NULL,
        error text NOT NULL,
        attempts integer NOT NULL,
        body bytea,
        key_id bytea,
        state text NOT NULL
    )
    """,
    "CREATE INDEX quarantine_list ON hilo_log.quarantine (state, received_at, id)",
    """
    CREATE TABLE hilo_log.jobs (
        id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
        kind text NOT NULL,
        payload bytea NOT NULL,
        due_at bigint NOT NULL,
        attempts integer NOT NULL,
        state text NOT NULL,
        error text
    )
    """,
    "CREATE INDEX jobs_due ON hilo_log.jobs (kind, state, due_at)",
    """
    CREATE TABLE hilo_log.arrivals (
        connection text NOT NULL,
        source text NOT NULL,
        last_at bigint,
        address text,
        error text,
        PRIMARY KEY (connection, source)
    )
    """,
)

MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(1, _FIRST_ON_SQLITE, _FIRST_ON_POSTGRES),
    Migration(2, blob_tables.ON_SQLITE, blob_tables.ON_POSTGRES),
    Migration(3, schema_tree.ON_SQLITE, schema_tree.ON_POSTGRES),
)

SCHEMA_VERSION: Final = MIGRATIONS[-1].version


def migrate_sqlite(
    connection: sqlite3.Connection,
    lock: Callable[[], None],
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Bring a store to the newest version; `lock` begins the writing transaction.

    Raises NewerData where a newer Hilo was here, and changes nothing then.
    """
    with closing(connection.cursor()) as cursor:
        if _sqlite_version(cursor) == migrations[-1].version:
            return
        lock()
        try:
            done = _sqlite_version(cursor)
            for step in _missing(done, migrations):
                for statement in step.sqlite:
                    cursor.execute(statement)
            if done == 0:
                cursor.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
                cursor.execute("INSERT INTO schema_version (version) VALUES (0)")
            cursor.execute("UPDATE schema_version SET version = ?", (migrations[-1].version,))
            cursor.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise


def migrate_postgres(
    connection: psycopg.Connection[Any],
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Bring a store to the newest version, in one transaction of an autocommit connection.

    Raises NewerData where a newer Hilo was here, and changes nothing then.
    """
    if _postgres_version(connection) == migrations[-1].version:
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        done = _postgres_version(connection)
        connection.execute("CREATE SCHEMA IF NOT EXISTS hilo_log")
        for step in _missing(done, migrations):
            for statement in step.postgres:
                connection.execute(statement)
        if done == 0:
            connection.execute("CREATE TABLE hilo_log.schema_version (version integer NOT NULL)")
            connection.execute("INSERT INTO hilo_log.schema_version (version) VALUES (0)")
        connection.execute(
            "UPDATE hilo_log.schema_version SET version = %s", (migrations[-1].version,)
        )


def _missing(done: int, migrations: Sequence[Migration]) -> list[Migration]:
    newest = migrations[-1].version
    if done > newest:
        message = f"The log has version {done} and this Hilo knows {newest}: use a newer Hilo."
        raise NewerData(message)
    return [step for step in migrations if step.version > done]


def _sqlite_version(cursor: sqlite3.Cursor) -> int:
    named = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'"
    if cursor.execute(named).fetchone() is None:
        return 0
    return int(cursor.execute("SELECT version FROM schema_version").fetchone()[0])


def _postgres_version(connection: psycopg.Connection[Any]) -> int:
    # Not to_regclass: inside a transaction it may answer from a cache that is older than the
    # lock, and a process that waited for another's migration would run it again.
    named = "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = %s"
    if connection.execute(named, (SCHEMA, "schema_version")).fetchone() is None:
        return 0
    row = connection.execute("SELECT version FROM hilo_log.schema_version").fetchone()
    return int(row[0]) if row else 0
