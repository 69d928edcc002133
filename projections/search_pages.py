"""Finding interactions by their words: which match, the newest first, or those that say most.

Three ways lead to the newest. Where a word is in most rows, the list is walked from its newest
end, and a page is soon full. Where it is in few, the index of words has them all, and they are
put in order. In between, time is cut into spans, and the index is asked for the next one, a
long one where it has few rows, a short one where it has many. All ways give the same rows in
the same order, on both databases: the index only proposes, the words of each row decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct, structs

from projections import activity, paging, timeline_pages
from projections.access import Visible
from projections.finding_pages import any_of
from projections.fulltext import Need, Piece, holding
from projections.paging import HIGHEST, LIMIT_DEFAULT, LOWEST, Ask, Fetch, Page, SortKey, read_page
from projections.search import DOCUMENTS, SHIFTS, in_span, span_of, start_of, with_any_of
from projections.timeline import INTERACTIONS, KIND_INTERACTION, LISTED
from projections.timeline_pages import OF_ROW, SELF, Filters, Ref, key_of, shape_of
from projections.timeline_pages import where as condition_of
from projections.views import Beside, Reading
from projections.words import Term

STRIDE_FIRST: Final = 200
"""Rows that are walked over before the index is asked: a millisecond or two."""

STRIDE_MAX: Final = 2_000
"""Rows that are walked over at a time."""

FEW: Final = 300
"""Rows that the index proposes and that are all looked at: some pages full."""

MANY: Final = 2_000
"""And where filters let few of them pass: some ten milliseconds."""

ASKED_MAX: Final = 1_000
"""Rows in one query: far below what either database takes as parameters."""

WEIGHED_MAX: Final = 500
"""Matches that are weighed where the weightiest are asked for: the newest ones."""

PREFIX_MIN_CHARS: Final = 3
"""Beginnings of fewer characters are in so many rows that the index is asked for others."""

REPEATS_MAX: Final = 5
"""So often a word counts in one row: who writes it more often says no more."""

_WHOLE: Final = 3
"""A whole word weighs so much, one that goes on a third of it."""

_SCALE: Final = 1_000
_LENGTH: Final = 20
"""Words at which a text begins to count as long: a message of some lines."""


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
    weighed = _Weightiest(newest, query)
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
        self._needs, self._exact = _needs(query)
        self._few = MANY if shape_of(query.filters)[0] else FEW
        self._list = self._listed(visible)
        self._documents = beside.name(DOCUMENTS)

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` of them, in that order."""
        way = _Way(low, high, descending=descending, count=count)
        self._walk(way, STRIDE_FIRST)
        if not way.done:
            proposed = self._proposed(())
            if proposed is None:
                self._by_spans(way, 0)
            else:
                way.take(self._among(proposed, way), last=True)
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

    def _walk(self, way: _Way, walked_max: int) -> None:
        """Look at the next rows of the list, until there are enough, or so many were seen."""
        stride, walked = STRIDE_FIRST, 0
        while not way.done and walked < walked_max:
            refs = self._list(way.low, way.high, descending=way.descending, count=stride)
            held = self._holding([ref.originator for ref in refs])
            way.take([ref for ref in refs if ref.originator in held], last=len(refs) < stride)
            if refs:
                way.go_beyond(key_of(refs[-1]))
            walked += stride
            stride = min(2 * stride, STRIDE_MAX)

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

    def _proposed(self, span: Need) -> list[int] | None:
        """The positions of all that may match, in a span of time if given; None: too many."""
        needs = [*self._needs, span] if span else self._needs
        found = holding(self._beside, DOCUMENTS, needs, self._few + 1)
        return None if len(found) > self._few else found

    def _among(self, positions: Sequence[int], way: _Way) -> list[Ref]:
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

    def _by_spans(self, way: _Way, level: int) -> None:
        """Go through what lies ahead a span of time at a time, smaller ones where need be."""
        for span in self._spans(way, level):
            if way.done:
                return
            proposed = self._proposed(in_span(level, span))
            inside = way.within(start_of(level, span), start_of(level, span + 1))
            if proposed is not None:
                inside.take(self._among(proposed, inside), last=True)
            elif level + 1 < len(SHIFTS):
                self._by_spans(inside, level + 1)
            else:
                self._walk(inside, HIGHEST[0])
            way.take(inside.found, last=False)

    def _spans(self, way: _Way, level: int) -> Iterator[int]:
        """The spans in which there is anything ahead, the next one first."""
        oldest, newest = self._ends()
        first = span_of(level, max(oldest, way.low[0]))
        last = span_of(level, min(newest, way.high[0]))
        spans = range(first, last + 1)
        return iter(reversed(spans) if way.descending else spans)

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

    def within(self, start: int, end: int) -> _Way:
        """The part of it from one time to another one, of which as many are wanted."""
        low, high = max(self.low, (start, SELF)), min(self.high, (end, SELF))
        return _Way(low, high, descending=self.descending, count=self.count - len(self.found))


def _needs(query: SearchQuery) -> tuple[list[Need], bool]:
    """What the index is asked for, and whether rows that have it all match.

    It is asked for the words that are likely in few rows, and for whose they are.
    """
    pieces: list[Piece] = []
    for term in query.terms:
        *whole, last = term.words
        pieces += [Piece(word) for word in whole]
        pieces.append(Piece(last, term.prefix))
    pieces = list(dict.fromkeys(pieces))
    rare = [one for one in pieces if not one.prefix or len(one.word) >= PREFIX_MIN_CHARS]
    needs: list[Need] = [(piece,) for piece in rare or pieces]
    if query.subjects:
        needs.append(with_any_of(query.subjects))
    single = all(len(term.words) == 1 for term in query.terms)
    return needs, single and len(rare or pieces) == len(pieces)


# ----------------------------------------------------------------------- the weightiest


class _Weightiest:
    """Fetches the newest matches by their weight."""

    def __init__(self, newest: Newest, query: SearchQuery) -> None:
        filters = query.filters
        low = LOWEST if filters.since is None else (filters.since, SELF)
        high = HIGHEST if filters.until is None else (filters.until, SELF)
        refs = newest(low, high, descending=True, count=WEIGHED_MAX)
        words = newest.words(refs)
        self._keys = {
            ref.originator: (_weight(words.get(ref.originator, ""), query.terms), ref.position)
            for ref in refs
        }
        self._refs = sorted(refs, key=self.key_of, reverse=True)

    def key_of(self, ref: Ref) -> SortKey:
        """Its weight, and of one weight the order of the log."""
        return self._keys[ref.originator]

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` between two keys."""
        found = [ref for ref in self._refs if low < self.key_of(ref) < high]
        return (found if descending else found[::-1])[:count]


def _weight(words: str, terms: Sequence[Term]) -> int:
    """How much a row says of the terms: whole words and several, in few words."""
    weight = 0
    for term in terms:
        begun = min(words.count(f" {' '.join(term.words)}"), REPEATS_MAX)
        whole = min(words.count(f" {' '.join(term.words)} "), REPEATS_MAX)
        weight += begun + (_WHOLE - 1) * whole
    return weight * _SCALE // (_LENGTH + words.count(" "))


def _chunks(values: Sequence[object]) -> Iterator[Sequence[object]]:
    return (values[start : start + ASKED_MAX] for start in range(0, len(values), ASKED_MAX))
