"""The calendar of reports: hours, days, weeks and months of any zone."""

from __future__ import annotations

import random

from projections.report_zones import Calendar, stretches
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
