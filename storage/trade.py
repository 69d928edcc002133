"""The small mutable tables of the log's trade: balances, quarantine, jobs.

They live in the log's database, so that an atom's verdict and its counter are one transaction
(`recorded` and `duplicate` are counted by the append itself). Always, for each connection and
source: received = recorded + duplicate + ignored + quarantined. `received` is that sum: every
atom is counted where it ended, once, so there is no moment at which the two sides differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from domain.errors import NotFound, WrongState
from domain.ports import Clock
from storage.appending import DUPLICATE, RECORDED
from storage.confirming import confirmed
from storage.schema import SCHEMA
from storage.trade_tables import (
    balances_table,
    engine_of,
    jobs_table,
    quarantine_table,
    translated,
)
from storage.upserting import insert_into

JOBS_AT_ONCE_MAX: Final = 100
"""Jobs claimed together: a worker that dies delays so many by a lease, not the whole list."""

LEASE_US: Final = 120_000_000
"""A job claimed two minutes ago without a word is somebody else's to try."""

ERROR_CHARS_MAX: Final = 500
"""An error is kept to be read by a person; it never holds a message's text."""


class Kind(StrEnum):
    """Where an atom ended; `deliveries` and `rejected` count whole requests."""

    DELIVERIES = "deliveries"
    REJECTED = "rejected"
    RECORDED = RECORDED
    DUPLICATE = DUPLICATE
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


ENDS: Final = frozenset({Kind.RECORDED, Kind.DUPLICATE, Kind.IGNORED, Kind.QUARANTINED})


class Balance(Struct):
    """What came in through one connection, for one source, since a time (µs)."""

    connection: str
    source: str
    since: int
    deliveries: int = 0
    rejected: dict[str, int] = {}
    recorded: int = 0
    duplicate: int = 0
    ignored: dict[str, int] = {}
    quarantined: int = 0

    @property
    def received(self) -> int:
        """Atoms that arrived: each ended somewhere."""
        return self.recorded + self.duplicate + sum(self.ignored.values()) + self.quarantined


class Quarantined(Struct, frozen=True, kw_only=True):
    """An atom that could not be recorded. `body` is sealed by the caller under `key_id`.

    `state`: `open`, then `retried` or `discarded`; the body goes when it is not open any more.
    """

    id: UUID
    connection: str
    source: str
    received_at: int
    reason: str
    error: str
    atom: int = 0
    attempts: int = 1
    body: bytes | None = None
    key_id: bytes | None = None
    state: str = "open"


class Job(Struct, frozen=True, kw_only=True):
    """Something to do from a time on (µs). `state`: `waiting`, `done` or `failed`."""

    id: UUID
    kind: str
    payload: bytes
    due_at: int
    attempts: int = 0
    state: str = "waiting"
    error: str | None = None


