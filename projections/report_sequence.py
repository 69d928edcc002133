"""What follows what with each contact: who waited for an answer, and who wrote back.

An *ask* is inbound content, an *answer* outbound content, both neither written by a machine nor
retracted; so they are here what they are in the inbox, imported history included. With each
contact they stand by time, over all addresses and channels that are theirs now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, structs

from domain.values import Direction
from projections.columns import (
    Column,
    alike,
    arrow,
    ascends,
    by_all,
    compute,
    differs,
    in_threads,
    number,
    one_and,
    places,
    taken,
)
from projections.report_codes import Times
from projections.report_figures import Part, Selection, Wanted, earlier
from projections.report_tally import alone
from projections.reports import KindRow

NOBODY: Final = -1
"""In place of a kind or a contact: there is none."""

US_A_MS: Final = 1_000


class Asks(Struct, frozen=True):
    """Asks with what became of them; columns of one length.

    `number` is the fact's; `answer` is the kind of the answer, -1 where there is none yet, and
    `wait_ms` is then 0. `first`: nobody had asked since the last answer.
    """

    number: Column
    at: Column
    kind: Column
    answer: Column
    wait_ms: Column
    first: Column

    def only(self, mask: Column) -> Asks:
        """Those of them for which a mask stands."""
        return Asks(*(getattr(self, name).filter(mask) for name in self.__struct_fields__))


def is_ask(kind: KindRow) -> bool:
    """Whether facts of a kind ask for an answer."""
    return kind.direction == Direction.INBOUND and not kind.auto and not kind.void


def is_answer(kind: KindRow) -> bool:
    """Whether facts of a kind answer."""
    return kind.direction == Direction.OUTBOUND and not kind.auto and not kind.void


def is_outbound(kind: KindRow) -> bool:
    """Whether facts of a kind went out, whoever wrote them."""
    return kind.direction == Direction.OUTBOUND and not kind.void


def asks_of(selection: Selection) -> Asks | None:
    """The asks between `since` and `until` of a selection; None where there are none.

    Who waited before is looked at too, and every answer that came since, to this day.
    """
    words = selection.deck.words
    asks = words.such(is_ask)
    both = compute().or_(asks, words.such(is_answer))
    lines = _lines(selection, both, back=True)
    found = in_threads(lambda line: _asked(line, asks, selection), lines)
    return Asks(*_joined(found)) if found else None


def _asked(line: Line, asks: Column, selection: Selection) -> Asks:
    """The asks of a line."""
    pa, pc = arrow(), compute()
    owner, at, kind = line.owner, line.at, line.kind
    asking = taken(asks, kind)
    standing = places(len(owner))
    nowhere = pa.scalar(None, standing.type)
    answer = pc.fill_null_backward(pc.if_else(asking, nowhere, standing))
    answer = pc.fill_null(answer, number(0))
    # Where none follows it is the first fact of all, and that is no answer to a later one.
    answered = pc.and_(pc.greater(answer, standing), pc.equal(taken(owner, answer), owner))
    wait = pc.divide(pc.subtract(taken(at, answer), at), number(US_A_MS))
    mask = pc.and_(asking, _within(at, selection))
    none = pa.scalar(NOBODY, pa.int32())
    columns = (
        line.number,
        at,
        kind,
        pc.if_else(answered, taken(kind, answer), none),
        pc.if_else(answered, wait, number(0)),
        pc.invert(pc.and_(_follows(owner), _before(asking, first=False))),
    )
    return Asks(*(column.filter(mask) for column in columns))


class Facts(Struct, frozen=True):
    """Some facts, as columns of one length."""

    number: Column
    at: Column
    kind: Column

    def only(self, mask: Column) -> Facts:
        """Those of them for which a mask stands."""
        return Facts(*(column.filter(mask) for column in (self.number, self.at, self.kind)))


def replied_to(selection: Selection) -> Facts | None:
    """What went out between `since` and `until` and was followed by an ask."""
    pc = compute()
    words = selection.deck.words
    asks = words.such(is_ask)
    both = pc.or_(asks, words.such(is_outbound))

    def replied(line: Line) -> Facts:
        asking = taken(asks, line.kind)
        followed = pc.and_(_after(asking, last=False), _after(_follows(line.owner), last=False))
        mask = pc.and_(pc.and_(followed, pc.invert(asking)), _within(line.at, selection))
        return Facts(line.number, line.at, line.kind).only(mask)

    lines = _lines(selection, both, back=False)
    found = in_threads(replied, lines)
    return Facts(*_joined(found)) if found else None


def firsts_of(selection: Selection) -> Facts | None:
    """The first facts of contacts in their whole history that lie in the range."""
    early = selection.each(_early, Wanted(by_time=True))
    line = _in_order([Line.of(part) for part in early if part.told])
    if line is None or not len(line.at):
        return None
    mask = compute().and_(compute().invert(_follows(line.owner)), _within(line.at, selection))
    return Facts(line.number, line.at, line.kind).only(mask)


def _early(part: Part) -> Part:
    """Facts of a part among which the first of each contact is: the first of each run."""
    return part.only(compute().invert(_goes_on(part))) if part.ordered else part


# --------------------------------------------------------------------------- lines


class Line(Struct, frozen=True):
    """Facts by contact, time and number, as columns of one length.

    All facts of a contact that are looked at stand in one line.
    """

    owner: Column
    at: Column
    kind: Column
    number: Column

    @classmethod
    def of(cls, part: Part) -> Line:
        """The facts of a part, in its order."""
        return cls(part.owner, part.at, part.kind, part.number)

    def only(self, mask: Column) -> Line:
        """Those of them for which a mask stands."""
        return Line(*(column.filter(mask) for column in structs.astuple(self)))


def _lines(selection: Selection, both: Column, *, back: bool) -> list[Line]:
    """Facts of some kinds in lines, from `since` on; with `back` what came last before, too.

    Contacts that are in one slice alone stand in its line, the others together in another one.
    """
    spread, since = selection.deck.spread, selection.since

    def cut(part: Part) -> tuple[Line | None, Line | None]:
        if not part.told:
            return None, None
        if back and since is not None and part.ordered:
            part = part.only(_and_the_last_before(part, since))
        line = Line.of(part)
        if not part.great or not len(line.owner):
            return None, line
        lone = alone(line.owner, (line.owner[0], line.owner[-1]), spread)
        return line.only(lone), line.only(compute().invert(lone))

    found = selection.each(cut, Wanted(both, None if back else since, by_time=True))
    several = _in_order([line for _, line in found if line is not None])
    lines = [line for line, _ in found]
    return [line for line in (*lines, several) if line is not None and len(line.at)]


def _and_the_last_before(part: Part, since: int) -> Column:
    """What is since a time, and of each caller what was last before it."""
    pc = compute()
    fresh = pc.invert(earlier(part, since))
    last = pc.or_(_after(fresh, last=True), pc.invert(_after(_goes_on(part), last=False)))
    return pc.or_(fresh, last)


def _goes_on(part: Part) -> Column:
    """Whether the fact before is of the same contact, and earlier: callers may be one contact."""
    pc = compute()
    (quarter, before), (rest, rest_before) = (
        (column.slice(1), column.slice(0, len(column) - 1)) for column in (part.quarter, part.rest)
    )
    within = pc.and_(pc.equal(quarter, before), pc.greater(rest, rest_before))
    later = pc.or_(pc.greater(quarter, before), within)
    return pc.and_(_follows(part.owner), one_and(later, first=False))


def _joined(columns: Sequence[Struct]) -> list[Column]:
    """Columns of some things of one shape, one thing's after the other's."""
    names = columns[0].__struct_fields__
    return [arrow().concat_arrays([getattr(one, name) for one in columns]) for name in names]


def _in_order(lines: Sequence[Line]) -> Line | None:
    """The facts of some lines in the order of one; None where there are no lines.

    So they mostly stand already: where each contact has one address and no segment follows.
    """
    if not lines:
        return None
    line = Line(*_joined(lines))
    if ascends(line.owner, line.at, line.number):
        return line
    order = by_all(line.owner, line.at, line.number)
    return Line(*(taken(column, order) for column in structs.astuple(line)))


def _before(column: Column, *, first: bool) -> Column:
    """Each row's one before."""
    return one_and(column.slice(0, len(column) - 1), first=first)


def _after(column: Column, *, last: bool) -> Column:
    """Each row's next one."""
    return arrow().concat_arrays([column.slice(1), alike(1, value=last)])


def _follows(owner: Column) -> Column:
    """Whether the row before is of the same contact."""
    return one_and(compute().invert(differs(owner)), first=False)


def _within(at: Column, selection: Selection) -> Column:
    """Whether times lie between `since` and `until`, and in the hours asked for."""
    pc = compute()
    mask = alike(len(at), value=True)
    if selection.since is not None:
        mask = pc.greater_equal(at, number(selection.since))
    if selection.until is not None:
        mask = pc.and_(mask, pc.less(at, number(selection.until)))
    hours = selection.in_hours(Times(at))
    return mask if hours is None else pc.and_(mask, hours)
