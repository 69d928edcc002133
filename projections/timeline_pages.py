"""Pages of the timeline: which interactions of some subjects, in which order.

A page is a list of `Ref`s: where a row stands, and what decides how it is shown. Rendering
(projections/rendering.py) turns them into rows; one that was rendered before is not read again.
Each subject's range is filtered and cut by itself, and the ranges are merged, so that a page
costs the same whatever the length of the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from domain.errors import NotFound
from projections import paging
from projections.paging import (
    HIGHEST,
    LIMIT_DEFAULT,
    LOWEST,
    Ask,
    Fetch,
    Page,
    SortKey,
    read_page,
)
from projections.report_zones import Stretch
from projections.timeline import APPEARANCES, FILTERED, INTERACTIONS, KIND_INTERACTION
from projections.views import Reading
from projections.week_hours import WeekHours, hour_of_week, stretches_of

Order = Literal["desc", "asc"]
Sort = Literal["occurred", "recorded"]

SQL_CACHED: Final = 1_024
"""Statement texts that are kept: the shapes of filters in use, times the sizes of contacts."""

SELF: Final = -1
"""A position below all others: a bound that includes every row of its moment."""


class Filters(Struct, frozen=True, kw_only=True):
    """What rows must be; an empty tuple asks for nothing, None in it for rows without one.

    `since` is inclusive, `until` exclusive, both in µs. UUIDs are 16 bytes; `kind` holds the
    numbers of projections/timeline.py. `hours`: only in these hours of the week.
    """

    channel: tuple[str | None, ...] = ()
    direction: tuple[str | None, ...] = ()
    origin: tuple[str | None, ...] = ()
    source: tuple[str | None, ...] = ()
    attended_by: tuple[bytes | None, ...] = ()
    department: tuple[str | None, ...] = ()
    campaign: tuple[str | None, ...] = ()
    kind: tuple[int, ...] = ()
    since: int | None = None
    until: int | None = None
    hours: WeekHours | None = None


class PageQuery(Struct, frozen=True, kw_only=True):
    """Which page: `scope` names the endpoint and its object, and cursors are bound to it.

    `around` is the position of an interaction, `at` a time in µs; a cursor beats both.
    """

    scope: str
    filters: Filters = Filters()
    order: Order = "desc"
    sort: Sort = "occurred"
    limit: int = LIMIT_DEFAULT
    cursor: str | None = None
    around: int | None = None
    at: int | None = None


class Ref(NamedTuple):
    """Where an interaction or a note stands in a list, and what decides how it is shown."""

    occurred_at: int
    position: int
    originator: bytes
    stamp: int
    subject: bytes
    direction: str
    source: str
    kind: int = KIND_INTERACTION


class Shape(NamedTuple):
    """A filter without its values: column, how many of them, and whether null is one.

    With `zone` they are hours of the week of a time there.
    """

    column: str
    values: int
    null: bool
    zone: tuple[Stretch, ...] = ()


_COLUMNS: Final = "occurred_at, position, originator, stamp, subject, direction, source, kind"
OF_ROW: Final = ", ".join(f"i.{column}" for column in _COLUMNS.split(", "))
RANGE: Final = "(occurred_at, position) > (?, ?) AND (occurred_at, position) < (?, ?)"


# ------------------------------------------------------------------------- one row


def one(reading: Reading, position: int, kind: int = KIND_INTERACTION) -> Ref | None:
    """The interaction (or the note) with that id, hidden twins too; None where there is none."""
    sql = f"SELECT {_COLUMNS} FROM {reading.name(INTERACTIONS)} WHERE position = ? AND kind = ?"
    rows = reading.fetch(sql, (position, kind))
    return Ref(*rows[0]) if rows else None


def is_empty(reading: Reading) -> bool:
    """Whether nothing was ever recorded, whoever may see it."""
    sql = f"SELECT 1 FROM {reading.name(INTERACTIONS)} WHERE position IS NOT NULL LIMIT 1"
    return not reading.fetch(sql, ())


def by_originator(reading: Reading, originators: Iterable[bytes]) -> dict[bytes, Ref]:
    """The recorded interactions and notes among those streams."""
    return _refs(reading, "originator", tuple(originators))


def by_position(reading: Reading, positions: Iterable[int]) -> dict[bytes, Ref]:
    """The same at these positions, by stream: lately recorded ones lie together."""
    return _refs(reading, "position", tuple(positions))


def _refs(reading: Reading, column: str, wanted: tuple[object, ...]) -> dict[bytes, Ref]:
    if not wanted:
        return {}
    marks = ", ".join("?" * len(wanted))
    rows = reading.fetch(
        f"SELECT {_COLUMNS} FROM {reading.name(INTERACTIONS)}"
        f" WHERE {column} IN ({marks}) AND position IS NOT NULL",
        wanted,
    )
    return {row[2]: Ref(*row) for row in rows}


# ------------------------------------------------------------------------ timeline


def page(reading: Reading, subjects: Sequence[bytes], query: PageQuery) -> Page[Ref]:
    """A page of what happened with these subjects, as counterpart or as participant.

    Ordered by (occurred_at, position). Raises BadCursor; NotFound where `around` is none of
    theirs.
    """
    if not subjects:
        return Page([])
    ranges = Ranges(reading, tuple(subjects), query.filters)
    centre = None if query.cursor else centre_of(reading, query, tuple(subjects))
    return read_page(ask_for(query, centre), ranges, key_of)


def page_of(reading: Reading, fetch: Fetch[Ref], query: PageQuery) -> Page[Ref]:
    """A page of any list by (occurred_at, position). Raises BadCursor; NotFound as above."""
    centre = None if query.cursor else centre_of(reading, query, None)
    return read_page(ask_for(query, centre), fetch, key_of)


def key_of(ref: Ref) -> SortKey:
    """What lists by time are ordered by."""
    return ref[0], ref[1]


def ask_for(query: PageQuery, centre: SortKey | None) -> Ask:
    """The page of a list by time that a query means. Raises BadCursor."""
    filters = query.filters
    binding = paging.binding(query.scope, filters, query.order, query.sort)
    return Ask(
        binding=binding,
        limit=query.limit,
        descending=query.order == "desc",
        low=LOWEST if filters.since is None else (filters.since, SELF),
        high=HIGHEST if filters.until is None else (filters.until, SELF),
        mark=paging.read_cursor(binding, query.cursor),
        centre=centre,
    )


def centre_of(
    reading: Reading, query: PageQuery, subjects: tuple[bytes, ...] | None
) -> SortKey | None:
    """The key around which the page stands, if somebody asked for one."""
    if query.around is not None:
        ref = one(reading, query.around)
        if ref is None or not (subjects is None or _among(reading, ref, subjects)):
            raise NotFound("There is no such interaction here.")
        return key_of(ref)
    if query.at is None:
        return None
    # Rows of that very moment come first in the second half, in both orders.
    return (query.at, HIGHEST[1] - 1) if query.order == "desc" else (query.at, SELF)


def _among(reading: Reading, ref: Ref, subjects: tuple[bytes, ...]) -> bool:
    if ref.subject in subjects:
        return True
    marks = ", ".join("?" * len(subjects))
    sql = f"SELECT 1 FROM {reading.name(APPEARANCES)} WHERE originator = ? AND subject IN ({marks})"
    return bool(reading.fetch(sql, (ref.originator, *subjects)))


class Ranges:
    """Fetches from the merged ranges of some subjects."""

    def __init__(self, reading: Reading, subjects: tuple[bytes, ...], filters: Filters) -> None:
        self._reading = reading
        self._subjects = subjects
        self._shape, self._values = shape_of(filters)

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` rows between two keys.

        An interaction with two participants of one contact comes twice: then once more is
        fetched from behind what came, until the count is full or nothing is left.
        """
        rows = self._fetch((low, high), descending=descending, count=count)
        found = {row.position: row for row in rows}
        while len(found) < count == len(rows):
            last = key_of(rows[-1])
            span = (low, last) if descending else (last, high)
            rows = self._fetch(span, descending=descending, count=count)
            found.update((row.position, row) for row in rows)
        return list(found.values())[:count]

    def _fetch(self, span: tuple[SortKey, SortKey], *, descending: bool, count: int) -> list[Ref]:
        reading, subjects = self._reading, self._subjects
        names = (reading.name(INTERACTIONS), reading.name(APPEARANCES))
        sql = _merged(names, len(subjects), self._shape, descending=descending)
        bounds = (*span[0], *span[1], *self._values)
        params: list[object] = []
        for subject in subjects:
            params += (subject, *bounds, count, subject, *bounds, *subjects, count)
        params.append(count)
        return [Ref(*row) for row in reading.fetch(sql, params)]


