"""The log's tables: made once, by whoever comes first, and never by an older Hilo."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import psycopg
import pytest

from domain.errors import NewerData
from storage.postgres_connection import LogDatastore
from storage.schema import MIGRATIONS, Migration, migrate_postgres, migrate_sqlite
from storage.sqlite_connection import open_writer, path_of, patiently
from tests.backends import Backend
from tests.storage.kit import batch, fact, opened_store
from tests.storage.workers import Group, start

NEXT = len(MIGRATIONS) + 1
SECOND = Migration(
    NEXT,
    ("CREATE TABLE later (one INTEGER)", "INSERT INTO later VALUES (1)"),
    ("CREATE TABLE hilo_log.later (one integer)", "INSERT INTO hilo_log.later VALUES (1)"),
)
FAILING = Migration(
    NEXT,
    ("CREATE TABLE later (one INTEGER)", "INSERT INTO nowhere VALUES (1)"),
    ("CREATE TABLE hilo_log.later (one integer)", "INSERT INTO nowhere VALUES (1)"),
)


def migrate(backend: Backend, *more: Migration) -> None:
    """Bring a store to the version of a later Hilo."""
    if backend.kind == "sqlite":
        with closing(open_writer(path_of(backend.log_url))) as connection:
            migrate_sqlite(
                connection,
                lambda: patiently(connection, "BEGIN IMMEDIATE"),
                (*MIGRATIONS, *more),
            )
    else:
        with closing(LogDatastore(backend.log_url)) as store, store.connect() as connection:
            migrate_postgres(connection, (*MIGRATIONS, *more))


def later_rows(backend: Backend) -> int:
    """How many rows the second migration left; -1 where its table is not there."""
    if backend.kind == "sqlite":
        with closing(sqlite3.connect(path_of(backend.log_url))) as plain:
            try:
                return int(plain.execute("SELECT count(*) FROM later").fetchone()[0])
            except sqlite3.OperationalError:
                return -1
    with psycopg.connect(backend.log_url) as connection:
        try:
            row = connection.execute("SELECT count(*) FROM hilo_log.later").fetchone()
        except psycopg.errors.UndefinedTable:
            return -1
        return int(row[0]) if row else -1


def test_processes_that_start_together_migrate_once(backend: Backend) -> None:
    """Four processes open an empty store at one moment, and all of them find it ready."""
    assert Group(start, backend.log_url, count=4).results() == [b"0"] * 4
    with opened_store(backend.log_url) as store:
        store.append(batch(fact("a")))
        assert store.head().position == 1


def test_a_migration_runs_once_and_keeps_the_log(backend: Backend) -> None:
    """A later version adds its step to what stands, and does not run it again."""
    with opened_store(backend.log_url) as store:
        store.append(batch(fact("a")))
    migrate(backend, SECOND)
    migrate(backend, SECOND)
    assert later_rows(backend) == 1


def test_a_failed_migration_leaves_nothing_behind(backend: Backend) -> None:
    """All steps are one transaction: after an error the store is as it was, and opens."""
    with opened_store(backend.log_url) as store:
        store.append(batch(fact("a")))
    with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable)):
        migrate(backend, FAILING)
    assert later_rows(backend) == -1
    with opened_store(backend.log_url) as store:
        assert store.head().position == 1


def test_an_older_hilo_refuses_newer_data(backend: Backend) -> None:
    """A store of a newer version is not opened, and not touched."""
    migrate(backend, SECOND)
    with pytest.raises(NewerData), opened_store(backend.log_url):
        pass
    assert later_rows(backend) == 1


def test_migrations_count_up() -> None:
    """Versions are 1, 2, 3 … in their order."""
    versions = [migration.version for migration in MIGRATIONS]
    assert versions == list(range(1, len(MIGRATIONS) + 1))
