"""Copies of the log's and the keys' stores, and how they are brought back.

Each copy is one moment of its store: on SQLite a file that SQLite writes anew from one snapshot,
on PostgreSQL one binary COPY a table, all from one snapshot. Servers run on meanwhile. The log
is copied first: whatever its events are sealed with is in the keys by then.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from msgspec import Struct
from psycopg import sql
from sqlalchemy.engine import make_url

from domain.errors import StoreUnavailable, WrongState
from storage.network import NETWORK

FILE_MODE: Final = 0o600
"""A copy is its owner's alone, as what it was made of."""

CHUNK_BYTES: Final = 1 << 20
"""What is read of a table's copy at a time."""

BUSY_S: Final = 30.0
"""How long a file that is being written is waited for."""

_TABLES: Final[LiteralString] = (
    "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE n.nspname = %s AND c.relkind = 'r' GROUP BY c.relname ORDER BY c.relname"
)

_FIRST: Final = frozenset({"subjects"})
"""Tables that others refer to."""

_FIXED: Final = frozenset({"events"})
"""Tables in which nothing can be deleted; they are empty when a copy is brought back."""


class Table(Struct, frozen=True):
    """A table of a copy, and its columns in order."""

    name: str
    columns: list[str]


class Copied(Struct, frozen=True):
    """What a folder holds of a store: a SQLite file, or tables of PostgreSQL."""

    kind: str
    tables: list[Table]


def copy_store(url: str, schema: str, folder: Path) -> Copied:
    """Copy a store into an empty folder. Raises StoreUnavailable."""
    folder.mkdir(mode=0o700, parents=True)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _copy_file(str(parsed.database), folder / "store.db")
        return Copied("sqlite", [])
    return Copied("postgresql", _copy_schema(_plain(url), schema, folder))


def bring_back(url: str, schema: str, folder: Path, copied: Copied) -> None:
    """Put a copy where an empty store is; on PostgreSQL its tables must be there.

    Raises WrongState where the copy is of the other database, StoreUnavailable.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != copied.kind:
        raise WrongState(f"This copy is of {copied.kind}; restore it to {copied.kind}.")
    if copied.kind == "sqlite":
        path = Path(str(parsed.database))
        draft = path.with_name(f"{path.name}.restored")
        shutil.copyfile(folder / "store.db", draft)
        draft.chmod(FILE_MODE)
        _sync(draft)
        draft.replace(path)
        _sync(path.parent)
        return
    try:
        with psycopg.connect(_plain(url), **NETWORK) as connection:
            for table in reversed(copied.tables):
                if table.name not in _FIXED:
                    name = sql.Identifier(schema, table.name)
                    connection.execute(sql.SQL("DELETE FROM {}").format(name))
            for table in copied.tables:
                _fill(connection, schema, table, folder / f"{table.name}.copy")
    except psycopg.Error as error:
        raise StoreUnavailable(f"It cannot be restored: {_first(error)}") from error


def is_empty(url: str, schema: str) -> bool:
    """Whether nothing was ever kept at a place. Raises StoreUnavailable."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return not Path(str(parsed.database)).exists()
    try:
        with psycopg.connect(_plain(url), **NETWORK) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)
            ).fetchone()
    except psycopg.Error as error:
        raise StoreUnavailable(f"The database does not answer: {_first(error)}") from error
    return found is None


def _copy_file(source: str, target: Path) -> None:
    try:
        with closing(sqlite3.connect(source, timeout=BUSY_S, isolation_level=None)) as one:
            one.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The store cannot be copied: {error}") from error
    target.chmod(FILE_MODE)
    _sync(target)


def _copy_schema(url: str, schema: str, folder: Path) -> list[Table]:
    try:
        with psycopg.connect(url, **NETWORK) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            found = connection.execute(_TABLES, (schema,)).fetchall()
            # What others refer to comes first, so that it can be brought back in this order.
            found.sort(key=lambda row: (row[0] not in _FIRST, row[0]))
            tables = [Table(name, columns) for name, columns in found]
            for table in tables:
                _copy_table(connection, schema, table, folder / f"{table.name}.copy")
    except psycopg.Error as error:
        raise StoreUnavailable(f"The store cannot be copied: {_first(error)}") from error
    return tables


def _copy_table(
    connection: psycopg.Connection[Any], schema: str, table: Table, target: Path
) -> None:
    statement = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(
        sql.Identifier(schema, table.name), _columns(table.columns)
    )
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(handle, "wb") as file, connection.cursor().copy(statement) as copy:
        for chunk in copy:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def _fill(connection: psycopg.Connection[Any], schema: str, table: Table, source: Path) -> None:
    name = sql.Identifier(schema, table.name)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        name, _columns(table.columns)
    )
    with source.open("rb") as file, connection.cursor().copy(statement) as copy:
        while chunk := file.read(CHUNK_BYTES):
            copy.write(chunk)


def _columns(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _first(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
