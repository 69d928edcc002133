"""The facts of the reports as columns in memory, and whose each one is.

A figure over a million interactions by any combination, with distinct contacts beside it, is a
walk over columns of numbers: no index of a table gives it within a moment. So a process that is
asked keeps the facts in columns (24 bytes each, pyarrow's), reads what changed since its
last look by an index, and nothing else. Columns lie in segments, inside sorted by contact and
kind, so that most that counts alike are neighbours: a great one, and behind it ever smaller ones
of what came since, which melt together as they grow.

Contacts are the core's opinion, asked in the same snapshot; a merge moves a few numbers here.
A deck is never changed: whoever looks with it keeps it, and the next look makes another.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Final

from msgspec import Struct, structs

from domain.errors import NotYet, StoreUnavailable
from projections.columns import (
    Column,
    Table,
    arrow,
    by_all,
    compute,
    integers,
    places,
    taken,
    whole,
)
from projections.directory_rows import SUBJECTS
from projections.grouping import LINKS_EPOCH
from projections.report_kinds import Words, kinds_of
from projections.report_loading import facts_of, give_back, owners_of
from projections.reports import CALLERS, FACTS, NEXT
from projections.views import REPORTS, Beside, Reading, Views

SLICE_FACTS: Final = 1 << 18
"""Facts that one thread computes on at a time: a column of them is a megabyte, near the processor.
"""

TAIL_FACTS: Final = 1 << 14
"""Facts that wait unsorted at the end: sorting them at each look would cost more than it saves."""

WARM_FACTS_MIN: Final = 50_000
"""Fewer are read within the first figure without anybody waiting for them, nor for pyarrow."""

_FACT: Final = "number, occurred_at, kind, caller"
_COLUMNS: Final = ("number", "at", "kind", "caller")


class Segment(Struct, frozen=True):
    """Facts as columns (`at` int64 in µs, the others int32), with what they span.

    `ordered`: by caller and kind, and then by time. `by_time` has then for each slice the places
    of its facts (int32) in the order of caller and time. `great`: the first of a deck, ordered.
    """

    number: Column
    at: Column
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
        """The same with its four columns changed."""
        columns = {name: change(getattr(self, name)) for name in _COLUMNS}
        return structs.replace(self, **columns)


class Deck:
    """All facts at a position, and the contact of each caller."""

    def __init__(
        self,
        generation: int,
        position: int,
        segments: tuple[Segment, ...],
        words: Words,
        owners: Column,
    ) -> None:
        self.generation = generation
        self.position = position
        self.segments = tuple(
            structs.replace(segment, great=segment.ordered and not place)
            for place, segment in enumerate(segments)
        )
        self.words = words
        self.owners = owners

    @property
    def size(self) -> int:
        """How many facts."""
        return sum(segment.size for segment in self.segments)

    @cached_property
    def owner_bits(self) -> int:
        """How many bits the greatest number of a contact takes."""
        pc = compute()
        greatest = pc.max(self.owners).as_py() or 0
        return max(int(greatest).bit_length(), 1)

    @cached_property
    def spread(self) -> Column:
        """By the number of a contact whether its facts may lie elsewhere than in one run.

        So they do where it has several callers, or later segments one of them; None: none does.
        """
        pa, pc = arrow(), compute()
        own = pc.multiply(pc.cast(places(len(self.owners)), pa.int32()), pa.scalar(2, pa.int32()))
        found = [self.owners.filter(pc.not_equal(self.owners, own))]
        found += [taken(self.owners, pc.unique(one.caller)) for one in self.segments[1:]]
        several = pc.unique(pa.concat_arrays(found))
        if not len(several):
            return None
        numbers = pc.cast(places(1 << self.owner_bits), pa.int32())
        return pc.is_in(numbers, value_set=several)

    @cached_property
    def span(self) -> tuple[int, int] | None:
        """The first and the last time; None where there is no fact."""
        if not self.segments:
            return None
        spans = [segment.span for segment in self.segments]
        return min(low for low, _ in spans), max(high for _, high in spans)


class Owners:
    """The contact of each caller as a number; contacts that never called get numbers too.

    A caller's own number is 2n, that of a contact without a call of its own 2n + 1.
    """

    def __init__(self) -> None:
        self.of = array("i")
        self.extras: dict[bytes, int] = {}

    def number(self, contact: bytes, caller: int | None) -> int:
        """The number of a contact that is, or is not, a caller itself."""
        known = self.extras.get(contact)
        if known is not None:
            return known
        if caller is not None:
            return 2 * caller
        self.extras[contact] = number = 2 * len(self.extras) + 1
        return number


class Decks:
    """Gives the deck of a reading; one for each composition, safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deck: Deck | None = None
        self._owners = Owners()
        self._links = (0, 0)

    def deck(self, core: Reading, reports: Beside) -> Deck:
        """The facts at the reports' position, or a later one that another look has seen."""
        links = (core.generation, core.epoch(LINKS_EPOCH))
        deck = self._deck
        if deck is not None and self._is_current(deck, reports, links):
            return deck
        with self._lock:
            deck = self._deck
            if deck is None or deck.generation != reports.generation:
                deck = self._first(core, reports)
            else:
                deck = self._next(deck, core, reports)
            self._deck = deck
            return deck

    def owner_of(self, reports: Beside, contacts: Iterable[bytes]) -> list[int]:
        """The numbers of those contacts that have any fact."""
        wanted = list(contacts)
        with self._lock:
            extras = self._owners.extras
            found = [extras[contact] for contact in wanted if contact in extras]
            wanted = [contact for contact in wanted if contact not in extras]
        for start in range(0, len(wanted), _ASKED_MAX):
            some = wanted[start : start + _ASKED_MAX]
            marks = ", ".join("?" * len(some))
            rows = reports.fetch(
                f"SELECT number FROM {reports.name(CALLERS)} WHERE subject IN ({marks})", some
            )
            found += [2 * row[0] for row in rows]
        return found

    def _is_current(self, deck: Deck, reports: Beside, links: tuple[int, int]) -> bool:
        return (
            deck.generation == reports.generation
            and deck.position >= reports.position
            and self._links[0] == links[0]
            and self._links[1] >= links[1]
        )

    # --------------------------------------------------------------------- making

    def _first(self, core: Reading, reports: Beside) -> Deck:
        """Everything, from the index that holds it."""
        self._owners = Owners()
        self._links = (0, 0)
        segments = _segmented(*facts_of(reports))
        owners = self._resolved(core, reports)
        words = Words(kinds_of(reports, ()))
        give_back()
        return Deck(reports.generation, reports.position, segments, words, owners)

    def warm(self, views: Views) -> bool:
        """Read all facts before anybody asks, where they are many; whether that was done."""
        with suppress(NotYet, StoreUnavailable), views.reading() as core:
            reports = core.beside(REPORTS)
            rows = reports.fetch(f"SELECT number FROM {reports.name(NEXT)} WHERE of = 'fact'")
            if rows and rows[0][0] >= WARM_FACTS_MIN:
                self.deck(core, reports)
                return True
        return False

    def _next(self, deck: Deck, core: Reading, reports: Beside) -> Deck:
        """What changed since the last look."""
        segments, words = deck.segments, deck.words
        if reports.position > deck.position:
            rows = reports.fetch(
                f"SELECT {_FACT}, shown FROM {reports.name(FACTS)}"
                " WHERE changed > ? AND number IS NOT NULL",
                (deck.position,),
            )
            segments = _renewed(segments, rows)
            words = words.with_more(kinds_of(reports, words.kinds))
        owners = self._resolved(core, reports)
        position = max(deck.position, reports.position)
        return Deck(deck.generation, position, segments, words, owners)

    def _resolved(self, core: Reading, reports: Beside) -> Column:
        """The contact of every caller, as far as the core knows; else each is its own."""
        links = (core.generation, core.epoch(LINKS_EPOCH))
        if links[0] != self._links[0]:
            self._owners = Owners()
            self._links = (links[0], 0)
        known = len(self._owners.of)
        owned = self._owners
        callers = reports.name(CALLERS)
        asked = (
            f"SELECT c.number, s.contact, r.number, c.subject FROM {callers} c"
            f" LEFT JOIN {core.name(SUBJECTS)} s ON s.subject = c.subject"
            f" LEFT JOIN {callers} r ON r.subject = s.contact"
        )
        ((count,),) = reports.fetch(f"SELECT COALESCE(MAX(number) + 1, 0) FROM {callers}")
        owned.of.extend([0] * (count - known))
        if not known:
            for number, root in owners_of(core, reports, count):
                owned.of[number] = owned.number(b"", root)
            found = reports.fetch(f"{asked} WHERE r.number IS NULL ORDER BY c.number")
        else:
            found = reports.fetch(f"{asked} WHERE c.number >= ? ORDER BY c.number", (known,))
            if links[1] > self._links[1]:
                found += reports.fetch(f"{asked} WHERE s.moved > ?", (self._links[1],))
        for number, contact, root, subject in found:
            owned.of[number] = owned.number(bytes(contact or subject), root if contact else number)
        self._links = (links[0], max(links[1], self._links[1]))
        return integers(owned.of)


