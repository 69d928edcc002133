"""The tables of the log's trade as SQLAlchemy sees them, and the connections to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from domain.errors import StoreUnavailable
from storage.appending import LOCK_WAIT_S
from storage.confirming import heed_warnings
from storage.network import NETWORK

POOL_SIZE: Final = 4
"""Connections kept; each transaction here is a few rows."""


def engine_of(url: str) -> sa.Engine:
    """An engine for short transactions; on SQLite a writing one begins with BEGIN IMMEDIATE."""
    made = sa.engine.make_url(url)
    on_sqlite = made.get_backend_name() == "sqlite"
    if not on_sqlite:
        made = made.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(
        made,
        pool_size=POOL_SIZE,
        pool_timeout=LOCK_WAIT_S,
        pool_pre_ping=not on_sqlite,
        connect_args={} if on_sqlite else NETWORK,
    )
    sa.event.listen(engine, "connect", _set_up_sqlite if on_sqlite else _set_up)
    return engine


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {int(LOCK_WAIT_S * 1000)}",
        "synchronous = FULL",
        "secure_delete = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _set_up(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    heed_warnings(connection, entry)
    cursor = connection.cursor()
    cursor.execute("SET synchronous_commit = on")
    cursor.execute(f"SET lock_timeout = '{int(LOCK_WAIT_S)}s'")
    cursor.close()
    connection.commit()


@contextmanager
def translated() -> Iterator[None]:
    """A database that does not answer becomes StoreUnavailable."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StoreUnavailable("The log's database does not answer.") from error


def balances_table(metadata: sa.MetaData) -> sa.Table:
    """Counters by (connection, source, kind, reason)."""
    return sa.Table(
        "balances",
        metadata,
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, primary_key=True),
        sa.Column("n", sa.BigInteger),
        sa.Column("since", sa.BigInteger),
    )


def quarantine_table(metadata: sa.MetaData) -> sa.Table:
    """Atoms that could not be recorded."""
    texts = ("connection", "source", "reason", "error", "state")
    numbers = ("received_at", "atom", "attempts")
    return sa.Table(
        "quarantine",
        metadata,
        sa.Column("id", sa.LargeBinary, primary_key=True),
        *(sa.Column(name, sa.Text) for name in texts),
        *(sa.Column(name, sa.BigInteger) for name in numbers),
        sa.Column("body", sa.LargeBinary),
        sa.Column("key_id", sa.LargeBinary),
    )


def jobs_table(metadata: sa.MetaData) -> sa.Table:
    """Things to do from a time on."""
    return sa.Table(
        "jobs",
        metadata,
        sa.Column("id", sa.LargeBinary, primary_key=True),
        *(sa.Column(name, sa.Text) for name in ("kind", "state", "error")),
        *(sa.Column(name, sa.BigInteger) for name in ("due_at", "attempts")),
        sa.Column("payload", sa.LargeBinary),
    )
