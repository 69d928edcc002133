"""How long contacts wait for an answer, and what campaigns bring.

Times go by the ask: it lies in the range, and hour, channel, source, origin and campaign are
its own. The user is who answered. The department is the ask's, or else the answer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from projections.columns import (
    Column,
    arrow,
    compute,
    counted,
    integers,
    number,
    taken,
    truths,
)
from projections.report_codes import WORDS, Codes, Times, Value
from projections.report_deck import Deck
from projections.report_figures import (
    Question,
    Selection,
    View,
    check_size,
    columns_of,
    count,
    in_order,
)
from projections.report_sequence import NOBODY, Asks, Facts, asks_of, firsts_of, replied_to
from projections.reports import KindRow

MEDIAN: Final = 0.5
P90: Final = 0.9

MS_A_S: Final = 1_000


class Waits(Struct, frozen=True):
    """Times of some answers, in seconds; None where nothing was answered."""

    answered: int
    unanswered: int
    median_s: float | None
    p90_s: float | None
    max_s: float | None


_NOTHING: Final = Waits(0, 0, None, None, None)


class Response(Struct, frozen=True):
    """One row: `first` of the first ask since the last answer, `every` of each ask."""

    values: tuple[Value, ...]
    first: Waits
    every: Waits


class Campaign(Struct, frozen=True):
    """One row of campaigns: what happened, whom it reached, whom it brought, who wrote back."""

    values: tuple[Value, ...]
    interactions: int
    contacts: int
    first_touches: int
    replies: int


# ------------------------------------------------------------------- response times


def response_times(view: View, question: Question) -> tuple[list[Response], Response]:
    """Response times by group, in the order of values; and those of everything.

    Raises InvalidInput where there are too many groups, and TimeError `bad_zone`.
    """
    pa = arrow()
    selection = Selection(view, question)
    deck = selection.deck
    asks = asks_of(selection)
    nothing = Response((), _NOTHING, _NOTHING)
    if asks is None or not len(asks.at):
        return [], nothing
    span = selection.span
    pairs = Pairs(view, question, deck)
    column, keep = pairs.column(asks)
    codes = Codes(question.groups, question.tz, {"pair": (column, pairs.values)}, span)
    check_size(codes, deck)
    if not compute().all(keep).as_py():
        asks, column = asks.only(keep), column.filter(keep)
    if not len(asks.at):
        return [], nothing
    words = column.cast(pa.int64())
    codes_of = codes.of(words, Times(asks.at)).dictionary_encode()
    found, total = _summed(codes_of.indices, asks)
    spelled = _spelled(codes, pairs, codes_of.dictionary.to_pylist())
    rows = [Response(values, *waits) for values, waits in zip(spelled, found, strict=True)]
    rows.sort(key=lambda row: [(value is None, value) for value in row.values])
    return rows, Response((), *total)


_OF_ASK: Final = ("channel", "direction", "origin", "source", "campaign", "department")
_OF_ANSWER: Final = ("attended_by", "department")


def _words(ask: KindRow, answer: KindRow | None) -> dict[str, Any]:
    """What an ask and its answer, if there is one, say together."""
    said = {name: getattr(ask, name) for name in _OF_ASK}
    said["department"] = ask.department or (answer.department if answer else None)
    said["attended_by"] = answer.attended_by if answer else None
    return said


class Pairs:
    """Which words an ask and its answer have together; each combination has a number."""

    def __init__(self, view: View, question: Question, deck: Deck) -> None:
        self._view, self._deck = view, deck
        names = (*_OF_ASK, "attended_by")
        wanted = {name: getattr(question.filters, name) for name in names}
        self._wanted = {name: allowed for name, allowed in wanted.items() if allowed}
        self._users: dict[bytes, str] = {}
        self._groups = tuple(group for group in question.groups if group in WORDS)
        named = ("attended_by" if group == "user" else group for group in self._groups)
        self._needed = {*self._wanted, *named}
        self.values: list[Any] = []
        self._numbers: dict[tuple[str | None, ...], int] = {}

    def column(self, asks: Asks) -> tuple[Column, Column]:
        """For each ask the number of its combination, and whether the filters let it through."""
        pa = arrow()
        pc = compute()
        asked, questions = self._told_apart(_OF_ASK)
        given, answers = self._told_apart(_OF_ANSWER)
        nobody, nowhere = pa.scalar(NOBODY, pa.int32()), pa.scalar(None, pa.int32())
        place = pc.if_else(pc.equal(asks.answer, nobody), nowhere, asks.answer)
        none = pa.scalar(len(answers), pa.int64())
        both = pc.multiply(taken(asked, asks.kind), number(len(answers) + 1))
        encoded = pc.add(both, pc.fill_null(given.take(place), none)).dictionary_encode()
        numbers, keeps = [], []
        for code in encoded.dictionary.to_pylist():
            ask, answer = divmod(code, len(answers) + 1)
            words = _words(questions[ask], answers[answer] if answer < len(answers) else None)
            keeps.append(self._passes(words))
            numbers.append(self._number(words))
        places = encoded.indices
        return taken(integers(numbers), places), taken(truths(keeps), places)

    def _told_apart(self, names: Sequence[str]) -> tuple[Column, list[KindRow]]:
        needed = tuple(name for name in names if name in self._needed)
        return self._deck.words.told_apart(needed)

    def _passes(self, words: dict[str, Any]) -> bool:
        return all(words[name] in allowed for name, allowed in self._wanted.items())

    def _number(self, words: dict[str, Any]) -> int:
        raw = words["attended_by"]
        if raw is not None and raw not in self._users:
            self._users[raw] = self._view.names.user(raw).id
        named = {**words, "user": self._users.get(raw)}
        values = tuple(named[group] for group in self._groups)
        number = self._numbers.setdefault(values, len(self._numbers))
        if number == len(self.values):
            self.values.append(dict(zip(self._groups, values, strict=True)))
        return number


def _spelled(codes: Codes, pairs: Pairs, found: Sequence[int]) -> list[tuple[Value, ...]]:
    """The values of each group for some codes: words of the combination, times of the calendar."""
    said = [pairs.values[codes.word(code, "pair")] for code in found]
    return [
        tuple(words.get(group, value) for group, value in zip(codes.groups, values, strict=True))
        for words, values in zip(said, codes.rows(found), strict=True)
    ]


def _summed(groups: Column, asks: Asks) -> tuple[list[tuple[Waits, Waits]], tuple[Waits, Waits]]:
    """The waits of first asks and of every ask: for each group by its number, and of all.

    They are sorted once; what is of one group keeps that order when it is put together.
    """
    pc = compute()
    answered = pc.not_equal(asks.answer, arrow().scalar(NOBODY, asks.answer.type))
    columns = (groups, asks.wait_ms, asks.first)
    group, wait, first = (column.filter(answered) for column in columns)
    order = pc.array_sort_indices(wait)
    group, wait, first = (taken(column, order) for column in (group, wait, first))
    unanswered = pc.invert(answered)
    open_, opened = groups.filter(unanswered), asks.first.filter(unanswered)
    total = (_waits(wait.filter(first), pc.sum(opened).as_py() or 0), _waits(wait, len(open_)))
    order = pc.array_sort_indices(group)
    group, wait, first = (taken(column, order) for column in (group, wait, first))
    count = pc.max(groups).as_py() + 1
    firsts = _by_group(group.filter(first), wait.filter(first), open_.filter(opened), count)
    return list(zip(firsts, _by_group(group, wait, open_, count), strict=True)), total


def _by_group(groups: Column, waits: Column, unanswered: Column, count: int) -> list[Waits]:
    """The waits of each group; those of a group stand together, ascending."""
    sizes, open_ = counted(groups), counted(unanswered)
    found, start = [], 0
    for group in range(count):
        size = sizes.get(group, 0)
        found.append(_waits(waits.slice(start, size), open_.get(group, 0)))
        start += size
    return found


def _waits(sorted_ms: Column, unanswered: int) -> Waits:
    size = len(sorted_ms)
    if not size:
        return Waits(0, unanswered, None, None, None)
    median, p90 = _percentile(sorted_ms, MEDIAN), _percentile(sorted_ms, P90)
    return Waits(size, unanswered, median, p90, _at(sorted_ms, size - 1) / MS_A_S)


def _percentile(sorted_ms: Column, share: float) -> float:
    """Between the two nearest values in proportion, in seconds to the millisecond."""
    place = share * (len(sorted_ms) - 1)
    low = int(place)
    one = _at(sorted_ms, low)
    other = _at(sorted_ms, min(low + 1, len(sorted_ms) - 1))
    return round((one + (other - one) * (place - low)) / MS_A_S, 3)


def _at(sorted_ms: Column, place: int) -> int:
    value: int = sorted_ms[place].as_py()
    return value


# ------------------------------------------------------------------------ campaigns


def campaigns(view: View, question: Question) -> tuple[list[Campaign], Campaign, dict[str, int]]:
    """What each group brought, that of everything, and the contacts by their first source.

    A first touch is the first interaction that a contact ever had; a reply is an ask that
    follows what went out. Raises InvalidInput, TimeError.
    """
    figures, whole = count(view, question)
    selection = Selection(view, question)
    deck = selection.deck
    columns = columns_of(view, deck, question)
    span = selection.span
    codes = Codes(question.groups, question.tz, columns, span)
    touches, sources = _counted(selection, codes, firsts_of(selection), span)
    replies, _ = _counted(selection, codes, replied_to(selection), span)
    rows = [
        Campaign(
            figure.values,
            figure.interactions,
            figure.contacts,
            touches.get(figure.values, 0),
            replies.get(figure.values, 0),
        )
        for figure in in_order(figures)
    ]
    total = Campaign(
        (), whole.interactions, whole.contacts, sum(touches.values()), sum(replies.values())
    )
    return rows, total, dict(sorted(sources.items(), key=lambda item: (-item[1], item[0])))


def allowed_of(selection: Selection, facts: Facts) -> Facts:
    """Those of some facts that pass the question's filters by their own words."""
    allowed = selection.allowed()
    return facts if allowed is None else facts.only(allowed.take(facts.kind))


def _counted(
    selection: Selection,
    codes: Codes,
    facts: Facts | None,
    span: tuple[int, int] | None,
) -> tuple[dict[tuple[Value, ...], int], dict[str, int]]:
    """How many of some facts pass the filters: by group, and by source."""
    pa = arrow()
    if facts is None or span is None:
        return {}, {}
    facts = allowed_of(selection, facts)
    at, kind = facts.at, facts.kind
    if not len(at):
        return {}, {}
    words = codes.words
    mine = codes.of(None if words is None else words.take(kind), Times(at))
    if mine is None:
        mine = pa.repeat(number(0), len(at))
    by_code = counted(mine)
    by_group = dict(zip(codes.rows(list(by_code)), by_code.values(), strict=True))
    column, names = selection.deck.words.mapped("source", lambda value: value)
    by_source = counted(taken(column, kind))
    return by_group, {str(names[place]): count for place, count in by_source.items()}
