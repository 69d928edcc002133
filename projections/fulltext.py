"""Finding rows by the words of a column: the one index that the two databases do not share.

A table says which column holds its words, single-spaced and folded already, so that neither
database splits, folds or stems anything itself: both index the very same words. On SQLite it is
an FTS5 table beside the rows, which holds no text of its own and is written by hand with them;
on PostgreSQL a GIN index over the column. Both answer which rows have all of some words, whole
ones or beginnings, in the order of a number that each row has. GIN keeps no order, and FTS5
gathers every row of all words with a beginning before it gives the first. So each word is indexed
together with the stretch of numbers in which its row lies: the next stretches are asked for until
there are enough, and only what they have is gathered and sorted.

Of text that went away nothing stays: SQLite is told to delete for certain where its version
can, and `scrub` makes the index anew where it cannot; PostgreSQL's VACUUM takes what is dead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from projections.database import Slot, writing

if TYPE_CHECKING:
    from projections.base import RowTable
    from projections.views import Beside

SECURE_DELETE_SINCE: Final = (3, 42, 0)
"""The first SQLite whose FTS5 overwrites what is deleted."""

STRETCHES_MAX: Final = 16
"""Stretches that SQLite is asked for at once: to ask at all costs as much as to look at one."""

GATHERED_PAGES: Final = 500
"""Pages of SQLite's index that are written in one transaction when it is gathered into one piece:
some tens of milliseconds, in which nobody else writes."""

DIGITS: Final = 4
"""Of the number of a stretch before a word, in base 16: all that 50 bits leave of a number."""

BEGUN_CHARS: Final = 3
"""PostgreSQL gathers all words with a beginning before it looks for others: of shorter ones,
which are in most rows, the row that was found is asked instead."""

SEARCH_MEMORY: Final = "32MB"
"""What PostgreSQL may remember of a search: places of a million rows, none of them as a guess."""

PENDING_KB: Final = 64
"""New words that wait outside of PostgreSQL's index: every look at a stretch reads them all."""


class Piece(Struct, frozen=True):
    """A word that a row must have; with `prefix` only its beginning.

    Right before it stand the words `after`, which SQLite alone looks at.
    """

    word: str
    prefix: bool = False
    after: tuple[str, ...] = ()


class Span(Struct, frozen=True):
    """Which numbers are asked for: both ends included, in these stretches, how many at most.

    Stretches come in the order that is wanted; `descending` says which that is.
    """

    first: int
    last: int
    limit: int
    descending: bool
    stretches: tuple[int, ...]


class Searched(Struct, frozen=True):
    """By what rows of a table are found: the column of their words and that of their numbers.

    Numbers are unique; rows that have None are not found. So many low bits of a number are
    its place in its stretch.
    """

    words: str
    number: str
    stretch_bits: int


_STRETCH: Final = "~"
"""Stands between a stretch and a word: in no word, and in no sign that is searched like one."""

Need = tuple[Piece, ...]
"""Pieces of which a row must have one."""


class Wanted(Struct, frozen=True):
    """What rows must have: of each need one piece, and in their words each of some texts.

    The texts say more than the needs only where words must stand side by side, and where a word
    is left out of the needs. What is in `also` is needed too, and may be in most rows.
    """

    needs: tuple[Need, ...]
    texts: tuple[str, ...] = ()
    also: tuple[Need, ...] = ()


def name_of(table: RowTable[Any], generation: int) -> str:
    """The index's own table on SQLite."""
    return f"words_of_{table.name}_g{generation}"


def create(slot: Slot, table: RowTable[Any], generation: int) -> None:
    """Make what must be there before the first row; inside the caller's transaction."""
    if table.searched is None or slot.kind != "sqlite":
        return
    name = name_of(table, generation)
    slot.run(
        f"CREATE VIRTUAL TABLE {name} USING fts5(words, content='', columnsize=0, tokenize='ascii')"
    )
    if _deletes_for_certain():
        slot.run(f"INSERT INTO {name} ({name}, rank) VALUES ('secure-delete', 1)")


def create_late(slot: Slot, table: RowTable[Any], generation: int) -> None:
    """Make what is better made when the rows are there; inside the caller's transaction."""
    if table.searched is None or slot.kind != "postgresql":
        return
    name = f"{table.name}_g{generation}"
    slot.run(
        f"CREATE INDEX {name}_words ON {name} USING gin (({_vector(table.searched)}))"
        f" WITH (gin_pending_list_limit = {PENDING_KB})"
        f" WHERE {table.searched.number} IS NOT NULL"
    )


def gather(slot: Slot, table: RowTable[Any], generation: int) -> None:
    """Have SQLite's index in one piece, by and by: to open a word of many pieces takes longer."""
    if table.searched is None or slot.kind != "sqlite":
        return
    name, pages, more = name_of(table, generation), -GATHERED_PAGES, True
    while more:
        with writing(slot):
            before = slot.driver.total_changes
            slot.run(f"INSERT INTO {name} ({name}, rank) VALUES ('merge', {pages})")
            more = slot.driver.total_changes - before > 1  # the command itself counts as one
        pages = GATHERED_PAGES


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
        columns = tuple(table.columns)
        searched = _searched(table)
        self._number, self._words = columns.index(searched.number), columns.index(searched.words)
        self._bits = searched.stretch_bits
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
        return sorted(
            (number, words.rstrip().replace(" ", f" {_mark(number >> self._bits)}"))
            for number, words in found
            if number is not None
        )


