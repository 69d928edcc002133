"""How rows come from their tables and go there, in bulk, on each database.

Statements are text made once a table and generation; SQLAlchemy gives the tables their shape
and the rare queries their words, but for each row it would cost more than the database does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, Protocol

import sqlalchemy as sa

from projections import fulltext
from projections.base import Key, RowTable
from projections.database import Slot

LOAD_CHUNK: Final = 512
"""Keys of one SELECT on SQLite: past a few hundred a longer statement wins nothing."""

PARAMETERS_MAX: Final = 30_000
"""Parameters of one statement; SQLite's own limit is 32,766."""

MERGE_ROWS_MIN: Final = 16
"""From so many changed rows on, PostgreSQL is faster with a COPY and one UPDATE over it."""

TABLES_CACHED: Final = 256
"""Tables and generations whose statements are kept: a dozen tables, a few generations."""

Values = tuple[Any, ...]


class Sheets(Protocol):
    """Bulk access to the tables of one generation; values in the order of the columns."""

    def load(self, table: RowTable[Any], keys: Sequence[Key]) -> Iterable[Values]:
        """The rows of those keys that are there."""

    def insert(self, table: RowTable[Any], rows: list[Values]) -> None:
        """Write rows that are not there."""

    def update(self, table: RowTable[Any], rows: list[tuple[Values, Values]]) -> None:
        """Write rows that are there: (as stored, as wanted)."""

    def delete(self, table: RowTable[Any], keys: Sequence[Key]) -> None:
        """Take rows away."""

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """The rows of a query over all that was written."""


def sheets_of(slot: Slot, generation: int) -> Sheets:
    """Bulk access over a connection."""
    kinds: dict[str, type[SQLiteSheets | PostgresSheets]] = {
        "sqlite": SQLiteSheets,
        "postgresql": PostgresSheets,
    }
    return kinds[slot.kind](slot, generation)


class _Words:
    """The statements' parts for one table."""

    def __init__(self, table: RowTable[Any], generation: int) -> None:
        self.name = f"{table.name}_g{generation}"
        self.columns = tuple(table.columns)
        self.key = table.key
        self.places = tuple(self.columns.index(name) for name in table.key)
        self.rest = tuple(i for i, name in enumerate(self.columns) if name not in table.key)
        self.listed = ", ".join(self.columns)
        self.matches = " AND ".join(f"{name} = ?" for name in self.key)
        self.kinds = tuple(_postgres_type(kind) for kind in table.columns.values())
        self.booleans = tuple(
            i for i, kind in enumerate(table.columns.values()) if isinstance(kind, sa.Boolean)
        )
        of_key = itemgetter(*self.places)
        self.key_of = of_key if len(self.places) > 1 else lambda values: (of_key(values),)
        self.texts: dict[Any, Any] = {}


@lru_cache(maxsize=TABLES_CACHED)
def _words(table: RowTable[Any], generation: int) -> _Words:
    return _Words(table, generation)


def _postgres_type(kind: sa.types.TypeEngine[Any]) -> str:
    for python, name in (
        (sa.LargeBinary, "bytea"),
        (sa.Boolean, "bool"),
        (sa.BigInteger, "int8"),
        (sa.SmallInteger, "int2"),
        (sa.Integer, "int4"),
        (sa.Float, "float8"),
        (sa.Text, "text"),
        (sa.String, "text"),
    ):
        if isinstance(kind, python):
            return name
    message = f"a view's column cannot be {kind!r}"
    raise TypeError(message)


_NOTHING: Final[dict[None, None]] = {}
"""Its `get` gives None for None, without a line of Python."""


def _bind_plainly() -> None:
    """Have Python's sqlite3 bind bytes and None as they are.

    For each value of these two types it looks for an adapter, and where none is registered it
    asks two objects for a method that they do not have: that took a seventh of a rebuild. So
    each gets an adapter that gives back what it is given. It is the same for the whole process,
    and the same however often it is said.
    """
    sqlite3.register_adapter(bytes, bytes.__bytes__)
    sqlite3.register_adapter(type(None), _NOTHING.get)