@lru_cache(maxsize=SQL_CACHED)
def _merged(
    names: tuple[str, str], subjects: int, shape: tuple[Shape, ...], *, descending: bool
) -> str:
    """The ranges of that many subjects, each cut by itself, merged and cut, and then looked up.

    Ranges are read from their index alone; only the rows that are left are visited.
    """
    interactions, appearances = names
    way = "DESC" if descending else "ASC"
    own = (
        f"SELECT occurred_at, position FROM {interactions} WHERE subject = ? AND {RANGE}"
        f" AND hidden = 0{where(shape, '')} ORDER BY occurred_at {way}, position {way} LIMIT ?"
    )
    theirs = RANGE.replace("occurred_at", "a.occurred_at").replace("position", "a.position")
    marks = ", ".join("?" * subjects)
    others = (
        f"SELECT a.occurred_at, a.position FROM {appearances} a"
        f" JOIN {interactions} i ON i.originator = a.originator"
        f" WHERE a.subject = ? AND {theirs} AND i.hidden = 0{where(shape, 'i.')}"
        f" AND i.subject NOT IN ({marks})"
        f" ORDER BY a.occurred_at {way}, a.position {way} LIMIT ?"
    )
    branch = f"SELECT * FROM ({own}) o UNION ALL SELECT * FROM ({others}) p"
    union = " UNION ALL ".join([branch] * subjects)
    return (
        f"SELECT {OF_ROW} FROM ({union} ORDER BY 1 {way}, 2 {way} LIMIT ?) k"
        f" JOIN {interactions} i ON i.position = k.position"
        f" ORDER BY k.occurred_at {way}, k.position {way}"
    )


