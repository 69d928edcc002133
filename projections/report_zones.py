"""Hours, days, weeks and months of a time zone, computed over whole columns of times.

A zone is a list of stretches in which its distance from UTC is the same. So a column is moved
by one number, or, where the clocks were changed within it, by one number a stretch; nothing is
asked of the zone row by row. An hour begins where the clocks of the zone say so: in India at
half past of UTC's. When clocks go back, the hour that comes twice is two hours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from msgspec import Struct

from domain.times import DAY_US, zone_of
from projections.columns import Column, arrow, compute, integers, number, places

HOUR_US: Final = 3_600_000_000
QUARTER_US: Final = 900_000_000
SECOND_US: Final = 1_000_000

BIAS_DAYS: Final = 7 * 5_300
"""Added to days before a division, which rounds towards 0: earlier than any time, whole weeks."""

BIAS_US: Final = BIAS_DAYS * DAY_US

LOOK_EVERY_S: Final = 86_400
"""How often a zone is asked for its distance from UTC: between two changes lie days at least."""

ZONES_CACHED: Final = 64
"""Stretches of zones that are kept: those of a company's offices, for the ranges in use."""

MONDAY_BIAS: Final = 3
"""1970-01-01 was a Thursday: so many days after a Monday."""

MINUTES_A_HOUR: Final = 60
HOURS_A_WEEK: Final = 168
HOURS_A_DAY: Final = 24

UNITS: Final = ("hour", "day", "week", "month")
"""From the finest to the coarsest: a finer one decides all coarser ones."""

