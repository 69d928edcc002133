"""The calendar of reports: hours, days, weeks and months of any zone."""

from __future__ import annotations

import random

from projections.columns import integers
from projections.report_zones import Calendar, quarter_of, quarters_of, stretches, times_of
from tests.projections.counting import ZONES, Seen, value


def test_zones_are_asked_once_a_stretch() -> None:
    """Hours, days, weeks and months of awkward zones equal the zone's own, around every change."""
    dice = random.Random(3)
    for tz in (*ZONES, "Europe/Madrid", "Africa/Casablanca", "Pacific/Apia", "America/Caracas"):
        low, high = 1_000_000_000_000_000, 1_790_000_000_000_000
        times = [dice.randrange(low, high) for _ in range(60)]
        for stretch in stretches(tz, low, high):
            times += [stretch.since + change for change in (-1, 0, 1, 3_599_999_999)]
        times = sorted(time for time in times if low <= time <= high)
        calendar = Calendar(tz, low, high)
        column = calendar.column(times)
        for unit in ("hour", "day", "week", "month", "weekday", "hour_of_day"):
            codes = calendar.codes(unit, column).to_pylist()
            for time, code in zip(times, codes, strict=True):
                row = Seen(time, 1, b"", "", "", "", "", None, None, None, auto=False, state=None)
                assert calendar.label(unit, code) == value(row, unit, tz), (tz, unit, time)


def test_times_are_quarters_of_an_hour_and_a_rest() -> None:
    """A time taken apart and put together is the same, also long ago; parts compare as times do."""
    dice = random.Random(3)
    times = [*(dice.randrange(-3_000_000_000_000_000, 10**16) for _ in range(50)), -1, 0, 1, 10**15]
    times += [change + 900_000_000 for change in times]
    quarter, rest = quarters_of(integers(times, "q"))
    assert times_of(quarter, rest).to_pylist() == times
    parts = list(zip(quarter.to_pylist(), rest.to_pylist(), strict=True))
    assert parts == [quarter_of(time) for time in times]
    assert sorted(parts) == [quarter_of(time) for time in sorted(times)]
