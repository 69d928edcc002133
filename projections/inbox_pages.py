"""Pages and counts of the inbox, as one person sees them, and the sums of a contact.

What is unread is nobody's column: it is counted for the conversations of a page, from the
content that stirs behind the position up to which that person has seen the contact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

from projections import directory, paging, threads
from projections.access import Visible
from projections.inbox import CHANNEL_BITS, CONVERSATIONS, NOT_WAITING, ConversationRow
from projections.marks import SEEN, STARTS
from projections.paging import LIMIT_DEFAULT, Ask, Page, SortKey, read_page
from projections.threads import THREADS, ThreadRow
from projections.timeline import INTERACTIONS
from projections.timeline_pages import SQL_CACHED, Shape, condition
from projections.views import Reading, any_of

UNREAD_MAX: Final = 100
"""Unread interactions are counted so far (contract 2.5): 100 means that many or more."""

Status = Literal["open", "snoozed", "resolved", "all"]


class InboxFilters(Struct, frozen=True, kw_only=True):
    """Which conversations; an empty tuple asks for nothing, None in it for those without one.

    `channel` means any of the conversation's channels.
    """

    assignee: tuple[bytes | None, ...] = ()
    team: tuple[bytes | None, ...] = ()
    department: tuple[str | None, ...] = ()
    campaign: tuple[str | None, ...] = ()
    channel: tuple[str, ...] = ()


class InboxQuery(Struct, frozen=True, kw_only=True):
    """Which page of the inbox; `scope` names the endpoint, and cursors are bound to it."""

    scope: str = "conversations"
    status: Status = "open"
    filters: InboxFilters = InboxFilters()
    unread: bool = False
    waiting: bool = False
    sort: Literal["recent", "waiting"] = "recent"
    limit: int = LIMIT_DEFAULT
    cursor: str | None = None


class Conversation(Struct, frozen=True, gc=False):
    """A conversation as one viewer sees it; a viewer who is nobody has 0 unread, seen None.

    `reset_at` is the position at which the viewer last marked it unread, 0 for never.
    """

    row: ConversationRow
    unread: int
    seen_through: int | None
    reset_at: int = 0


class Numbers(Struct, frozen=True):
    """The sums of some subjects; times in µs, None where nothing ever happened."""

    interactions: int
    by_channel: dict[str, int]
    first_at: int | None
    last_at: int | None
    first_source: str | None


_COLUMNS: Final = ", ".join(f"c.{name}" for name in CONVERSATIONS.columns)
_THREAD_COLUMNS: Final = ", ".join(THREADS.columns)


# --------------------------------------------------------------------------- queries


def page(
    reading: Reading, viewer: bytes | None, query: InboxQuery, visible: Visible
) -> Page[Conversation]:
    """A page of conversations, the newest or the longest waiting first. Raises BadCursor.

    A conversation that moves meanwhile may come twice; one that does not is never skipped.
    """
    recent = query.sort == "recent"
    binding = paging.binding(
        query.scope, query.status, query.filters, query.unread, query.waiting, query.sort
    )
    ask = Ask(
        binding=binding,
        limit=query.limit,
        descending=recent,
        mark=paging.read_cursor(binding, query.cursor),
    )
    listed = _List(reading, viewer, query, visible)
    found = read_page(ask, listed, _recent_key if recent else _waiting_key)
    return Page(_as_seen(reading, viewer, found.rows), found.next, found.prev)


def one(reading: Reading, contact: bytes, viewer: bytes | None) -> Conversation | None:
    """The conversation of a contact; None where it has no interactions."""
    found = of_contacts(reading, (contact,), viewer)
    return found[0] if found else None


def of_contacts(
    reading: Reading, contacts: Sequence[bytes], viewer: bytes | None
) -> list[Conversation]:
    """The conversations of these contacts, in no order; those without one are left out."""
    if not contacts:
        return []
    sql = (
        f"SELECT {_COLUMNS} FROM {reading.name(CONVERSATIONS)} c"
        f" WHERE c.contact IN ({_marks(contacts)})"
    )
    rows = [ConversationRow(*row) for row in reading.fetch(sql, tuple(contacts))]
    return _as_seen(reading, viewer, rows)


def threads_of(reading: Reading, subjects: Sequence[bytes]) -> dict[bytes, ThreadRow]:
    """What the interactions of each subject add up to; those without any are left out."""
    if not subjects:
        return {}
    where, params = any_of(reading, "subject", subjects)
    sql = f"SELECT {_THREAD_COLUMNS} FROM {reading.name(THREADS)} WHERE {where}"
    return {row[0]: ThreadRow(*row) for row in reading.fetch(sql, params)}


def numbers(reading: Reading, subjects: Sequence[bytes]) -> Numbers:
    """The sums of a contact's subjects."""
    found = list(threads_of(reading, subjects).values())
    if not found:
        return Numbers(0, {}, None, None, None)
    first = min(found, key=lambda thread: (thread.first_at, thread.first_position))
    return Numbers(
        interactions=sum(thread.interactions for thread in found),
        by_channel=threads.by_channel(found),
        first_at=first.first_at,
        last_at=max(thread.last_at for thread in found),
        first_source=first.first_source,
    )


