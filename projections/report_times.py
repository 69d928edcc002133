"""How long contacts wait for an answer, and what campaigns bring.

Times go by the ask: it lies in the range, and hour, channel, source, origin and campaign are
its own. The user is who answered. The department is the ask's, or else the answer's.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from projections.columns import Column, arrow, compute, number
from projections.report_codes import WORDS, Codes, Value
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
from projections.report_sequence import NOBODY, Asks, asks_of, firsts_of, replied_to
from projections.reports import KindRow

WAIT_BITS: Final = 40
"""Milliseconds of a wait: 34 years; who waited longer waited so long."""

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
    asks = asks_of(selection, deck)
    nothing = Response((), _waits([], 0), _waits([], 0))
    if asks is None or not len(asks.at):
        return [], nothing
    span = selection.span
    pairs = _Pairs(view, question, deck)
    column, keep = pairs.column(asks)
    codes = Codes(question.groups, question.tz, {"pair": (column, pairs.values)}, span)
    check_size(codes, deck)
    asks = Asks(*(getattr(asks, name).filter(keep) for name in Asks.__struct_fields__))
    column = column.filter(keep)
    if not len(asks.at):
        return [], nothing
    words = column.cast(pa.int64())
    codes_of = codes.of(words, asks.at, span or (0, 0)).dictionary_encode()
    groups = codes_of.indices.cast(pa.int64())
    found = _summed(groups, asks)
    rows = [
        Response(_spelled(codes, pairs, code), first, every)
        for code, (first, every) in zip(codes_of.dictionary.to_pylist(), found, strict=True)
    ]
    rows.sort(key=lambda row: [(value is None, value) for value in row.values])
    total = _summed(pa.repeat(number(0), len(groups)), asks)[0]
    return rows, Response((), *total)


class _Pairs:
    """Which words an ask and its answer have together; each combination has a number."""

    def __init__(self, view: View, question: Question, deck: Deck) -> None:
        self._view, self._deck = view, deck
        names = ("channel", "direction", "origin", "source", "campaign", "department")
        wanted = {name: getattr(question.filters, name) for name in (*names, "attended_by")}
        self._wanted = {name: allowed for name, allowed in wanted.items() if allowed}
        self._users: dict[bytes, str] = {}
        self._groups = tuple(group for group in question.groups if group in WORDS)
        self.values: list[Any] = []
        self._numbers: dict[tuple[str | None, ...], int] = {}

    def column(self, asks: Asks) -> tuple[Column, Column]:
        """For each ask the number of its combination, and whether the filters let it through."""
        pa = arrow()
        pc = compute()
        width = len(self._deck.kinds) + 1
        both = pc.multiply(pc.cast(asks.kind, pa.int64()), number(width))
        both = pc.add(both, pc.add(pc.cast(asks.answer, pa.int64()), number(1)))
        encoded = both.dictionary_encode()
        numbers, keeps = [], []
        for code in encoded.dictionary.to_pylist():
            kind, answer = divmod(code, width)
            words = self._words(kind, answer - 1)
            keeps.append(self._passes(words))
            numbers.append(self._number(words))
        taken = pa.array(numbers, pa.int32()).take(encoded.indices)
        return taken, pa.array(keeps, pa.bool_()).take(encoded.indices)

    def _words(self, kind: int, answer: int) -> dict[str, Any]:
        ask = self._deck.kinds[kind]
        reply: KindRow | None = self._deck.kinds[answer] if answer != NOBODY else None
        return {
            "channel": ask.channel,
            "direction": ask.direction,
            "origin": ask.origin,
            "source": ask.source,
            "campaign": ask.campaign,
            "department": ask.department or (reply.department if reply else None),
            "attended_by": reply.attended_by if reply else None,
        }

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


def _spelled(codes: Codes, pairs: _Pairs, code: int) -> tuple[Value, ...]:
    """The value of each group: words from the combination, times from the calendar."""
    words = pairs.values[codes.word(code, "pair")]
    found = codes.values(code)
    return tuple(words.get(group, value) for group, value in zip(codes.groups, found, strict=True))


def _summed(groups: Column, asks: Asks) -> list[tuple[Waits, Waits]]:
    """For each group, by its number, the waits of first asks and of every ask."""
    pc = compute()
    count = pc.max(groups).as_py() + 1
    firsts = _by_group(groups.filter(asks.first), asks, asks.first, count)
    return list(zip(firsts, _by_group(groups, asks, None, count), strict=True))


def _by_group(groups: Column, asks: Asks, mask: Column, count: int) -> list[Waits]:
    """The waits of each group; sorted once by group and wait, so that each lies in a row."""
    pa = arrow()
    pc = compute()
    answer, wait = asks.answer, asks.wait_ms
    if mask is not None:
        answer, wait = answer.filter(mask), wait.filter(mask)
    answered = pc.not_equal(answer, pa.scalar(NOBODY, pa.int32()))
    longest = pa.scalar((1 << WAIT_BITS) - 1, pa.int64())
    wait = pc.min_element_wise(wait, longest)
    keys = pc.bit_wise_or(pc.shift_left(groups, number(WAIT_BITS)), wait)
    keys = keys.filter(answered)
    keys = keys.take(pc.array_sort_indices(keys))
    waits = pc.bit_wise_and(keys, longest)
    sizes = _sizes(groups.filter(answered))
    open_ = _sizes(groups.filter(pc.invert(answered)))
    found, start = [], 0
    for group in range(count):
        size = sizes.get(group, 0)
        found.append(_waits(waits.slice(start, size), open_.get(group, 0)))
        start += size
    return found


def _sizes(groups: Column) -> dict[int, int]:
    pc = compute()
    return {one["values"]: one["counts"] for one in pc.value_counts(groups).to_pylist()}


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
    replies, _ = _counted(selection, codes, replied_to(selection, deck), span)
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


def _counted(
    selection: Selection,
    codes: Codes,
    facts: Column,
    span: tuple[int, int] | None,
) -> tuple[dict[tuple[Value, ...], int], dict[str, int]]:
    """How many of some facts (at, kind) pass the filters: by group, and by source."""
    pa = arrow()
    pc = compute()
    if facts is None or span is None:
        return {}, {}
    at, kind = facts
    allowed = selection.allowed()
    if allowed is not None:
        mask = allowed.take(kind)
        at, kind = at.filter(mask), kind.filter(mask)
    if not len(at):
        return {}, {}
    words = codes.words
    mine = codes.of(None if words is None else words.take(kind), at, span)
    if mine is None:
        mine = pa.repeat(number(0), len(at))
    by_group = {codes.values(code): number for code, number in _sizes(mine).items()}
    column, names = selection.deck.words.mapped("source", lambda value: value)
    taken = pc.value_counts(column.take(kind)).to_pylist()
    return by_group, {names[one["values"]]: one["counts"] for one in taken}