@lru_cache(maxsize=SQL_CACHED)
def shape_of(filters: Filters) -> tuple[tuple[Shape, ...], tuple[object, ...]]:
    """The filters' shape and their values, in one order."""
    shapes: list[Shape] = []
    values: list[object] = []
    for column in (*FILTERED, "kind"):
        wanted: tuple[object, ...] = getattr(filters, column)
        if wanted:
            given = [value for value in wanted if value is not None]
            shapes.append(Shape(column, len(given), len(given) < len(wanted)))
            values += given
    if filters.hours is not None:
        zone = stretches_of(filters.hours, filters.since, filters.until)
        shapes.append(Shape("occurred_at", len(filters.hours.codes), null=False, zone=zone))
        values += filters.hours.codes
    return tuple(shapes), tuple(values)


def where(shape: tuple[Shape, ...], prefix: str) -> str:
    """` AND …` for each filter: different ones together, several values of one as OR."""
    return "".join(f" AND {condition(part, prefix + part.column)}" for part in shape)


def condition(part: Shape, column: str) -> str:
    """One filter as SQL; its values come as parameters."""
    if not part.values:
        return f"{column} IS NULL"
    if part.zone:
        column = hour_of_week(column, part.zone)
    listed = f"{column} = ?"
    if part.values > 1:
        listed = f"{column} IN ({', '.join('?' * part.values)})"
    return f"({listed} OR {column} IS NULL)" if part.null else listed
