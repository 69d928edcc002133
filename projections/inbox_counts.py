"""The numbers over the inbox: how many conversations stand under each tab, under any filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from projections.access import Visible
from projections.decisions import OPEN, RESOLVED, SNOOZED
from projections.inbox import CONVERSATIONS, NOT_WAITING, TALLIES
from projections.inbox_pages import InboxFilters, InboxQuery, bits_of, is_unread, narrowed
from projections.views import Reading

COUNTED_MAX: Final = 10_000
"""Filtered counts of resolved and of all conversations stop here (contract 2.5)."""


class Counts(Struct, frozen=True):
    """The tabs; `mine`, `unassigned`, `unread` and `waiting` are among the open ones."""

    open: int
    mine: int
    unassigned: int
    snoozed: int
    resolved: int
    all: int
    unread: int
    waiting: int
    position: int


def counts(reading: Reading, viewer: bytes | None, query: InboxQuery, visible: Visible) -> Counts:
    """The numbers on the tabs, under the same filters as the list, whatever its tab."""
    shape, values = narrowed(reading, viewer, query, visible)
    where = "".join(f" AND {part}" for part in shape)
    sql = (
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN c.assignee = ? THEN 1 ELSE 0 END), 0),"
        " COALESCE(SUM(CASE WHEN c.assignee IS NULL THEN 1 ELSE 0 END), 0),"
        f" COALESCE(SUM(CASE WHEN c.waits_from < {NOT_WAITING} THEN 1 ELSE 0 END), 0)"
        f" FROM {reading.name(CONVERSATIONS)} c WHERE c.status = ?{where}"
    )
    opened, mine, unassigned, waiting = reading.fetch(sql, (viewer or b"", OPEN, *values))[0]
    filters = query.filters
    plain = filters == InboxFilters(channel=filters.channel) and not query.unread
    if plain and not query.waiting and visible.everything:
        snoozed, resolved, everything = _kept(reading, filters.channel)
    else:
        snoozed, resolved, everything = _totals(reading, (shape, values), int(opened))
    return Counts(
        open=int(opened),
        mine=int(mine) if viewer else 0,
        unassigned=int(unassigned),
        snoozed=snoozed,
        resolved=resolved,
        all=everything,
        unread=_unread_open(reading, viewer, where, values),
        waiting=int(waiting),
        position=reading.position,
    )


def unread(reading: Reading, viewer: bytes | None, visible: Visible) -> int:
    """How many open conversations have something unread, whatever a list shows."""
    shape, values = narrowed(reading, viewer, InboxQuery(), visible)
    return _unread_open(reading, viewer, "".join(f" AND {part}" for part in shape), values)


def _kept(reading: Reading, channels: Sequence[str]) -> tuple[int, int, int]:
    """Snoozed, resolved and all, with any of these channels where there are some; from the sums.

    They stop at the same limit as what is counted one by one, where they are filtered.
    """
    bits, sums = bits_of(channels), {SNOOZED: 0, RESOLVED: 0, OPEN: 0}
    sql = f"SELECT status, channels, conversations FROM {reading.name(TALLIES)}"
    for status, held, conversations in reading.fetch(sql):
        if not channels or held & bits:
            sums[status] += conversations
    found = sums[SNOOZED], sums[RESOLVED], sum(sums.values())
    if not channels:
        return found
    snoozed, resolved, everything = (min(one, COUNTED_MAX) for one in found)
    return snoozed, resolved, everything


def _totals(
    reading: Reading, under: tuple[Sequence[str], Sequence[object]], opened: int
) -> tuple[int, int, int]:
    """Snoozed, resolved, and all with those open, counted to a limit under a filter."""
    shape, values = under
    where = " AND ".join(shape)
    sql = (
        f"SELECT COUNT(*) FROM (SELECT 1 FROM {reading.name(CONVERSATIONS)} c"
        f" WHERE {where} AND c.status = ? LIMIT {COUNTED_MAX}) t"
    )
    snoozed = int(reading.fetch(sql, (*values, SNOOZED))[0][0])
    resolved = int(reading.fetch(sql, (*values, RESOLVED))[0][0])
    return snoozed, resolved, min(opened + snoozed + resolved, COUNTED_MAX)


def _unread_open(
    reading: Reading, viewer: bytes | None, where: str, values: Sequence[object]
) -> int:
    if viewer is None:
        return 0
    is_new, more = is_unread(reading, viewer)
    sql = (
        f"SELECT COUNT(*) FROM {reading.name(CONVERSATIONS)} c"
        f" WHERE c.status = ?{where} AND {is_new}"
    )
    return int(reading.fetch(sql, (OPEN, *values, *more))[0][0])
