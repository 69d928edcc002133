"""Groups as numbers: a combination of words and times is one code, and back again."""

from __future__ import annotations

from typing import Final

from projections.columns import Column, arrow, compute, number
from projections.report_zones import CYCLES, UNITS, Calendar, finest

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
        self.calendar = Calendar(tz, *span) if timed and span else None
        self._labels: dict[tuple[str, int], Value] = {}
        self._low, high = self._bounds()
        self._times = high - self._low + 1

    @property
    def words(self) -> Column:
        """For each kind the number (int64) of its combination of words; None where all are one."""
        pa = arrow()
        pc = compute()
        found = None
        for column, values in self._columns.values():
            if found is None:
                found = pc.cast(column, pa.int64())
            else:
                found = pc.multiply(found, pa.scalar(len(values), pa.int64()))
                found = pc.add(found, pc.cast(column, pa.int64()))
        return found

    def _bounds(self) -> tuple[int, int]:
        return self.calendar.bounds(self.unit) if self.calendar and self.unit else (0, 0)

    def of(self, words: Column, at: Column, span: tuple[int, int]) -> Column:
        """The code of each fact, from the number of its words (None: all alike) and its time."""
        pc = compute()
        calendar, codes = self.calendar, words
        if calendar and self.unit:
            times = calendar.codes(self.unit, at, span)
            codes = pc.subtract(times, number(self._low))
            if words is not None:
                words = pc.multiply(words, number(self._times))
                codes = pc.add(words, codes)
        if calendar and self.cycle:
            hours = self._of_cycle(calendar.codes(self.cycle, at, span))
            if codes is None:
                return hours
            codes = pc.add(pc.multiply(codes, number(_CYCLE)), hours)
        return codes

    def _of_cycle(self, hours: Column) -> Column:
        """Of hours of the week only what is asked for: the weekday, the hour, or both."""
        pc = compute()
        if set(CYCLES) <= set(self.groups):
            return hours
        day = number(24)
        first = pc.multiply(pc.divide(hours, day), day)
        return first if self.cycle == "weekday" else pc.subtract(hours, first)

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

    def values(self, code: int) -> tuple[Value, ...]:
        """The value of each group for a code, in the order in which they were asked for."""
        cycle = 0
        if self.cycle:
            code, cycle = divmod(code, _CYCLE)
        words, time = divmod(code, self._times) if self.unit else (code, 0)
        known: dict[str, str | None] = {}
        for group, (_, values) in reversed(self._columns.items()):
            words, place = divmod(words, len(values))
            known[group] = values[place]
        return tuple(self._value(group, known, time + self._low, cycle) for group in self.groups)

    def _value(self, group: str, known: dict[str, str | None], time: int, cycle: int) -> Value:
        if group in known:
            return known[group]
        place = (group, cycle if group in CYCLES else time)
        label = self._labels.get(place)
        if label is None and self.calendar is not None:
            code = place[1]
            if group not in CYCLES and self.unit is not None:
                code = self.calendar.coarser(group, self.unit, code)
            label = self._labels[place] = self.calendar.label(group, code)
        return label


_CYCLE: Final = 168
"""Hours of a week."""
