"""A log on PostgreSQL read from end to end; storage/scanning.py imports this where it is needed.

One query answers a whole stretch, and its rows are taken from the connection a few at a time. So
the database sends what comes next while these are looked at; it is ahead by as much as the
connection holds, and memory stays constant.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.generators import fetch, send
from psycopg.pq import ExecStatus, Format
from psycopg.types.string import ByteaBinaryLoader

from domain.errors import StoreUnavailable
from storage.network import NETWORK

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from storage.leaf import Row

# By the index from the first row on, nothing sorted or gathered before it: a log that has grown
# since it was last analysed would else be read in ways that suit a small one.
_SESSION: Final = (
    "SET default_transaction_read_only = on; SET client_encoding = 'UTF8';"
    " SET enable_sort = off; SET enable_seqscan = off; SET enable_bitmapscan = off"
)
_ROWS: Final = (
    b"SELECT position, originator, version, topic, recorded_at, state"
    b" FROM hilo_log.events WHERE position > $1 AND position <= $2 ORDER BY position"
)
_TILES: Final = "SELECT n, hashes FROM hilo_log.tiles WHERE level = 0 AND n >= %s AND n < %s"

_BIGINT: Final = 20
"""PostgreSQL's number for the type of a position."""

ROWS_AT_ONCE: Final = 256
"""Rows taken from the connection together: more of them would only leave the processor's cache."""


@contextmanager
def on_postgres(url: str) -> Iterator[PostgresScan]:
    """A log, opened to be read from end to end. Raises StoreUnavailable, also inside."""
    plain = "postgresql" + url[url.index(":") :]
    try:
        with psycopg.connect(plain, autocommit=True, **NETWORK) as connection:
            connection.execute(_SESSION)
            # An id is hashed as it is stored: no object is made of it.
            connection.adapters.register_loader("uuid", ByteaBinaryLoader)
            yield PostgresScan(connection)
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreUnavailable("The log does not answer.") from error


class PostgresScan:
    """Implements Scan."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    @contextmanager
    def rows(self, after: int, upto: int) -> Iterator[Iterator[Row]]:
        """As in Scan."""
        with closing(self._answers(after, upto)) as answers:
            yield chain.from_iterable(self._loaded(answers))

    def _loaded(self, answers: Iterator[PGresult]) -> Iterator[list[Row]]:
        """The rows of each answer. The library's own `stream` makes a call for each row."""
        made = Transformer(self._connection)
        for number, answer in enumerate(answers):
            made.set_pgresult(answer, set_loaders=number == 0)
            yield made.load_rows(0, answer.ntuples, tuple)

    def _answers(self, after: int, upto: int) -> Generator[PGresult, None, None]:
        """What the server answers, some rows each; what is left of it at the end is passed over."""
        connection, server = self._connection, self._connection.pgconn
        ends = [b"%d" % after, b"%d" % upto]
        server.send_query_params(_ROWS, ends, [_BIGINT, _BIGINT], result_format=Format.BINARY)
        server.set_chunked_rows_mode(ROWS_AT_ONCE)
        connection.wait(send(server))
        try:
            while (answer := connection.wait(fetch(server))) is not None:
                if answer.status == ExecStatus.TUPLES_CHUNK:
                    yield answer
                elif answer.status != ExecStatus.TUPLES_OK:
                    raise error_from_result(answer)
        finally:
            while connection.wait(fetch(server)) is not None:
                pass

    def tiles(self, first: int, end: int) -> dict[int, bytes]:
        """As in Scan."""
        with self._connection.cursor(binary=True) as cursor:
            return dict(cursor.execute(_TILES, (first, end)).fetchall())
