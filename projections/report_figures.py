"""Figures: how many interactions and how many contacts, by any combination of what they are.

An interaction counts for its main contact; one that is out of the reader's sight counts nowhere.
Where a further participant may be seen, as on every list, the interaction counts and its
contact does not. Hidden twins are not there; retracted records are, as on the list of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from msgspec import Struct, structs

from domain.errors import InvalidInput
from projections.access import Visible
from projections.columns import Column, DoneT, arrow, compute, in_threads, integers, taken
from projections.dictionary import Names
from projections.report_codes import WORDS, Codes, Timed, Value
from projections.report_deck import Deck, Decks
from projections.report_segment import Segment
from projections.report_tally import Counted, Tally
from projections.report_zones import Calendar, quarter_of, times_of
from projections.reports import FURTHER
from projections.timeline_pages import Filters
from projections.views import Beside, Reading

ROWS_MAX: Final = 100_000
"""Rows of a report (contract 2.11): more is an export."""

KEY_BITS: Final = 62
"""What one combination of groups and contact may take as a number."""

ASKED_MAX: Final = 500
"""Facts asked for in one query: below the parameters that any database takes."""


class Question(Struct, frozen=True, kw_only=True):
    """What is counted, and by what; `contacts` None asks for all of them."""

    filters: Filters
    contacts: tuple[bytes, ...] | None
    groups: tuple[str, ...]
    tz: str


class View(Struct, frozen=True):
    """What figures are read from: a snapshot of core and reports, its names, its reader."""

    core: Reading
    reports: Beside
    decks: Decks
    names: Names
    visible: Visible


class Figure(Struct, frozen=True):
    """One row: the value of each group, and the two counts."""

    values: tuple[Value, ...]
    interactions: int
    contacts: int


class Part(Struct, frozen=True, dict=True):
    """Facts of a slice that were asked for, as columns of one length.

    `ordered`: by caller and kind, or by caller and time where that was asked for; `great`: of
    the great segment, which has most callers for itself. `told`: False where their contact is not.
    """

    number: Column
    quarter: Column
    rest: Column
    kind: Column
    owner: Column
    ordered: bool
    great: bool = False
    told: bool = True

    @cached_property
    def at(self) -> Column:
        """Their times (int64, µs), worked out where they are asked for."""
        return times_of(self.quarter, self.rest)

    def only(self, mask: Column) -> Part:
        """Those of them for which a mask stands."""
        names = ("number", "quarter", "rest", "kind", "owner")
        return structs.replace(self, **{name: getattr(self, name).filter(mask) for name in names})


class Wanted(Struct, frozen=True):
    """Which facts: of which kinds and callers, from a time up to another one; None for all.

    `hours`: in those hours of the week alone that the question asks for. `by_time`: of each
    caller in that order, where parts are `ordered`.
    """

    kinds: Column = None
    since: int | None = None
    until: int | None = None
    callers: Column = None
    hours: bool = False
    by_time: bool = False

    def touches(self, span: tuple[int, int]) -> bool:
        """Whether any of a span lies in the range."""
        low, high = span
        return (self.since is None or high >= self.since) and (
            self.until is None or low < self.until
        )


# ------------------------------------------------------------------- which facts


class Selection:
    """The facts that a question asks for, within the reader's sight, segment by segment."""

    def __init__(self, view: View, question: Question) -> None:
        self._pc = compute()
        self._view = view
        self.deck: Deck = view.decks.deck(view.core, view.reports)
        self._question = question
        filters = question.filters
        self.since, self.until = filters.since, filters.until
        hidden = view.decks.owner_of(view.reports, view.visible.hidden)
        self._hidden = integers(sorted(hidden)) if hidden else None
        self._wanted = self._of_contacts(question.contacts)

    def each(self, work: Callable[[Part], DoneT], wanted: Wanted) -> list[DoneT]:
        """Do some work on all facts that are wanted, part by part, in threads."""
        shown = self._shown()
        segments = [one for one in self.deck.segments if wanted.touches(one.span)]
        slices = [one for segment in segments for one in segment.slices()]

        def cut(segment: Segment) -> list[DoneT]:
            segment = segment.in_time() if wanted.by_time else segment
            masks = [*self._masks(segment, wanted), *_taken((shown,), segment.caller)]
            return [work(part) for part in self._cut(segment, masks, told=True)]

        done = [one for found in in_threads(cut, slices) for one in found]
        if shown is not None:
            hidden = self._pc.invert(shown)
            for segment in segments:  # asks the database, which takes one question at a time
                masks = [*self._masks(segment, wanted), hidden.take(segment.caller)]
                done += [work(part) for part in self._seen_by_others(segment, masks)]
        return done

    def in_hours(self, facts: Timed) -> Column:
        """Whether facts lie in the hours of the week that are asked for; None: all hours are."""
        asked, span = self._question.filters.hours, self.span
        if asked is None or span is None:
            return None
        hours = Calendar(asked.tz, *span).codes("weekday", facts.at)
        return self._pc.is_in(hours, value_set=integers(asked.codes, "q"))

    def _masks(self, segment: Segment, wanted: Wanted) -> list[Column]:
        within = self.in_hours(segment) if wanted.hours else None
        return [
            *_times(segment, (wanted.since, wanted.until)),
            *(() if within is None else (within,)),
            *_taken((wanted.kinds,), segment.kind),
            *_taken((wanted.callers, self._wanted), segment.caller),
        ]

    @property
    def span(self) -> tuple[int, int] | None:
        """The times between which all that is asked for lies; None where there is nothing."""
        found = self.deck.span
        if found is None:
            return None
        low = found[0] if self.since is None else max(found[0], self.since)
        high = found[1] if self.until is None else min(found[1], self.until)
        return low, max(low, high)

    def allowed(self, *names: str) -> Column:
        """For each kind whether the question's filters let it through; None where all pass.

        Of all filters, or of those of these names.
        """
        mask = None
        for name in names or _FILTERED:
            wanted = getattr(self._question.filters, name)
            if wanted:
                passes = self.deck.words.among(name, wanted)
                mask = passes if mask is None else self._pc.and_(mask, passes)
        return mask

    def _of_contacts(self, contacts: tuple[bytes, ...] | None) -> Column:
        """For each caller whether it is of these contacts; None where all are asked for."""
        if contacts is None:
            return None
        view = self._view
        owners = view.decks.owner_of(view.reports, contacts)
        wanted = integers(sorted(owners))
        return self._pc.is_in(self.deck.owners, value_set=wanted)

    def _shown(self) -> Column:
        """For each caller whether the reader may see its contact; None where all may be seen."""
        if self._hidden is None:
            return None
        pc = self._pc
        return pc.invert(pc.is_in(self.deck.owners, value_set=self._hidden))

    def _cut(self, segment: Segment, masks: Sequence[Column], *, told: bool) -> Iterator[Part]:
        columns = (segment.number, segment.quarter, segment.rest, segment.kind, segment.caller)
        if masks:
            mask = masks[0]
            for further in masks[1:]:
                mask = self._pc.and_(mask, further)
            columns = tuple(column.filter(mask) for column in columns)
        number, quarter, rest, kind, caller = columns
        if len(number):
            owner = taken(self.deck.owners, caller)
            yield Part(number, quarter, rest, kind, owner, segment.ordered, segment.great, told)

    def _seen_by_others(self, segment: Segment, masks: list[Column]) -> Iterator[Part]:
        """Facts of hidden contacts that have a further participant whom the reader may see."""
        masks.append(taken(self.deck.words.among("several", (1,)), segment.kind))
        for part in self._cut(segment, masks, told=False):
            seen = self._with_seen(part.number.to_pylist())
            if seen:
                wanted = integers(seen)
                yield part.only(self._pc.is_in(part.number, value_set=wanted))

    def _with_seen(self, numbers: list[int]) -> list[int]:
        reports = self._view.reports
        hidden = set(self._hidden.to_pylist()) if self._hidden is not None else set()
        owners = self.deck.owners
        found: set[int] = set()
        for start in range(0, len(numbers), ASKED_MAX):
            some = numbers[start : start + ASKED_MAX]
            marks = ", ".join("?" * len(some))
            rows = reports.fetch(
                f"SELECT fact, caller FROM {reports.name(FURTHER)} WHERE fact IN ({marks})", some
            )
            found |= {fact for fact, caller in rows if owners[caller].as_py() not in hidden}
        return sorted(found)


