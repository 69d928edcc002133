"""Connections to PostgreSQL, with their limits: nobody waits for ever, nothing is half durable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg
from eventsourcing import persistence
from eventsourcing import postgres as library
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from domain.errors import StoreUnavailable
from storage.appending import LOCK_WAIT_S
from storage.binary import register_arrays
from storage.network import CONNECT_S_MAX, NETWORK
from storage.schema import SCHEMA

IDLE_S_MAX: Final = 10
"""A writer that stops in the middle (a paused machine) frees the others after that."""

READERS_MAX: Final = 8
"""Connections for reading; more readers than that wait for microseconds, not for seconds."""

SESSION: Final[tuple[str, ...]] = (
    "SET synchronous_commit = on",
    f"SET lock_timeout = '{int(LOCK_WAIT_S)}s'",
    f"SET idle_in_transaction_session_timeout = '{IDLE_S_MAX}s'",
    "SET TIME ZONE 'UTC'",
)

Connection = psycopg.Connection[tuple[Any, ...]]


class LogDatastore(library.PostgresDatastore):
    """The library's datastore over a pool that is given the URL as it is."""

    def __init__(self, url: str) -> None:
        super().__init__("", "", "", "", "", schema=SCHEMA)
        self.url = url
        self.pool = library.ConnectionPool(
            url,
            kwargs={**NETWORK, "autocommit": True, "row_factory": dict_row},
            configure=_configure,
            min_size=0,
            max_size=READERS_MAX,
            open=False,
            timeout=float(CONNECT_S_MAX),
            reconnect_timeout=float(CONNECT_S_MAX),
        )

    def register_type_adapters(self) -> None:
        """None: composite types serve only the database functions that we never use."""

    def connect(self) -> Connection:
        """A connection of one's own, in autocommit mode; raises psycopg's errors."""
        connection: Connection = psycopg.connect(self.url, autocommit=True, **NETWORK)
        try:
            _configure(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _configure(connection: psycopg.Connection[Any]) -> None:
    register_arrays(connection)
    for setting in SESSION:
        connection.execute(setting.encode())


def roll_back(connection: Connection) -> None:
    """End the transaction, if there is one and somebody to tell."""
    with suppress(psycopg.Error):
        if connection.info.transaction_status != TransactionStatus.IDLE:
            connection.execute("ROLLBACK")


@contextmanager
def translated() -> Iterator[None]:
    """What says that the database does not answer becomes StoreUnavailable; bugs stay bugs."""
    try:
        yield
    except (psycopg.OperationalError, persistence.OperationalError) as error:
        raise StoreUnavailable("The log does not answer.") from error
    except (psycopg.InterfaceError, persistence.InterfaceError) as error:
        raise StoreUnavailable("The log's connection is gone.") from error