_ASKED_MAX: Final = 500
"""Contacts asked for in one query: below the parameters that any database takes."""


# --------------------------------------------------------------------- columns


def _slice_at(start: int) -> Callable[[Column], Column]:
    return lambda column: column.slice(start, SLICE_FACTS)


def _segmented(*columns: Column) -> tuple[Segment, ...]:
    """Facts (the columns of `_FACT`) as one segment; nothing where there are none."""
    facts = arrow().table(dict(zip(_COLUMNS, columns, strict=True)))
    return (_sorted(facts),) if len(facts) else ()


def _sorted(facts: Column) -> Segment:
    """A segment in order."""
    columns = {name: whole(facts.column(name)) for name in _COLUMNS}
    order = by_all(columns["caller"], columns["at"], columns["number"])
    return _by_kind(arrow().table({name: taken(columns[name], order) for name in _COLUMNS}))


def _by_kind(facts: Table) -> Segment:
    """A segment out of facts by caller, time and number; each slice gets its order."""
    pa, pc = arrow(), compute()
    slices, orders = [], []
    for start in range(0, len(facts), SLICE_FACTS):
        some = facts.slice(start, SLICE_FACTS)
        columns = {name: whole(some.column(name)) for name in _COLUMNS}
        order = pc.cast(by_all(columns["caller"], columns["kind"]), pa.int32())
        slices.append(pa.table({name: taken(columns[name], order) for name in _COLUMNS}))
        orders.append(pc.inverse_permutation(order, output_type=pa.int32()))
    segment = _segment(pa.concat_tables(slices).combine_chunks())
    return structs.replace(segment, by_time=pa.concat_arrays(orders))


