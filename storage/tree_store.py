"""The stored tree: tiles, how far it came, and the checkpoints over it; with the log, not in it.

A commit here is not waited for to be on the disk: tiles are made again from the log, and whoever
signs keeps the last note itself. What a reader sees was written in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from storage.schema import SCHEMA
from storage.source import Mark
from storage.trade_tables import engine_of, translated
from storage.upserting import Insert, insert_into

ERROR_CHARS_MAX: Final = 500
"""A failure is kept to be read by a person."""

TILES_AT_ONCE: Final = 256
"""Tiles read by one statement: two MiB."""


class KeptCheckpoint(Struct, frozen=True):
    """A signed checkpoint as it is kept: size, root (32 bytes), when (µs), the note's text."""

    size: int
    root: bytes
    at: int
    note: str


class SignerRow(Struct, frozen=True):
    """A key that is, or was, the configured signer's: since which size, when (µs)."""

    number: int
    verifier: str
    size: int
    at: int


class PlaceRow(Struct, frozen=True):
    """How a place of publication is: what it holds, since when, and the failure that lasts.

    `error` is None while all is well; `failures` counts them over all time.
    """

    place: str
    size: int | None
    at: int | None
    error: str | None
    failed_at: int | None
    failures: int


class TreeStore:
    """The tables of storage/schema_tree.py but runs; safe between threads and processes.

    Raises StoreUnavailable where the database does not answer.
    """

    def __init__(self, url: str) -> None:
        self.engine = engine_of(url)
        self.on_sqlite = self.engine.dialect.name == "sqlite"
        sa.event.listen(self.engine, "connect", self._set_up)
        self.metadata = sa.MetaData(schema=None if self.on_sqlite else SCHEMA)
        self._tiles = _table(self.metadata, "tiles", "level n", "hashes")
        self._tree = _table(self.metadata, "tree", "one position", "ledger leaf")
        self._checkpoints = _table(self.metadata, "checkpoints", "size at", "root", "note")
        self._signers = _table(self.metadata, "signers", "number size at", "", "verifier")
        self._places = _table(
            self.metadata, "places", "size at failed_at failures", "", "place error"
        )

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    # --------------------------------------------------------------------- tree

    def mark(self) -> Mark | None:
        """How far the tree came; None where there is none."""
        rows = self.rows(sa.select(self._tree))
        return Mark(rows[0].ledger, rows[0].position, rows[0].leaf) if rows else None

    def grow(self, before: int, mark: Mark, tiles: Mapping[tuple[int, int], bytes]) -> bool:
        """Write tiles by (level, number) and move on from a position, all or nothing.

        False where the tree is not at that position: somebody else was faster.
        """
        table = self._tree
        with self.writing() as transaction:
            insert = self.insert(table).values(one=1, ledger=mark.ledger_id, position=0, leaf=b"")
            transaction.execute(insert.on_conflict_do_nothing())
            moved = transaction.execute(
                table.update()
                .where(table.c.one == 1, table.c.position == before)
                .values(ledger=mark.ledger_id, position=mark.position, leaf=mark.leaf)
            )
            if not moved.rowcount:
                return False
            rows = [{"level": at[0], "n": at[1], "hashes": one} for at, one in tiles.items()]
            change = self.insert(self._tiles)
            transaction.execute(
                change.on_conflict_do_update(
                    index_elements=["level", "n"], set_={"hashes": change.excluded.hashes}
                ),
                rows,
            )
        return True

    def tiles(self, level: int, numbers: Sequence[int]) -> dict[int, bytes]:
        """The hashes (32 bytes each) of these tiles of a level, those that there are."""
        table = self._tiles
        found: dict[int, bytes] = {}
        for start in range(0, len(numbers), TILES_AT_ONCE):
            some = numbers[start : start + TILES_AT_ONCE]
            query = sa.select(table.c.n, table.c.hashes)
            rows = self.rows(query.where(table.c.level == level, table.c.n.in_(some)))
            found |= {row.n: bytes(row.hashes) for row in rows}
        return found

    # -------------------------------------------------------------- checkpoints

    def keep(self, kept: KeptCheckpoint) -> None:
        """Keep a checkpoint; of one size the note that came last, with its cosignatures."""
        insert = self.insert(self._checkpoints)
        values = {name: getattr(kept, name) for name in kept.__struct_fields__}
        with self.writing() as transaction:
            transaction.execute(
                insert.values(values).on_conflict_do_update(
                    index_elements=["size"],
                    set_={"root": insert.excluded.root, "note": insert.excluded.note},
                )
            )

    def last_checkpoint(self) -> KeptCheckpoint | None:
        """The checkpoint over the most events."""
        table = self._checkpoints
        rows = self.rows(sa.select(table).order_by(table.c.size.desc()).limit(1))
        return _checkpoint(rows[0]) if rows else None

    def checkpoint(self, size: int) -> KeptCheckpoint | None:
        """The checkpoint over exactly so many events."""
        rows = self.rows(sa.select(self._checkpoints).where(self._checkpoints.c.size == size))
        return _checkpoint(rows[0]) if rows else None

    def checkpoints(self, after: int, limit: int) -> list[KeptCheckpoint]:
        """Checkpoints over more than `after` events, by size."""
        table = self._checkpoints
        query = sa.select(table).where(table.c.size > after).order_by(table.c.size)
        return [_checkpoint(row) for row in self.rows(query.limit(limit))]

    def latest_checkpoints(self, limit: int) -> list[KeptCheckpoint]:
        """The last checkpoints, by size."""
        table = self._checkpoints
        rows = self.rows(sa.select(table).order_by(table.c.size.desc()).limit(limit))
        return [_checkpoint(row) for row in reversed(rows)]

    def count(self) -> int:
        """How many checkpoints are kept."""
        return int(self.rows(sa.select(sa.func.count()).select_from(self._checkpoints))[0][0])

    # ------------------------------------------------------------------ signers

    def signers(self) -> list[SignerRow]:
        """Every signer that was ever configured, the present one last."""
        rows = self.rows(sa.select(self._signers).order_by(self._signers.c.number))
        return [SignerRow(row.number, row.verifier, row.size, row.at) for row in rows]

    def appoint(self, signer: SignerRow) -> bool:
        """Make a key the configured signer; False where another one has that number."""
        values = {name: getattr(signer, name) for name in signer.__struct_fields__}
        with self.writing() as transaction:
            insert = self.insert(self._signers).values(values).on_conflict_do_nothing()
            transaction.execute(insert)
        return any(
            row.number == signer.number and row.verifier == signer.verifier
            for row in self.signers()
        )

    # ------------------------------------------------------------------- places

    def places(self) -> list[PlaceRow]:
        """How every place is, by name."""
        rows = self.rows(sa.select(self._places).order_by(self._places.c.place))
        return [PlaceRow(**row._mapping) for row in rows]  # noqa: SLF001 - documented as public

    def reached(self, place: str, size: int, at: int) -> None:
        """A place holds the checkpoint over so many events; its failure is over."""
        self._note(place, {"size": size, "at": at, "error": None}, failures=0)

    def failed(self, place: str, error: str, at: int) -> None:
        """A place could not be reached, or refused."""
        self._note(place, {"error": error[:ERROR_CHARS_MAX], "failed_at": at}, failures=1)

    def _note(self, place: str, change: Mapping[str, object], failures: int) -> None:
        table = self._places
        insert = self.insert(table).values(place=place, failures=failures, **change)
        with self.writing() as transaction:
            transaction.execute(
                insert.on_conflict_do_update(
                    index_elements=["place"],
                    set_={**change, "failures": table.c.failures + failures},
                )
            )

    # ------------------------------------------------------------------- inside

    def rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """All rows of a query."""
        with translated(), self.engine.connect() as connection:
            return connection.execute(query).all()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A short transaction."""
        with translated(), self.engine.connect() as connection:
            if self.on_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    def insert(self, table: sa.Table) -> Insert:
        """An INSERT that knows ON CONFLICT."""
        return insert_into(table, on_sqlite=self.on_sqlite)

    def _set_up(self, connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(
            "PRAGMA synchronous = NORMAL" if self.on_sqlite else "SET synchronous_commit = off"
        )
        cursor.close()
        if not self.on_sqlite:
            connection.commit()


def _table(
    metadata: sa.MetaData, name: str, numbers: str, raws: str = "", texts: str = ""
) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        *(sa.Column(one, sa.BigInteger) for one in numbers.split()),
        *(sa.Column(one, sa.LargeBinary) for one in raws.split()),
        *(sa.Column(one, sa.Text) for one in texts.split()),
    )


def _checkpoint(row: sa.Row[Any]) -> KeptCheckpoint:
    return KeptCheckpoint(row.size, bytes(row.root), row.at, row.note)
