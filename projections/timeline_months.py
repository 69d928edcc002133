"""How many interactions some subjects had in each of some spans of time: the months beside a list.

A span is counted in the index of the timeline alone. What it costs grows with what it counts:
some 5 ms for ten thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from msgspec import structs

from projections.timeline import INTERACTIONS, KIND_INTERACTION
from projections.timeline_pages import SQL_CACHED, Filters, Shape, shape_of, where
from projections.views import Reading

Span = tuple[int, int]
"""From a time on, until before another one; both in µs."""


def counts(
    reading: Reading, subjects: Sequence[bytes], filters: Filters, spans: Sequence[Span]
) -> list[dict[str, int]]:
    """For each span the interactions by direction: those of these subjects as counterpart.

    Notes and hidden twins do not count, and neither does what concerns somebody as one of
    several participants. Times of the filters narrow the spans.
    """
    found: list[dict[str, int]] = [{} for _ in spans]
    if not subjects or not spans or filters.kind == (1 - KIND_INTERACTION,):
        return found
    shape, values = shape_of(structs.replace(filters, kind=(KIND_INTERACTION,)))
    low = -(2**62) if filters.since is None else filters.since
    high = 2**62 if filters.until is None else filters.until
    params: list[object] = []
    for number, (since, until) in enumerate(spans):
        params += (number, max(since, low), min(until, high))
    sql = _counted(reading.name(INTERACTIONS), len(subjects), shape, len(spans))
    for number, direction, count in reading.fetch(sql, (*params, *subjects, *values)):
        found[int(number)][str(direction)] = int(count)
    return found


@lru_cache(maxsize=SQL_CACHED)
def _counted(interactions: str, subjects: int, shape: tuple[Shape, ...], spans: int) -> str:
    """The spans as a table, and for each a walk through the index of every subject."""
    rows = ", ".join(["(CAST(? AS INTEGER), CAST(? AS BIGINT), CAST(? AS BIGINT))"] * spans)
    marks = ", ".join("?" * subjects)
    return (
        f"WITH spans(n, low, high) AS (VALUES {rows})"
        f" SELECT s.n, i.direction, count(*) FROM spans s CROSS JOIN {interactions} i"
        f" WHERE i.subject IN ({marks}) AND i.occurred_at >= s.low AND i.occurred_at < s.high"
        f" AND i.hidden = 0{where(shape, 'i.')} GROUP BY s.n, i.direction"
    )
