"""What follows what with each contact: who waited for an answer, and who wrote back.

An *ask* is inbound content, an *answer* outbound content, both neither written by a machine nor
retracted; so they are here what they are in the inbox, imported history included. With each
contact they stand by time, over all addresses and channels that are theirs now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from domain.values import Direction
from projections.columns import Column, arrow, ascends, by_all, compute, differs, number
from projections.report_deck import Deck
from projections.report_figures import Part, Selection, Wanted
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


def asks_of(selection: Selection, deck: Deck) -> Asks | None:
    """The asks between `since` and `until` of a selection; None where there are none.

    Whoever waited before is looked at too, and every answer that came since, to this day.
    """
    pa = arrow()
    pc = compute()
    asks = pa.array([is_ask(kind) for kind in deck.kinds], pa.bool_())
    both = pa.array([is_ask(kind) or is_answer(kind) for kind in deck.kinds], pa.bool_())
    line = _line(selection, both)
    if line is None:
        return None
    owner, at, kind, numbers = line
    asking = asks.take(kind)
    places = _places(len(owner))
    nowhere = pa.scalar(None, places.type)
    answer = pc.fill_null_backward(pc.if_else(asking, nowhere, places))
    answer = pc.fill_null(answer, number(0))
    # Where none follows it is the first fact of all, and that is no answer to a later one.
    answered = pc.and_(pc.greater(answer, places), pc.equal(owner.take(answer), owner))
    wait = pc.divide(pc.subtract(at.take(answer), at), number(US_A_MS))
    mask = pc.and_(asking, _within(at, selection))
    none = pa.scalar(NOBODY, pa.int32())
    columns = (
        numbers,
        at,
        kind,
        pc.if_else(answered, kind.take(answer), none),
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


def replied_to(selection: Selection, deck: Deck) -> Facts | None:
    """What went out between `since` and `until` and was followed by an ask."""
    pa = arrow()
    pc = compute()
    asks = pa.array([is_ask(kind) for kind in deck.kinds], pa.bool_())
    both = pa.array([is_ask(kind) or is_outbound(kind) for kind in deck.kinds], pa.bool_())
    line = _line(selection, both, back=False)
    if line is None:
        return None
    owner, at, kind, numbers = line
    asking = asks.take(kind)
    followed = pc.and_(_after(asking, last=False), _after(_follows(owner), last=False))
    mask = pc.and_(pc.and_(followed, pc.invert(asking)), _within(at, selection))
    return Facts(numbers, at, kind).only(mask)


def firsts_of(selection: Selection) -> Facts | None:
    """The first facts of contacts in their whole history that lie in the range."""
    pc = compute()
    early = _told(selection.each(_early, Wanted()))
    if not early:
        return None
    owner, at, kind, numbers = _in_order(early)
    mask = pc.and_(pc.invert(_follows(owner)), _within(at, selection))
    return Facts(numbers, at, kind).only(mask)


def _early(part: Part) -> Part:
    """Facts of a part among which the first of each contact is: the first of each run."""
    if not part.ordered:
        return part
    mask = compute().invert(_follows(part.owner))
    columns = (part.number, part.at, part.kind, part.owner)
    number, at, kind, owner = (column.filter(mask) for column in columns)
    return Part(number, at, kind, owner, part.span, part.ordered, part.told)


def _line(selection: Selection, both: Column, *, back: bool = True) -> Column:
    """Facts of some kinds by contact and time: owner, at, kind, number. None without facts.

    From `since` on, and with `back` what these contacts have from before.
    """
    pc = compute()
    since = selection.since
    parts = _told(selection.parts(both, since))
    if back and since is not None and parts:
        owners = pc.unique(_joined(parts, "owner"))
        callers = pc.is_in(selection.deck.owners, value_set=owners)
        parts = _told(selection.parts(both, None, None, callers))
    return _in_order(parts) if parts else None


def _told(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if part.told]


def _joined(parts: Sequence[Part], name: str) -> Column:
    return arrow().concat_arrays([getattr(part, name) for part in parts])


def _in_order(parts: Sequence[Part]) -> tuple[Column, Column, Column, Column]:
    """The facts of some parts by contact, time and number: owner, at, kind, number.

    So they mostly stand already: where each contact has one address and no segment follows.
    """
    owner, at, kind, number_ = (_joined(parts, name) for name in ("owner", "at", "kind", "number"))
    if ascends(owner, at, number_):
        return owner, at, kind, number_
    order = by_all(owner, at, number_)
    return owner.take(order), at.take(order), kind.take(order), number_.take(order)


def _places(size: int) -> Column:
    """0, 1, 2 and on."""
    pa = arrow()
    pc = compute()
    ones = pa.repeat(number(1), size)
    return pc.subtract(pc.cumulative_sum(ones), number(1))


def _before(column: Column, *, first: bool) -> Column:
    """Each row's one before."""
    pa = arrow()
    return pa.concat_arrays([pa.array([first]), column.slice(0, len(column) - 1)])


def _after(column: Column, *, last: bool) -> Column:
    """Each row's next one."""
    pa = arrow()
    return pa.concat_arrays([column.slice(1), pa.array([last])])


def _follows(owner: Column) -> Column:
    """Whether the row before is of the same contact."""
    pa = arrow()
    return pa.concat_arrays([pa.array([False]), compute().invert(differs(owner))])


def _within(at: Column, selection: Selection) -> Column:
    """Whether times lie between `since` and `until`, and in the hours asked for."""
    pa = arrow()
    pc = compute()
    mask = pa.repeat(pa.scalar(value=True), len(at))
    if selection.since is not None:
        mask = pc.greater_equal(at, number(selection.since))
    if selection.until is not None:
        mask = pc.and_(mask, pc.less(at, number(selection.until)))
    hours = selection.in_hours(at)
    return mask if hours is None else pc.and_(mask, hours)
