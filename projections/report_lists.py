"""The interactions behind a figure that is computed: who was answered, who still is not.

What is counted by what it is has a list of its own, under filters. Whether something was
answered, or began a contact's history, stands in no row: the facts in memory say which ones
they are, and the list of all interactions shows them, in its order and with its cursors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, get_args

from msgspec import structs

from domain.times import DAY_US
from projections.columns import Column, arrow, by_all, compute, integers
from projections.report_figures import Question, Selection, View
from projections.report_sequence import NOBODY, Facts, asks_of, firsts_of, replied_to
from projections.report_times import Pairs, allowed_of
from projections.reports import FACTS
from projections.timeline import INTERACTIONS, LISTED
from projections.timeline_pages import OF_ROW, Ref, key_of
from projections.views import any_of

Figure = Literal["asked", "answered", "unanswered", "first_touch", "reply"]
"""Asks that are the first since the last answer, those of them that were and were not answered;
the first interactions of contacts; and what went out and brought an ask."""

FIGURES: Final[tuple[Figure, ...]] = get_args(Figure)

LOOKED_AT: Final = 200
"""Facts whose rows are looked up in one query: a page, mostly."""

LOOKED_AT_US: Final = 30 * DAY_US
"""How long a time a figure is computed for at first; where that is not a page, for longer."""

LONGER: Final = 8
"""Times: so all of it costs hardly more than at once, where what is asked for is rare."""


class Behind:
    """Fetches, as a list by time, the interactions behind a figure of a question."""

    def __init__(self, view: View, question: Question, figure: Figure) -> None:
        self._view, self._question, self._figure = view, question, figure
        self._span = view.decks.deck(view.core, view.reports).span

    def __call__(
        self, low: tuple[int, int], high: tuple[int, int], *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` rows between two keys of (occurred_at, position)."""
        found: list[Ref] = []
        for since, until in self._stretches(low[0], high[0], descending=descending):
            number, at = _by_time(self._facts(since, until))
            if descending:
                number, at = number[::-1], at[::-1]
            for start in range(0, len(number), LOOKED_AT):
                some = (column.slice(start, LOOKED_AT).to_pylist() for column in (number, at))
                refs = sorted(self._refs(*some), key=key_of, reverse=descending)
                found += [ref for ref in refs if low < key_of(ref) < high]
                if len(found) >= count:
                    return found[:count]
        return found

    def _stretches(self, low: int, high: int, *, descending: bool) -> Iterator[tuple[int, int]]:
        """Ranges of time, one after the other in the order of the list, each longer than before.

        A page lies in the first one mostly; so the figure is not computed for all others.
        """
        filters = self._question.filters
        if self._span is None:
            return
        low = max(low, self._span[0], *(() if filters.since is None else (filters.since,)))
        end = min(high, self._span[1]) + 1
        end = end if filters.until is None else min(end, filters.until)
        long = LOOKED_AT_US
        while low < end:
            if descending:
                middle = max(end - long, low)
                yield middle, end
                end = middle
            else:
                middle = min(low + long, end)
                yield low, middle
                low = middle
            long *= LONGER

    def _facts(self, since: int, until: int) -> Facts | None:
        filters = structs.replace(self._question.filters, since=since, until=until)
        question = structs.replace(self._question, filters=filters)
        return facts_behind(self._view, question, self._figure)

    def _refs(self, numbers: list[int], times: list[int]) -> Iterator[Ref]:
        """The rows of some facts, by their times, which an index knows, and then their numbers."""
        core, reports = self._view.core, self._view.reports
        where, params = any_of(core, "i.occurred_at", sorted(set(times)))
        rows = core.fetch(
            f"SELECT {OF_ROW} FROM {core.name(INTERACTIONS)} i WHERE {LISTED} AND {where}", params
        )
        known = {bytes(row[2]): row for row in rows}
        wanted = set(numbers)
        for some in _pieces(list(known)):
            where, params = any_of(reports, "originator", some)
            sql = f"SELECT originator, number FROM {reports.name(FACTS)} WHERE {where}"
            for originator, number in reports.fetch(sql, params):
                if number in wanted:
                    yield Ref(*known[bytes(originator)])


def facts_behind(view: View, question: Question, figure: Figure) -> Facts | None:
    """The facts of a figure, under the filters of a question; None where there are none."""
    selection = Selection(view, question)
    if figure in {"first_touch", "reply"}:
        first = figure == "first_touch"
        found = firsts_of(selection) if first else replied_to(selection)
        return None if found is None else allowed_of(selection, found)
    asks = asks_of(selection)
    if asks is None or not len(asks.at):
        return None
    _, keep = Pairs(view, question, selection.deck).column(asks)
    asks = asks.only(compute().and_(keep, asks.first))
    found = Facts(asks.number, asks.at, asks.kind)
    if figure == "asked":
        return found
    nobody = compute().equal(asks.answer, arrow().scalar(NOBODY, asks.answer.type))
    return found.only(nobody if figure == "unanswered" else compute().invert(nobody))


def _by_time(facts: Facts | None) -> tuple[Column, Column]:
    """Numbers and times, ascending by time, and then as they were recorded."""
    if facts is None:
        return integers([]), integers([], "q")
    order = by_all(facts.at, facts.number)
    return facts.number.take(order), facts.at.take(order)


def _pieces(values: Sequence[object]) -> Iterator[Sequence[object]]:
    return (values[start : start + LOOKED_AT] for start in range(0, len(values), LOOKED_AT))