def _segment(facts: Table) -> Segment:
    pc = compute()
    columns = {name: whole(facts.column(name)) for name in _COLUMNS}
    spans = [pc.min_max(columns[name]).as_py() for name in ("at", "number")]
    at, number = ((int(span["min"]), int(span["max"])) for span in spans)
    return Segment(**columns, span=at, numbers=number)


def _table(segment: Segment) -> Table:
    return arrow().table({name: getattr(segment, name) for name in _COLUMNS})


def _renewed(segments: tuple[Segment, ...], rows: Sequence[tuple[int, ...]]) -> tuple[Segment, ...]:
    """The segments after some facts came, changed or went; rows of `_FACT` and `shown`."""
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
    table = pa.table(dict(zip(_COLUMNS, columns, strict=True)))
    return _with_tail(kept, table)


def _without(segment: Segment, numbers: Sequence[int]) -> Segment | None:
    """A segment without some facts; None where nothing is left of it."""
    pc = compute()
    low, high = segment.numbers
    mine = [number for number in numbers if low <= number <= high]
    if not mine:
        return segment
    facts = arrow().concat_tables([_table(one.in_time()) for one in segment.slices()])
    left = facts.filter(pc.invert(pc.is_in(facts.column("number"), value_set=integers(mine))))
    if not len(left):
        return None
    left = left.combine_chunks()
    return _by_kind(left) if segment.ordered else _segment(left)


def _with_tail(segments: list[Segment], fresh: Column) -> tuple[Segment, ...]:
    """Append facts to the unsorted tail; one that has grown is sorted, and melts into others.

    Each segment is twice as large as the next one at least, so they stay few, and a fact is
    sorted anew as often as the whole has doubled. What came back after a change stands in the
    tail too: a segment's place says nothing.
    """
    pa = arrow()
    if segments and segments[-1].size < TAIL_FACTS:
        fresh = pa.concat_tables([_table(segments.pop()), fresh])
    if len(fresh) < TAIL_FACTS:
        return (*segments, _segment(fresh.combine_chunks()))
    while segments and segments[-1].size < 2 * len(fresh):
        fresh = pa.concat_tables([_table(segments.pop()), fresh])
    return (*segments, _sorted(fresh))
