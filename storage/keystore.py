"""The key store's database: its tables, its migrations, and how a transaction is made.

SQLite (a file of its own) and PostgreSQL (the schema hilo_keys) hold the same tables. UUIDs,
key ids and hashes are bytes on both; times are microseconds since the epoch, UTC.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, cast

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from domain.errors import NewerData, StoreUnavailable
from storage import erasure_tables
from storage.confirming import confirmed, heed_warnings
from storage.network import NETWORK
from storage.upserting import Insert, insert_into

SCHEMA: Final = "hilo_keys"
SCHEMA_VERSION: Final = 3

BUSY_TIMEOUT_MS: Final = 5_000
"""How long a writer waits for its turn: as long as an HTTP request may wait for its answer."""

POOL_SIZE: Final = 4
"""Connections kept open: the writer, the follower and two readers are busy at once at most."""

POOL_OVERFLOW: Final = 12
"""Further connections under load; with the pool they stay far below PostgreSQL's default 100."""

ROWS_AT_ONCE: Final = 1_000
"""Values of one look-up: SQLite takes 32,766 parameters, and pages are of this size."""

_WAL_TRIES: Final = 200
"""Tries to switch a new file to WAL, 10 ms apart: that one statement does not wait its turn."""

_MIGRATION_LOCK: Final = 0x48494C4F4B455953
"""The PostgreSQL advisory lock of migrations and of the ledger's first row: `HILOKEYS`."""

_SETTINGS_SQLITE: Final = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
)

_SETTINGS_POSTGRESQL: Final = (
    f"SET lock_timeout = {BUSY_TIMEOUT_MS}",
    f"SET idle_in_transaction_session_timeout = {BUSY_TIMEOUT_MS * 2}",
    "SET synchronous_commit = on",
)

_READ_ONLY: Final = "hilo_read_only"