def overdue(reading: Reading, now: int, limit: int) -> list[ConversationRow]:
    """Snoozed conversations whose time has come, the longest over first, at most so many."""
    sql = (
        f"SELECT {_COLUMNS} FROM {reading.name(CONVERSATIONS)} c"
        " WHERE c.snoozed_until IS NOT NULL AND c.snoozed_until <= ?"
        " ORDER BY c.snoozed_until, c.contact LIMIT ?"
    )
    return [ConversationRow(*row) for row in reading.fetch(sql, (now, limit))]


# ------------------------------------------------------------------------------ list


def _recent_key(row: ConversationRow) -> SortKey:
    return row.last_at, row.last_position


def _waiting_key(row: ConversationRow) -> SortKey:
    return row.waits_from, row.last_position


class _List:
    """Fetches conversations between two keys."""

    def __init__(
        self, reading: Reading, viewer: bytes | None, query: InboxQuery, visible: Visible
    ) -> None:
        self._reading = reading
        parts, params = narrowed(reading, viewer, query, visible)
        if query.status != "all":
            parts.append("c.status = ?")
            params.append(query.status)
        self._where = "".join(f" AND {part}" for part in parts)
        self._params = params
        self._time = "last_at" if query.sort == "recent" else "waits_from"

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> list[ConversationRow]:
        """The first `count` of them."""
        way, time = "DESC" if descending else "ASC", f"c.{self._time}"
        sql = (
            f"SELECT {_COLUMNS} FROM {self._reading.name(CONVERSATIONS)} c"
            f" WHERE ({time}, c.last_position) > (?, ?) AND ({time}, c.last_position) < (?, ?)"
            f"{self._where} ORDER BY {time} {way}, c.last_position {way} LIMIT ?"
        )
        params = (*low, *high, *self._params, count)
        return [ConversationRow(*row) for row in self._reading.fetch(sql, params)]


@lru_cache(maxsize=SQL_CACHED)
def shape_of(filters: InboxFilters) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """Conditions on the conversation `c`, and their values."""
    parts: list[str] = []
    values: list[object] = []
    for column in ("assignee", "team", "department", "campaign"):
        wanted: tuple[object, ...] = getattr(filters, column)
        if wanted:
            given = [value for value in wanted if value is not None]
            shape = Shape(column, len(given), len(given) < len(wanted))
            parts.append(condition(shape, f"c.{column}"))
            values += given
    if filters.channel:
        parts.append("(c.channels & ?) <> 0")
        values.append(bits_of(filters.channel))
    return tuple(parts), tuple(values)


def bits_of(channels: Sequence[str]) -> int:
    """Some channels as conversations have them; one that nobody knows is none."""
    return sum({CHANNEL_BITS.get(channel, 0) for channel in channels})