class SQLiteSheets:
    """Bulk access on SQLite."""

    def __init__(self, slot: Slot, generation: int) -> None:
        _bind_plainly()
        self._driver = slot.driver
        self._connection = slot.connection
        self._generation = generation

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """As in Sheets."""
        return self._connection.execute(statement).fetchall()

    def load(self, table: RowTable[Any], keys: Sequence[Key]) -> Iterable[Values]:
        """As in Sheets."""
        words = _words(table, self._generation)
        found: list[Values] = []
        for start in range(0, len(keys), LOAD_CHUNK):
            chunk = list(keys[start : start + LOAD_CHUNK])
            # A power of two keeps the number of different statements small; a key that stands
            # twice in the list finds its row once.
            size = 1 << (len(chunk) - 1).bit_length()
            chunk += [chunk[-1]] * (size - len(chunk))
            found += self._driver.execute(
                _select(words, size), [value for key in chunk for value in key]
            ).fetchall()
        if words.booleans:
            return [_with_booleans(values, words.booleans) for values in found]
        return found

    def insert(self, table: RowTable[Any], rows: list[Values]) -> None:
        """As in Sheets."""
        words = _words(table, self._generation)
        rows.sort(key=words.key_of)
        one = f"({', '.join('?' * len(words.columns))})"
        self._many(f"INSERT INTO {words.name} VALUES ", one, "", rows)
        if table.searched:
            fulltext.Writer(self._driver, table, self._generation).inserted(rows)

    def update(self, table: RowTable[Any], rows: list[tuple[Values, Values]]) -> None:
        """As in Sheets; sets only what differs, so that other columns' indexes are left alone."""
        words = _words(table, self._generation)
        rest = words.rest
        by_change: dict[tuple[int, ...], list[Values]] = {}
        for before, now in rows:
            change = tuple([i for i in rest if before[i] != now[i]])
            wanted = (*words.key_of(now), *[now[i] for i in change])
            by_change.setdefault(change, []).append(wanted)
        for change, wanted_rows in by_change.items():
            self._many(*_update(words, change), wanted_rows)
        if table.searched:
            fulltext.Writer(self._driver, table, self._generation).updated(rows)

    def delete(self, table: RowTable[Any], keys: Sequence[Key]) -> None:
        """As in Sheets."""
        words = _words(table, self._generation)
        if table.searched:
            stored = self.load(table, keys)
            fulltext.Writer(self._driver, table, self._generation).deleted(stored)
        self._driver.executemany(f"DELETE FROM {words.name} WHERE {words.matches}", keys)

    def _many(self, head: str, one: str, tail: str, rows: list[Values]) -> None:
        """Write rows by few statements: `executemany` lets go of the interpreter at each row.

        Where another thread is at work, every such step may wait for a turn of milliseconds.
        """
        start, most = 0, PARAMETERS_MAX // len(rows[0])
        while start < len(rows):
            left = len(rows) - start
            # A power of two keeps the number of different statements small.
            size = most if left >= most else 1 << (left.bit_length() - 1)
            values = [value for row in rows[start : start + size] for value in row]
            self._driver.execute(head + ", ".join([one] * size) + tail, values)
            start += size


def _update(words: _Words, change: tuple[int, ...]) -> tuple[str, str, str]:
    """The statement that sets some columns, around its rows: of key and values, in order."""
    parts: tuple[str, str, str] | None = words.texts.get(change)
    if parts is None:
        keys = len(words.key)
        numbered = enumerate(change, keys + 1)
        sets = ", ".join(f"{words.columns[i]} = v.column{number}" for number, i in numbered)
        matches = " AND ".join(
            f"{words.name}.{name} = v.column{number}" for number, name in enumerate(words.key, 1)
        )
        one = f"({', '.join('?' * (keys + len(change)))})"
        head = f"UPDATE {words.name} SET {sets} FROM (VALUES "
        parts = words.texts[change] = (head, one, f") AS v WHERE {matches}")
    return parts


