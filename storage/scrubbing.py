"""Deleted is not gone: what a database keeps of a row that was changed, and how it is taken away.

SQLite overwrites what is deleted (`secure_delete`), but when it moves rows from page to page a
piece may stay behind between them; so the file is written anew, and its write-ahead log emptied.
PostgreSQL leaves old rows where they were until they are overwritten; so the tables are written
anew. Its own write-ahead log, and whatever archives that, are the operator's to let expire.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, LiteralString

from sqlalchemy.engine import make_url

from domain.errors import StoreUnavailable
from storage.network import NETWORK

PATIENCE_S: Final = 10.0
"""How long a file's readers and writers are waited for; a page takes milliseconds, and whoever
did not get their way is asked again later."""

POLL_S: Final = 0.05
"""Between two tries."""

BUSY: Final = "The database is in use; what was deleted is overwritten later."

_TABLES: Final[LiteralString] = (
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = %s AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0 ORDER BY 1"
)


def scrub(url: str, schema: str, *, anew: bool = True) -> None:
    """Leave nothing behind of what was deleted from a store; `anew`: also where rows were moved.

    `schema` is the store's own on PostgreSQL. Raises StoreUnavailable where it is in use.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _scrub_file(str(parsed.database), anew=anew)
    elif anew:
        plain = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
        _scrub_schema(plain, schema)


def drop_aside(url: str, folder: Path, prefix: str) -> None:
    """Delete damaged files that were set aside, and folders of that prefix that were left."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(str(parsed.database))
        for left in path.parent.glob(f"{path.name}.damaged*"):
            left.unlink(missing_ok=True)
    for folder_left in folder.glob(f"{prefix}*"):
        shutil.rmtree(folder_left, ignore_errors=True)


def _scrub_file(path: str, *, anew: bool) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            # A connection of its own: it writes its copy to a file, not into memory.
            with closing(sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)) as one:
                one.execute("PRAGMA secure_delete = ON")
                if anew:
                    one.execute("VACUUM")
                    anew = False
                busy, *_ = one.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            if time.monotonic() > until:
                raise StoreUnavailable(BUSY) from error
            busy = 1
        except sqlite3.DatabaseError as error:
            raise StoreUnavailable("The database does not answer.") from error
        if not busy:
            return
        if time.monotonic() > until:
            raise StoreUnavailable(BUSY)
        time.sleep(POLL_S)


def _scrub_schema(url: str, schema: str) -> None:
    import psycopg  # noqa: PLC0415 - a process on SQLite need not read it
    from psycopg import sql  # noqa: PLC0415 - as above

    try:
        with psycopg.connect(url, autocommit=True, **NETWORK) as connection:
            connection.execute(f"SET lock_timeout = '{int(PATIENCE_S)}s'")
            tables = [row[0] for row in connection.execute(_TABLES, (schema,))]
            for table in tables:
                name = sql.Identifier(schema, table)
                # A table of views may be exchanged for another just now.
                with suppress(psycopg.errors.UndefinedTable):
                    connection.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(name))
            # What the planner remembers of values; a server's owner alone may have it forget.
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute("VACUUM (FULL) pg_catalog.pg_statistic")
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreUnavailable(BUSY) from error
