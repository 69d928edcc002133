"""What the interactions of one subject add up to: the rows under every conversation.

Whatever arrives in order is folded at once. After a correction or a retraction the thread is
counted again from the timeline, by queries that read an index and no row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, cast

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from domain.values import Origin
from projections.base import Rows, RowTable
from projections.timeline import INTERACTIONS, LISTED, UUID16, InteractionRow

Moment = tuple[int, int]
"""(occurred_at, position)."""

_NEVER: Final[Moment] = (-(2**62), 0)
_INT: Final = sa.BigInteger()
_TEXT: Final = sa.Text()
_BLOB: Final = sa.LargeBinary()


class ThreadRow(Struct, gc=False):
    """What the interactions of one subject add up to; an interaction counts for its main one.

    `in_*` is the last inbound content that stirs, `out_*` the last outbound content, `wait_*`
    the first that stirs after it; `stirred_position` the greatest position that stirs.
    """

    subject: bytes
    interactions: int = 0
    imported: int = 0
    first_at: int = 0
    first_position: int = 0
    first_source: str = ""
    last_at: int = 0
    last_position: int = 0
    last_originator: bytes = b""
    last_department: str | None = None
    last_campaign: str | None = None
    by_channel: bytes = b"\x80"
    in_at: int | None = None
    in_position: int | None = None
    out_at: int | None = None
    out_position: int | None = None
    wait_at: int | None = None
    wait_position: int | None = None
    stirred_position: int = 0


THREADS: Final = RowTable(
    "threads",
    ThreadRow,
    key=("subject",),
    columns={
        "subject": UUID16,
        "interactions": _INT,
        "imported": _INT,
        "first_at": _INT,
        "first_position": _INT,
        "first_source": _TEXT,
        "last_at": _INT,
        "last_position": _INT,
        "last_originator": UUID16,
        "last_department": _TEXT,
        "last_campaign": _TEXT,
        "by_channel": _BLOB,
        "in_at": _INT,
        "in_position": _INT,
        "out_at": _INT,
        "out_position": _INT,
        "wait_at": _INT,
        "wait_position": _INT,
        "stirred_position": _INT,
    },
)

COUNTS_KEPT: Final = 4_096
"""Counts whose successors are remembered: few channels and small numbers, so nearly all."""

COUNTS: Final = msgspec.msgpack.Decoder(dict[str, int])
PACK: Final = msgspec.msgpack.Encoder(order="deterministic")


def count(thread: ThreadRow, row: InteractionRow) -> None:
    """What every interaction adds, whatever it is and whenever it comes."""
    at, position = row.occurred_at, row.position
    if at is None or position is None:
        return
    now = (at, position)
    if not thread.interactions or now < (thread.first_at, thread.first_position):
        thread.first_at, thread.first_position = now
        thread.first_source = cast("str", row.source)
    if not thread.interactions or now > (thread.last_at, thread.last_position):
        thread.last_at, thread.last_position = now
        thread.last_originator = row.originator
        thread.last_department, thread.last_campaign = row.department, row.campaign
    thread.interactions += 1
    if row.origin == Origin.IMPORTED:
        thread.imported += 1
    thread.by_channel = _one_more(thread.by_channel, row.channel)


@lru_cache(maxsize=COUNTS_KEPT)
def _one_more(packed: bytes, channel: str | None) -> bytes:
    """Counts by channel, with one more of a channel."""
    counts = COUNTS.decode(packed)
    name = cast("str", channel)
    counts[name] = counts.get(name, 0) + 1
    return PACK.encode(counts)


def answer(thread: ThreadRow, row: InteractionRow) -> bool:
    """Who waits for whom; True where only a look at the timeline can tell."""
    if not (row.stirs or row.answers):
        return False
    now = (cast("int", row.occurred_at), cast("int", row.position))
    if row.stirs:
        thread.stirred_position = max(thread.stirred_position, now[1])
        if thread.in_at is None or now > (thread.in_at, cast("int", thread.in_position)):
            thread.in_at, thread.in_position = now
        if thread.out_at is None or now > (thread.out_at, cast("int", thread.out_position)):
            wait = moment(thread.wait_at, thread.wait_position)
            if thread.wait_at is None or now < wait:
                thread.wait_at, thread.wait_position = now
        return False
    if now < moment(thread.out_at, thread.out_position):
        return False
    thread.out_at, thread.out_position = now
    if thread.wait_at is None or now < moment(thread.wait_at, thread.wait_position):
        return False
    thread.wait_at = thread.wait_position = None
    return now < moment(thread.in_at, thread.in_position)


def moment(at: int | None, position: int | None) -> Moment:
    """The pair, where there is one; else a moment before all others."""
    return _NEVER if at is None else (at, cast("int", position))


def recount(rows: Rows, subject: bytes) -> None:
    """The thread again, from the timeline alone: after a correction or a retraction."""
    thread = ThreadRow(subject)
    _sum_up(rows, thread)
    if not thread.interactions:
        if rows.get(THREADS, (subject,)) is not None:
            rows.delete(THREADS, (subject,))
        return
    first = _edge(rows, subject, "source", last=False)
    thread.first_at, thread.first_position, thread.first_source = first
    last = _edge(rows, subject, "originator", "department", "campaign")
    thread.last_at, thread.last_position, thread.last_originator = last[:3]
    thread.last_department, thread.last_campaign = last[3:]
    thread.in_at, thread.in_position = _edge(rows, subject, flag="stirs") or (None, None)
    thread.out_at, thread.out_position = _edge(rows, subject, flag="answers") or (None, None)
    out = moment(thread.out_at, thread.out_position)
    thread.wait_at, thread.wait_position = first_stirring(rows, subject, out) or (None, None)
    rows.put(THREADS, thread)


def _sum_up(rows: Rows, thread: ThreadRow) -> None:
    table = rows.bound(INTERACTIONS)
    mine = (table.c.subject == thread.subject, sa.text(LISTED))
    counts: dict[str, int] = {}
    statement: sa.Select[Any] = (
        sa.select(table.c.channel, table.c.origin, sa.func.count())
        .where(*mine)
        .group_by(table.c.channel, table.c.origin)
    )
    for row in rows.select(statement):
        channel, origin, number = cast("tuple[str, str, int]", row)
        counts[channel] = counts.get(channel, 0) + number
        thread.interactions += number
        thread.imported += number if origin == Origin.IMPORTED else 0
    thread.by_channel = PACK.encode(counts)
    stirred = rows.select(
        sa.select(sa.func.max(table.c.position)).where(
            table.c.subject == thread.subject, sa.text("stirs = 1")
        )
    )
    thread.stirred_position = stirred[0][0] or 0


def _edge(
    rows: Rows, subject: bytes, *columns: str, last: bool = True, flag: str | None = None
) -> Any:  # noqa: ANN401 - (occurred_at, position, the columns), None where there is no row
    """The first or last interaction of a subject, among those with a flag if one is named."""
    table = rows.bound(INTERACTIONS)
    order = (table.c.occurred_at, table.c.position)
    statement = (
        sa.select(*order, *(table.c[name] for name in columns))
        .where(table.c.subject == subject, sa.text(LISTED))
        .order_by(*(column.desc() if last else column for column in order))
        .limit(1)
    )
    if flag is not None:
        statement = statement.where(table.c[flag] == 1)
    found = rows.select(statement)
    return tuple(found[0]) if found else None


def rewait(rows: Rows, subject: bytes) -> None:
    """Who waits first after the last answer, from the timeline."""
    thread = rows.get(THREADS, (subject,))
    if thread is None:
        return
    first = first_stirring(rows, subject, moment(thread.out_at, thread.out_position))
    thread.wait_at, thread.wait_position = first or (None, None)
    rows.put(THREADS, thread)


def first_stirring(rows: Rows, subject: bytes, after: Moment) -> Moment | None:
    """The first content of a subject that stirs after a moment."""
    table = rows.bound(INTERACTIONS)
    statement: sa.Select[Any] = (
        sa.select(table.c.occurred_at, table.c.position)
        .where(
            table.c.subject == subject,
            sa.text("hidden = 0"),
            table.c.stirs == 1,
            sa.tuple_(table.c.occurred_at, table.c.position) > sa.tuple_(*after),
        )
        .order_by(table.c.occurred_at, table.c.position)
        .limit(1)
    )
    found = rows.select(statement)
    return cast("Moment", tuple(found[0])) if found else None


def joined(threads: Sequence[ThreadRow]) -> ThreadRow:
    """What several subjects add up to; who waits for whom is not told by sums."""
    if len(threads) == 1:
        return threads[0]
    first = min(threads, key=lambda thread: (thread.first_at, thread.first_position))
    last = max(threads, key=lambda thread: (thread.last_at, thread.last_position))
    return ThreadRow(
        subject=last.subject,
        interactions=sum(thread.interactions for thread in threads),
        imported=sum(thread.imported for thread in threads),
        first_at=first.first_at,
        first_position=first.first_position,
        first_source=first.first_source,
        last_at=last.last_at,
        last_position=last.last_position,
        last_originator=last.last_originator,
        last_department=last.last_department,
        last_campaign=last.last_campaign,
        by_channel=PACK.encode(by_channel(threads)),
        stirred_position=max(thread.stirred_position for thread in threads),
    )


def by_channel(threads: Iterable[ThreadRow]) -> dict[str, int]:
    """Interactions by channel, the busiest channel first."""
    sums: dict[str, int] = {}
    for thread in threads:
        for channel, count in COUNTS.decode(thread.by_channel).items():
            sums[channel] = sums.get(channel, 0) + count
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def channels_of(packed: bytes) -> list[str]:
    """The channels in a row's `by_channel`, the busiest first."""
    counts = COUNTS.decode(packed)
    return sorted(counts, key=lambda channel: (-counts[channel], channel))
