"""The statements of the subject book, in words.

Every batch with somebody new runs them, while the event loop waits for the interpreter: to put
them together anew each time took longer than the databases need for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from storage.keyring import FROM_THE_BEGINNING, LIVE, NewKey
from storage.keystore import KeyStore

T = TypeVar("T")

ROWS_MAX: Final = 512
"""Rows of one statement: SQLite takes 32,766 parameters, and a batch has no more new subjects."""

MAC_BYTES: Final = 32
"""Length of an address's code; a look-up key of another length is a subject itself."""

_SUBJECT: Final = ("subject", "address_mac", "from_at", "state")
_KEY: Final = ("key_id", "subject", "wrapped", "destroyed_at", "erasure_position")


class SubjectRows:
    """Reads and writes rows of the tables `subjects` and `keys`, in the caller's transaction."""

    def __init__(self, store: KeyStore) -> None:
        self._mark: Final = "?" if store.is_sqlite else "%s"
        self._subjects: Final = store.tables.subjects.fullname
        self._keys: Final = store.tables.keys.fullname

    def of_addresses(
        self, connection: sa.Connection, macs: Collection[bytes]
    ) -> list[Sequence[Any]]:
        """(mac, from_at, subject) of everybody who ever held these addresses, by from_at."""
        found: list[Sequence[Any]] = []
        for some in _doubling(macs):
            query = (
                f"SELECT address_mac, from_at, subject FROM {self._subjects}"
                f" WHERE address_mac IN {_tuple(self._mark, len(some))} ORDER BY from_at"
            )
            found += connection.exec_driver_sql(query, tuple(some)).fetchall()
        return found

    def of_subjects(self, connection: sa.Connection, subjects: Collection[bytes]) -> list[bytes]:
        """Those of these subjects (16 bytes each) that there are."""
        found: list[bytes] = []
        for some in _doubling(subjects):
            query = (
                f"SELECT subject FROM {self._subjects}"
                f" WHERE subject IN {_tuple(self._mark, len(some))}"
            )
            found += connection.exec_driver_sql(query, tuple(some)).scalars()
        return found

    def insert(
        self,
        connection: sa.Connection,
        fresh: Mapping[bytes, bytes],
        from_at: int = FROM_THE_BEGINNING,
    ) -> list[bytes]:
        """Insert new subjects, each with its look-up key; gives those that no rival was before."""
        won: list[bytes] = []
        for some in _doubling(fresh.items()):
            statement = (
                f"INSERT INTO {self._subjects} ({', '.join(_SUBJECT)})"
                f" VALUES {_rows(self._mark, len(_SUBJECT), len(some))}"
                " ON CONFLICT DO NOTHING RETURNING subject"
            )
            values: list[object] = []
            for subject, key in some:
                mac = key if len(key) == MAC_BYTES else None
                values += (subject, mac, from_at, LIVE)
            won += connection.exec_driver_sql(statement, tuple(values)).scalars()
        return won

    def insert_keys(self, connection: sa.Connection, made: Collection[NewKey]) -> None:
        """Insert the keys of new subjects."""
        for some in _doubling(made):
            statement = (
                f"INSERT INTO {self._keys} ({', '.join(_KEY)})"
                f" VALUES {_rows(self._mark, len(_KEY), len(some))}"
            )
            values = [new.row[column] for new in some for column in _KEY]
            connection.exec_driver_sql(statement, tuple(values))


def _doubling(values: Collection[T]) -> Iterator[list[T]]:
    """The values in lists whose lengths are powers of two, the longest first.

    A database prepares a statement for each length that it meets: these are ten.
    """
    left = iter(values)
    count = len(values)
    while count:
        size = min(ROWS_MAX, 1 << (count.bit_length() - 1))
        yield list(islice(left, size))
        count -= size


@cache
def _tuple(mark: str, count: int) -> str:
    return f"({', '.join([mark] * count)})"


@cache
def _rows(mark: str, width: int, count: int) -> str:
    return ", ".join([_tuple(mark, width)] * count)
