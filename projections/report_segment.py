"""Facts as columns in segments: how they lie, are cut for threads, and grow.

A time is the quarter of an hour in which it lies, and the microseconds since that began: 32 bits
each, as much as the time itself. By quarters a figure finds hours, days and months; the rest is
asked for where facts are put in order or a range begins within a quarter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct, structs

from projections.columns import Column, Table, arrow, by_all, compute, integers, taken, whole
from projections.report_zones import quarters_of, times_of

SLICE_FACTS: Final = 1 << 18
"""Facts that one thread computes on at a time: a column of them is a megabyte, near the processor.
"""

TAIL_FACTS: Final = 1 << 14
"""Facts that wait unsorted at the end: sorting them at each look would cost more than it saves."""


READ: Final = ("number", "at", "kind", "caller")
"""The columns of facts as they are read and sorted: `at` int64 (µs), the others int32."""

_HELD: Final = ("number", "quarter", "rest", "kind", "caller")


class Segment(Struct, frozen=True):
    """Facts as columns (int32), with what they span; `quarter` and `rest` are the time.

    `ordered`: by caller and kind, and then by time. `by_time` has then for each slice the places
    of its facts (int32) in the order of caller and time. `great`: the first of a deck, ordered.
    """

    number: Column
    quarter: Column
    rest: Column
    kind: Column
    caller: Column
    span: tuple[int, int]
    numbers: tuple[int, int]
    by_time: Column = None
    great: bool = False

    @property
    def ordered(self) -> bool:
        """Whether it is in order; a tail is not."""
        return self.by_time is not None

    @property
    def size(self) -> int:
        """How many facts."""
        return len(self.number)

    @property
    def at(self) -> Column:
        """The times (int64, µs), worked out."""
        return times_of(self.quarter, self.rest)

    @property
    def table(self) -> Table:
        """The facts as they are read: with times in one piece."""
        return arrow().table({name: getattr(self, name) for name in READ})

    def slices(self) -> Iterator[Segment]:
        """Its facts in pieces for threads, without a copy; `numbers` and `span` are the whole's."""
        for start in range(0, self.size, SLICE_FACTS):
            piece = self._with(_slice_at(start))
            order = self.by_time.slice(start, SLICE_FACTS) if self.ordered else None
            yield structs.replace(piece, by_time=order)

    def in_time(self) -> Segment:
        """A slice by caller and time, where it is in order."""
        return self._with(lambda column: taken(column, self.by_time)) if self.ordered else self

    def _with(self, change: Callable[[Column], Column]) -> Segment:
        """The same with its columns changed."""
        columns = {name: change(getattr(self, name)) for name in _HELD}
        return structs.replace(self, **columns)


def _slice_at(start: int) -> Callable[[Column], Column]:
    return lambda column: column.slice(start, SLICE_FACTS)


def segmented(*columns: Column) -> tuple[Segment, ...]:
    """Facts (the columns of `READ`) as one segment; nothing where there are none."""
    facts = arrow().table(dict(zip(READ, columns, strict=True)))
    return (_sorted(facts),) if len(facts) else ()


def _sorted(facts: Table) -> Segment:
    """A segment in order."""
    columns = {name: whole(facts.column(name)) for name in READ}
    order = by_all(columns["caller"], columns["at"], columns["number"])
    return _by_kind(arrow().table({name: taken(columns[name], order) for name in READ}))


def _by_kind(facts: Table) -> Segment:
    """A segment out of facts by caller, time and number; each slice gets its order."""
    pa, pc = arrow(), compute()
    slices, orders = [], []
    for start in range(0, len(facts), SLICE_FACTS):
        some = facts.slice(start, SLICE_FACTS)
        columns = {name: whole(some.column(name)) for name in READ}
        order = pc.cast(by_all(columns["caller"], columns["kind"]), pa.int32())
        slices.append(pa.table({name: taken(columns[name], order) for name in READ}))
        orders.append(pc.inverse_permutation(order, output_type=pa.int32()))
    segment = _segment(pa.concat_tables(slices))
    return structs.replace(segment, by_time=pa.concat_arrays(orders))


def _segment(facts: Table) -> Segment:
    pc = compute()
    columns = {name: whole(facts.column(name)) for name in READ}
    spans = [pc.min_max(columns[name]).as_py() for name in ("at", "number")]
    span, numbers = ((int(span["min"]), int(span["max"])) for span in spans)
    quarter, rest = quarters_of(columns.pop("at"))
    return Segment(**columns, quarter=quarter, rest=rest, span=span, numbers=numbers)


def renewed(segments: tuple[Segment, ...], rows: Sequence[tuple[int, ...]]) -> tuple[Segment, ...]:
    """The segments after some facts came, changed or went; rows of `READ` and `shown`."""
    pa = arrow()
    if not rows:
        return segments
    last = max((segment.numbers[1] for segment in segments), default=-1)
    stale = sorted(row[0] for row in rows if row[0] <= last)
    kept = [one for one in (_without(segment, stale) for segment in segments) if one is not None]
    fresh = [row[:4] for row in rows if row[4]]
    if not fresh:
        return tuple(kept)
    types = (pa.int32(), pa.int64(), pa.int32(), pa.int32())
    columns = [
        pa.array(column, kind) for column, kind in zip(zip(*fresh, strict=True), types, strict=True)
    ]
    table = pa.table(dict(zip(READ, columns, strict=True)))
    return _with_tail(kept, table)


def _without(segment: Segment, numbers: Sequence[int]) -> Segment | None:
    """A segment without some facts; None where nothing is left of it."""
    pc = compute()
    low, high = segment.numbers
    mine = [number for number in numbers if low <= number <= high]
    if not mine:
        return segment
    facts = arrow().concat_tables([one.in_time().table for one in segment.slices()])
    left = facts.filter(pc.invert(pc.is_in(facts.column("number"), value_set=integers(mine))))
    if not len(left):
        return None
    return _by_kind(left.combine_chunks()) if segment.ordered else _segment(left)


def _with_tail(segments: list[Segment], fresh: Table) -> tuple[Segment, ...]:
    """Append facts to the unsorted tail; one that has grown is sorted, and melts into others.

    Each segment is twice as large as the next one at least, so they stay few, and a fact is
    sorted anew as often as the whole has doubled. What came back after a change stands in the
    tail too: a segment's place says nothing.
    """
    pa = arrow()
    if segments and segments[-1].size < TAIL_FACTS:
        fresh = pa.concat_tables([segments.pop().table, fresh])
    if len(fresh) < TAIL_FACTS:
        return (*segments, _segment(fresh))
    while segments and segments[-1].size < 2 * len(fresh):
        fresh = pa.concat_tables([segments.pop().table, fresh])
    return (*segments, _sorted(fresh))
