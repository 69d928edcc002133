"""Finding rows by the words of a column: the one index that the two databases do not share.

A table says which column holds its words, single-spaced and folded already, so that neither
database splits, folds or stems anything itself: both index the very same words. On SQLite it is
an FTS5 table beside the rows, which holds no text of its own and is written by hand with them;
on PostgreSQL a GIN index over the column. Both answer which rows have all of some words, whole
ones or beginnings. Order, and whether words stand side by side, is the caller's to look at.

Of text that went away nothing stays: SQLite is told to delete for certain where its version
can, and `scrub` makes the index anew where it cannot; PostgreSQL's VACUUM takes what is dead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

if TYPE_CHECKING:
    from projections.base import RowTable
    from projections.database import Slot
    from projections.views import Beside

SECURE_DELETE_SINCE: Final = (3, 42, 0)
"""The first SQLite whose FTS5 overwrites what is deleted."""

PREFIXES: Final = "2 3"
"""Beginnings of so many characters have an index of their own on SQLite: they stand in most
messages, and are what one types first."""

SEARCH_MEMORY: Final = "32MB"
"""What PostgreSQL may remember of a search: places of a million rows, none of them as a guess."""


class Piece(Struct, frozen=True):
    """A word that a row must have; with `prefix` only its beginning."""

    word: str
    prefix: bool = False


class Span(Struct, frozen=True):
    """Which numbers are asked for, both ends included, how many, and from which end on."""

    first: int
    last: int
    limit: int
    descending: bool


Need = tuple[Piece, ...]
"""Pieces of which a row must have one."""


def name_of(table: RowTable[Any], generation: int) -> str:
    """The index's own table on SQLite."""
    return f"words_of_{table.name}_g{generation}"


def create(slot: Slot, table: RowTable[Any], generation: int) -> None:
    """Make what must be there before the first row; inside the caller's transaction."""
    if table.searched is None or slot.kind != "sqlite":
        return
    name = name_of(table, generation)
    slot.run(
        f"CREATE VIRTUAL TABLE {name} USING fts5("
        f"words, content='', columnsize=0, detail=none, tokenize='ascii', prefix='{PREFIXES}')"
    )
    if _deletes_for_certain():
        slot.run(f"INSERT INTO {name} ({name}, rank) VALUES ('secure-delete', 1)")


def create_late(slot: Slot, table: RowTable[Any], generation: int) -> None:
    """Make what is better made when the rows are there; inside the caller's transaction."""
    if table.searched is None or slot.kind != "postgresql":
        return
    number, words = table.searched
    name = f"{table.name}_g{generation}"
    slot.run(
        f"CREATE INDEX {name}_words ON {name} USING gin (({_vector(words)}))"
        f" WHERE {number} IS NOT NULL"
    )


def scrub(slot: Slot, table: RowTable[Any], generation: int) -> None:
    """Have SQLite's index keep nothing of what was deleted; inside the caller's transaction."""
    if table.searched and slot.kind == "sqlite" and not _deletes_for_certain():
        name = name_of(table, generation)
        if not slot.fetch("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)):
            return  # of another version of the program, which had another table
        slot.run(f"INSERT INTO {name} ({name}) VALUES ('optimize')")


class Writer:
    """Keeps SQLite's index of one generation of a table in step with its rows."""

    def __init__(self, driver: sqlite3.Connection, table: RowTable[Any], generation: int) -> None:
        number, words = table.searched or ("", "")
        columns = tuple(table.columns)
        self._number, self._words = columns.index(number), columns.index(words)
        self._driver = driver
        name = name_of(table, generation)
        self._come = f"INSERT INTO {name} (rowid, words) VALUES (?, ?)"
        self._go = f"INSERT INTO {name} ({name}, rowid, words) VALUES ('delete', ?, ?)"

    def inserted(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Rows came."""
        self._driver.executemany(self._come, self._indexed(rows))

    def deleted(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Rows, as they were stored, go."""
        self._driver.executemany(self._go, self._indexed(rows))

    def updated(self, rows: Iterable[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> None:
        """Rows changed: (as stored, as wanted)."""
        number, words = self._number, self._words
        changed = [
            (before, now)
            for before, now in rows
            if (before[number], before[words]) != (now[number], now[words])
        ]
        self.deleted(before for before, _ in changed)
        self.inserted(now for _, now in changed)

    def _indexed(self, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, Any]]:
        """(rowid, words) in the order of the rowids, of rows that have one."""
        found = [(row[self._number], row[self._words]) for row in rows]
        return sorted(pair for pair in found if pair[0] is not None)


def ordered(beside: Beside, table: RowTable[Any], needs: Sequence[Need], span: Span) -> list[int]:
    """The numbers of rows that have all that is needed, in their order; on SQLite alone.

    There the index is kept in that order, and is read only as far as it is asked for.
    """
    name = name_of(table, beside.generation)
    way = "DESC" if span.descending else "ASC"
    rows = beside.fetch(
        f"SELECT rowid FROM {name} WHERE {name} MATCH ? AND rowid >= ? AND rowid <= ?"
        f" ORDER BY rowid {way} LIMIT ?",
        (_asked_of_fts5(needs), span.first, span.last, span.limit),
    )
    return [row[0] for row in rows]


def holding(beside: Beside, table: RowTable[Any], needs: Sequence[Need], limit: int) -> list[int]:
    """The numbers of at most so many rows that have all that is needed, in no order."""
    if table.searched is None:
        raise TypeError(table.name)
    number, words = table.searched
    if beside.kind == "sqlite":
        name = name_of(table, beside.generation)
        rows = beside.fetch(
            f"SELECT rowid FROM {name} WHERE {name} MATCH ? LIMIT ?",
            (_asked_of_fts5(needs), limit),
        )
    else:
        # A walk over all rows is never cheaper: their words would have to be split each time.
        beside.fetch(
            "SELECT set_config('enable_seqscan', 'off', true),"
            f" set_config('work_mem', '{SEARCH_MEMORY}', true)"
        )
        asked = " & ".join(f"({' | '.join(map(_for_postgres, need))})" for need in needs)
        rows = beside.fetch(
            f"SELECT {number} FROM {beside.name(table)}"
            f" WHERE {_vector(words)} @@ ?::text::tsquery AND {number} IS NOT NULL LIMIT ?",
            (asked, limit),
        )
    return [row[0] for row in rows]


def _asked_of_fts5(needs: Sequence[Need]) -> str:
    return " AND ".join(f"({' OR '.join(map(_for_fts5, need))})" for need in needs)


def _vector(words: str) -> str:
    return f"array_to_tsvector(string_to_array(btrim({words}), ' '))"


def _for_fts5(piece: Piece) -> str:
    return f'"{piece.word}"{"*" if piece.prefix else ""}'


def _for_postgres(piece: Piece) -> str:
    return f"'{piece.word}'{':*' if piece.prefix else ''}"


def _deletes_for_certain() -> bool:
    return sqlite3.sqlite_version_info >= SECURE_DELETE_SINCE