def _select(words: _Words, size: int) -> str:
    text: str | None = words.texts.get(size)
    if text is None:
        if len(words.key) == 1:
            where = f"{words.key[0]} IN ({', '.join('?' * size)})"
        else:
            one = f"({', '.join('?' * len(words.key))})"
            where = f"({', '.join(words.key)}) IN (VALUES {', '.join([one] * size)})"
        text = words.texts[size] = f"SELECT {words.listed} FROM {words.name} WHERE {where}"
    return text


def _with_booleans(values: Values, places: tuple[int, ...]) -> Values:
    changed = list(values)
    for place in places:
        if changed[place] is not None:
            changed[place] = bool(changed[place])
    return tuple(changed)


class PostgresSheets:
    """Bulk access on PostgreSQL."""

    def __init__(self, slot: Slot, generation: int) -> None:
        self._slot = slot
        self._driver = slot.driver
        self._generation = generation

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """As in Sheets."""
        return self._slot.connection.execute(statement).fetchall()

    def load(self, table: RowTable[Any], keys: Sequence[Key]) -> Iterable[Values]:
        """As in Sheets."""
        if not keys:
            return []
        words = _words(table, self._generation)
        if len(words.key) == 1:
            sql = f"SELECT {words.listed} FROM {words.name} WHERE {words.key[0]} = ANY(?)"
            return self._slot.fetch(sql, ([key[0] for key in keys],))
        listed = ", ".join(f"t.{name}" for name in words.columns)
        holes = ", ".join(f"?::{words.kinds[place]}[]" for place in words.places)
        sql = (
            f"SELECT {listed} FROM unnest({holes}) AS k({', '.join(words.key)})"
            f" JOIN {words.name} AS t USING ({', '.join(words.key)})"
        )
        return self._slot.fetch(sql, [list(column) for column in zip(*keys, strict=True)])

    def insert(self, table: RowTable[Any], rows: list[Values]) -> None:
        """As in Sheets."""
        words = _words(table, self._generation)
        self._copy(words.name, words, sorted(rows, key=words.key_of))

    def update(self, table: RowTable[Any], rows: list[tuple[Values, Values]]) -> None:
        """As in Sheets."""
        words = _words(table, self._generation)
        if len(rows) < MERGE_ROWS_MIN:
            sets = ", ".join(f"{words.columns[i]} = ?" for i in words.rest)
            sql = f"UPDATE {words.name} SET {sets} WHERE {words.matches}"
            for _, now in rows:
                self._slot.run(sql, [*(now[i] for i in words.rest), *words.key_of(now)])
            return
        desk = f"desk_{words.name}"
        self._slot.run(
            f"CREATE TEMP TABLE IF NOT EXISTS {desk} (LIKE {words.name}) ON COMMIT DELETE ROWS"
        )
        self._slot.run(f"TRUNCATE {desk}")
        self._copy(desk, words, [now for _, now in rows])
        sets = ", ".join(f"{words.columns[i]} = d.{words.columns[i]}" for i in words.rest)
        where = " AND ".join(f"t.{name} = d.{name}" for name in words.key)
        self._slot.run(f"UPDATE {words.name} AS t SET {sets} FROM {desk} AS d WHERE {where}")

    def delete(self, table: RowTable[Any], keys: Sequence[Key]) -> None:
        """As in Sheets."""
        words = _words(table, self._generation)
        for key in keys:
            self._slot.run(f"DELETE FROM {words.name} WHERE {words.matches}", key)

    def _copy(self, name: str, words: _Words, rows: Iterable[Values]) -> None:
        sql = f"COPY {name} ({words.listed}) FROM STDIN (FORMAT BINARY)"
        with self._driver.cursor().copy(sql) as copy:
            copy.set_types(words.kinds)
            for row in rows:
                copy.write_row(row)
