"""Twins: which records may be of one event, logged by hand and reported by the channel.

A proposal is a look at the timeline, never a row: a record by hand and an automatic one of the
same contact, over the same channel and in the same direction, which happened within a window of
time. What is void, linked already, or was written by a machine of ours proposes nothing. So a
late arrival, a correction or a merge needs no bookkeeping: the next look shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from domain.values import Origin
from projections import paging
from projections.paging import LIMIT_DEFAULT, Ask, Page, SortKey, read_page
from projections.shapes import TwinView
from projections.timeline import BY_HAND, INTERACTIONS
from projections.timeline_pages import OF_ROW, RANGE, Ref, key_of
from projections.views import Reading

PROPOSED_MAX: Final = 5
"""Twins proposed of one record, the nearest in time: more would be a guess."""

SCORE_SPAN: Final = 0.75
"""A twin at the same moment scores 1, one at the edge of the window this much less."""

_MICROSECONDS: Final = 1_000_000

_OTHER: Final = {str(Origin.MANUAL): str(Origin.AUTOMATIC), str(Origin.AUTOMATIC): "manual"}
"""What a record of each origin may have as its twin; imported history has none."""

_FREE: Final = "{0}.hidden = 0 AND {0}.twin IS NULL AND ({0}.stirs = 1 OR {0}.answers = 1)"
"""Rows that may have a twin: content that is not void and has none yet."""


class Probe(Struct, frozen=True):
    """What a record is compared by: origin, channel, direction, and when it happened (µs)."""

    origin: str
    channel: str
    direction: str
    occurred_at: int


class Candidate(Struct, frozen=True):
    """A record that may be the twin of the one with the id `of`, and where it stands."""

    of: int
    ref: Ref
    apart_us: int


class TwinsQuery(Struct, frozen=True, kw_only=True):
    """Which page of open proposals; `scope` names the list and its contact."""

    scope: str
    window_us: int
    limit: int = LIMIT_DEFAULT
    cursor: str | None = None


# ------------------------------------------------------------------ of one record


def near(
    reading: Reading, subjects: Sequence[bytes], probe: Probe, window_us: int
) -> list[Candidate]:
    """What may be the twin of a record of these subjects, the nearest in time first."""
    other = _OTHER.get(probe.origin)
    if other is None or not subjects:
        return []
    sql = (
        f"SELECT {OF_ROW} FROM {reading.name(INTERACTIONS)} i"
        f" WHERE i.subject IN ({_marks(subjects)}) AND i.kind = 0 AND {_FREE.format('i')}"
        " AND i.occurred_at BETWEEN ? AND ? AND i.origin = ? AND i.channel = ?"
        " AND i.direction = ? ORDER BY ABS(i.occurred_at - ?), i.position LIMIT ?"
    )
    at = probe.occurred_at
    span = (at - window_us, at + window_us)
    wanted = (other, probe.channel, probe.direction, at, PROPOSED_MAX)
    rows = reading.fetch(sql, (*subjects, *span, *wanted))
    return [Candidate(0, Ref(*row), abs(row[0] - at)) for row in rows]


def of_record(
    reading: Reading, ref: Ref, subjects: Sequence[bytes], window_us: int
) -> list[Candidate]:
    """What may be the twin of a record that stands in the views; none where it may have none."""
    sql = (
        "SELECT i.origin, i.channel, i.direction, i.occurred_at"
        f" FROM {reading.name(INTERACTIONS)} i WHERE i.position = ? AND {_FREE.format('i')}"
    )
    found = reading.fetch(sql, (ref.position,))
    return near(reading, subjects, Probe(*found[0]), window_us) if found else []


def view(candidate: Candidate, window_us: int) -> TwinView:
    """A proposal as cards and answers show it."""
    share = candidate.apart_us / window_us if window_us else 0.0
    apart = f"{candidate.apart_us // _MICROSECONDS} s"
    why = ("contact", "channel", "direction", apart)
    return TwinView(candidate.ref.position, round(1 - SCORE_SPAN * share, 2), why)


# ------------------------------------------------------------------ of a contact


def page(reading: Reading, subjects: Sequence[bytes], query: TwinsQuery) -> Page[Ref]:
    """The records by hand of some subjects that have proposals, the latest first.

    Raises BadCursor.
    """
    if not subjects:
        return Page([])
    binding = paging.binding(query.scope)
    ask = Ask(binding=binding, limit=query.limit, mark=paging.read_cursor(binding, query.cursor))
    return read_page(ask, _Open(reading, subjects, query.window_us), key_of)


class _Open:
    """Fetches records by hand that have a proposal, between two keys."""

    def __init__(self, reading: Reading, subjects: Sequence[bytes], window_us: int) -> None:
        self._reading = reading
        self._subjects = subjects
        self._window_us = window_us

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` of them."""
        name, marks = self._reading.name(INTERACTIONS), _marks(self._subjects)
        way = "DESC" if descending else "ASC"
        sql = (
            f"SELECT {OF_ROW} FROM {name} i WHERE i.subject IN ({marks}) AND {_by_hand('i')}"
            f" AND {_FREE.format('i')} AND {_ranged('i')}"
            f" AND EXISTS (SELECT 1 FROM {name} a WHERE a.subject IN ({marks}) AND {_matches()})"
            f" ORDER BY i.occurred_at {way}, i.position {way} LIMIT ?"
        )
        window = (self._window_us, self._window_us)
        params = (*self._subjects, *low, *high, *self._subjects, *window, count)
        return [Ref(*row) for row in self._reading.fetch(sql, params)]


def of_records(
    reading: Reading, subjects: Sequence[bytes], refs: Sequence[Ref], window_us: int
) -> dict[int, list[Candidate]]:
    """What may be the twins of some records by hand of these subjects, by id, nearest first."""
    if not refs:
        return {}
    name = reading.name(INTERACTIONS)
    listed = OF_ROW.replace("i.", "a.")
    sql = (
        f"SELECT i.position, i.occurred_at, {listed} FROM {name} i, {name} a"
        f" WHERE i.position IN ({_marks(refs)}) AND a.subject IN ({_marks(subjects)})"
        f" AND {_matches()}"
    )
    params = (*(ref.position for ref in refs), *subjects, window_us, window_us)
    found: dict[int, list[Candidate]] = {ref.position: [] for ref in refs}
    for of, at, *rest in reading.fetch(sql, params):
        ref = Ref(*rest)
        found[of].append(Candidate(of, ref, abs(ref.occurred_at - at)))
    for of, listed_near in found.items():
        listed_near.sort(key=lambda one: (one.apart_us, one.ref.position))
        found[of] = listed_near[:PROPOSED_MAX]
    return found


def _matches() -> str:
    """Whether `a` may be the twin of the record by hand `i`; two parameters: the window."""
    return (
        f"a.kind = 0 AND {_FREE.format('a')} AND a.origin = 'automatic'"
        " AND a.occurred_at BETWEEN i.occurred_at - ? AND i.occurred_at + ?"
        " AND a.channel = i.channel AND a.direction = i.direction"
    )


def _by_hand(prefix: str) -> str:
    """The words of the index of records by hand, so that it is taken."""
    parts = BY_HAND.split(" AND ")
    return " AND ".join(f"{prefix}.{part}" for part in parts)


def _ranged(prefix: str) -> str:
    return RANGE.replace("occurred_at", f"{prefix}.occurred_at").replace(
        "position", f"{prefix}.position"
    )


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)