class Trade:
    """Balances, quarantine and jobs of one log; safe between threads and processes.

    Every method is one short transaction. Raises StoreUnavailable, and OutcomeUnknown where
    nobody can say that its commit is durable.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._clock = clock
        self._engine = engine_of(url)
        self._sqlite = self._engine.dialect.name == "sqlite"
        metadata = sa.MetaData(schema=None if self._sqlite else SCHEMA)
        self._balances = balances_table(metadata)
        self._quarantine = quarantine_table(metadata)
        self._jobs = jobs_table(metadata)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    # ----------------------------------------------------------------- balances

    def count(self, connection: str, source: str, kind: Kind, reason: str = "", n: int = 1) -> None:
        """Add to one counter; `source` is empty where the request did not say it."""
        with self._writing() as transaction:
            self._add(transaction, (connection, source), kind, reason, n)

    def balances(self, connection: str | None = None) -> list[Balance]:
        """The balances of a connection, or of all, by connection and source."""
        table = self._balances
        query = sa.select(table).order_by(table.c.connection, table.c.source)
        if connection is not None:
            query = query.where(table.c.connection == connection)
        found: dict[tuple[str, str], Balance] = {}
        for row in self._rows(query):
            balance = found.setdefault(
                (row.connection, row.source), Balance(row.connection, row.source, row.since)
            )
            balance.since = min(balance.since, row.since)
            _enter(balance, Kind(row.kind), row.reason, row.n)
        return list(found.values())

    def _add(
        self, transaction: sa.Connection, owner: tuple[str, str], kind: Kind, reason: str, n: int
    ) -> None:
        table = self._balances
        insert = insert_into(table, on_sqlite=self._sqlite)
        row = {
            "connection": owner[0],
            "source": owner[1],
            "kind": kind.value,
            "reason": reason,
            "n": n,
            "since": self._clock(),
        }
        transaction.execute(
            insert.values(row).on_conflict_do_update(
                index_elements=["connection", "source", "kind", "reason"],
                set_={"n": table.c.n + insert.excluded.n},
            )
        )

    # --------------------------------------------------------------- quarantine

    def quarantine(self, atom: Quarantined) -> None:
        """Keep an atom that could not be recorded, and count it."""
        with self._writing() as transaction:
            transaction.execute(self._quarantine.insert().values(_row(atom)))
            owner = (atom.connection, atom.source)
            self._add(transaction, owner, Kind.QUARANTINED, "", 1)

    def quarantined(self, state: str = "open", limit: int = 100) -> list[Quarantined]:
        """Atoms in a state, the latest first, without their bodies."""
        table = self._quarantine
        query = sa.select(table).where(table.c.state == state)
        query = query.order_by(table.c.received_at.desc(), table.c.id).limit(limit)
        return [_atom(row, body=False) for row in self._rows(query)]

    def quarantined_atom(self, id: UUID) -> Quarantined:
        """One atom with its sealed body; raises NotFound."""
        rows = self._rows(sa.select(self._quarantine).where(self._quarantine.c.id == id.bytes))
        if not rows:
            raise NotFound("There is no such atom in quarantine.")
        return _atom(rows[0])

    def tried(self, id: UUID, error: str) -> None:
        """A retry failed again: one more attempt, and why."""
        table = self._quarantine
        change = {"attempts": table.c.attempts + 1, "error": error[:ERROR_CHARS_MAX]}
        with self._writing() as transaction:
            transaction.execute(table.update().where(table.c.id == id.bytes).values(change))

    def release(self, id: UUID, kind: Kind, reason: str = "") -> None:
        """Move an atom out of quarantine to where it ended, with its counters.

        A retry appends its unit *without* `counted` and releases it as `recorded` or
        `duplicate` then; should it be cut off between the two, it is tried again and found
        recorded. Raises NotFound, and WrongState for one that is not open any more.
        """
        table = self._quarantine
        state = "discarded" if kind is Kind.IGNORED else "retried"
        with self._writing() as transaction:
            row = transaction.execute(
                sa.select(table).where(table.c.id == id.bytes).with_for_update()
            ).one_or_none()
            if row is None:
                raise NotFound("There is no such atom in quarantine.")
            if row.state != "open":
                raise WrongState("The atom was dealt with already.")
            self._leave(transaction, row, state, (kind, reason))

    def expire(self, before: int) -> int:
        """Discard what came before a time (µs), body and all; returns how many atoms."""
        table = self._quarantine
        with self._writing() as transaction:
            rows = transaction.execute(
                sa.select(table)
                .where(table.c.state == "open", table.c.received_at < before)
                .order_by(table.c.id)
                .with_for_update()
            ).all()
            for row in rows:
                self._leave(transaction, row, "discarded", (Kind.IGNORED, "discarded"))
        return len(rows)

    def _leave(
        self, transaction: sa.Connection, row: sa.Row[Any], state: str, to: tuple[Kind, str]
    ) -> None:
        table = self._quarantine
        transaction.execute(
            table.update().where(table.c.id == row.id).values(state=state, body=None, key_id=None)
        )
        # In the order of their names, as the append counts: nobody waits for each other.
        moves = sorted([(Kind.QUARANTINED, "", -1), (*to, 1)])
        for kind, reason, n in moves:
            self._add(transaction, (row.connection, row.source), kind, reason, n)

    # --------------------------------------------------------------------- jobs

    def put(self, *jobs: Job) -> None:
        """Have things done, noted in one transaction; a job whose id is known stays as it is."""
        insert = insert_into(self._jobs, on_sqlite=self._sqlite)
        with self._writing() as transaction:
            transaction.execute(insert.on_conflict_do_nothing(), [_row(job) for job in jobs])

    def is_due(self, kind: str, now: int) -> bool:
        """Whether there is a job to claim; a look that keeps nobody from writing."""
        table = self._jobs
        due = (table.c.kind == kind) & (table.c.state == "waiting") & (table.c.due_at <= now)
        return bool(self._rows(sa.select(table.c.id).where(due).limit(1)))

    def claim(self, kind: str, now: int, limit: int = JOBS_AT_ONCE_MAX) -> list[Job]:
        """Take jobs that are due, the oldest first; until LEASE_US nobody else gets them."""
        table = self._jobs
        due = (
            sa.select(table)
            .where(table.c.kind == kind, table.c.state == "waiting", table.c.due_at <= now)
            .order_by(table.c.due_at, table.c.id)
            .limit(min(limit, JOBS_AT_ONCE_MAX))
            .with_for_update(skip_locked=True)
        )
        with self._writing() as transaction:
            rows = transaction.execute(due).all()
            if rows:
                transaction.execute(
                    table.update()
                    .where(table.c.id.in_([row.id for row in rows]))
                    .values(due_at=now + LEASE_US, attempts=table.c.attempts + 1)
                )
        return [_job(row) for row in rows]

    def done(self, id: UUID) -> None:
        """The job is done; its row goes."""
        with self._writing() as transaction:
            transaction.execute(self._jobs.delete().where(self._jobs.c.id == id.bytes))

    def failed(self, id: UUID, error: str, again_at: int | None) -> None:
        """It did not work: try again at a time, or, with None, never (it stays, to be seen)."""
        state = "failed" if again_at is None else "waiting"
        change: dict[str, object] = {"state": state, "error": error[:ERROR_CHARS_MAX]}
        if again_at is not None:
            change["due_at"] = again_at
        with self._writing() as transaction:
            transaction.execute(
                self._jobs.update().where(self._jobs.c.id == id.bytes).values(change)
            )

    def again(self, now: int, *ids: UUID) -> int:
        """Have jobs that failed for good tried anew, from a time on (µs); how many those were."""
        table = self._jobs
        chosen = table.c.id.in_([id_.bytes for id_ in ids]) & (table.c.state == "failed")
        anew = {"state": "waiting", "due_at": now, "attempts": 0}
        with self._writing() as transaction:
            return transaction.execute(table.update().where(chosen).values(anew)).rowcount

    def keep(self, job: Job) -> None:
        """Keep a job that is never over as it is now, such as how far a mailbox was read."""
        row = _row(job)
        insert = insert_into(self._jobs, on_sqlite=self._sqlite)
        keeping = insert.values(row).on_conflict_do_update(
            index_elements=["id"], set_={name: row[name] for name in row if name != "id"}
        )
        with self._writing() as transaction:
            transaction.execute(keeping)

    def kept(self, id: UUID) -> Job | None:
        """One job, or None where there is none of that id."""
        rows = self._rows(sa.select(self._jobs).where(self._jobs.c.id == id.bytes))
        return _job(rows[0]) if rows else None

    def jobs(self, state: str = "failed", limit: int = 100) -> list[Job]:
        """Jobs in a state, the one due first first."""
        table = self._jobs
        query = sa.select(table).where(table.c.state == state)
        return [_job(row) for row in self._rows(query.order_by(table.c.due_at).limit(limit))]

    # ------------------------------------------------------------------- inside

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with translated(), self._engine.connect() as connection, confirmed(connection):
            if self._sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with translated(), self._engine.connect() as connection:
            return connection.execute(query).all()


def _enter(balance: Balance, kind: Kind, reason: str, n: int) -> None:
    match kind:
        case Kind.DELIVERIES:
            balance.deliveries += n
        case Kind.REJECTED:
            balance.rejected[reason] = balance.rejected.get(reason, 0) + n
        case Kind.RECORDED:
            balance.recorded += n
        case Kind.DUPLICATE:
            balance.duplicate += n
        case Kind.IGNORED:
            balance.ignored[reason] = balance.ignored.get(reason, 0) + n
        case Kind.QUARANTINED:
            balance.quarantined += n


def _row(struct: Quarantined | Job) -> dict[str, object]:
    values = {name: getattr(struct, name) for name in struct.__struct_fields__}
    return values | {
        "id": struct.id.bytes,
        "error": struct.error and struct.error[:ERROR_CHARS_MAX],
    }


def _atom(row: sa.Row[Any], *, body: bool = True) -> Quarantined:
    values = _values(row) | {"id": UUID(bytes=row.id)}
    return Quarantined(**values if body else values | {"body": None, "key_id": None})


def _values(row: sa.Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy documents it as public


def _job(row: sa.Row[Any]) -> Job:
    return Job(**(_values(row) | {"id": UUID(bytes=row.id)}))
