"""Whole deliveries in the log's trade: what became of each atom, settled in one transaction.

`recorded` is counted by the append itself. What else an atom can become (a duplicate, ignored,
quarantined) is written here, for all atoms of a delivery at once, before it is answered: so a
delivery that is cut off leaves nothing behind but what was recorded, and comes again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, structs

from domain.errors import NotFound, WrongState
from domain.ports import Clock
from storage.schema import SCHEMA
from storage.trade import ERROR_CHARS_MAX, Kind, Quarantined, Trade
from storage.upserting import insert_into

NO_SUCH_ATOM: Final = "There is no such atom in quarantine."

Account = tuple[str, str, Kind, str]
"""What a counter is of: connection, source, kind, reason."""

Place = tuple[int, UUID]
"""Where an atom stands in the list of the quarantine: when it was received (µs), and its id."""


class End(Struct, frozen=True):
    """Where an atom of a source ended; a quarantined one is in `Settlement.quarantined`."""

    source: str
    kind: Kind
    reason: str = ""


class Arrived(Struct, frozen=True, kw_only=True):
    """What is known of a connection (source empty) or of a source behind it.

    `last_at` is the time (µs) of the last delivery, `address` our side as the provider wrote it
    last, `error` the last that went wrong.
    """

    connection: str
    source: str
    last_at: int | None = None
    address: str | None = None
    error: str | None = None


class Settlement(Struct, frozen=True, kw_only=True):
    """Everything that one delivery comes to, but for what was recorded.

    `seen` says from which sources something came, with our address there where it was said.
    """

    connection: str
    at: int
    ends: Sequence[End] = ()
    quarantined: Sequence[Quarantined] = ()
    seen: Mapping[str, str | None] = {}


class Kindred(Struct, frozen=True):
    """Atoms of one connection that wait for one reason; `None` stands for any."""

    connection: str | None = None
    reason: str | None = None


_ANY: Final = Kindred()


class Arrivals(Trade):
    """The trade of a log that things arrive at; every method is one short transaction."""

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(url, clock)
        self._arrivals = _arrivals_table(sa.MetaData(schema=None if self._sqlite else SCHEMA))

    # --------------------------------------------------------------- deliveries

    def settle(self, *deliveries: Settlement) -> None:
        """Write down what deliveries came to, all in one transaction.

        An atom whose id is in quarantine already, or was, is a duplicate.
        """
        counts: Counter[Account] = Counter()
        notes: dict[tuple[str, str], Arrived] = {}
        with self._writing() as transaction:
            for delivery in deliveries:
                here = delivery.connection
                counts[here, "", Kind.DELIVERIES, ""] += 1
                counts.update((here, end.source, end.kind, end.reason) for end in delivery.ends)
                error = self._keep_all(transaction, delivery, counts)
                for arrived in _notes(delivery, error):
                    place = (here, arrived.source)
                    notes[place] = _later(notes.get(place), arrived)
            self._add_all(transaction, counts)
            for _, arrived in sorted(notes.items()):
                self._note(transaction, arrived)

    def reject(self, connection: str, reason: str) -> None:
        """Count a request that was refused unread."""
        with self._writing() as transaction:
            self._add(transaction, (connection, ""), Kind.REJECTED, reason, 1)
            refused = Arrived(connection=connection, source="", error=f"rejected: {reason}")
            self._note(transaction, refused)

    def note_error(self, connection: str, error: str) -> None:
        """Show what went wrong with a connection last."""
        shown = error[:ERROR_CHARS_MAX]
        with self._writing() as transaction:
            self._note(transaction, Arrived(connection=connection, source="", error=shown))

    def clear_error(self, connection: str, beginning: str) -> None:
        """Show an error that begins so no more: it works again."""
        table = self._arrivals
        ours = table.c.error.startswith(beginning, autoescape=True)
        here = sa.and_(table.c.connection == connection, table.c.source == "", ours)
        with self._writing() as transaction:
            transaction.execute(table.update().where(here).values(error=None))

    def arrived(self, connection: str | None = None) -> list[Arrived]:
        """What is known of a connection and its sources, or of all, in their order."""
        table = self._arrivals
        query = sa.select(table).order_by(table.c.connection, table.c.source)
        if connection is not None:
            query = query.where(table.c.connection == connection)
        return [
            Arrived(
                connection=row.connection,
                source=row.source,
                last_at=row.last_at,
                address=row.address,
                error=row.error,
            )
            for row in self._rows(query)
        ]

    # --------------------------------------------------------------- quarantine

    def quarantine_between(
        self,
        low: Place | None,
        high: Place | None,
        *,
        descending: bool,
        count: int,
        of: Kindred = _ANY,
    ) -> list[Quarantined]:
        """Open atoms strictly between two places, the first `count`, without their bodies."""
        table = self._quarantine
        query = sa.select(table).where(table.c.state == "open")
        if of.connection is not None:
            query = query.where(table.c.connection == of.connection)
        if of.reason is not None:
            query = query.where(table.c.reason == of.reason)
        if low is not None:
            query = query.where(_place(table) > _literal(low))
        if high is not None:
            query = query.where(_place(table) < _literal(high))
        columns = (table.c.received_at, table.c.id)
        ordered = (column.desc() if descending else column for column in columns)
        rows = self._rows(query.order_by(*ordered).limit(count))
        return [
            Quarantined(
                id=UUID(bytes=row.id),
                connection=row.connection,
                source=row.source,
                received_at=row.received_at,
                reason=row.reason,
                error=row.error,
                atom=row.atom,
                attempts=row.attempts,
                state=row.state,
            )
            for row in rows
        ]

    def quarantined_kinds(self) -> list[tuple[Kindred, int]]:
        """How many open atoms each connection has of each reason, by connection and reason."""
        table = self._quarantine
        kind = (table.c.connection, table.c.reason)
        query = sa.select(*kind, sa.func.count().label("waiting")).where(table.c.state == "open")
        rows = self._rows(query.group_by(*kind).order_by(*kind))
        return [(Kindred(row.connection, row.reason), row.waiting) for row in rows]

    def waiting(self) -> int:
        """How many atoms wait in quarantine; from the balances, so that none is counted anew."""
        table = self._balances
        here = table.c.kind == Kind.QUARANTINED.value
        [row] = self._rows(sa.select(sa.func.coalesce(sa.func.sum(table.c.n), 0)).where(here))
        return int(row[0])

    def release_to(self, id: UUID, ends: Sequence[End], note: str | None = None) -> None:
        """Move an atom out of quarantine to where it ended; `note` says why, for a person.

        What was one unreadable delivery may turn out to be several atoms, each with its end;
        none must be left out. Raises NotFound, and WrongState for one that is not open.
        """
        table = self._quarantine
        discarded = all(end.kind is Kind.IGNORED for end in ends)
        with self._writing() as transaction:
            query = sa.select(table).where(table.c.id == id.bytes).with_for_update()
            row = transaction.execute(query).one_or_none()
            if row is None:
                raise NotFound(NO_SUCH_ATOM)
            if row.state != "open":
                raise WrongState("The atom was dealt with already.")
            gone = {
                "state": "discarded" if discarded else "retried",
                "body": None,
                "key_id": None,
                "attempts": row.attempts + (note is None),
                "error": (note or row.error)[:ERROR_CHARS_MAX],
            }
            transaction.execute(table.update().where(table.c.id == id.bytes).values(gone))
            here = row.connection
            counts = Counter((here, end.source, end.kind, end.reason) for end in ends)
            counts[here, row.source, Kind.QUARANTINED, ""] -= 1
            self._add_all(transaction, counts)

    # ------------------------------------------------------------------- inside

    def _add_all(self, transaction: sa.Connection, counts: Counter[Account]) -> None:
        # In the order of their keys, as the append counts: nobody waits for each other.
        for (connection, source, kind, reason), n in sorted(counts.items()):
            self._add(transaction, (connection, source), kind, reason, n)

    def _keep_all(
        self, transaction: sa.Connection, delivery: Settlement, counts: Counter[Account]
    ) -> str | None:
        """Keep what is new for the quarantine, and count it; the last error."""
        error = None
        for atom in delivery.quarantined:
            kind = Kind.DUPLICATE
            if self._keep(transaction, atom):
                kind = Kind.QUARANTINED
                error = f"{atom.reason}: {atom.error}"[:ERROR_CHARS_MAX]
            counts[delivery.connection, atom.source, kind, ""] += 1
        return error

    def _keep(self, transaction: sa.Connection, atom: Quarantined) -> bool:
        """Keep an atom, unless it is known; whether it is new."""
        table = self._quarantine
        insert = insert_into(table, on_sqlite=self._sqlite)
        values = {name: getattr(atom, name) for name in atom.__struct_fields__}
        row = values | {"id": atom.id.bytes, "error": atom.error[:ERROR_CHARS_MAX]}
        keeping = insert.values(row).on_conflict_do_nothing().returning(table.c.id)
        return transaction.execute(keeping).first() is not None

    def _note(self, transaction: sa.Connection, arrived: Arrived) -> None:
        """Remember what is said; what is not said stays."""
        table = self._arrivals
        insert = insert_into(table, on_sqlite=self._sqlite)
        values = {name: getattr(arrived, name) for name in arrived.__struct_fields__}
        new = {name: values[name] for name in ("last_at", "address", "error") if values[name]}
        transaction.execute(
            insert.values(values).on_conflict_do_update(
                index_elements=["connection", "source"],
                set_=new or {"last_at": table.c.last_at},
            )
        )


def _notes(delivery: Settlement, error: str | None) -> list[Arrived]:
    """What a delivery says of its connection, and of each source in it."""
    here, at = delivery.connection, delivery.at
    known = [
        Arrived(connection=here, source=source, last_at=at, address=address)
        for source, address in delivery.seen.items()
        if source
    ]
    return [Arrived(connection=here, source="", last_at=at, error=error), *known]


def _later(one: Arrived | None, other: Arrived) -> Arrived:
    """Both notes in one: what the later one does not say stays."""
    if one is None:
        return other
    return structs.replace(
        other, address=other.address or one.address, error=other.error or one.error
    )


def _place(table: sa.Table) -> sa.Tuple:
    return sa.tuple_(table.c.received_at, table.c.id)


def _literal(place: Place) -> sa.Tuple:
    return sa.tuple_(sa.literal(place[0]), sa.literal(place[1].bytes, sa.LargeBinary()))


def _arrivals_table(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "arrivals",
        metadata,
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("last_at", sa.BigInteger),
        sa.Column("address", sa.Text),
        sa.Column("error", sa.Text),
    )
