"""Groups as numbers: a combination of words and times is one code, and back again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from projections.columns import Column, arrow, compute, number, taken
from projections.report_zones import CYCLES, UNITS, Calendar, finest, quarters_of

WORDS: Final = (
    "channel",
    "direction",
    "user",
    "department",
    "campaign",
    "source",
    "origin",
)
"""What a fact can be counted by besides its time; `user` is who attended."""

GROUPS: Final = (*WORDS, *UNITS, *CYCLES)

Value = str | int | None
"""How a group is told from another: a key, a date, a number; None where there is none."""


class Timed(Protocol):
    """Facts with their times: in µs, and the quarter of an hour of each (`quarters_of`)."""

    @property
    def at(self) -> Column:
        """Int64."""

    @property
    def quarter(self) -> Column:
        """Int32."""


class Times(Struct, frozen=True, dict=True):
    """Times as they are, for facts that have them in one piece."""

    at: Column

    @cached_property
    def quarter(self) -> Column:
        """Of each time."""
        return quarters_of(self.at)[0]


class Codes:
    """Groups as numbers: which combination of words each kind has, and which time each fact.

    `groups` in the order of the answer. `columns` has for each word a number for each kind, and
    what the numbers stand for.
    """

    def __init__(
        self,
        groups: tuple[str, ...],
        tz: str,
        columns: dict[str, tuple[Column, list[str | None]]],
        span: tuple[int, int] | None,
    ) -> None:
        self.groups = groups
        self.unit = finest(groups)
        self.cycle = next((group for group in groups if group in CYCLES), None)
        self._columns = columns
        self._words = 1
        for _, values in columns.values():
            self._words *= max(len(values), 1)
        timed = self.unit is not None or self.cycle is not None
        self.calendar = Calendar(tz, *_widened(span)) if timed and span else None
        self._asked = _Asked(self.unit, self.cycle, set(CYCLES) <= set(groups))
        self._low, self._times = _times(self.unit, self.calendar)

    @property
    def words(self) -> Column:
        """For each kind the number of its combination of words; None where all are one."""
        pc = compute()
        found = None
        for column, values in self._columns.values():
            if found is None:
                found = pc.cast(column, self._type)
            else:
                found = pc.multiply(found, arrow().scalar(len(values), self._type))
                found = pc.add(found, pc.cast(column, self._type))
        return found

    @property
    def _type(self) -> Column:
        """Of codes: the narrower they are, the quicker is every step."""
        pa = arrow()
        return pa.int32() if self.count < _NARROW else pa.int64()

    def of(self, words: Column, facts: Timed) -> Column:
        """The code of each fact, from the number of its words (None: all alike) and its time."""
        pc = compute()
        if self.calendar is None:
            return words
        times = self._times_of(self.calendar, facts)
        if words is None:
            return times
        more = arrow().scalar(self.count // self._words, self._type)
        return pc.add(pc.multiply(words, more), times)

    def _times_of(self, calendar: Calendar, facts: Timed) -> Column:
        """For each fact the number of its unit and cycle.

        Where the quarters of an hour among which they are fit, or are less than the facts, the
        calendar is asked about those, once.
        """
        pc = compute()
        quarters = max(len(facts.quarter), QUARTERS)
        if calendar.by_quarters and calendar.quarters_count < quarters:
            table = _by_quarter(self._asked, calendar.tz, calendar.span)
            return pc.cast(taken(table, calendar.place_of(facts.quarter)), self._type)
        return pc.cast(_numbered(self._asked, calendar, facts.at), self._type)

    @property
    def count(self) -> int:
        """How many codes there may be."""
        return self._words * (self._times if self.unit else 1) * (_CYCLE if self.cycle else 1)

    def word(self, code: int, column: str) -> int:
        """The number that one of the columns has in a code."""
        if self.cycle:
            code //= _CYCLE
        words = code // self._times if self.unit else code
        for group, (_, values) in reversed(self._columns.items()):
            words, place = divmod(words, max(len(values), 1))
            if group == column:
                return place
        raise KeyError(column)

    def rows(self, codes: Sequence[int]) -> list[tuple[Value, ...]]:
        """For each code the value of each group, in the order in which they were asked for."""
        if not self.groups:
            return [()] * len(codes)
        cycles = times = codes
        if self.cycle:
            codes, cycles = _divided(codes, _CYCLE)
        if self.unit:
            codes, times = _divided(codes, self._times)
        known: dict[str, list[Value]] = {}
        for group, (_, values) in reversed(self._columns.items()):
            codes, places = _divided(codes, len(values))
            known[group] = [values[place] for place in places]
        for group in self.groups:
            if group not in known:
                numbers = cycles if group in CYCLES else times
                labels = {number: self._label(group, number) for number in set(numbers)}
                known[group] = [labels[number] for number in numbers]
        return list(zip(*(known[group] for group in self.groups), strict=True))

    def _label(self, group: str, code: int) -> Value:
        """How the number of a time, or of a cycle, is written."""
        if self.calendar is None:
            return None
        if group not in CYCLES and self.unit is not None:
            code = self.calendar.coarser(group, self.unit, code + self._low)
        return self.calendar.label(group, code)


def _divided(numbers: Sequence[int], by: int) -> tuple[list[int], list[int]]:
    """Quotients and remainders."""
    return [number // by for number in numbers], [number % by for number in numbers]


_CYCLE: Final = 168
"""Hours of a week."""

_NARROW: Final = 1 << 31
"""Codes below fit into 32 bits."""

QUARTERS: Final = 1 << 17
"""Quarters of an hour that are looked at in any case: those of three years and a half."""

_WIDE_US: Final = 1 << 41
"""Spans go from and to a multiple of this, some 25 days: so they are the same for a while."""

_TABLES_CACHED: Final = 16
"""Tables by quarters that are kept: those of the plots of a page; of ten years 1.4 MB each."""


class _Asked(NamedTuple):
    """Which times are asked for: the finest unit, the cycle, and whether that is both of them."""

    unit: str | None
    cycle: str | None
    both: bool


def _widened(span: tuple[int, int]) -> tuple[int, int]:
    low, high = span
    return low // _WIDE_US * _WIDE_US, (high // _WIDE_US + 1) * _WIDE_US - 1


def _times(unit: str | None, calendar: Calendar | None) -> tuple[int, int]:
    """The least number of a unit, and how many there may be."""
    if calendar is None or unit is None:
        return 0, 1
    low, high = calendar.bounds(unit)
    return low, high - low + 1


@lru_cache(maxsize=_TABLES_CACHED)
def _by_quarter(asked: _Asked, tz: str, span: tuple[int, int]) -> Column:
    """The numbers of times for each quarter of an hour of a span."""
    calendar = Calendar(tz, *span)
    numbers = _numbered(asked, calendar, calendar.quarters())
    return numbers if asked.unit == "hour" else compute().cast(numbers, arrow().int32())


def _numbered(asked: _Asked, calendar: Calendar, at: Column) -> Column:
    """For each time the number of its unit and cycle together (int64)."""
    pc = compute()
    codes = None
    if asked.unit:
        low, _ = _times(asked.unit, calendar)
        codes = pc.subtract(calendar.codes(asked.unit, at), number(low))
    if asked.cycle:
        hours = _of_cycle(asked, calendar.codes(asked.cycle, at))
        codes = hours if codes is None else pc.add(pc.multiply(codes, number(_CYCLE)), hours)
    return codes


def _of_cycle(asked: _Asked, hours: Column) -> Column:
    """Of hours of the week only what is asked for: the weekday, the hour, or both."""
    pc = compute()
    if asked.both:
        return hours
    day = number(24)
    first = pc.multiply(pc.divide(hours, day), day)
    return first if asked.cycle == "weekday" else pc.subtract(hours, first)
