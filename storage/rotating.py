"""A new key-encryption key for all that the old one wraps, beside servers that run on.

First the new key stands before the old one in its file: whoever wraps something from now on,
in any process, takes it, and both unwrap. Then everything is wrapped anew, some rows at a time.
Only when a look under the tables' lock finds nothing of an old key is that taken out of the
file, and laid aside: older copies of the key store need it. Cut off anywhere, it can be begun
again, and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import sqlalchemy as sa

from domain.ports import Entropy
from storage.credentials import bound_to
from storage.kek import KEK_ID_BYTES, Kek
from storage.keystore import ROWS_AT_ONCE, KeyStore

Progress = Callable[[int], None]
"""Is told how many values have been wrapped anew."""

_LOCK: Final = "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"


class Place:
    """A column with wrapped values, and what each of them is bound to."""

    def __init__(
        self,
        table: sa.Table,
        column: sa.Column[Any],
        bound: Callable[[sa.Row[Any]], bytes],
        note: sa.Column[Any] | None = None,
    ) -> None:
        self.table = table
        self.column = column
        self.bound = bound
        self.note = note
        self.key = list(table.primary_key.columns)


def places(store: KeyStore) -> list[Place]:
    """Every place of a key store where something is wrapped."""
    tables = store.tables
    return [
        Place(tables.keys, tables.keys.c.wrapped, lambda row: bytes(row.key_id)),
        Place(
            tables.ledger,
            tables.ledger.c.secret_wrapped,
            lambda row: bytes(row.id),
            tables.ledger.c.kek_id,
        ),
        Place(
            tables.connection_secrets,
            tables.connection_secrets.c.wrapped,
            lambda row: bound_to(row.connection, row.name),
            tables.connection_secrets.c.kek_id,
        ),
        Place(tables.erasures, tables.erasures.c.sealed, lambda row: bytes(row.erasure)),
    ]


def rewrap(store: KeyStore, kek: Kek, entropy: Entropy, progress: Progress) -> int:
    """Wrap everything anew that another than the first key wraps; how many values that were.

    Raises KeyMissing for a value whose key is not at hand, StoreUnavailable.
    """
    done = 0
    for place in places(store):
        while count := _some(store, place, kek, entropy):
            done += count
            progress(done)
    return done


def all_anew(store: KeyStore, kek: Kek) -> bool:
    """Whether nothing is wrapped by another than the first key; nobody writes meanwhile."""
    with store.write() as connection:
        found = list(places(store))
        if not store.is_sqlite:
            for place in found:
                connection.exec_driver_sql(_LOCK.format(place.table.fullname))
        left = [connection.execute(_old(place, kek).limit(1)).first() for place in found]
    return all(row is None for row in left)


def _old(place: Place, kek: Kek) -> sa.Select[Any]:
    wrapped_by = sa.func.substr(place.column, 1, KEK_ID_BYTES, type_=place.column.type)
    return sa.select(place.table).where(place.column.is_not(None), wrapped_by != kek.id)


def _some(store: KeyStore, place: Place, kek: Kek, entropy: Entropy) -> int:
    """Wrap some values anew, in one transaction; how many."""
    with store.write() as connection:
        rows = connection.execute(_old(place, kek).limit(ROWS_AT_ONCE)).all()
        for row in rows:
            bound = place.bound(row)
            raw = kek.unwrap(row._mapping[place.column], bound)  # noqa: SLF001 - SQLAlchemy's own name
            values = {place.column.name: kek.wrap(raw, bound, entropy)}
            if place.note is not None:
                values[place.note.name] = kek.id
            here = list(_here(place, row))
            connection.execute(sa.update(place.table).where(*here).values(**values))
    return len(rows)


def _here(place: Place, row: sa.Row[Any]) -> Iterator[sa.ColumnElement[bool]]:
    for column in place.key:
        yield column == row._mapping[column]  # noqa: SLF001 - SQLAlchemy's own name
    # Who destroyed it meanwhile has the last word.
    yield place.column == row._mapping[place.column]  # noqa: SLF001 - as above
