"""Finding interactions by their words: which match, the newest first, or those that say most.

Where a word is in most rows, the list is walked from its newest end, and a page is soon full.
Otherwise the index of words proposes, roughly in the order of time, and is read as far as
needed. Both ways give the same rows in the same order, on both databases: the index only
proposes, the words of each row decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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

SELDOM: Final = 20
"""Where fewer than one in so many of the rows that the index proposes is wanted, it is asked for
everything that it knows of: to look at a row takes some microseconds."""

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
        self._word = "strpos" if beside.kind == "postgresql" else "instr"
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
            way.sample = way.sample or [ref.originator for ref in refs]
            kept = self._passing(refs) if self._narrow else refs
            held = self._holding([ref.originator for ref in kept])
            way.take([ref for ref in kept if ref.originator in held], last=len(refs) < WALKED_ROWS)
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

    def _holding(self, originators: Sequence[bytes]) -> set[bytes]:
        """Those of some streams whose words have every term."""
        holds = " AND ".join([f"{self._word}(words, ?) > 0"] * len(self._needles))
        held: set[bytes] = set()
        for some in _chunks(originators):
            where, params = any_of(self._beside, "originator", some)
            sql = f"SELECT originator FROM {self._documents} WHERE {where} AND {holds}"
            held.update(row[0] for row in self._beside.fetch(sql, (*params, *self._needles)))
        return held

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
            if len(passing) * SELDOM < len(places):
                wanted, few = self._wanted, 2 * (way.count - len(way.found))

    def _asked_first(self, sample: Sequence[bytes]) -> Wanted:
        """What the index is asked for at first: not for words and filters that are common.

        Common is what is in many more rows than something else; some rows, by their streams, say.
        """
        wanted = self._wanted
        count = len(wanted.texts)
        if not sample or count + len(wanted.also) == 1:
            return wanted
        signs = ([piece.word for piece in need] for need in wanted.also)
        hits = self._hits(sample, [*([text] for text in wanted.texts), *signs])
        common = max(COMMON_ROWS_MIN, COMMON * min(hits))
        words = [need for need, many in zip(wanted.needs, hits, strict=False) if many <= common]
        filters = zip(wanted.also, hits[count:], strict=True)
        if len(words) < count and self._beside.kind == "sqlite":
            self._exact = False
        return Wanted(
            (*words, *wanted.needs[count:]),
            wanted.texts,
            tuple(need for need, many in filters if many <= common),
        )

    def _hits(self, originators: Sequence[bytes], texts: Sequence[Sequence[str]]) -> list[int]:
        """How many of some streams have one of some texts among their words, for each of many."""
        where, params = any_of(self._beside, "originator", originators)
        sums = [
            f"sum(CASE WHEN {' OR '.join([f'{self._word}(words, ?) > 0'] * len(some))}"
            " THEN 1 ELSE 0 END)"
            for some in texts
        ]
        sql = f"SELECT {', '.join(sums)} FROM {self._documents} WHERE {where}"
        (found,) = self._beside.fetch(sql, (*(one for some in texts for one in some), *params))
        return [many or 0 for many in found]

    def _among(self, positions: Iterable[int], way: Way) -> list[Ref]:
        """Those of some rows that match and lie ahead, in order."""
        found: list[Ref] = []
        for some in _chunks(sorted(positions)):
            sql, params = self._asked(OF_ROW, some)
            refs = [Ref(*row) for row in self._reading.fetch(sql, params)]
            found += [ref for ref in refs if way.low < key_of(ref) < way.high]
        if not self._exact:
            held = self._holding([ref.originator for ref in found])
            found = [ref for ref in found if ref.originator in held]
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
