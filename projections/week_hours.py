"""Hours of the week as a filter of lists: what an hour of the heat map holds, row by row.

The stretches of a zone stand in the statement, as additions to the time of a row; so a list
walks its own index as under any other filter, and agrees with the figures to the microsecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from domain.times import DAY_US
from projections.report_zones import (
    BIAS_US,
    HOUR_US,
    HOURS_A_DAY,
    HOURS_A_WEEK,
    MONDAY_BIAS,
    SECOND_US,
    Stretch,
    stretches,
)

DAYS_A_WEEK: Final = 7

_EARLIEST_US: Final = int(datetime(1970, 1, 1, tzinfo=UTC).timestamp()) * SECOND_US
_LATEST_US: Final = int(datetime(2070, 1, 1, tzinfo=UTC).timestamp()) * SECOND_US
"""Where a list has no bounds, zones are known from here to there; beyond as at the ends."""


class WeekHours(Struct, frozen=True):
    """Hours of the week in a zone: hour + 24 × (days after Monday), ascending."""

    codes: tuple[int, ...]
    tz: str


def week_hours(weekdays: Sequence[int], hours: Sequence[int], tz: str) -> WeekHours | None:
    """Those of some weekdays (Monday is 1) and hours of the day; none of either asks for all."""
    if not weekdays and not hours:
        return None
    days = sorted({day - 1 for day in weekdays}) or range(DAYS_A_WEEK)
    times = sorted(set(hours)) or range(HOURS_A_DAY)
    return WeekHours(tuple(day * HOURS_A_DAY + hour for day in days for hour in times), tz)


def stretches_of(asked: WeekHours, since: int | None, until: int | None) -> tuple[Stretch, ...]:
    """How far ahead of UTC the zone is in a range (µs); None is no bound."""
    low = _EARLIEST_US if since is None else max(since, _EARLIEST_US)
    high = _LATEST_US if until is None else min(until, _LATEST_US)
    return stretches(asked.tz, min(low, high), max(low, high))


def hour_of_week(column: str, found: Sequence[Stretch]) -> str:
    """The hour of the week of a column of times, in SQL for both databases."""
    bias = BIAS_US + MONDAY_BIAS * DAY_US
    return f"(({column} + {_ahead(column, found)} + {bias}) / {HOUR_US}) % {HOURS_A_WEEK}"


def _ahead(column: str, found: Sequence[Stretch]) -> str:
    """The distance from UTC: halved again and again, so that a row asks for few of them."""
    if len(found) == 1:
        return str(found[0].ahead)
    middle = len(found) // 2
    later, earlier = _ahead(column, found[middle:]), _ahead(column, found[:middle])
    return f"CASE WHEN {column} >= {found[middle].since} THEN {later} ELSE {earlier} END"
