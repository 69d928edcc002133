"""The inbox: one row a conversation, folded from one row a subject.

`threads` says for each subject what its interactions add up to; whatever arrives in order is
folded into it at once. What cannot be (an outbound that comes late, a correction, a retraction)
is touched, and recomputed from the timeline when the page settles. A conversation is a function
of its contact's threads, made again for each contact that the page touched, so that linking two
addresses, or taking them apart, gives the row that would have stood there anyhow.

A conversation is open from its first interaction that was not imported; imported history alone
is resolved. What people decided about it stands beside (projections/decisions.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Final, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from domain import events
from domain.ports import Entry
from domain.values import Channel, Origin
from projections import decisions, directory
from projections.base import Key, Rows, RowTable
from projections.decisions import DECISIONS, OPEN, RESOLVED, Decided, Desk
from projections.directory_rows import CONTACTS, SUBJECTS
from projections.marks import MARKS, SEEN, STARTS, StartRow, mark, refresh, regroup, unmark
from projections.threads import (
    COUNTS,
    COUNTS_KEPT,
    THREADS,
    Moment,
    ThreadRow,
    answer,
    count,
    first_stirring,
    joined,
    moment,
    recount,
    rewait,
)
from projections.timeline import INTERACTIONS, UUID16, about

NOT_WAITING: Final = 2**62
"""`waits_from` of a conversation in which nobody waits: later than any time, so it sorts last."""

CHANNEL_BITS: Final = {str(channel): 1 << number for number, channel in enumerate(Channel)}
"""Channels of a conversation are one integer, so that a filter is one test."""


class ConversationRow(Struct, gc=False):
    """A contact's conversation as the inbox lists it.

    `department` is the one that was set by hand, else that of the last interaction. `channels`
    holds bits, `by_channel` a msgpack map of counts, `members` the subjects' ids one by one.
    """

    contact: bytes
    members: bytes
    status: str
    snoozed_until: int | None
    assignee: bytes | None
    team: bytes | None
    department: str | None
    campaign: str | None
    muted: int
    version: int
    first_at: int
    last_at: int
    last_position: int
    last_originator: bytes
    waits_from: int
    stirred_position: int
    channels: int
    by_channel: bytes
    interactions: int
    imported: int


class TallyRow(Struct, gc=False):
    """How many conversations have a status and just these channels."""

    status: str
    channels: int
    conversations: int


_INT: Final = sa.BigInteger()
_TEXT: Final = sa.Text()
_BLOB: Final = sa.LargeBinary()

_LISTED: Final = (
    "stirred_position",
    "waits_from",
    "assignee",
    "team",
    "department",
    "campaign",
    "channels",
    "contact",
)
"""What filters and counts ask for, at the end of the indexes: they pass over rows unvisited."""

CONVERSATIONS: Final = RowTable(
    "conversations",
    ConversationRow,
    key=("contact",),
    columns={
        "contact": UUID16,
        "members": _BLOB,
        "status": _TEXT,
        "snoozed_until": _INT,
        "assignee": UUID16,
        "team": UUID16,
        "department": _TEXT,
        "campaign": _TEXT,
        "muted": sa.SmallInteger(),
        "version": _INT,
        "first_at": _INT,
        "last_at": _INT,
        "last_position": _INT,
        "last_originator": UUID16,
        "waits_from": _INT,
        "stirred_position": _INT,
        "channels": _INT,
        "by_channel": _BLOB,
        "interactions": _INT,
        "imported": _INT,
    },
    indexes=(
        ("status", ("status", "last_at", "last_position", *_LISTED), None, False),
        ("recent", ("last_at", "last_position"), None, False),
        ("waiting", ("status", "waits_from", "last_position"), None, False),
        ("snoozed", ("snoozed_until",), "snoozed_until IS NOT NULL", False),
    ),
)

TALLIES: Final = RowTable(
    "tallies",
    TallyRow,
    key=("status", "channels"),
    columns={"status": _TEXT, "channels": _INT, "conversations": _INT},
)

_RECUTTING: Final = frozenset(
    {"interaction.corrected", "interaction.retracted", "twin.linked", "twin.unlinked"}
)


class Inbox:
    """Handlers of the inbox; its pages are in projections/inbox_pages.py."""

    name: ClassVar[str] = "inbox"
    version: ClassVar[int] = 3
    tables: ClassVar[tuple[RowTable[Any], ...]] = (
        THREADS,
        DECISIONS,
        CONVERSATIONS,
        MARKS,
        SEEN,
        STARTS,
        TALLIES,
    )
    topics: ClassVar[frozenset[str]] = (
        _RECUTTING
        | decisions.TOPICS
        | {
            "interaction.recorded",
            "conversation.seen",
            "conversation.marked_unread",
            "user.added",
        }
    )

    def keys(self, entry: Entry) -> Iterable[tuple[RowTable[Any], Key]]:
        """The thread, and the conversation as if the subject were its own contact."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            key = (event.subject.bytes,)
            writer = _writer(event)
            if writer is None:
                return ((THREADS, key), (CONVERSATIONS, key))
            return ((THREADS, key), (CONVERSATIONS, key), (MARKS, (*key, writer)))
        if isinstance(event, events.ConversationSeen | events.ConversationMarkedUnread):
            return ((MARKS, (event.contact.bytes, event.user.bytes)),)
        if isinstance(event, Decided):
            return ((DECISIONS, (event.contact.bytes,)),)
        if isinstance(event, events.UserAdded):
            return ((STARTS, (event.user.bytes,)),)
        return ()

    def apply(self, entry: Entry, rows: Rows) -> None:
        """Fold what comes in order, touch what does not."""
        event = entry.event
        if isinstance(event, events.InteractionRecorded):
            _record(entry, event, rows)
        elif isinstance(event, events.ConversationSeen):
            _see(rows, event.contact.bytes, event.user.bytes, (entry.position, event.through))
        elif isinstance(event, events.ConversationMarkedUnread):
            place = (entry.position, event.first - 1)
            unmark(rows, event.contact.bytes, event.user.bytes, place)
            rows.touch("seen", (event.contact.bytes, event.user.bytes))
        elif isinstance(event, Decided):
            decisions.decide(rows, entry, event)
            rows.touch("contact", (directory.contact_of(rows, event.contact.bytes),))
        elif isinstance(event, events.UserAdded):
            user = event.user.bytes
            if rows.get(STARTS, (user,)) is None:
                rows.put(STARTS, StartRow(user, entry.position))
        else:
            row = rows.get(INTERACTIONS, (about(event).bytes,))
            if row is not None and row.position is not None:
                subject = cast("bytes", row.subject)
                rows.touch("thread", (subject,))
                rows.touch("contact", (directory.contact_of(rows, subject),))

    def settle(self, rows: Rows) -> None:
        """Recompute touched threads from the timeline, then their conversations."""
        whole = set(_touched(rows, "thread"))
        for subject in _touched(rows, "thread"):
            recount(rows, subject)
        for subject in _touched(rows, "waiting"):
            if subject not in whole:
                rewait(rows, subject)
        regrouped: dict[bytes, list[bytes]] = {}
        for contact, members in _members(rows, rows.touched("contact")).items():
            _reconverse(rows, contact, members, regrouped)
        if regrouped:
            regroup(rows, regrouped)
        seen = cast("Sequence[tuple[bytes, bytes]]", rows.touched("seen"))
        rows.load(SUBJECTS, [(subject,) for subject, _ in seen])
        for contact, person in sorted({(directory.contact_of(rows, s), p) for s, p in seen}):
            row = rows.get(CONVERSATIONS, (contact,))
            if row is not None and contact not in regrouped:
                refresh(rows, contact, person, directory.split_ids(row.members))


