"""Who has seen what: from where on something is unread to a person.

A mark is set on a subject: on the one that a contact is named after, by looking at the
conversation; on the counterpart, by recording an outbound interaction. What a person has seen
of a conversation is the greatest mark on its subjects. Whoever marks it unread sets all of that
back: then only the marks count that were set later. It is kept beside the conversation, so that
lists can ask for it, and made again when subjects come or go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from projections.base import Rows, RowTable
from projections.timeline import UUID16

ASKED_MAX: Final = 500
"""Ids in one query: far below what either database takes as parameters."""

STEPS_MAX: Final = 16
"""Steps of one mark that are kept, the latest: more than one is left only by who has looked at
less and less."""

T = TypeVar("T")

Step = tuple[int, int]
"""(the position at which it was noted, the position through which was seen)."""

_PACK: Final = msgspec.msgpack.Encoder(order="deterministic").encode
_STEPS: Final = msgspec.msgpack.Decoder(list[Step]).decode


class MarkRow(Struct, gc=False):
    """What a person has seen, as noted on one subject.

    `steps` is a msgpack list of (position at which it was noted, position that was seen): of
    two steps the later one has seen less, or the earlier one says nothing. The person last
    marked it unread at the position `reset_at` (0: never), and had then seen `reset_to`.
    """

    subject: bytes
    person: bytes
    steps: bytes = b"\x90"
    reset_at: int = 0
    reset_to: int = 0


class SeenRow(Struct, gc=False):
    """How far a person has seen a conversation.

    `reset_at` is the position at which they last marked it unread, 0 for never. After that,
    what came before the person was added may be unread as well.
    """

    contact: bytes
    person: bytes
    through: int
    reset_at: int


class StartRow(Struct, gc=False):
    """The head when a person was added: nothing before it is unread to them."""

    person: bytes
    position: int


MARKS: Final = RowTable(
    "marks",
    MarkRow,
    key=("subject", "person"),
    columns={
        "subject": UUID16,
        "person": UUID16,
        "steps": sa.LargeBinary(),
        "reset_at": sa.BigInteger(),
        "reset_to": sa.BigInteger(),
    },
)

SEEN: Final = RowTable(
    "seen",
    SeenRow,
    key=("contact", "person"),
    columns={
        "contact": UUID16,
        "person": UUID16,
        "through": sa.BigInteger(),
        "reset_at": sa.BigInteger(),
    },
    indexes=(("reset", ("person", "contact"), "reset_at > 0", False),),
)

STARTS: Final = RowTable(
    "starts",
    StartRow,
    key=("person",),
    columns={"person": UUID16, "position": sa.BigInteger()},
)


def mark(rows: Rows, subject: bytes, person: bytes, seen: Step) -> None:
    """The person has seen what came up to a position, as the log notes at another."""
    row = rows.get(MARKS, (subject, person)) or MarkRow(subject, person)
    steps = [step for step in _STEPS(row.steps) if step[1] > seen[1]]
    row.steps = _PACK([*steps, seen][-STEPS_MAX:])
    rows.put(MARKS, row)


def unmark(rows: Rows, subject: bytes, person: bytes, reset: Step) -> None:
    """The person wants only what came up to a position to count as seen."""
    row = rows.get(MARKS, (subject, person)) or MarkRow(subject, person)
    row.steps = b"\x90"
    row.reset_at, row.reset_to = reset
    rows.put(MARKS, row)


def refresh(rows: Rows, contact: bytes, person: bytes, members: Sequence[bytes]) -> None:
    """What one person has seen of a conversation, after a mark of theirs."""
    marks = [rows.get(MARKS, (subject, person)) for subject in members]
    rows.put(SEEN, _seen(contact, person, [row for row in marks if row is not None]))


def _seen(contact: bytes, person: bytes, marks: Sequence[MarkRow]) -> SeenRow:
    """The furthest step since the last reset on any of the subjects, or where that set it back."""
    reset_at, reset_to = max((row.reset_at, row.reset_to) for row in marks)
    steps = (step for row in marks for step in _STEPS(row.steps))
    through = max((through for at, through in steps if at > reset_at), default=0)
    return SeenRow(contact, person, max(through, reset_to), reset_at)


def regroup(rows: Rows, members: dict[bytes, list[bytes]]) -> None:
    """What everybody has seen of conversations whose subjects changed; without any: nothing."""
    marks: dict[tuple[bytes, bytes], list[MarkRow]] = {}
    contact_of = {subject: contact for contact, held in members.items() for subject in held}
    for values in _read(rows, MARKS, "subject", list(contact_of)):
        row = MarkRow(*values)
        marks.setdefault((contact_of[row.subject], row.person), []).append(row)
    for contact, person, *_ in _read(rows, SEEN, "contact", list(members)):
        if (contact, person) not in marks:
            rows.delete(SEEN, (contact, person))
    for (contact, person), found in marks.items():
        rows.put(SEEN, _seen(contact, person, found))


def _read(
    rows: Rows, table: RowTable[Any], column: str, ids: Sequence[bytes]
) -> Iterator[tuple[Any, ...]]:
    bound = rows.bound(table)
    for some in chunks(ids, ASKED_MAX):
        statement: sa.Select[Any] = sa.select(bound).where(bound.c[column].in_(some))
        for row in rows.select(statement):
            yield tuple(row)


def chunks(values: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """The values in pieces of at most that size."""
    return (values[start : start + size] for start in range(0, len(values), size))