_ONE: Final = {"hour": HOUR_US // SECOND_US, "day": 1, "week": 7, "month": 1}
"""How far apart the codes of two neighbours are."""

CYCLES: Final = ("weekday", "hour_of_day")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DATE: Final = date(1970, 1, 1)


def quarter_of(time_us: int) -> tuple[int, int]:
    """The number of the quarter of an hour in which a time lies, and the µs since that began.

    Quarters are counted from day -BIAS_DAYS.
    """
    return divmod(time_us + BIAS_US, QUARTER_US)


def quarters_of(at: Column) -> tuple[Column, Column]:
    """The same of a column of times (int64, µs), as two columns (int32)."""
    pa, pc = arrow(), compute()
    at = pc.add(at, number(BIAS_US))
    quarter = pc.divide(at, number(QUARTER_US))
    rest = pc.subtract(at, pc.multiply(quarter, number(QUARTER_US)))
    return quarter.cast(pa.int32()), rest.cast(pa.int32())


def times_of(quarter: Column, rest: Column) -> Column:
    """The times (int64, µs) of what `quarters_of` made."""
    pc, kind = compute(), arrow().int64()
    begun = pc.multiply(quarter.cast(kind), number(QUARTER_US))
    return pc.add(begun, pc.subtract(rest.cast(kind), number(BIAS_US)))


class Stretch(Struct, frozen=True):
    """From a time on (µs) a zone is so far ahead of UTC (µs)."""

    since: int
    ahead: int


def stretches(tz: str, low: int, high: int) -> tuple[Stretch, ...]:
    """The stretches of a zone between two times (µs), the first one from `low` or before.

    Raises TimeError `bad_zone`.
    """
    first, last = _year_of(low), _year_of(high)
    return _stretches(tz, first, last)


@lru_cache(maxsize=ZONES_CACHED)
def _stretches(tz: str, first: int, last: int) -> tuple[Stretch, ...]:
    zone = zone_of(tz)
    at = int(datetime(first, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(last + 1, 1, 1, tzinfo=UTC).timestamp())

    def ahead(second: int) -> timedelta:
        return datetime.fromtimestamp(second, zone).utcoffset() or timedelta()

    now = ahead(at)
    found = [Stretch(at * SECOND_US, _us(now))]
    while at < end:
        then = ahead(at + LOOK_EVERY_S)
        if then != now:
            low, high = at, at + LOOK_EVERY_S
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if ahead(middle) == now else (low, middle)
            found.append(Stretch(high * SECOND_US, _us(then)))
            now = then
        at += LOOK_EVERY_S
    return tuple(found)


@lru_cache(maxsize=ZONES_CACHED)
def _months(first: int, end: int) -> Column:
    """The month of each day (int64), counted from year 0; days are counted from the epoch."""
    dates = (_EPOCH_DATE + timedelta(days=day) for day in range(first, end))
    return integers((one.year * 12 + one.month - 1 for one in dates), "q")


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _year_of(time_us: int) -> int:
    return (_EPOCH + timedelta(microseconds=time_us)).year


class Calendar:
    """The calendar of one zone for the times from `low` through `high` (µs)."""

    def __init__(self, tz: str, low: int, high: int) -> None:
        self._pc = compute()
        self._stretches = stretches(tz, low, high)
        self._starts = [one.since for one in self._stretches]
        self.tz = tz
        self.span = (low, high)

    def column(self, times: Sequence[int]) -> Column:
        """Times as a column."""
        return integers(times, "q")

    def codes(self, unit: str, at: Column) -> Column:
        """For a column of times (int64, µs): the unit that each falls into.

        Hours are the second at which they begin, days and weeks (their Monday) count from day
        -BIAS_DAYS, months from year 0; `weekday` and `hour_of_day` are one number, hour +
        24 × (days after Monday). Numbers compare as their times do.
        """
        pc = self._pc
        if unit == "hour":
            return self._by_stretch(at, self._hours)
        if unit in CYCLES:
            hours = pc.divide(self._local(at, MONDAY_BIAS * DAY_US), number(HOUR_US))
            weeks = pc.divide(hours, number(HOURS_A_WEEK))
            return pc.subtract(hours, pc.multiply(weeks, number(HOURS_A_WEEK)))
        if unit == "week":
            week = number(7 * DAY_US)
            weeks = pc.divide(self._local(at, MONDAY_BIAS * DAY_US), week)
            monday = pc.multiply(weeks, number(7))
            return pc.subtract(monday, number(MONDAY_BIAS))
        days = pc.divide(self._local(at), number(DAY_US))
        if unit == "day":
            return days
        first = (self.span[0] - DAY_US) // DAY_US
        months = _months(first, (self.span[1] + DAY_US) // DAY_US + 2)
        return months.take(pc.subtract(days, number(first + BIAS_DAYS)))

    @property
    def by_quarters(self) -> bool:
        """Whether every unit begins with a quarter of an hour of UTC, as all have since 1972."""
        return not any(one.ahead % QUARTER_US or one.since % QUARTER_US for one in self._stretches)

    @property
    def quarters_count(self) -> int:
        """How many quarters of an hour the calendar touches."""
        low, high = self.span
        return high // QUARTER_US - low // QUARTER_US + 1

    def quarters(self) -> Column:
        """When each of them begins."""
        pc, first = self._pc, self.span[0] // QUARTER_US
        return pc.multiply(pc.add(places(self.quarters_count), number(first)), number(QUARTER_US))

    def place_of(self, quarter: Column) -> Column:
        """The place in `quarters` of each quarter, as `quarters_of` numbers them."""
        first, _ = quarter_of(self.span[0])
        return self._pc.subtract(quarter, arrow().scalar(first, quarter.type))

    def bounds(self, unit: str) -> tuple[int, int]:
        """The least and the greatest code of a unit."""
        if unit in CYCLES:
            return 0, HOURS_A_WEEK - 1
        low, high = self.codes(unit, self.column(self.span)).to_pylist()
        # Where clocks went back just before the end, a unit may begin after the last one's.
        return low - _ONE[unit], high + _ONE[unit]

    def _by_stretch(self, at: Column, work: Callable[[Column, int], Column]) -> Column:
        """The column under each stretch of the span, put together."""
        low, high = self.span
        first = max(bisect_right(self._starts, low) - 1, 0)
        found = work(at, self._stretches[first].ahead)
        for stretch in self._stretches[first + 1 : bisect_right(self._starts, high)]:
            later = self._pc.greater_equal(at, number(stretch.since))
            found = self._pc.if_else(later, work(at, stretch.ahead), found)
        return found

    def _local(self, at: Column, more: int = 0) -> Column:
        """Local times, counted from so early that none is below 0."""
        pc = self._pc
        return self._by_stretch(at, lambda at, ahead: pc.add(at, number(ahead + BIAS_US + more)))

    def _hours(self, at: Column, ahead: int) -> Column:
        pc = self._pc
        hour = pc.divide(pc.add(at, number(ahead + BIAS_US)), number(HOUR_US))
        begun = pc.multiply(hour, number(HOUR_US // SECOND_US))
        # Before the time of zones, places were minutes and seconds from each other.
        return pc.subtract(begun, number((ahead + BIAS_US) // SECOND_US))

    def label(self, unit: str, code: int) -> str | int:
        """How a unit is written: 2026-11-22T09:00:00-06:00, 2026-11-22, 2026-W47, 2026-11."""
        if unit == "weekday":
            return code // HOURS_A_DAY + 1
        if unit == "hour_of_day":
            return code % HOURS_A_DAY
        if unit == "hour":
            return _hour_label(code, self._ahead_of(code))
        if unit == "month":
            return f"{code // 12:04d}-{code % 12 + 1:02d}"
        day = _EPOCH_DATE + timedelta(days=code - BIAS_DAYS)
        if unit == "day":
            return day.isoformat()
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}"

    def coarser(self, unit: str, fine: str, code: int) -> int:
        """The code of a unit that a finer one lies in."""
        if unit == fine:
            return code
        if fine == "hour":
            day = (code * SECOND_US + self._ahead_of(code) + BIAS_US) // DAY_US
        else:
            day = code
        if unit == "day":
            return day
        if unit == "week":
            return day - (day + MONDAY_BIAS) % 7
        one = _EPOCH_DATE + timedelta(days=day - BIAS_DAYS)
        return one.year * 12 + one.month - 1

    def _ahead_of(self, hour: int) -> int:
        """How far ahead of UTC the clocks are in an hour, by the second at which it begins.

        Where they were moved by half an hour within it, the hour begins by the new clocks.
        """
        at = hour * SECOND_US
        place = max(bisect_right(self._starts, at) - 1, 0)
        for stretch in self._stretches[place : place + 2]:
            if (at + stretch.ahead) % HOUR_US == 0:
                return stretch.ahead
        return self._stretches[place].ahead


def _hour_label(code: int, ahead_us: int) -> str:
    """RFC 3339 with the offset, so that no two hours are written alike."""
    minutes = ahead_us // (MINUTES_A_HOUR * SECOND_US)
    zone = timezone(timedelta(minutes=minutes))
    return (_EPOCH + timedelta(seconds=code)).astimezone(zone).isoformat(timespec="seconds")


def finest(units: Sequence[str]) -> str | None:
    """The finest of some units, which decides the others; None where there is none."""
    return next((unit for unit in UNITS if unit in units), None)
