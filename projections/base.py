"""What a projection is: row types with their tables, and a handler that is pure.

A projection declares its tables, says which rows an event will touch (a hint, so that a page
of events costs one SELECT a table), and changes rows in `apply`. It never sees a connection:
`Rows` loads, remembers and hands over. What needs a look at many rows is done in `settle`, a
function of the tables alone: at the end of every page that is followed live, at the end of many
pages in a rebuild, which nobody reads yet. So `apply` must not read what `settle` makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import sqlalchemy as sa
from msgspec import Struct

from domain.ports import Entry
from projections.fulltext import Searched

RowT = TypeVar("RowT", bound=Struct)
Key = tuple[object, ...]
"""The values of a table's key columns, in order: bytes (UUIDs as 16), int or str."""


EPOCH = "epoch"
"""`rows.touch(EPOCH, (name,))`: what caches keep under that name is older than this page."""


class RowTable(Generic[RowT]):
    """One table of a view: a mutable row type whose fields are the columns, in order.

    `columns` gives the SQLAlchemy type of each field; UUIDs are LargeBinary(16), times are
    BigInteger microseconds. `indexes` are (name suffix, columns, WHERE text or None, unique).
    The table's real name carries the view's generation: `timeline_g3`. SQLite keeps the rows in
    their key's tree, unless they are long (`with_long_rows`).
    """

    def __init__(
        self,
        name: str,
        row_type: type[RowT],
        *,
        key: tuple[str, ...],
        columns: dict[str, sa.types.TypeEngine[Any]],
        indexes: Sequence[tuple[str, tuple[str, ...], str | None, bool]] = (),
    ) -> None:
        if tuple(columns) != row_type.__struct_fields__:
            message = f"{name}: columns and fields of {row_type.__name__} differ"
            raise TypeError(message)
        self.name = name
        self.row_type = row_type
        self.key = key
        self.columns = columns
        self.indexes = tuple(indexes)
        self.clustered = True
        self.searched: Searched | None = None
        self.early: frozenset[str] = frozenset()
        self._bound: dict[int, sa.Table] = {}

    def with_long_rows(self) -> Self:
        """The same table; SQLite keeps its rows beside an index of the key, not inside it."""
        self.clustered = False
        return self

    def found_by(self, searched: Searched) -> Self:
        """The same table; its rows are found by the words in a column."""
        self.searched = searched
        return self

    def asked_in_settle(self, *suffixes: str) -> Self:
        """The same table; its `settle` queries need these indexes.

        A rebuild makes them at the first such query, and all others at its end.
        """
        self.early = frozenset(suffixes)
        return self

    def at(self, generation: int) -> sa.Table:
        """The SQLAlchemy table of a generation of the view."""
        table = self._bound.get(generation)
        if table is None:
            table = self._bound[generation] = self._table(generation)
        return table

    def key_of(self, row: RowT) -> Key:
        """The key of a row."""
        return tuple(getattr(row, name) for name in self.key)

    def _table(self, generation: int) -> sa.Table:
        name = f"{self.name}_g{generation}"
        table = sa.Table(
            name,
            sa.MetaData(),
            *(
                sa.Column(column, kind, primary_key=column in self.key, autoincrement=False)
                for column, kind in self.columns.items()
            ),
            sqlite_with_rowid=not self.clustered,
        )
        for suffix, columns, where, unique in self.indexes:
            clause = sa.text(where) if where else None
            sa.Index(
                f"{name}_{suffix}",
                *(table.c[column] for column in columns),
                unique=unique,
                sqlite_where=clause,
                postgresql_where=clause,
            )
        return table


class Rows(Protocol):
    """The rows that a page of events works on; loaded at need, written once."""

    def get(self, table: RowTable[RowT], key: Key) -> RowT | None:
        """The row as it is now, changes of this page included; None where there is none."""

    def load(self, table: RowTable[Any], keys: Iterable[Key]) -> None:
        """Have the rows of these keys at hand, by one SELECT: `get` will find them."""

    def put(self, table: RowTable[RowT], row: RowT) -> None:
        """The row is new, or was changed in place; it will be written."""

    def delete(self, table: RowTable[RowT], key: Key) -> None:
        """The row goes away."""

    def add(self, table: RowTable[RowT], rows: Sequence[RowT]) -> None:
        """Many new rows, written at once and not remembered: of a table that nobody reads here."""

    def drop(self, table: RowTable[Any], keys: Sequence[Key]) -> None:
        """Many rows of such a table go away, at once."""

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """A query over what is written so far; only `settle` may call it, and rare events.

        In `apply` pending rows are written first, so that it sees all that came before.
        """

    def bound(self, table: RowTable[Any]) -> sa.Table:
        """The SQLAlchemy table in the generation that is being written, for `select`."""

    def touch(self, what: str, key: Key) -> None:
        """Remember that something named needs settling."""

    def touched(self, what: str) -> Sequence[Key]:
        """What was remembered under that name, in key order, without repeats."""


class Projection(Protocol):
    """One view: a file with its rows, its tables, its handler and its queries."""

    name: ClassVar[str]
    version: ClassVar[int]
    tables: ClassVar[tuple[RowTable[Any], ...]]
    topics: ClassVar[frozenset[str]]

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The rows that an event will surely touch, as far as the event alone tells."""

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Change the rows. Pure: it depends on the entry and the rows, on nothing else."""

    def settle(self, rows: Rows) -> None:
        """Recompute what was touched, from the tables alone."""
