"""The rows that a page of events works on: loaded together, changed in memory, written once.

Loading knows the keys that the events name; a key that only turns up on the way is loaded
then, or, where its row is only written, together with all others like it. A row that was
loaded and put back as it was is not written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import astuple

from projections.base import Key, RowTable
from projections.database import Slot
from projections.sheets import Sheets, sheets_of

RowT = TypeVar("RowT", bound=Struct)


class _Sheet(Generic[RowT]):
    """What is known of one table: the rows as they are now, and as they are stored.

    `unasked` are keys that were put without a look at what is stored under them, `written` those
    that were handed to the store last.
    """

    __slots__ = ("dirty", "key_of", "rows", "stored", "table", "unasked", "written")

    def __init__(self, table: RowTable[RowT]) -> None:
        self.table = table
        self.rows: dict[Key, RowT | None] = {}
        self.stored: dict[Key, tuple[Any, ...]] = {}
        self.dirty: dict[Key, RowT | None] = {}
        self.written: dict[Key, RowT | None] = {}
        self.unasked: list[Key] = []
        get = attrgetter(*table.key)
        self.key_of: Callable[[RowT], Key] = get if len(table.key) > 1 else lambda row: (get(row),)


class RowSet:
    """Implements base.Rows over one connection, inside a transaction of whoever made it.

    `get` and `put` are called some ten times an event, so what they look up is laid out beside
    the sheets. `asked` is told a table before the first query over it.
    """

    def __init__(
        self, slot: Slot, generation: int, asked: Callable[[RowTable[Any]], None] | None = None
    ) -> None:
        self._generation = generation
        self._asked = asked
        self._sheets: dict[RowTable[Any], _Sheet[Any]] = {}
        self._rows: dict[RowTable[Any], dict[Key, Any]] = {}
        self._touched: dict[str, set[Key]] = defaultdict(set)
        self.store: Sheets = sheets_of(slot, generation)

    def get(self, table: RowTable[RowT], key: Key) -> RowT | None:
        """As in base.Rows."""
        try:
            return self._rows[table][key]  # type: ignore[no-any-return] # the table's row type
        except KeyError:
            sheet = self._sheet(table)
            self._load(sheet, [key])
            return sheet.rows[key]

    def load(self, table: RowTable[Any], keys: Iterable[Key]) -> None:
        """As in base.Rows."""
        sheet = self._sheet(table)
        rows = sheet.rows
        missing = [key for key in keys if key not in rows]
        if missing:
            self._load(sheet, missing)

    def put(self, table: RowTable[RowT], row: RowT) -> None:
        """As in base.Rows."""
        sheet = self._sheets.get(table)
        if sheet is None:
            sheet = self._sheet(table)
        key = sheet.key_of(row)
        if key not in sheet.rows:
            sheet.unasked.append(key)
        sheet.rows[key] = sheet.dirty[key] = row

    def delete(self, table: RowTable[RowT], key: Key) -> None:
        """As in base.Rows."""
        sheet = self._sheet(table)
        if key not in sheet.rows:
            sheet.unasked.append(key)
        sheet.rows[key] = sheet.dirty[key] = None

    def add(self, table: RowTable[RowT], rows: Sequence[RowT]) -> None:
        """As in base.Rows."""
        if rows:
            self.store.insert(table, [astuple(row) for row in rows])

    def drop(self, table: RowTable[Any], keys: Sequence[Key]) -> None:
        """As in base.Rows."""
        if keys:
            self.store.delete(table, keys)

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """As in base.Rows."""
        self.flush()
        return self.store.select(statement)

    def bound(self, table: RowTable[Any]) -> sa.Table:
        """As in base.Rows."""
        if self._asked is not None:
            self._asked(table)
        return table.at(self._generation)

    def touch(self, what: str, key: Key) -> None:
        """As in base.Rows."""
        self._touched[what].add(key)

    def touched(self, what: str) -> Sequence[Key]:
        """As in base.Rows."""
        return sorted(cast("Iterable[tuple[Any, ...]]", self._touched.get(what, ())))

    # ----------------------------------------------------------- for the group

    @property
    def unsettled(self) -> int:
        """How many things were touched."""
        return sum(map(len, self._touched.values()))

    def settled(self) -> None:
        """Forget what was touched."""
        self._touched.clear()

    def flush(self) -> None:
        """Write what was changed."""
        for sheet in self._sheets.values():
            if sheet.dirty:
                self._write(sheet)

    def trim(self, keep: int, *, written: bool = False) -> None:
        """At most `keep` rows stay known, since nobody else writes them.

        The largest sheets go first: what only ever grows is what is seldom asked for again.
        With `written`, what the store was given last stays beside them: it may lie there still.
        """
        sheets = sorted(self._sheets.values(), key=lambda sheet: len(sheet.rows))
        while sum(len(sheet.rows) for sheet in sheets) > keep:
            largest = sheets.pop()
            kept = largest.written if written else {}
            stored = {key: largest.stored[key] for key in kept if key in largest.stored}
            largest.rows.clear()
            largest.rows.update(kept)
            largest.stored = stored
        for sheet in self._sheets.values():
            sheet.written = {}

    # ------------------------------------------------------------------ inside

    def _sheet(self, table: RowTable[RowT]) -> _Sheet[RowT]:
        sheet = self._sheets.get(table)
        if sheet is None:
            sheet = self._sheets[table] = _Sheet(table)
            self._rows[table] = sheet.rows
        return sheet

    def _load(self, sheet: _Sheet[RowT], keys: list[Key]) -> None:
        rows = sheet.rows
        for key in keys:
            rows[key] = None
        make = sheet.table.row_type
        stored = sheet.stored
        for values in self.store.load(sheet.table, keys):
            row = make(*values)
            key = sheet.key_of(row)
            rows[key] = row
            stored[key] = values

    def _ask(self, sheet: _Sheet[RowT]) -> None:
        """What is stored under the keys that were put blindly."""
        make = sheet.table.row_type
        for values in self.store.load(sheet.table, sheet.unasked):
            sheet.stored[sheet.key_of(make(*values))] = values
        sheet.unasked.clear()

    def _write(self, sheet: _Sheet[RowT]) -> None:
        new: list[tuple[Any, ...]] = []
        changed: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
        gone: list[Key] = []
        stored = sheet.stored
        if sheet.unasked:
            self._ask(sheet)
        for key, row in sheet.dirty.items():
            before = stored.get(key)
            if row is None:
                if before is not None:
                    gone.append(key)
                    del stored[key]
                continue
            now = astuple(row)
            if before is None:
                new.append(now)
            elif before != now:
                changed.append((before, now))
            stored[key] = now
        sheet.written, sheet.dirty = sheet.dirty, {}
        # Unique indexes besides the key: who goes, goes before who comes.
        if gone:
            self.store.delete(sheet.table, gone)
        if changed:
            self.store.update(sheet.table, changed)
        if new:
            self.store.insert(sheet.table, new)
