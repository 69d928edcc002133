"""Finding interactions by their words: which match, the newest first, or those that say most.

Where a word is in most rows, the list is walked from its newest end, and a page is soon full.
Otherwise the index of words proposes, roughly in the order of time, and is read as far as
needed. Both ways give the same rows in the same order, on both databases: the index only
proposes, the words of each row decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct, structs

from projections import activity, paging, timeline_pages
from projections.access import Visible
from projections.fulltext import Need, Piece, Span, Wanted, ordered
from projections.paging import HIGHEST, LIMIT_DEFAULT, LOWEST, Ask, Fetch, Page, SortKey, read_page
from projections.search import (
    DOCUMENTS,
    POSITION_BITS,
    place_of,
    position_in,
    unit_start,
    with_any_of,
)
from projections.search_weight import Weightiest
from projections.timeline import INTERACTIONS, KIND_INTERACTION, LISTED
from projections.timeline_pages import OF_ROW, SELF, Filters, Ref, key_of, shape_of
from projections.timeline_pages import where as condition_of
from projections.views import Beside, Reading, any_of
from projections.words import Term

WALKED_ROWS: Final = 200
"""Rows that are walked over at a time: a millisecond or two."""

WALKED_MAX: Final = 1_000
"""Rows that are walked over at most, where so many seem to be enough, before the index is asked."""

FEW: Final = 300
"""Rows that the index proposes and that are all looked at: some pages full."""

MANY: Final = 2_000
"""And where filters let few of them pass: some ten milliseconds."""

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
        if query.subjects is not None:  # a contact's timeline has notes as well
            self._filters = structs.replace(query.filters, kind=(KIND_INTERACTION,))
        self._seen, self._walls = visible.interactions("i")
        self._needles = [term.needle for term in query.terms]
        self._wanted = _wanted(query)
        # PostgreSQL has looked at the words; FTS5 knows all but whether they are neighbours.
        alone = all(len(term.words) == 1 for term in query.terms)
        self._exact = alone or beside.kind == "postgresql"
        self._few = MANY if shape_of(query.filters)[0] else FEW
        self._list = self._listed(visible)
        self._documents = beside.name(DOCUMENTS)

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` of them, in that order."""
        way = _Way(low, high, descending=descending, count=count)
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

    def _walk(self, way: _Way) -> None:
        """Look at the next rows of the list, as long as it will not be for too many."""
        for walked in range(0, WALKED_MAX, WALKED_ROWS):
            if way.done or len(way.found) * WALKED_MAX < way.count * walked:
                return
            refs = self._list(way.low, way.high, descending=way.descending, count=WALKED_ROWS)
            held = self._holding([ref.originator for ref in refs])
            way.take([ref for ref in refs if ref.originator in held], last=len(refs) < WALKED_ROWS)
            if refs:
                way.go_beyond(key_of(refs[-1]))

    def _listed(self, visible: Visible) -> Fetch[Ref]:
        """The list without a search: that of all, or of those who are asked for."""
        if self._subjects is None:
            return activity.Recent(self._reading, self._filters, visible)
        return timeline_pages.Ranges(self._reading, self._subjects, self._filters)

    def _holding(self, originators: Sequence[bytes]) -> set[bytes]:
        """Those of some streams whose words have every term."""
        word = "strpos" if self._beside.kind == "postgresql" else "instr"
        holds = " AND ".join([f"{word}(words, ?) > 0"] * len(self._needles))
        held: set[bytes] = set()
        for some in _chunks(originators):
            where, params = any_of(self._beside, "originator", some)
            sql = f"SELECT originator FROM {self._documents} WHERE {where} AND {holds}"
            held.update(row[0] for row in self._beside.fetch(sql, (*params, *self._needles)))
        return held

    # ------------------------------------------------------------- by the index

    def _by_index(self, way: _Way) -> None:
        """Read the index in its order, which is that of minutes, as far as needed."""
        few = self._few
        oldest, newest = self._ends()
        while not way.done:
            first = place_of(max(way.low[0], oldest), 0)
            last = place_of(min(way.high[0], newest), POSITION_MAX)
            span = Span(first, last, few + 1, descending=way.descending)
            places = ordered(self._beside, DOCUMENTS, self._wanted, span)
            if len(places) <= few:
                way.take(self._among(map(position_in, places), way), last=True)
                return
            # The last minute may have more rows than these, and in another order.
            end = places[-1] >> POSITION_BITS
            whole = [place for place in places if place >> POSITION_BITS != end]
            if whole:
                way.take(self._among(map(position_in, whole), way), last=False)
                way.go_beyond((unit_start(end + way.descending), SELF))
            few = min(few * 2, MANY) if whole else few * 2

    def _among(self, positions: Iterable[int], way: _Way) -> list[Ref]:
        """Those of some rows that match and lie ahead, in order."""
        shape, values = shape_of(self._filters)
        name = self._reading.name(INTERACTIONS)
        rest = f"{LISTED}{condition_of(shape, 'i.')} AND {self._seen}"
        found: list[Ref] = []
        for some in _chunks(sorted(positions)):
            where, params = any_of(self._reading, "i.position", some)
            sql = f"SELECT {OF_ROW} FROM {name} i WHERE {where} AND {rest}"
            refs = [Ref(*row) for row in self._reading.fetch(sql, (*params, *values, *self._walls))]
            found += [ref for ref in refs if way.low < key_of(ref) < way.high]
        if not self._exact:
            held = self._holding([ref.originator for ref in found])
            found = [ref for ref in found if ref.originator in held]
        return sorted(found, key=key_of, reverse=way.descending)

    def _ends(self) -> tuple[int, int]:
        """The times (µs) of the oldest and the newest interaction."""
        sql = (
            f"SELECT occurred_at FROM {self._reading.name(INTERACTIONS)} WHERE {LISTED}"
            " ORDER BY occurred_at {0}, position {0} LIMIT 1"
        )
        ends = [self._reading.fetch(sql.format(way)) for way in ("ASC", "DESC")]
        return (ends[0][0][0], ends[1][0][0]) if ends[0] else (0, 0)


class _Way:
    """What lies ahead, between two keys, and what was found on the way."""

    def __init__(self, low: SortKey, high: SortKey, *, descending: bool, count: int) -> None:
        self.low = low
        self.high = high
        self.descending = descending
        self.count = count
        self.found: list[Ref] = []
        self._ended = False

    @property
    def done(self) -> bool:
        """Whether enough was found, or nothing lies ahead any more."""
        return self._ended or len(self.found) >= self.count

    def take(self, refs: Sequence[Ref], *, last: bool) -> None:
        """The next ones were found; `last`: and there are no more."""
        self.found += refs
        self._ended = self._ended or last

    def go_beyond(self, key: SortKey) -> None:
        """Everything up to a key was looked at."""
        if self.descending:
            self.high = key
        else:
            self.low = key


def _wanted(query: SearchQuery) -> Wanted:
    """What the index is asked for: every word, and whose."""
    pieces: list[Piece] = []
    for term in query.terms:
        *whole, last = term.words
        pieces += [Piece(word) for word in whole]
        pieces.append(Piece(last, term.prefix))
    needs: list[Need] = [(piece,) for piece in dict.fromkeys(pieces)]
    if query.subjects:
        needs.append(with_any_of(query.subjects))
    return Wanted(tuple(needs), tuple(term.needle for term in query.terms))


def _chunks(values: Sequence[object]) -> Iterator[Sequence[object]]:
    return (values[start : start + ASKED_MAX] for start in range(0, len(values), ASKED_MAX))
