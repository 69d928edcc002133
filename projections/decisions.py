"""What people decided about conversations: one row for each id that something was decided on.

A decision stays with the contact id that it was made on, so that putting contacts together and
taking them apart moves no row. The state of a conversation is made of the rows of all ids that
its contact holds. Of assignments the latest holds. A turn (resolved, snoozed, reopened) holds
for the subjects that its contact had then: so a conversation that was open stays open when its
contact is put together with another, whatever was decided on that one.

What reopens a conversation is not written anywhere: it is resolved, or snoozed, until something
that stirs was recorded behind that turn, by its position in the log, at a time when the contact
was not muted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from domain import events
from domain.ports import Entry
from projections import directory
from projections.base import Rows, RowTable
from projections.directory_rows import split_ids
from projections.threads import ThreadRow
from projections.timeline import INTERACTIONS, UUID16
from projections.views import Reading, any_of

OPEN: Final = "open"
SNOOZED: Final = "snoozed"
RESOLVED: Final = "resolved"

SWITCHES_MAX: Final = 64
"""Times that a contact was muted or unmuted, as one row remembers them: the latest. Who is
muted and unmuted more often is not muted in earnest."""

TOPICS: Final = frozenset(
    {
        "conversation.assigned",
        "conversation.resolved",
        "conversation.reopened",
        "conversation.snoozed",
        "contact.muted",
        "contact.unmuted",
    }
)


class DecisionRow(Struct, gc=False):
    """What was decided on one contact id; the positions say when, 0 for never.

    `version` is that of the conversation's stream. `turned_for` are the subjects, 16 bytes
    each, that the contact had at its last turn. `switches` is a msgpack list of (position,
    muted).
    """

    made_on: bytes
    version: int = 0
    assigned_at: int = 0
    assignee: bytes | None = None
    team: bytes | None = None
    department: str | None = None
    turned_at: int = 0
    turned_for: bytes = b""
    status: str | None = None
    snoozed_until: int | None = None
    switches: bytes = b"\x90"


_INT: Final = sa.BigInteger()

DECISIONS: Final = RowTable(
    "decisions",
    DecisionRow,
    key=("made_on",),
    columns={
        "made_on": UUID16,
        "version": _INT,
        "assigned_at": _INT,
        "assignee": UUID16,
        "team": UUID16,
        "department": sa.Text(),
        "turned_at": _INT,
        "turned_for": sa.LargeBinary(),
        "status": sa.Text(),
        "snoozed_until": _INT,
        "switches": sa.LargeBinary(),
    },
)

Switch = tuple[int, bool]
"""(position, whether the contact is muted from there on)."""

_PACK: Final = msgspec.msgpack.Encoder(order="deterministic").encode
_SWITCHES: Final = msgspec.msgpack.Decoder(list[Switch]).decode

Decided = (
    events.ConversationAssigned
    | events.ConversationResolved
    | events.ConversationReopened
    | events.ConversationSnoozed
    | events.ContactMuted
    | events.ContactUnmuted
)
"""The events of `TOPICS`."""


class Turn(Struct, frozen=True, order=True):
    """Resolved, snoozed or reopened, and for which subjects."""

    at: int
    status: str
    until: int | None
    subjects: frozenset[bytes]


class Desk(Struct, frozen=True):
    """The working state that decisions give a conversation.

    `turns` are the last ones of each of its ids, the latest first. `switches` say when the
    contact was muted and heard again, in the order of the log.
    """

    version: int = 0
    assignee: bytes | None = None
    team: bytes | None = None
    department: str | None = None
    turns: tuple[Turn, ...] = ()
    switches: tuple[Switch, ...] = ()

    @property
    def muted(self) -> bool:
        """Whether the contact is muted now."""
        return bool(self.switches) and self.switches[-1][1]


NOTHING: Final = Desk()


# ---------------------------------------------------------------------------- handlers


def decide(rows: Rows, entry: Entry, event: Decided) -> None:
    """Write a decision into the row of the id that it was made on."""
    made_on = event.contact.bytes
    row = rows.get(DECISIONS, (made_on,)) or DecisionRow(made_on)
    if isinstance(event, events.ContactMuted | events.ContactUnmuted):
        switches = [
            *_SWITCHES(row.switches),
            (entry.position, isinstance(event, events.ContactMuted)),
        ]
        row.switches = _PACK(switches[-SWITCHES_MAX:])
    else:
        row.version = event.originator_version
        if isinstance(event, events.ConversationAssigned):
            row.assigned_at = entry.position
            row.assignee = event.user.bytes if event.user else None
            row.team = event.team.bytes if event.team else None
            row.department = event.department
        else:
            row.turned_at = entry.position
            row.turned_for = _subjects(rows, made_on)
            row.status, row.snoozed_until = _turned(event)
    rows.put(DECISIONS, row)


def _turned(event: Decided) -> tuple[str, int | None]:
    match event:
        case events.ConversationSnoozed():
            return SNOOZED, event.until
        case events.ConversationResolved():
            return RESOLVED, None
        case _:
            return OPEN, None


def _subjects(rows: Rows, made_on: bytes) -> bytes:
    """The subjects of a contact now, and the id itself, in the order of their ids."""
    members = directory.subjects_of(rows, directory.contact_of(rows, made_on))
    return b"".join(sorted({made_on, *members}))


# ---------------------------------------------------------------------- one conversation


def desk_of(rows: Rows, contact: bytes, members: Sequence[bytes]) -> Desk:
    """The working state of a contact with these members, their rows being loaded."""
    found = [row for row in (rows.get(DECISIONS, (member,)) for member in members) if row]
    return _joined(contact, found) if found else NOTHING


def _joined(contact: bytes, found: Sequence[DecisionRow]) -> Desk:
    given = max(found, key=lambda row: row.assigned_at)
    turns = [
        Turn(row.turned_at, row.status, row.snoozed_until, frozenset(split_ids(row.turned_for)))
        for row in found
        if row.status is not None
    ]
    return Desk(
        version=next((row.version for row in found if row.made_on == contact), 0),
        assignee=given.assignee,
        team=given.team,
        department=given.department,
        turns=tuple(sorted(turns, key=lambda turn: -turn.at)),
        switches=tuple(sorted(switch for row in found for switch in _SWITCHES(row.switches))),
    )


def status_of(rows: Rows, desk: Desk, threads: Sequence[ThreadRow]) -> tuple[str, int | None]:
    """Open, snoozed until a time, or resolved; the turns of the desk are not empty.

    It is open where anything is that it is made of; else snoozed where anything is.
    """
    holding: list[Turn] = []
    for thread in threads:
        turn = next((turn for turn in desk.turns if thread.subject in turn.subjects), None)
        if turn is not None and turn.status == OPEN:
            return OPEN, None
        if _heard_since(rows, desk, turn.at if turn else 0, thread):
            return OPEN, None
        if turn is not None:
            holding.append(turn)
    resting = [turn for turn in holding or desk.turns if turn.status == SNOOZED]
    if resting:
        return SNOOZED, max(resting, key=lambda turn: turn.at).until
    return (RESOLVED if holding else desk.turns[0].status), None


def _heard_since(rows: Rows, desk: Desk, turned_at: int, thread: ThreadRow) -> bool:
    """Whether a subject stirred behind a turn while its contact was heard."""
    last = thread.stirred_position
    if last <= turned_at:
        return False
    spans = list(_heard(desk.switches, turned_at))
    if spans and spans[-1][1] is None and last > spans[-1][0]:
        return True
    return any(_stirs_between(rows, thread.subject, start, end) for start, end in spans if end)


def _heard(switches: Sequence[Switch], turned_at: int) -> Iterator[tuple[int, int | None]]:
    """The stretches behind a turn in which the contact was not muted: (after, before)."""
    start: int | None = turned_at
    for position, muted in switches:
        if muted and start is not None:
            if position > start:
                yield start, position
            start = None
        elif not muted and start is None:
            start = max(position, turned_at)
    if start is not None:
        yield start, None


def _stirs_between(rows: Rows, subject: bytes, after: int, before: int) -> bool:
    table = rows.bound(INTERACTIONS)
    statement: sa.Select[Any] = (
        sa.select(table.c.position)
        .where(
            table.c.subject == subject,
            sa.text("stirs = 1"),
            table.c.position > after,
            table.c.position < before,
        )
        .limit(1)
    )
    return bool(rows.select(statement))


# --------------------------------------------------------------------------- queries


def muted_among(reading: Reading, ids: Sequence[bytes]) -> dict[bytes, tuple[Switch, ...]]:
    """The times at which these contact ids were muted or unmuted; those without are left out."""
    if not ids:
        return {}
    where, params = any_of(reading, "made_on", ids)
    sql = f"SELECT made_on, switches FROM {reading.name(DECISIONS)} WHERE {where}"
    return {made_on: tuple(_SWITCHES(packed)) for made_on, packed in reading.fetch(sql, params)}


def is_muted(found: dict[bytes, tuple[Switch, ...]], members: Iterable[bytes]) -> bool:
    """Whether a contact with these members is muted, by what `muted_among` found."""
    switches = [switch for member in members for switch in found.get(member, ())]
    return bool(switches) and max(switches)[1]
