"""Commits of the small stores: durable on the standby too, or said to be unknown.

PostgreSQL lets a wait for its synchronous standby be cancelled: the commit then stands on one
server alone, and a warning is all that tells. A connection that is lost while it commits tells
nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from domain.errors import OutcomeUnknown

if TYPE_CHECKING:
    import psycopg

_WARNED: Final = "hilo_warned"


def heed_warnings(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """Have a new connection to PostgreSQL remember the warnings that it gets."""
    driver: Any = getattr(connection, "driver_connection", connection)

    def noticed(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            entry.info[_WARNED] = True

    driver.add_notice_handler(noticed)


@contextmanager
def confirmed(connection: sa.Connection) -> Iterator[None]:
    """Commit at the end of the block, roll back on any error.

    Raises OutcomeUnknown where the connection was lost in the commit, or its standby left out.
    """
    transaction = connection.get_transaction() or connection.begin()
    try:
        yield
    except BaseException:
        transaction.rollback()
        raise
    connection.info.pop(_WARNED, None)
    try:
        if transaction.is_active:
            transaction.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise OutcomeUnknown("The connection was lost during the commit.") from error
        raise
    if connection.info.pop(_WARNED, False):
        raise OutcomeUnknown("The standby did not confirm the commit.")
