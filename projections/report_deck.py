"""The facts of the reports as columns in memory, and whose each one is.

A figure over a million interactions by any combination, with distinct contacts beside it, is a
walk over columns of numbers: no index of a table gives it within a moment. So a process that is
asked keeps the facts in columns (20 bytes each, pyarrow's), reads what changed since its
last look by an index, and nothing else. Columns lie in segments, inside sorted by contact and
time, so that most repetitions are neighbours: a great one, and behind it ever smaller ones of
what came since, which melt together as they grow.

Contacts are the core's opinion, asked in the same snapshot; a merge moves a few numbers here.
A deck is never changed: whoever looks with it keeps it, and the next look makes another.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

from msgspec import Struct

from domain.errors import NotYet, StoreUnavailable
from projections.columns import Column, arrow, by_all, compute, whole
from projections.directory_rows import SUBJECTS
from projections.grouping import LINKS_EPOCH
from projections.report_loading import facts_of, give_back, owners_of
from projections.reports import CALLERS, FACTS, KINDS, NEXT, KindRow
from projections.views import REPORTS, Beside, Reading, Views

SLICE_FACTS: Final = 1 << 17
"""Facts that one thread computes on at a time: a column of them lies near the processor."""

TAIL_FACTS: Final = 1 << 14
"""Facts that wait unsorted at the end: sorting them at each look would cost more than it saves."""

WARM_FACTS_MIN: Final = 50_000
"""Fewer are read within the first figure without anybody waiting for them, nor for pyarrow."""

_FACT: Final = "number, occurred_at, kind, caller"
_COLUMNS: Final = ("number", "at", "kind", "caller")


class Segment(Struct, frozen=True):
    """Facts as columns (`at` int64 in µs, the others int32), with what they span.

    `ordered`: by caller and time.
    """

    number: Column
    at: Column
    kind: Column
    caller: Column
    span: tuple[int, int]
    numbers: tuple[int, int]
    ordered: bool = False

    @property
    def size(self) -> int:
        """How many facts."""
        return len(self.number)

    def slices(self) -> Iterator[Segment]:
        """Its facts in pieces for threads, without a copy; `numbers` and `span` are the whole's."""
        for start in range(0, self.size, SLICE_FACTS):
            columns = (self.number, self.at, self.kind, self.caller)
            number, at, kind, caller = (column.slice(start, SLICE_FACTS) for column in columns)
            yield Segment(number, at, kind, caller, self.span, self.numbers, self.ordered)


class Words:
    """What the kinds say, word by word: a column of numbers for each, and what they stand for."""

    def __init__(self, kinds: tuple[KindRow, ...]) -> None:
        self._kinds = kinds
        self._known: dict[str, tuple[list[int], list[Any]]] = {}

    def among(self, name: str, wanted: Sequence[object]) -> Column:
        """For each kind whether its word is one of these."""
        pa = arrow()
        numbers, values = self._of(name)
        passes = pa.array([value in wanted for value in values], pa.bool_())
        return passes.take(pa.array(numbers, pa.int32()))

    def mapped(self, name: str, meaning: Callable[[Column], Column]) -> tuple[Column, list[Column]]:
        """For each kind the number of what its word means, and the meanings by number."""
        pa = arrow()
        numbers, values = self._of(name)
        meanings = [meaning(value) for value in values]
        distinct = list(dict.fromkeys(meanings))
        places = {one: place for place, one in enumerate(distinct)}
        into = pa.array([places[one] for one in meanings], pa.int32())
        return into.take(pa.array(numbers, pa.int32())), distinct

    def _of(self, name: str) -> tuple[list[int], list[Column]]:
        known = self._known.get(name)
        if known is None:
            places: dict[Any, int] = {}
            numbers = [places.setdefault(getattr(kind, name), len(places)) for kind in self._kinds]
            known = self._known[name] = (numbers, list(places))
        return known


class Deck:
    """All facts at a position, and the contact of each caller."""

    def __init__(
        self,
        generation: int,
        position: int,
        segments: tuple[Segment, ...],
        kinds: tuple[KindRow, ...],
        owners: Column,
    ) -> None:
        self.generation = generation
        self.position = position
        self.segments = segments
        self.kinds = kinds
        self.owners = owners
        self.words = Words(kinds)

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
    """Gives the deck of a reading; one for each composition, safe between threads.

    `looks` grows with each; whoever returns memory to the system sees that there is some.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deck: Deck | None = None
        self._owners = Owners()
        self._links = (0, 0)
        self.looks = 0

    def deck(self, core: Reading, reports: Beside) -> Deck:
        """The facts at the reports' position, or a later one that another look has seen."""
        self.looks += 1
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
        kinds = _kinds(reports, ())
        give_back()
        return Deck(reports.generation, reports.position, segments, kinds, owners)

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
        segments, kinds = deck.segments, deck.kinds
        if reports.position > deck.position:
            rows = reports.fetch(
                f"SELECT {_FACT}, shown FROM {reports.name(FACTS)}"
                " WHERE changed > ? AND number IS NOT NULL",
                (deck.position,),
            )
            segments = _renewed(segments, rows)
            kinds = _kinds(reports, kinds)
        owners = self._resolved(core, reports)
        position = max(deck.position, reports.position)
        return Deck(deck.generation, position, segments, kinds, owners)

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
        return _column(owned.of)


_ASKED_MAX: Final = 500
"""Contacts asked for in one query: below the parameters that any database takes."""


def _kinds(reports: Beside, known: tuple[KindRow, ...]) -> tuple[KindRow, ...]:
    listed = ", ".join(KINDS.columns)
    rows = reports.fetch(
        f"SELECT {listed} FROM {reports.name(KINDS)} WHERE number >= ? ORDER BY number",
        (len(known),),
    )
    return (*known, *(KindRow(*row) for row in rows)) if rows else known


# --------------------------------------------------------------------- columns


def _column(values: array[int]) -> Column:
    """A column out of an array, copied."""
    pa = arrow()
    kind = pa.int64() if values.itemsize == 8 else pa.int32()  # noqa: PLR2004 - bytes of int64
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values.tobytes())])


def _segmented(*columns: Column) -> tuple[Segment, ...]:
    """Facts (the columns of `_FACT`) as one segment; nothing where there are none."""
    facts = arrow().table(dict(zip(_COLUMNS, columns, strict=True)))
    return (_sorted(facts),) if len(facts) else ()


def _sorted(facts: Column) -> Segment:
    """A segment sorted by caller and time."""
    columns = {name: whole(facts.column(name)) for name in _COLUMNS}
    order = by_all(columns["caller"], columns["at"], columns["number"])
    return _segment(
        arrow().table({name: columns[name].take(order) for name in _COLUMNS}), ordered=True
    )


def _segment(facts: Column, *, ordered: bool = False) -> Segment:
    pc = compute()
    columns = {name: whole(facts.column(name)) for name in _COLUMNS}
    spans = [pc.min_max(columns[name]).as_py() for name in ("at", "number")]
    at, number = ((int(span["min"]), int(span["max"])) for span in spans)
    return Segment(**columns, span=at, numbers=number, ordered=ordered)


def _table(segment: Segment) -> Column:
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
    pa = arrow()
    pc = compute()
    low, high = segment.numbers
    mine = [number for number in numbers if low <= number <= high]
    if not mine:
        return segment
    stays = pc.invert(pc.is_in(segment.number, value_set=pa.array(mine, pa.int32())))
    left = _table(segment).filter(stays)
    return _segment(left.combine_chunks(), ordered=segment.ordered) if len(left) else None


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
