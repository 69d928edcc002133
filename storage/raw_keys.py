"""Keys as they are, for an export that somebody asked for with a reason: the one way out."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from storage.kek import Kek
from storage.keystore import KeyStore

KEYS_AT_ONCE = 1_000
"""Keys read and unwrapped together."""


class RawKey(Struct, frozen=True):
    """A key (32 bytes, AES-256-GCM) with its id (16 bytes) and the subject whose it is."""

    key_id: bytes
    subject: UUID
    key: bytes


def raw_keys(store: KeyStore, kek: Kek) -> Iterator[RawKey]:
    """Every key that was not destroyed, by id, unwrapped. Raises KeyMissing."""
    table = store.tables.keys
    after = b""
    while True:
        query = sa.select(table.c.key_id, table.c.subject, table.c.wrapped)
        query = query.where(table.c.key_id > after, table.c.wrapped.is_not(None))
        with store.read() as connection:
            rows = connection.execute(query.order_by(table.c.key_id).limit(KEYS_AT_ONCE)).all()
        for key_id, subject, wrapped in rows:
            yield RawKey(key_id, UUID(bytes=subject), kek.unwrap(wrapped, key_id))
        if len(rows) < KEYS_AT_ONCE:
            return
        after = rows[-1][0]


def erasures(store: KeyStore) -> tuple[int, int]:
    """How many erasures destroyed keys, and the position of the last one; (0, 0) without any."""
    at = store.tables.keys.c.erasure_position
    with store.read() as connection:
        row = connection.execute(sa.select(sa.func.count(sa.distinct(at)), sa.func.max(at))).one()
    return int(row[0]), int(row[1] or 0)