class Raw(sa.LargeBinary):
    """Bytes that both drivers take and give as they are: no call for each value on its way."""

    cache_ok = True

    def bind_processor(self, dialect: sa.Dialect) -> None:
        """Nothing is done on the way in."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> None:
        """Nothing is done on the way out."""


class KeyTables:
    """The tables, in a schema (PostgreSQL) or without one (SQLite)."""

    def __init__(self, schema: str | None) -> None:
        self.metadata: Final = sa.MetaData(schema=schema)
        self.schema_version: Final = self._table(
            "schema_version",
            sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True),
            sa.Column("version", sa.Integer, nullable=False),
        )
        self.ledger: Final = self._table(
            "ledger",
            sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True),
            sa.Column("id", Raw, nullable=False),
            sa.Column("origin", sa.Text, nullable=False),
            sa.Column("created_at", sa.BigInteger, nullable=False),
            sa.Column("company", Raw, nullable=False),
            sa.Column("secret_wrapped", Raw, nullable=False),
            sa.Column("kek_id", Raw, nullable=False),
        )
        self.subjects: Final = self._subjects()
        self.keys: Final = self._keys()
        self.tokens: Final = self._tokens()
        self.links: Final = self._table(
            "links",
            sa.Column("hash", Raw, primary_key=True),
            sa.Column("purpose", sa.Text, nullable=False),
            sa.Column("user_id", Raw),
            sa.Column("expires_at", sa.BigInteger, nullable=False),
            sa.Column("used_at", sa.BigInteger),
        )
        self.sessions: Final = self._table(
            "sessions",
            sa.Column("hash", Raw, primary_key=True),
            sa.Column("user_id", Raw, nullable=False, index=True),
            sa.Column("csrf", sa.Text, nullable=False),
            sa.Column("created_at", sa.BigInteger, nullable=False),
            sa.Column("expires_at", sa.BigInteger, nullable=False),
            sa.Column("revoked_at", sa.BigInteger),
            sa.Column("seen_at", sa.BigInteger),
        )
        self.sign_ins: Final = self._sign_ins()
        self.connection_secrets: Final = self._table(
            "connection_secrets",
            sa.Column("connection", sa.Text, primary_key=True),
            sa.Column("name", sa.Text, primary_key=True),
            sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("wrapped", Raw, nullable=False),
            sa.Column("kek_id", Raw, nullable=False),
            sa.Column("created_at", sa.BigInteger, nullable=False),
        )
        self.connections: Final = self._connections()
        self.commands: Final = self._table(
            "commands",
            sa.Column("command_id", Raw, primary_key=True),
            sa.Column("digest", Raw, nullable=False),
        )
        self.erasures: Final = erasure_tables.erasures(self.metadata, Raw)
        self.nodes: Final = erasure_tables.nodes(self.metadata, Raw)
        self.backups: Final = erasure_tables.backups(self.metadata, Raw)
        self.reapplied: Final = erasure_tables.reapplied(self.metadata)

    def _table(self, name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
        return sa.Table(name, self.metadata, *parts)

    def _subjects(self) -> sa.Table:
        """Who holds an address from a time on; the mac is null where nobody may find it by one."""
        return self._table(
            "subjects",
            sa.Column("subject", Raw, primary_key=True),
            sa.Column("address_mac", Raw),
            sa.Column("from_at", sa.BigInteger, nullable=False),
            sa.Column("state", sa.Text, nullable=False),
            sa.UniqueConstraint("address_mac", "from_at", name="subjects_of_an_address"),
        )

    def _keys(self) -> sa.Table:
        """One key a subject. Without `wrapped` it is a tombstone: destroyed, when and why."""
        return self._table(
            "keys",
            sa.Column("key_id", Raw, primary_key=True),
            sa.Column(
                "subject",
                Raw,
                sa.ForeignKey(self.subjects.c.subject),
                nullable=False,
                unique=True,
            ),
            sa.Column("wrapped", Raw),
            sa.Column("destroyed_at", sa.BigInteger),
            sa.Column("erasure_position", sa.BigInteger),
            sa.CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="tombstone"),
        )

    def _connections(self) -> sa.Table:
        """Our ends of provider accounts; `options` is JSON."""
        return self._table(
            "connections",
            sa.Column("channel", sa.Text, primary_key=True),
            sa.Column("name", sa.Text, primary_key=True),
            sa.Column("title", sa.Text, nullable=False),
            sa.Column("department", sa.Text),
            sa.Column("state", sa.Text, nullable=False),
            sa.Column("options", Raw, nullable=False),
            sa.Column("created_at", sa.BigInteger, nullable=False),
        )

    def _sign_ins(self) -> sa.Table:
        """Whose an e-mail address is, found by its code, and their password's hash (argon2)."""
        return self._table(
            "sign_ins",
            sa.Column("user_id", Raw, primary_key=True),
            sa.Column("email_mac", Raw, nullable=False, unique=True),
            sa.Column("password_hash", sa.Text),
            sa.Column("changed_at", sa.BigInteger, nullable=False),
        )

    def _tokens(self) -> sa.Table:
        return self._table(
            "tokens",
            sa.Column("token_id", Raw, primary_key=True),
            sa.Column("name", sa.Text, nullable=False, unique=True),
            sa.Column("hash", Raw, nullable=False, unique=True),
            sa.Column("created_at", sa.BigInteger, nullable=False),
            sa.Column("expires_at", sa.BigInteger),
            sa.Column("revoked_at", sa.BigInteger),
            sa.Column("last_used_at", sa.BigInteger),
        )


def _to_2(tables: KeyTables, connection: sa.Connection) -> None:
    """Passwords, and when a browser was last seen."""
    tables.sign_ins.create(connection)
    sessions = connection.dialect.identifier_preparer.format_table(tables.sessions)
    connection.execute(sa.text(f"ALTER TABLE {sessions} ADD COLUMN seen_at BIGINT"))


def _to_3(tables: KeyTables, connection: sa.Connection) -> None:
    """Erasures, the places of views, backups."""
    for table in (tables.erasures, tables.nodes, tables.backups, tables.reapplied):
        table.create(connection)