def _touched(rows: Rows, what: str) -> list[bytes]:
    return [cast("bytes", key[0]) for key in rows.touched(what)]


def _members(rows: Rows, contacts: Sequence[Key]) -> dict[bytes, list[bytes]]:
    """The subjects of each contact, by id; all rows that its conversation is made of are loaded."""
    rows.load(CONTACTS, contacts)
    rows.load(CONVERSATIONS, contacts)
    names = [cast("bytes", key[0]) for key in contacts]
    found = {contact: sorted(directory.subjects_of(rows, contact)) for contact in names}
    subjects = [(subject,) for members in found.values() for subject in members]
    rows.load(THREADS, subjects)
    rows.load(DECISIONS, subjects)
    return found


def _see(rows: Rows, subject: bytes, person: bytes, seen: tuple[int, int]) -> None:
    mark(rows, subject, person, seen)
    rows.touch("seen", (subject, person))


def _record(entry: Entry, event: events.InteractionRecorded, rows: Rows) -> None:
    row = rows.get(INTERACTIONS, (event.originator_id.bytes,))
    if row is None or row.hidden:
        return
    subject = event.subject.bytes
    thread = rows.get(THREADS, (subject,)) or ThreadRow(subject)
    count(thread, row)
    if (row.stirs or row.answers) and answer(thread, row):
        rows.touch("waiting", (subject,))
    rows.put(THREADS, thread)
    rows.touch("contact", (directory.contact_of(rows, subject),))
    if row.answers and row.origin != Origin.IMPORTED:
        writer = _writer(event)
        if writer is not None:
            _see(rows, subject, writer, (entry.position, entry.position))


