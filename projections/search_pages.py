"""Finding interactions by their words: which match, the newest first, or those that say most.

Where a word is in most rows, the list is walked from its newest end, and a page is soon full.
Otherwise the index of words proposes, roughly in the order of time, and is read as far as
needed. Both ways give the same rows in the same order, on both databases: the index only
proposes, the words of each row decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Final

from msgspec import Struct

from projections import activity, paging, timeline_pages
from projections.access import EVERYTHING, Visible
from projections.fulltext import Need, Piece, Span, Wanted, ordered
from projections.paging import HIGHEST, LIMIT_DEFAULT, LOWEST, Ask, Fetch, Page, SortKey, read_page
from projections.search import (
    DOCUMENTS,
    POSITION_BITS,
    place_of,
    position_in,
    stretch_of,
    unit_start,
    with_any_of,
    with_one_of,
)
from projections.search_way import Way, end_of, hops
from projections.search_weight import Weightiest
from projections.timeline import FILTERED, INTERACTIONS, KIND_INTERACTION, LISTED
from projections.timeline_pages import (
    OF_ROW,
    SELF,
    Filters,
    Ref,
    key_of,
    shape_of,
)
from projections.timeline_pages import where as condition_of
from projections.views import Beside, Reading, any_of
from projections.words import Term

WALKED_ROWS: Final = 200
"""Rows that are walked over at a time: a millisecond or two."""

WALKED_MAX: Final = 1_000
"""Rows that are walked over at most, where so many seem to be enough, before the index is asked."""

FEW: Final = 600
"""Rows that the index proposes at first, at most; else twice as many as are asked for."""

MANY: Final = 2_000
"""And in the end, where few of them pass: some ten milliseconds."""

SELDOM: Final = {"sqlite": 20, "postgresql": 4}
"""Where fewer than one in so many of the rows that the index proposes is wanted, it is asked for
more of what it knows of: to look at a row takes some microseconds. GIN, which is quick at whole
words, is asked for the filters; FTS5 for everything."""

COMMON: Final = 10
"""What is in so many times as many rows as something else is left to a look at the rows that
have that: the index gathers all rows of a beginning, in each stretch."""

COMMON_ROWS_MIN: Final = 5
"""And is in more than so many of those that were walked over: fewer are chance."""

STRETCHES_ASKED: Final = 128
"""Stretches in which anything happened that are asked for at a time: four years and more."""

ASKED_MAX: Final = 1_000
"""Rows in one query: far below what either database takes as parameters."""

POSITION_MAX: Final = (1 << POSITION_BITS) - 1
"""The last position of a minute, wherever that ends."""


class SearchQuery(Struct, frozen=True, kw_only=True):
    """What is looked for: terms, of which a row must have all, and what else it must be.

    `subjects`: only what one of these takes part in. `weigh`: the weightiest of the newest
    matches first, instead of the newest.
    """

    scope: str
    text: str
    terms: tuple[Term, ...]
    filters: Filters = Filters()
    subjects: tuple[bytes, ...] | None = None
    weigh: bool = False
    limit: int = LIMIT_DEFAULT
    cursor: str | None = None


def page(reading: Reading, beside: Beside, query: SearchQuery, visible: Visible) -> Page[Ref]:
    """A page of the interactions that match; `beside` is the group of the words. BadCursor."""
    if not query.terms or query.subjects == ():
        return Page([])
    newest = Newest(reading, beside, query, visible)
    binding = paging.binding(query.scope, query.text, query.filters, query.weigh)
    mark = paging.read_cursor(binding, query.cursor)
    ask = Ask(binding=binding, limit=query.limit, mark=mark)
    if not query.weigh:
        low = LOWEST if query.filters.since is None else (query.filters.since, SELF)
        high = HIGHEST if query.filters.until is None else (query.filters.until, SELF)
        return read_page(_within(ask, low, high), newest, key_of)
    weighed = Weightiest(newest, query)
    return read_page(ask, weighed, weighed.key_of)


def _within(ask: Ask, low: SortKey, high: SortKey) -> Ask:
    return Ask(binding=ask.binding, limit=ask.limit, mark=ask.mark, low=low, high=high)


# --------------------------------------------------------------------------- the newest


class Newest:
    """Fetches the interactions that match between two keys of (occurred_at, position)."""

    def __init__(
        self, reading: Reading, beside: Beside, query: SearchQuery, visible: Visible
    ) -> None:
        self._reading = reading
        self._beside = beside
        self._subjects = query.subjects
        self._filters = query.filters
        self._seen, self._walls = visible.interactions("i")
        self._needles = [term.needle for term in query.terms]
        self._wanted = _wanted(query)
        # PostgreSQL has looked at the words; FTS5 takes neighbours across the end of a text.
        alone = all(len(term.words) == 1 for term in query.terms)
        self._exact = alone or beside.kind == "postgresql"
        self._narrow = bool(shape_of(query.filters)[0]) or not visible.everything
        self._list = self._listed()
        self._documents = beside.name(DOCUMENTS)
        # SQLite must not look for all rows of a campaign instead of for some positions.
        self._column = "i." if beside.kind == "postgresql" else "+i."

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` of them, in that order."""
        way = Way(low, high, descending=descending, count=count)
        self._walk(way)
        if not way.done:
            self._by_index(way)
        return way.found[:count]

    def words(self, refs: Sequence[Ref]) -> dict[bytes, str]:
        """The words of some interactions, by stream."""
        found: dict[bytes, str] = {}
        for some in _chunks([ref.originator for ref in refs]):
            where, params = any_of(self._beside, "originator", some)
            sql = f"SELECT originator, words FROM {self._documents} WHERE {where}"
            found.update(self._beside.fetch(sql, params))
        return found

    # --------------------------------------------------------------- by walking

    def _walk(self, way: Way) -> None:
        """Look at the next rows of the list, as long as it will not be for too many.

        Of all rows, whatever they must be: where few pass, that would be a long way to go.
        """
        for walked in range(0, WALKED_MAX, WALKED_ROWS):
            if way.done or len(way.found) * WALKED_MAX < way.count * walked:
                return
            refs = self._list(way.low, way.high, descending=way.descending, count=WALKED_ROWS)
            kept = self._passing(refs) if self._narrow else refs
            words = self.words(refs if not walked else kept)
            way.sample = way.sample or list(words.values())
            way.take(self._holding(kept, words), last=len(refs) < WALKED_ROWS)
            if refs:
                way.go_beyond(key_of(refs[-1]))

    def _listed(self) -> Fetch[Ref]:
        """The list without a search: that of all, or of those who are asked for."""
        if self._subjects is None:
            return activity.Recent(self._reading, Filters(), EVERYTHING)
        interactions = Filters(kind=(KIND_INTERACTION,))  # a contact's timeline has notes as well
        return timeline_pages.Ranges(self._reading, self._subjects, interactions)

    def _passing(self, refs: Sequence[Ref]) -> list[Ref]:
        """Those of some rows that pass the filters, and may be seen."""
        passing: set[int] = set()
        for some in _chunks([ref.position for ref in refs]):
            sql, params = self._asked("i.position", some)
            passing.update(row[0] for row in self._reading.fetch(sql, params))
        return [ref for ref in refs if ref.position in passing]

    def _asked(self, columns: str, positions: Sequence[object]) -> tuple[str, tuple[object, ...]]:
        """What those of some positions have that pass and may be seen: a query, its parameters."""
        shape, values = shape_of(self._filters)
        where, params = any_of(self._reading, "i.position", positions)
        sql = (
            f"SELECT {columns} FROM {self._reading.name(INTERACTIONS)} i WHERE {where}"
            f" AND {LISTED}{condition_of(shape, self._column)} AND {self._seen}"
        )
        return sql, (*params, *values, *self._walls)

    def _holding(self, refs: Sequence[Ref], words: Mapping[bytes, str]) -> list[Ref]:
        """Those of some rows whose words have every term."""
        needles = self._needles
        held = {one for one, said in words.items() if all(needle in said for needle in needles)}
        return [ref for ref in refs if ref.originator in held]

    # ------------------------------------------------------------- by the index

    def _by_index(self, way: Way) -> None:
        """Read the index in its order, which is that of minutes, as far as needed."""
        few = min(FEW, 2 * way.count)
        wanted = self._asked_first(way.sample)
        while not way.done:
            met = self._met(way)
            stretches = tuple(dict.fromkeys(map(stretch_of, met)))
            first, last = place_of(way.low[0], 0), place_of(way.high[0], POSITION_MAX)
            span = Span(first, last, few + 1, way.descending, stretches)
            places = ordered(self._beside, DOCUMENTS, wanted, span)
            end, all_of_it = (
                end_of(met, STRETCHES_ASKED, descending=way.descending),
                len(places) <= few,
            )
            if not all_of_it:
                # The last minute may have more rows than these, and in another order.
                unit = places[-1] >> POSITION_BITS
                end = unit_start(unit + way.descending)
                places = [place for place in places if place >> POSITION_BITS != unit]
            passing = self._among(map(position_in, places), way)
            way.take(passing, last=all_of_it and end is None)
            if end is not None and (places or all_of_it):
                way.go_beyond((end, SELF))
            few = _few(few if all_of_it or places else 2 * few, passing, places, way)
            if len(passing) * SELDOM[self._beside.kind] < len(places):
                wanted, few = self._asked_then(wanted), 2 * (way.count - len(way.found))

    def _asked_first(self, sample: Sequence[str]) -> Wanted:
        """What the index is asked for at first: not for words and filters that are common.

        Common is what is in many more rows than something else; the words of some rows say. GIN is
        not spared filters that few rows pass, unless something else is rarer than these rows say.
        """
        wanted = self._wanted
        count = len(wanted.texts)
        if not sample or count + len(wanted.also) == 1:
            return wanted
        signs = ([f" {piece.word} " for piece in need] for need in wanted.also)
        hits = [
            sum(any(text in said for text in some) for said in sample)
            for some in (*([text] for text in wanted.texts), *signs)
        ]
        common = max(COMMON_ROWS_MIN, COMMON * min(hits))
        words = [need for need, many in zip(wanted.needs, hits, strict=False) if many <= common]
        filters = zip(wanted.also, hits[count:], strict=True)
        also = tuple(need for need, many in filters if many <= common)
        if self._beside.kind == "sqlite":
            self._exact = self._exact and len(words) == count
        elif min(hits):
            passing = prod(many / len(sample) for many in hits[count:] if many > common)
            also = wanted.also if passing * SELDOM["postgresql"] < 1 else also
        return Wanted((*words, *wanted.needs[count:]), wanted.texts, also)

    def _asked_then(self, wanted: Wanted) -> Wanted:
        """What it is asked for where few of the rows pass that it proposed."""
        if self._beside.kind == "sqlite":
            return self._wanted
        return Wanted(wanted.needs, wanted.texts, self._wanted.also)

    def _among(self, positions: Iterable[int], way: Way) -> list[Ref]:
        """Those of some rows that match and lie ahead, in order."""
        found: list[Ref] = []
        for some in _chunks(sorted(positions)):
            sql, params = self._asked(OF_ROW, some)
            refs = [Ref(*row) for row in self._reading.fetch(sql, params)]
            found += [ref for ref in refs if way.low < key_of(ref) < way.high]
        if not self._exact:
            found = self._holding(found, self.words(found))
        return sorted(found, key=key_of, reverse=way.descending)

    def _met(self, way: Way) -> list[int]:
        """A time (µs) in each of the next stretches in which anything happened, in their order.

        From each one, the next is looked up.
        """
        begin, end = (way.high[0], way.low[0]) if way.descending else (way.low[0], way.high[0])
        sql = hops(self._reading.name(INTERACTIONS), descending=way.descending)
        found = self._reading.fetch(sql, (begin, end, end, STRETCHES_ASKED))
        return [at for (at,) in found]


def _few(few: int, passing: Sequence[Ref], places: Sequence[int], way: Way) -> int:
    """How many rows the index proposes next: what is still wanted, if as many of them pass."""
    if not places:
        return few
    rest = 2 * (way.count - len(way.found))
    return max(rest, min(rest * len(places) // max(len(passing), 1), MANY))


def _wanted(query: SearchQuery) -> Wanted:
    """What the index is asked for: every word, whose, and what passes the filters."""
    pieces: list[Piece] = []
    for term in query.terms:
        *before, last = term.words
        pieces.append(Piece(last, term.prefix, tuple(before)))
    needs: list[Need] = [(piece,) for piece in dict.fromkeys(pieces)]
    if query.subjects:
        needs.append(with_any_of(query.subjects))
    narrowed = ((name, getattr(query.filters, name)) for name in FILTERED)
    also = tuple(with_one_of(name, values) for name, values in narrowed if values)
    return Wanted(tuple(needs), tuple(term.needle for term in query.terms), also)


def _chunks(values: Sequence[object]) -> Iterator[Sequence[object]]:
    return (values[start : start + ASKED_MAX] for start in range(0, len(values), ASKED_MAX))