_STEPS: Final[dict[int, Callable[[KeyTables, sa.Connection], None]]] = {2: _to_2, 3: _to_3}
"""How a store of the version before becomes one of this version; a step that was released is
never edited."""


class KeyStore:
    """An open key store, migrated. Safe between threads; `close` it when done.

    `url` is `sqlite:///<path>` or `postgresql://…`. Raises StoreUnavailable, NewerData.
    """

    def __init__(self, url: str) -> None:
        parsed = sa.make_url(url)
        self.is_sqlite: Final = parsed.get_backend_name() == "sqlite"
        self.tables: Final = KeyTables(None if self.is_sqlite else SCHEMA)
        self._engine = _sqlite_engine(parsed) if self.is_sqlite else _postgresql_engine(parsed)
        self._reader = self._engine.execution_options(**{_READ_ONLY: True})
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that commits at its end; on SQLite it holds the write lock from its start.

        Raises StoreUnavailable where the database does not answer or stays locked, and
        OutcomeUnknown where nobody can say that the commit is durable.
        """
        with _translated(), self._engine.connect() as connection, confirmed(connection):
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads, and never waits for a writer. Raises StoreUnavailable."""
        with _translated(), self._reader.connect() as connection:
            yield connection

    def lock(self, connection: sa.Connection) -> None:
        """Make this transaction the only one of its kind, until it ends; SQLite's always are."""
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))

    def insert_new(self, table: sa.Table) -> Insert:
        """An INSERT that leaves out rows whose key is taken, and waits for a rival to commit."""
        return insert_into(table, on_sqlite=self.is_sqlite).on_conflict_do_nothing()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _migrate(self) -> None:
        with self.write() as connection:
            self.lock(connection)
            if not self.is_sqlite:
                connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
            self.tables.schema_version.create(connection, checkfirst=True)
            version = connection.scalar(sa.select(self.tables.schema_version.c.version))
            if version is None:
                self.tables.metadata.create_all(connection)
                row = {"one": 1, "version": SCHEMA_VERSION}
                connection.execute(sa.insert(self.tables.schema_version), row)
            elif version > SCHEMA_VERSION:
                raise NewerData(
                    f"The key store is of version {version}; this program knows {SCHEMA_VERSION}."
                )
            else:
                for step in range(version + 1, SCHEMA_VERSION + 1):
                    _STEPS[step](self.tables, connection)
                now = sa.update(self.tables.schema_version).values(version=SCHEMA_VERSION)
                connection.execute(now)


@contextmanager
def _translated() -> Iterator[None]:
    """The driver's complaints that a later try may not meet, as ours."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable(f"The key store does not answer: {_kind(error)}.") from error
    except PoolTimeout as error:
        raise StoreUnavailable("All connections to the key store are busy.") from error


def _kind(error: DBAPIError) -> str:
    """The driver's first line; without SQLAlchemy's, which repeats statement and values."""
    lines = str(error.orig).splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=BUSY_TIMEOUT_MS / 1_000,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )

    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        raw = cast("sqlite3.Connection", connection)
        # Transactions are begun by us, below: the driver would begin them too late.
        raw.isolation_level = None
        for setting in _SETTINGS_SQLITE:
            raw.execute(setting)
        _switch_to_wal(raw)

    def begun(connection: sa.Connection) -> None:
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    sa.event.listen(engine, "connect", connected)
    sa.event.listen(engine, "begin", begun)
    return engine


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """WAL belongs to the file. Processes that open a new one together refuse each other at once."""
    for left in reversed(range(_WAL_TRIES)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if not left:
                raise
            time.sleep(0.01)
        else:
            return


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=BUSY_TIMEOUT_MS / 1_000,
        # A connection that died while it was not used is replaced instead of failing a request.
        pool_pre_ping=True,
        connect_args=NETWORK,
        hide_parameters=True,
    )

    def connected(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        heed_warnings(connection, entry)
        cursor = connection.cursor()
        for setting in _SETTINGS_POSTGRESQL:
            cursor.execute(setting)
        cursor.close()
        connection.commit()

    sa.event.listen(engine, "connect", connected)
    return engine
