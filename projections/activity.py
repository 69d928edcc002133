"""Activity: all recent interactions of the company, by time or in the order of the log.

It has no rows of its own: it is the timeline's rows without the notes and the hidden, read
through indexes of their own. So whatever moves such a row moves it here too, and each
interaction is stored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from msgspec import structs

from domain.errors import NotFound
from projections import paging
from projections.access import Visible
from projections.paging import HIGHEST, LOWEST, Ask, Page, SortKey, read_page
from projections.timeline import INTERACTIONS, KIND_INTERACTION, LISTED
from projections.timeline_pages import (
    OF_ROW,
    RANGE,
    SQL_CACHED,
    Filters,
    PageQuery,
    Ref,
    Shape,
    condition,
    one,
    page_of,
    shape_of,
)
from projections.timeline_pages import where as where_of
from projections.views import Reading

_INDEXED: Final = frozenset({"source", "attended_by", "campaign"})
"""Columns whose values may be rare; one value at a time is found by an index of its own."""

# --------------------------------------------------------------------------- pages


def page(
    reading: Reading,
    query: PageQuery,
    visible: Visible,
    subjects: Sequence[bytes] | None = None,
) -> Page[Ref]:
    """A page of all interactions, by (occurred_at, position) or in the order of the log.

    `subjects` narrows the order of the log to those with these counterparts. Raises BadCursor;
    NotFound where `around` is no interaction.
    """
    if query.filters.kind and KIND_INTERACTION not in query.filters.kind:
        return Page([])
    query = structs.replace(query, filters=structs.replace(query.filters, kind=()))
    if query.sort == "recorded":
        listed = _Log(reading, query.filters, visible, subjects)
        return read_page(_ask_recorded(reading, query), listed, _log_key)
    return page_of(reading, Recent(reading, query.filters, visible), query)


class Recent:
    """Fetches from the list of all interactions, by time."""

    def __init__(self, reading: Reading, filters: Filters, visible: Visible) -> None:
        self._reading = reading
        self._seen, self._walls = visible.interactions("i")
        self._shape, self._values = shape_of(filters)

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` rows between two keys."""
        reading = self._reading
        where = f"{RANGE}{_walked(self._shape, reading.kind)} AND {self._seen}"
        order = "occurred_at {0}, position {0}"
        sql = _listed(reading.name(INTERACTIONS), where, order, descending=descending)
        params = (*low, *high, *self._values, *self._walls, count)
        return [Ref(*row) for row in reading.fetch(sql, params)]


class _Log:
    """Fetches from the list of all interactions, in the order of the log."""

    def __init__(
        self,
        reading: Reading,
        filters: Filters,
        visible: Visible,
        subjects: Sequence[bytes] | None,
    ) -> None:
        self._reading = reading
        self._seen, self._walls = visible.interactions("i")
        self._subjects = subjects
        self._shape, self._values = shape_of(filters)
        self._span = (
            LOWEST[0] if filters.since is None else filters.since,
            HIGHEST[0] if filters.until is None else filters.until,
        )

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` rows between two keys, of which only positions count."""
        reading = self._reading
        if self._subjects is not None:
            return self._of_subjects((low[1], high[1]), descending=descending, count=count)
        where = f"position > ? AND position < ?{_walked(self._shape, reading.kind)}"
        params: list[object] = [low[1], high[1], *self._values]
        if self._span != (LOWEST[0], HIGHEST[0]):
            # By its time an index would give these rows in another order: it is kept out.
            where += " AND occurred_at + 0 >= ? AND occurred_at + 0 < ?"
            params += self._span
        where += f" AND {self._seen}"
        params += self._walls
        name = reading.name(INTERACTIONS)
        sql = _listed(name, where, "position {0}", descending=descending)
        params.append(count)
        return [Ref(*row) for row in reading.fetch(sql, params)]

    def _of_subjects(self, span: tuple[int, int], *, descending: bool, count: int) -> list[Ref]:
        """Those with some counterparts: the ranges of these are read, not the whole list."""
        if not self._subjects:
            return []
        marks = ", ".join("?" * len(self._subjects))
        way = "DESC" if descending else "ASC"
        sql = (
            f"SELECT {OF_ROW} FROM {self._reading.name(INTERACTIONS)} i"
            f" WHERE i.subject IN ({marks}) AND i.kind = {KIND_INTERACTION} AND i.hidden = 0"
            " AND i.position > ? AND i.position < ? AND i.occurred_at >= ? AND i.occurred_at < ?"
            f"{where_of(self._shape, 'i.')} AND {self._seen} ORDER BY i.position {way} LIMIT ?"
        )
        params = (*self._subjects, *span, *self._span, *self._values, *self._walls, count)
        return [Ref(*row) for row in self._reading.fetch(sql, params)]


@lru_cache(maxsize=SQL_CACHED)
def _listed(name: str, where: str, order: str, *, descending: bool) -> str:
    """The filters stand in the index that is walked: only rows that are shown are visited."""
    way = "DESC" if descending else "ASC"
    return (
        f"SELECT {OF_ROW} FROM {name} i WHERE {LISTED} AND {where}"
        f" ORDER BY {order.format(way)} LIMIT ?"
    )


@lru_cache(maxsize=SQL_CACHED)
def _walked(shape: tuple[Shape, ...], kind: str) -> str:
    """Filters of the long list.

    SQLite must not take an index for several values at once: it would sort all that match
    instead of walking from the end. A plus before a column keeps it from the index.
    """
    prefix = {part.column: "" if kind != "sqlite" or _finds(part) else "+" for part in shape}
    return "".join(f" AND {condition(part, prefix[part.column] + part.column)}" for part in shape)


def _finds(part: Shape) -> bool:
    return part.column in _INDEXED and part.values == 1 and not part.null


def _log_key(ref: Ref) -> SortKey:
    return 0, ref[1]


def _ask_recorded(reading: Reading, query: PageQuery) -> Ask:
    binding = paging.binding(query.scope, query.filters, query.order, query.sort)
    mark = paging.read_cursor(binding, query.cursor)
    centre = None if mark else _centre_recorded(reading, query)
    return Ask(
        binding=binding,
        limit=query.limit,
        descending=query.order == "desc",
        mark=mark,
        centre=centre,
    )


def _centre_recorded(reading: Reading, query: PageQuery) -> SortKey | None:
    if query.around is not None:
        if one(reading, query.around) is None:
            raise NotFound("There is no such interaction here.")
        return 0, query.around
    if query.at is None:
        return None
    after = _recorded_by(reading, query.at)
    return (0, after) if query.order == "desc" else (0, after + 1)


def _recorded_by(reading: Reading, time: int) -> int:
    """The last position that had been recorded at a time, by bisection: times never decrease."""
    sql = (
        f"SELECT position, recorded_at FROM {reading.name(INTERACTIONS)}"
        " WHERE position > ? ORDER BY position LIMIT 1"
    )
    low, high = 0, reading.position
    while low < high:
        middle = (low + high) // 2
        rows = reading.fetch(sql, (middle,))
        if rows and rows[0][1] <= time:
            low = rows[0][0]
        else:
            high = middle
    return low
