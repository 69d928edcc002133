"""Long work that somebody asked for: verifications and exports, their progress and their end."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from domain.ports import Clock
from storage.tree_store import TreeStore

LOST_AFTER_US: Final = 60_000_000
"""A run that has not told for a minute is over: it tells every second, its process is gone."""

RUNNING: Final = "running"


class Run(Struct, frozen=True, kw_only=True):
    """A verification or an export: `kind`, how far (done of total), what was asked, what came.

    `state`: `running`, `done`, `bad` (it ran, and the answer is bad), `failed` or `lost`.
    `asked` and `result` are JSON; `actor` says who asked; times are µs.
    """

    id: UUID
    kind: str
    asked: str
    actor: str
    created_at: int
    updated_at: int
    state: str = RUNNING
    done: int = 0
    total: int = 0
    result: str | None = None


class Runs:
    """The table `runs`."""

    def __init__(self, store: TreeStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        texts = ("kind", "state", "asked", "result", "actor")
        numbers = ("done", "total", "created_at", "updated_at")
        self._table = sa.Table(
            "runs",
            store.metadata,
            sa.Column("id", sa.LargeBinary, primary_key=True),
            *(sa.Column(name, sa.Text) for name in texts),
            *(sa.Column(name, sa.BigInteger) for name in numbers),
        )

    def begin(self, id: UUID, kind: str, asked: str, actor: str) -> Run:
        """Write down that something is to be done; the same id again is the first one."""
        now = self._clock()
        run = Run(id=id, kind=kind, asked=asked, actor=actor, created_at=now, updated_at=now)
        values = {name: getattr(run, name) for name in run.__struct_fields__} | {"id": id.bytes}
        with self._store.writing() as transaction:
            insert = self._store.insert(self._table).values(values)
            transaction.execute(insert.on_conflict_do_nothing())
        return self.get(kind, id) or run

    def tell(self, id: UUID, done: int, total: int) -> None:
        """How far it is."""
        self._change(id, done=done, total=total)

    def end(self, id: UUID, state: str, result: str) -> None:
        """It is over: `done`, `bad` or `failed`; the result is JSON."""
        self._change(id, state=state, result=result)

    def get(self, kind: str, id: UUID) -> Run | None:
        """One run of a kind."""
        table = self._table
        rows = self._store.rows(
            sa.select(table).where(table.c.id == id.bytes, table.c.kind == kind)
        )
        return self._run(rows[0]) if rows else None

    def latest(self, kind: str, limit: int) -> list[Run]:
        """Runs of a kind, the newest first."""
        table = self._table
        query = sa.select(table).where(table.c.kind == kind)
        order = (table.c.created_at.desc(), table.c.id.desc())
        return [self._run(row) for row in self._store.rows(query.order_by(*order).limit(limit))]

    def _change(self, id: UUID, **values: object) -> None:
        table = self._table
        with self._store.writing() as transaction:
            transaction.execute(
                table.update()
                .where(table.c.id == id.bytes, table.c.state == RUNNING)
                .values(values | {"updated_at": self._clock()})
            )

    def _run(self, row: sa.Row[Any]) -> Run:
        values = dict(row._mapping) | {"id": UUID(bytes=row.id)}  # noqa: SLF001 - documented as public
        if row.state == RUNNING and self._clock() - row.updated_at > LOST_AFTER_US:
            values["state"] = "lost"
        return Run(**values)
