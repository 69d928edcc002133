"""Our ends of provider accounts, kept beside their secrets in the key store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from domain.errors import KeyReused, NotFound, WrongState
from storage.keystore import KeyStore

ACTIVE: Final = "active"
PAUSED: Final = "paused"
REMOVED: Final = "removed"


class Connection(Struct, frozen=True, kw_only=True):
    """One connection: `name` is ours, unique within its channel.

    `department` is the name or key that what comes through it belongs to; `options` are the
    settings of its channel that are no secrets. `state`: active, paused, removed.
    """

    channel: str
    name: str
    title: str
    department: str | None = None
    state: str = ACTIVE
    options: dict[str, str] = {}
    created_at: int

    @property
    def key(self) -> str:
        """What balances, secrets and quarantine know it by: `whatsapp/meta-main`."""
        return f"{self.channel}/{self.name}"


class Handled(Struct, frozen=True):
    """A command that came with an Idempotency-Key: its id (16 bytes) and its body's digest."""

    command_id: bytes
    digest: bytes


class ConnectionBook:
    """The connections of one key store; safe between threads and processes.

    A change that comes with `handled` leaves its mark in the same transaction.
    """

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._connections = store.tables.connections
        self._commands = store.tables.commands

    def get(self, channel: str, name: str) -> Connection:
        """One connection, also one that was removed. Raises NotFound."""
        with self._store.read() as transaction:
            row = transaction.execute(self._query(channel, name)).first()
        if row is None:
            raise NotFound("There is no such connection.")
        return _connection(row)

    def all(self) -> list[Connection]:
        """Every connection, by channel and name; those that were removed too."""
        table = self._connections
        with self._store.read() as transaction:
            rows = transaction.execute(sa.select(table).order_by(table.c.channel, table.c.name))
            return [_connection(row) for row in rows]

    def add(self, connection: Connection, handled: Handled | None = None) -> None:
        """Keep a new one, or one anew that was removed. Raises WrongState where it is there."""
        values = _values(connection)
        with self._store.write() as transaction:
            self._store.lock(transaction)
            row = transaction.execute(self._query(connection.channel, connection.name)).first()
            if row is None:
                transaction.execute(sa.insert(self._connections).values(values))
            elif row.state == REMOVED:
                transaction.execute(self._update(connection).values(values))
            else:
                raise WrongState(f"There is a connection {connection.key} already.")
            self._mark(transaction, handled)

    def change(self, connection: Connection, handled: Handled | None = None) -> None:
        """Keep a connection as it is now. Raises NotFound."""
        with self._store.write() as transaction:
            done = transaction.execute(self._update(connection).values(_values(connection)))
            if done.rowcount == 0:
                raise NotFound("There is no such connection.")
            self._mark(transaction, handled)

    def mark(self, handled: Handled | None) -> None:
        """Note that a command was done that changed nothing here."""
        if handled is not None:
            with self._store.write() as transaction:
                self._mark(transaction, handled)

    def was_handled(self, handled: Handled | None) -> bool:
        """Whether a command was done before. Raises KeyReused: its key came with another body."""
        if handled is None:
            return False
        table = self._commands
        query = sa.select(table.c.digest).where(table.c.command_id == handled.command_id)
        with self._store.read() as transaction:
            digest = transaction.scalar(query)
        if digest is not None and digest != handled.digest:
            raise KeyReused("This Idempotency-Key came before with another body; take a new one.")
        return digest is not None

    # ------------------------------------------------------------------- inside

    def _query(self, channel: str, name: str) -> sa.Select[Any]:
        table = self._connections
        return sa.select(table).where(table.c.channel == channel, table.c.name == name)

    def _update(self, connection: Connection) -> sa.Update:
        table = self._connections
        return sa.update(table).where(
            table.c.channel == connection.channel, table.c.name == connection.name
        )

    def _mark(self, transaction: sa.Connection, handled: Handled | None) -> None:
        if handled is not None:
            row = {"command_id": handled.command_id, "digest": handled.digest}
            transaction.execute(self._store.insert_new(self._commands), row)


def _values(connection: Connection) -> Mapping[str, object]:
    values = {name: getattr(connection, name) for name in connection.__struct_fields__}
    return values | {"options": msgspec.json.encode(connection.options)}


def _connection(row: sa.Row[Any]) -> Connection:
    return Connection(
        channel=row.channel,
        name=row.name,
        title=row.title,
        department=row.department,
        state=row.state,
        options=msgspec.json.decode(row.options, type=dict[str, str]),
        created_at=row.created_at,
    )
