"""Whether what is committed lies on a synchronous standby too: asked before anything is signed.

A standby that is promoted must never lack an event that was signed. So the signer reads the tree,
then this place in the write-ahead log, and signs when a synchronous standby has flushed beyond it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from domain.errors import StoreUnavailable
from storage.network import NETWORK

if TYPE_CHECKING:
    import psycopg

FLUSHED_S_MAX: Final = 2.0
"""How long a standby may lag before the signer says so; it tries again in a second."""

POLL_S: Final = 0.05
"""Between two looks."""

_WANTED: Final = "SELECT current_setting('synchronous_standby_names'), pg_current_wal_insert_lsn()"
_FLUSH: Final = "SELECT pg_logical_emit_message(true, 'hilo', '')"
_FLUSHED: Final = (
    "SELECT count(*) FROM pg_stat_replication"
    " WHERE sync_state IN ('sync', 'quorum') AND flush_lsn >= %s::pg_lsn"
)


def flushed(url: str) -> bool:
    """Whether all that is committed now is on the disk of a synchronous standby, or needs not be.

    A role that may not see pg_stat_replication (pg_monitor) is never told so. Always true on
    SQLite. Raises StoreUnavailable.
    """
    if url.startswith("sqlite"):
        return True
    import psycopg  # noqa: PLC0415 - a process on SQLite need not read it

    plain = "postgresql" + url[url.index(":") :]
    try:
        with psycopg.connect(plain, autocommit=True, **NETWORK) as connection:
            return _flushed(connection)
    except psycopg.OperationalError as error:
        raise StoreUnavailable("The log does not answer.") from error


def _flushed(connection: psycopg.Connection[Any]) -> bool:
    names, wanted = connection.execute(_WANTED).fetchall()[0]
    if not names.strip():
        return True
    # What is committed without waiting for the disk, as the tree is, is sent to the standby only
    # after the server's own writer wrote it down: up to 0.6 s later. A commit that does wait, and
    # for no standby, takes all before it along.
    connection.execute("SET synchronous_commit = local")
    connection.execute(_FLUSH)
    deadline = time.monotonic() + FLUSHED_S_MAX
    while True:
        if connection.execute(_FLUSHED, (wanted,)).fetchall()[0][0]:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