def _taken(masks: Iterable[Column], numbers: Column) -> Iterator[Column]:
    """Those masks that there are, for each of some numbers."""
    return (taken(mask, numbers) for mask in masks if mask is not None)


def _times(segment: Segment, span: tuple[int | None, int | None]) -> Iterator[Column]:
    """What of a segment lies in a range; nothing where all of it does."""
    since, until = span
    if since is not None and segment.span[0] < since:
        yield compute().invert(earlier(segment, since))
    if until is not None and segment.span[1] >= until:
        yield earlier(segment, until)


def earlier(facts: Segment | Part, time_us: int) -> Column:
    """Whether facts are earlier than a time; ranges of days begin with a quarter of an hour."""
    pa, pc = arrow(), compute()
    quarter, rest = (pa.scalar(one, pa.int32()) for one in quarter_of(time_us))
    earlier = pc.less(facts.quarter, quarter)
    if not rest.as_py():
        return earlier
    within = pc.and_(pc.equal(facts.quarter, quarter), pc.less(facts.rest, rest))
    return pc.or_(earlier, within)


_FILTERED: Final = (
    "channel",
    "direction",
    "origin",
    "source",
    "attended_by",
    "department",
    "campaign",
)


# -------------------------------------------------------------------- counting


def count(view: View, question: Question) -> tuple[list[Figure], Figure]:
    """The figures of a question, ordered by their values, none last; and those of everything.

    Raises InvalidInput where there are more than 100,000 rows, and TimeError `bad_zone`.
    """
    selection = Selection(view, question)
    deck = selection.deck
    columns = columns_of(view, deck, question)
    codes = Codes(question.groups, question.tz, columns, selection.span)
    check_size(codes, deck)
    tally = Tally(codes.count, deck.spread)
    words = codes.words

    def counted(part: Part) -> Counted:
        mine = None if words is None else taken(words, part.kind)
        found = codes.of(mine, part)
        return tally.counted(found, part.owner, told=part.told, apart=part.great)

    wanted = Wanted(selection.allowed(), selection.since, selection.until, hours=True)
    by_code, contacts = tally.together(selection.each(counted, wanted))
    if len(by_code) > ROWS_MAX:
        raise too_many_rows()
    spelled = zip(codes.rows(list(by_code)), by_code.values(), strict=True)
    figures = [Figure(values, *counts) for values, counts in spelled]
    whole = sum(figure.interactions for figure in figures)
    return in_order(figures), Figure((), whole, contacts)


