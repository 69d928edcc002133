"""The interactions behind a figure that is computed: who was answered, who still is not.

What is counted by what it is has a list of its own, under filters. Whether something was
answered, or began a contact's history, stands in no row: the facts in memory say which ones
they are, and the list of all interactions shows them, in its order and with its cursors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, get_args

from projections.columns import Column, arrow, by_all, compute
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


class Behind:
    """Fetches, as a list by time, the interactions behind a figure of a question."""

    def __init__(self, view: View, question: Question, figure: Figure) -> None:
        self._view = view
        facts = facts_behind(view, question, figure)
        self._number, self._at = _by_time(facts)

    def __call__(
        self, low: tuple[int, int], high: tuple[int, int], *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` rows between two keys of (occurred_at, position)."""
        pc = compute()
        mask = pc.and_(pc.greater_equal(self._at, low[0]), pc.less_equal(self._at, high[0]))
        number, at = self._number.filter(mask), self._at.filter(mask)
        if descending:
            number, at = number[::-1], at[::-1]
        found: list[Ref] = []
        for start in range(0, len(number), LOOKED_AT):
            some = (column.slice(start, LOOKED_AT).to_pylist() for column in (number, at))
            refs = sorted(self._refs(*some), key=key_of, reverse=descending)
            found += [ref for ref in refs if low < key_of(ref) < high]
            if len(found) >= count:
                break
        return found[:count]

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
        found = firsts_of(selection) if first else replied_to(selection, selection.deck)
        return None if found is None else allowed_of(selection, found)
    asks = asks_of(selection, selection.deck)
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
    pa = arrow()
    if facts is None:
        return pa.array([], pa.int32()), pa.array([], pa.int64())
    order = by_all(facts.at, facts.number)
    return facts.number.take(order), facts.at.take(order)


def _pieces(values: Sequence[object]) -> Iterator[Sequence[object]]:
    return (values[start : start + LOOKED_AT] for start in range(0, len(values), LOOKED_AT))
