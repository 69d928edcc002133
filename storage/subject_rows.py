"""The statements of the subject book, in words.

Every batch with somebody new runs them, while the event loop waits for the interpreter: to put
them together anew each time took longer than the databases need for them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from storage.keyring import FROM_THE_BEGINNING, LIVE, NewKey, batches
from storage.keystore import KeyStore

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
        for some in batches(macs):
            query = (
                f"SELECT address_mac, from_at, subject FROM {self._subjects}"
                f" WHERE address_mac IN {_tuple(self._mark, len(some))} ORDER BY from_at"
            )
            found += connection.exec_driver_sql(query, tuple(some)).fetchall()
        return found

    def of_subjects(self, connection: sa.Connection, subjects: Collection[bytes]) -> list[bytes]:
        """Those of these subjects (16 bytes each) that there are."""
        found: list[bytes] = []
        for some in batches(subjects):
            query = (
                f"SELECT subject FROM {self._subjects}"
                f" WHERE subject IN {_tuple(self._mark, len(some))}"
            )
            found += connection.exec_driver_sql(query, tuple(some)).scalars()
        return found

    def insert(self, connection: sa.Connection, fresh: Mapping[bytes, bytes]) -> list[bytes]:
        """Insert new subjects, each with its look-up key; gives those that no rival was before."""
        won: list[bytes] = []
        for some in batches(fresh.items()):
            statement = (
                f"INSERT INTO {self._subjects} ({', '.join(_SUBJECT)})"
                f" VALUES {_rows(self._mark, len(_SUBJECT), len(some))}"
                " ON CONFLICT DO NOTHING RETURNING subject"
            )
            values: list[object] = []
            for subject, key in some:
                mac = key if len(key) == MAC_BYTES else None
                values += (subject, mac, FROM_THE_BEGINNING, LIVE)
            won += connection.exec_driver_sql(statement, tuple(values)).scalars()
        return won

    def insert_keys(self, connection: sa.Connection, made: Collection[NewKey]) -> None:
        """Insert the keys of new subjects."""
        for some in batches(made):
            statement = (
                f"INSERT INTO {self._keys} ({', '.join(_KEY)})"
                f" VALUES {_rows(self._mark, len(_KEY), len(some))}"
            )
            values = [new.row[column] for new in some for column in _KEY]
            connection.exec_driver_sql(statement, tuple(values))


@cache
def _tuple(mark: str, count: int) -> str:
    return f"({', '.join([mark] * count)})"


@cache
def _rows(mark: str, width: int, count: int) -> str:
    return ", ".join([_tuple(mark, width)] * count)