def in_order(figures: list[Figure]) -> list[Figure]:
    """By their values; none comes last."""
    return sorted(figures, key=lambda figure: [(v is None, v) for v in figure.values])


def columns_of(
    view: View, deck: Deck, question: Question
) -> dict[str, tuple[Column, list[str | None]]]:
    """For each word that is asked for, its column over the kinds, and what its numbers mean."""
    words = [group for group in question.groups if group in WORDS]
    found: dict[str, tuple[Column, list[str | None]]] = {}
    for group in words:
        if group == "user":
            found[group] = deck.words.mapped("attended_by", lambda raw: _user(view.names, raw))
        else:
            found[group] = deck.words.mapped(group, lambda value: value)
    return found


def _user(names: Names, raw: Column) -> str | None:
    return names.user(raw).id if raw else None


def check_size(codes: Codes, deck: Deck) -> None:
    """Raise InvalidInput where groups are so many that their combinations have no numbers."""
    if codes.count.bit_length() + deck.owner_bits > KEY_BITS:
        raise too_many_rows()


def too_many_rows() -> InvalidInput:
    """The refusal of a question with too long an answer."""
    message = f"this would be more than {ROWS_MAX:,} rows; take a shorter range or fewer groups"
    return InvalidInput.one("query.group_by", "too_many", message)
