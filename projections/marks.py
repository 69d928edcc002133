"""Who has seen what: from where on something is unread to a person.

A mark is set on a subject: on the one that a contact is named after, by looking at the
conversation; on the counterpart, by recording an outbound interaction. What a person has seen
of a conversation is the greatest mark on its subjects. It is kept beside the conversation, so
that lists can ask for it, and made again when subjects come or go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa
from msgspec import Struct

from projections.base import Rows, RowTable
from projections.timeline import UUID16

ASKED_MAX: Final = 500
"""Ids in one query: far below what either database takes as parameters."""

T = TypeVar("T")


class MarkRow(Struct, gc=False):
    """A person has seen what came up to a position, as noted on one subject."""

    subject: bytes
    person: bytes
    through: int


class SeenRow(Struct, gc=False):
    """How far a person has seen a conversation: the greatest mark on its subjects."""

    contact: bytes
    person: bytes
    through: int


class StartRow(Struct, gc=False):
    """The head when a person was added: nothing before it is unread to them."""

    person: bytes
    position: int


MARKS: Final = RowTable(
    "marks",
    MarkRow,
    key=("subject", "person"),
    columns={"subject": UUID16, "person": UUID16, "through": sa.BigInteger()},
)

SEEN: Final = RowTable(
    "seen",
    SeenRow,
    key=("contact", "person"),
    columns={"contact": UUID16, "person": UUID16, "through": sa.BigInteger()},
)

STARTS: Final = RowTable(
    "starts",
    StartRow,
    key=("person",),
    columns={"person": UUID16, "position": sa.BigInteger()},
)


def mark(rows: Rows, subject: bytes, person: bytes, through: int) -> None:
    """The person has seen what came up to a position."""
    row = rows.get(MARKS, (subject, person))
    if row is None or row.through < through:
        rows.put(MARKS, MarkRow(subject, person, through))


def refresh(rows: Rows, contact: bytes, person: bytes, members: Sequence[bytes]) -> None:
    """What one person has seen of a conversation, after a mark of theirs."""
    marks = [rows.get(MARKS, (subject, person)) for subject in members]
    through = max((row.through for row in marks if row is not None), default=0)
    if through:
        rows.put(SEEN, SeenRow(contact, person, through))


def regroup(rows: Rows, members: dict[bytes, list[bytes]]) -> None:
    """What everybody has seen of conversations whose subjects changed; without any: nothing."""
    wanted: dict[tuple[bytes, bytes], int] = {}
    contact_of = {subject: contact for contact, held in members.items() for subject in held}
    for subject, person, through in _read(rows, MARKS, "subject", list(contact_of)):
        key = (contact_of[subject], person)
        wanted[key] = max(wanted.get(key, 0), through)
    for contact, person, _ in _read(rows, SEEN, "contact", list(members)):
        if (contact, person) not in wanted:
            rows.delete(SEEN, (contact, person))
    for (contact, person), through in wanted.items():
        rows.put(SEEN, SeenRow(contact, person, through))


def _read(
    rows: Rows, table: RowTable[Any], column: str, ids: Sequence[bytes]
) -> Iterator[tuple[bytes, bytes, int]]:
    bound = rows.bound(table)
    for some in chunks(ids, ASKED_MAX):
        statement: sa.Select[Any] = sa.select(bound).where(bound.c[column].in_(some))
        for row in rows.select(statement):
            yield cast("tuple[bytes, bytes, int]", tuple(row))


def chunks(values: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """The values in pieces of at most that size."""
    return (values[start : start + size] for start in range(0, len(values), size))