def ordered(beside: Beside, table: RowTable[Any], wanted: Wanted, span: Span) -> list[int]:
    """The numbers of rows that have what is wanted, in their order.

    SQLite's index holds no text: there the caller looks for the texts.
    """
    if beside.kind == "sqlite":
        return _asked_of_fts5(beside, table, (*wanted.needs, *wanted.also), span)
    return _by_stretches(beside, table, wanted, span)


def _asked_of_fts5(
    beside: Beside, table: RowTable[Any], needs: Sequence[Need], span: Span
) -> list[int]:
    """The next stretches, each time twice as many, until there are enough."""
    name = name_of(table, beside.generation)
    way = "DESC" if span.descending else "ASC"
    sql = (
        f"SELECT rowid FROM {name} WHERE {name} MATCH ? AND rowid >= ? AND rowid <= ?"
        f" ORDER BY rowid {way} LIMIT ?"
    )
    found: list[int] = []
    begin, many = 0, 1
    while begin < len(span.stretches) and len(found) < span.limit:
        some = span.stretches[begin : begin + many]
        asked = " OR ".join(f"({_for_fts5(needs, _mark(stretch))})" for stretch in some)
        rows = beside.fetch(sql, (asked, span.first, span.last, span.limit - len(found)))
        found += [row[0] for row in rows]
        begin, many = begin + many, min(many * 2, STRETCHES_MAX)
    return found


def _by_stretches(beside: Beside, table: RowTable[Any], wanted: Wanted, span: Span) -> list[int]:
    """One stretch of numbers after the other, until there are enough."""
    searched = _searched(table)
    # A walk over all rows is never cheaper: their words would have to be split each time.
    beside.fetch(
        "SELECT set_config('enable_seqscan', 'off', true),"
        f" set_config('work_mem', '{SEARCH_MEMORY}', true)"
    )
    way = "DESC" if span.descending else "ASC"
    number = searched.number
    needs = _asked_of_gin(wanted)
    # To look where a text is costs more than all the rest of a row: what GIN knows is not asked.
    texts = [text for text in wanted.texts if text not in {_known(need) for need in needs}]
    said = f" AND strpos({searched.words}, ?) > 0" * len(texts)
    rows = beside.fetch(
        f"SELECT found.{number} FROM unnest(?::int8[]) AS stretch"
        f" CROSS JOIN LATERAL (SELECT {number} FROM {beside.name(table)}"
        f" WHERE {_vector(searched)} @@ replace(?::text, '{_STRETCH}', stretch || '{_STRETCH}')"
        f"::tsquery AND {number} IS NOT NULL AND {number} >= ? AND {number} <= ?{said}"
        f" ORDER BY {number} {way} LIMIT ?) AS found LIMIT ?",
        (
            list(span.stretches),
            " & ".join(f"({' | '.join(map(_for_gin, need))})" for need in needs),
            span.first,
            span.last,
            *texts,
            span.limit,
            span.limit,
        ),
    )
    return [row[0] for row in rows]


def _searched(table: RowTable[Any]) -> Searched:
    if table.searched is None:
        raise TypeError(table.name)
    return table.searched


def _asked_of_gin(wanted: Wanted) -> tuple[Need, ...]:
    """Of what is wanted, what GIN finds quickly; short beginnings where there is nothing else."""
    quick = [
        need
        for need in wanted.needs
        if all(not piece.prefix or len(piece.word) >= BEGUN_CHARS for piece in need)
    ]
    before = (Piece(word) for need in wanted.needs for piece in need for word in piece.after)
    asked = (*(quick or wanted.needs), *((piece,) for piece in before), *wanted.also)
    return tuple(dict.fromkeys(asked))


def _known(need: Need) -> str | None:
    """The text that all rows have which GIN finds by a need; None where it takes a look."""
    if len(need) > 1 or need[0].after:
        return None
    return f" {need[0].word}{'' if need[0].prefix else ' '}"


def _vector(searched: Searched) -> str:
    """Words that are single-spaced, with a space at either end: each behind its stretch."""
    stretch = f"({searched.number} >> {searched.stretch_bits})"
    words = f"replace(rtrim({searched.words}), ' ', ' ' || {stretch} || '{_STRETCH}')"
    return f"array_to_tsvector(string_to_array(ltrim({words}), ' '))"


def _mark(stretch: int) -> str:
    """What stands before a word in SQLite's index: a number of one length, whatever follows."""
    return f"{stretch:0{DIGITS}x}"


def _for_fts5(needs: Sequence[Need], mark: str) -> str:
    """Rows of one stretch that have a piece of each need."""
    return " AND ".join(
        f"({' OR '.join(_piece_for_fts5(piece, mark) for piece in need)})" for need in needs
    )


def _piece_for_fts5(piece: Piece, mark: str) -> str:
    words = " ".join(f"{mark}{word}" for word in (*piece.after, piece.word))
    return f'"{words}"{"*" if piece.prefix else ""}'


def _for_gin(piece: Piece) -> str:
    return f"'{_STRETCH}{piece.word}'{':*' if piece.prefix else ''}"


def _deletes_for_certain() -> bool:
    return sqlite3.sqlite_version_info >= SECURE_DELETE_SINCE