def _writer(event: events.InteractionRecorded) -> bytes | None:
    """The user who wrote the record down, or for whom it was written."""
    if event.on_behalf_of is not None:
        return event.on_behalf_of.bytes
    if event.actor.kind != "user":
        return None
    try:
        return UUID(event.actor.id).bytes
    except ValueError:
        return None


# -------------------------------------------------------------------- conversations


def _reconverse(
    rows: Rows, contact: bytes, members: list[bytes], regrouped: dict[bytes, list[bytes]]
) -> None:
    """The conversation again, from its contact's threads; notes it where subjects changed."""
    found = [rows.get(THREADS, (subject,)) for subject in members]
    threads = [thread for thread in found if thread is not None]
    before = rows.get(CONVERSATIONS, (contact,))
    place = (before.status, before.channels) if before is not None else None
    if not threads:
        if before is not None:
            rows.delete(CONVERSATIONS, (contact,))
            regrouped[contact] = []
            _tally(rows, place, None)
        return
    listed = b"".join(members)
    if before is None or before.members != listed:
        regrouped[contact] = members
    desk = decisions.desk_of(rows, contact, members)
    sums = joined(threads)
    row = _conversation((contact, listed), sums, desk)
    if desk.turns:
        row.status, row.snoozed_until = decisions.status_of(rows, desk, threads)
    if row.status != RESOLVED and not desk.muted:
        row.waits_from = _waits_from(rows, threads)
    rows.put(CONVERSATIONS, row)
    _tally(rows, place, (row.status, row.channels))


def _conversation(of: tuple[bytes, bytes], sums: ThreadRow, desk: Desk) -> ConversationRow:
    """A row of what interactions and decisions add up to; nothing waits in it yet."""
    return ConversationRow(
        contact=of[0],
        members=of[1],
        status=OPEN if sums.interactions > sums.imported else RESOLVED,
        snoozed_until=None,
        assignee=desk.assignee,
        team=desk.team,
        department=desk.department or sums.last_department,
        campaign=sums.last_campaign,
        muted=int(desk.muted),
        version=desk.version,
        first_at=sums.first_at,
        last_at=sums.last_at,
        last_position=sums.last_position,
        last_originator=sums.last_originator,
        waits_from=NOT_WAITING,
        stirred_position=sums.stirred_position,
        channels=_bits(sums.by_channel),
        by_channel=sums.by_channel,
        interactions=sums.interactions,
        imported=sums.imported,
    )


@lru_cache(maxsize=COUNTS_KEPT)
def _bits(packed: bytes) -> int:
    return sum(CHANNEL_BITS[channel] for channel in COUNTS.decode(packed))


def _waits_from(rows: Rows, threads: list[ThreadRow]) -> int:
    """Since when somebody waits: the first that stirs after the last answer to any subject."""
    if len(threads) == 1:
        wait_at = threads[0].wait_at
        return NOT_WAITING if wait_at is None else wait_at
    out = max(moment(thread.out_at, thread.out_position) for thread in threads)
    found: list[Moment] = []
    for thread in threads:
        wait = moment(thread.wait_at, thread.wait_position)
        if wait > out:
            found.append(wait)
        elif moment(thread.in_at, thread.in_position) > out:
            # Its own first one was answered over another address; a later one was not.
            later = first_stirring(rows, thread.subject, out)
            found += [later] if later else []
    return min(found)[0] if found else NOT_WAITING


def _tally(rows: Rows, before: tuple[str, int] | None, after: tuple[str, int] | None) -> None:
    if before == after:
        return
    for place, change in ((before, -1), (after, 1)):
        if place is not None:
            row = rows.get(TALLIES, place) or TallyRow(*place, 0)
            row.conversations += change
            if row.conversations:
                rows.put(TALLIES, row)
            else:
                rows.delete(TALLIES, place)
