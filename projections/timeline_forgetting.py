"""What the timeline forgets when a contact is erased: words, names and addresses.

The rows stay, with all that lies in clear in the log, so that counts and places remain. Touched
are the interactions whose counterpart was erased, and of others what an erased subject said in
them or was called there. What is left is the same whether a row was made with the keys or without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, cast

import sqlalchemy as sa

from domain import events
from projections import content, folding, notes
from projections.base import Rows
from projections.directory_rows import SUBJECTS, edges_of
from projections.timeline_rows import (
    APPEARANCES,
    INTERACTIONS,
    KIND_NOTE,
    VOICES,
    InteractionRow,
    shown_of,
)

ROWS_AT_ONCE: Final = 500
"""Rows loaded by one statement: below what either database takes as parameters."""


def erased(rows: Rows, event: events.ContactErased) -> None:
    """Take what lay sealed out of every row that an erased subject has a part in."""
    gone = frozenset(subject.bytes for subject in event.subjects)
    own = _of_subjects(rows, sorted(gone))
    others = {*_where_named(rows, sorted(gone)), *_of_subjects(rows, _kin(rows, gone))}
    mails: set[bytes] = set()
    for row in _each(rows, sorted({*own, *others})):
        whole = row.subject in gone
        if _forget(row, gone, whole=whole):
            rows.put(INTERACTIONS, row)
        if whole and row.kind != KIND_NOTE and row.content is not None:
            message_id = content.read_content(row.content).message_id
            mails.update(filter(None, (message_id,)))
    for row in _each(rows, sorted(mails)):
        if _forget(row, gone, whole=True):
            rows.put(INTERACTIONS, row)


def _forget(row: InteractionRow, gone: frozenset[bytes], *, whole: bool) -> bool:
    """Take out of a row what is to be forgotten; whether that changed it."""
    before = (row.content, row.state)
    if row.kind == KIND_NOTE:
        if whole and row.content is not None:
            row.content = notes.forgotten(row.content)
        return row.content != before[0]
    if row.content is not None:
        left = content.forgotten(content.read_content(row.content), gone, whole=whole)
        row.content = content.pack(left)
        whole = whole or left.erased
    if row.state is not None:
        left_of_state = folding.forgotten(folding.read_state(row.state), gone, whole=whole)
        row.state = folding.pack(left_of_state)
    is_erased = row.content is not None and content.read_content(row.content).erased
    row.stamp = folding.stamp(shown_of(row), erased=is_erased)
    return (row.content, row.state) != before


def _of_subjects(rows: Rows, subjects: Sequence[bytes]) -> list[bytes]:
    """The interactions and notes whose counterpart is one of these, by stream."""
    if not subjects:
        return []
    bound = rows.bound(INTERACTIONS)
    found: list[bytes] = []
    for hidden in (0, 1):  # each has an index of its own
        query = sa.select(bound.c.originator).where(
            bound.c.subject.in_(subjects), bound.c.hidden == sa.literal_column(str(hidden))
        )
        found += (cast("bytes", row[0]) for row in rows.select(query))
    return found


def _where_named(rows: Rows, subjects: Sequence[bytes]) -> list[bytes]:
    """The interactions of others that these took part in, or said something about."""
    named, said = rows.bound(APPEARANCES), rows.bound(VOICES)
    queries = (
        sa.select(named.c.originator).where(named.c.subject.in_(subjects)),
        sa.select(said.c.about).where(said.c.subject.in_(subjects)),
    )
    return [cast("bytes", row[0]) for query in queries for row in rows.select(query)]


def _kin(rows: Rows, gone: frozenset[bytes]) -> list[bytes]:
    """Others with whom one of these was asserted to be one person: their messages name it."""
    rows.load(SUBJECTS, [(subject,) for subject in sorted(gone)])
    found = (rows.get(SUBJECTS, (subject,)) for subject in sorted(gone))
    pairs = (pair.other for row in found if row is not None for pair in edges_of(row).pairs)
    return sorted({*pairs} - gone)


def _each(rows: Rows, originators: Iterable[bytes]) -> Iterator[InteractionRow]:
    left = iter(originators)
    while some := [(one,) for one in islice(left, ROWS_AT_ONCE)]:
        rows.load(INTERACTIONS, some)
        for key in some:
            row = rows.get(INTERACTIONS, key)
            if row is not None:
                yield row