def narrowed(
    reading: Reading, viewer: bytes | None, query: InboxQuery, visible: Visible
) -> tuple[list[str], list[object]]:
    """What a query asks of the conversation `c`, its status apart, within the reader's access."""
    shape, given = shape_of(query.filters)
    parts, values = list(shape), list(given)
    if not visible.everything:
        seen, walls = visible.contacts("c.contact")
        parts.append(seen)
        values += walls
    if query.waiting:
        parts.append(f"c.waits_from < {NOT_WAITING}")
    if query.unread:
        unread, more = is_unread(reading, viewer)
        parts.append(unread)
        values += more
    return parts, values


# ---------------------------------------------------------------------------- unread


def is_unread(reading: Reading, viewer: bytes | None) -> tuple[str, list[object]]:
    """Whether the viewer has something unread in the conversation `c`."""
    if viewer is None:
        return "1 = 0", []
    seen = reading.name(SEEN)
    start = f"COALESCE((SELECT position FROM {reading.name(STARTS)} WHERE person = ?), 0)"
    # Whoever marked something unread sees it so, even what came before they were added.
    unseen = (
        f"c.stirred_position > 0 AND (c.stirred_position > {start} OR c.contact IN"
        f" (SELECT r.contact FROM {seen} r WHERE r.person = ? AND r.reset_at > 0))"
        f" AND NOT EXISTS (SELECT 1 FROM {seen} e"
        " WHERE e.contact = c.contact AND e.person = ? AND e.through >= c.stirred_position)"
    )
    return unseen, [viewer, viewer, viewer]


def _as_seen(
    reading: Reading, viewer: bytes | None, rows: list[ConversationRow]
) -> list[Conversation]:
    """The rows with what the viewer has not read in each."""
    if viewer is None or not rows:
        return [Conversation(row, 0, None) for row in rows]
    seen = _seen(reading, viewer, [row.contact for row in rows])
    asked = [
        (row.contact, subject, seen[row.contact][0])
        for row in rows
        if row.stirred_position > seen[row.contact][0]
        for subject in directory.split_ids(row.members)
    ]
    unread = _count(reading, asked)
    return [
        Conversation(
            row,
            min(unread.get(row.contact, 0), UNREAD_MAX),
            seen[row.contact][0] or None,
            seen[row.contact][1],
        )
        for row in rows
    ]


def _seen(reading: Reading, viewer: bytes, contacts: list[bytes]) -> dict[bytes, tuple[int, int]]:
    """The position through which the viewer has seen each conversation, and `reset_at`.

    At first the head when the person was added; 0 for somebody who was only ever named.
    """
    sql = (
        f"SELECT person, position, 0 FROM {reading.name(STARTS)} WHERE person = ?"
        f" UNION ALL SELECT contact, through, reset_at FROM {reading.name(SEEN)}"
        f" WHERE person = ? AND contact IN ({_marks(contacts)})"
    )
    read = {key: found for key, *found in reading.fetch(sql, (viewer, viewer, *contacts))}
    start = read.pop(viewer, [0])[0]
    found = dict.fromkeys(contacts, (start, 0))
    for contact, (through, reset_at) in read.items():
        found[contact] = (through if reset_at else max(start, through), reset_at)
    return found


def _count(reading: Reading, asked: Iterable[tuple[bytes, bytes, int]]) -> dict[bytes, int]:
    """For each (contact, subject, after): content that stirs behind it, summed by contact."""
    params = [value for triple in asked for value in triple]
    if not params:
        return {}
    cast = "(?, ?, ?)" if reading.kind == "sqlite" else "(?::bytea, ?::bytea, ?::bigint)"
    listed = ", ".join([cast] * (len(params) // 3))
    sql = (
        f"WITH asked (contact, subject, after) AS (VALUES {listed})"
        " SELECT contact, (SELECT COUNT(*) FROM ("
        f"SELECT 1 FROM {reading.name(INTERACTIONS)} i"
        " WHERE i.subject = asked.subject AND i.stirs = 1 AND i.position > asked.after"
        f" LIMIT {UNREAD_MAX}) t) FROM asked"
    )
    sums: dict[bytes, int] = {}
    for contact, unread in reading.fetch(sql, params):
        sums[contact] = sums.get(contact, 0) + unread
    return sums


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
