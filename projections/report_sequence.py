"""What follows what with each contact: who waited for an answer, and who wrote back.

An *ask* is inbound content, an *answer* outbound content, both neither written by a machine nor
retracted; so they are here what they are in the inbox, imported history included. With each
contact they stand by time, over all addresses and channels that are theirs now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from domain.values import Direction
from projections.columns import Column, arrow, compute, number, whole
from projections.report_deck import Deck
from projections.report_figures import Part, Selection
from projections.reports import KindRow

NOBODY: Final = -1
"""In place of a kind or a contact: there is none."""

US_A_MS: Final = 1_000


class Asks(Struct, frozen=True):
    """Asks with what became of them; columns of one length.

    `answer` is the kind of the answer, -1 where there is none yet; `wait_ms` is then 0.
    `first`: nobody had asked since the last answer.
    """

    at: Column
    kind: Column
    answer: Column
    wait_ms: Column
    first: Column


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
    owner, at, kind = line
    asking = asks.take(kind)
    place = _places(len(owner))
    last = pc.cumulative_max(pc.if_else(asking, number(NOBODY), place))
    there = pc.greater_equal(last, number(0))
    last = pc.max_element_wise(last, number(0))
    answered = pc.and_(there, pc.equal(owner.take(last), owner))
    follows = pc.and_(_shifted(owner, owner), _after(asking, fill=False))
    wait = pc.divide(pc.subtract(at.take(last), at), number(US_A_MS))
    mask = pc.and_(asking, _within(at, selection))
    none = pa.scalar(NOBODY, pa.int32())
    columns = (
        at,
        kind,
        pc.if_else(answered, kind.take(last), none),
        pc.if_else(answered, wait, number(0)),
        pc.invert(follows),
    )
    return Asks(*(column.filter(mask) for column in columns))


def replied_to(selection: Selection, deck: Deck) -> Column:
    """What went out between `since` and `until` and was followed by an ask: (at, kind)."""
    pa = arrow()
    pc = compute()
    asks = pa.array([is_ask(kind) for kind in deck.kinds], pa.bool_())
    both = pa.array([is_ask(kind) or is_outbound(kind) for kind in deck.kinds], pa.bool_())
    line = _line(selection, both, back=False)
    if line is None:
        return None
    owner, at, kind = line
    asking = asks.take(kind)
    before = pa.concat_arrays([pa.array([NOBODY], owner.type), owner.slice(0, len(owner) - 1)])
    was = pa.concat_arrays([pa.array([False]), asking.slice(0, len(owner) - 1)])
    followed = pc.and_(pc.equal(before, owner), was)
    mask = pc.and_(pc.and_(followed, pc.invert(asking)), _within(at, selection))
    return at.filter(mask), kind.filter(mask)


def firsts_of(selection: Selection) -> Column:
    """The first fact of each contact in its whole history: (at, kind); None without facts."""
    pa = arrow()
    pc = compute()
    early = [_early(part) for part in selection.parts() if part.told]
    if not early:
        return None
    facts = pa.concat_tables(early)
    ways = [("owner", "ascending"), ("at", "ascending"), ("number", "ascending")]
    facts = facts.sort_by(ways).combine_chunks()
    owner, at, kind = (whole(facts.column(name)) for name in ("owner", "at", "kind"))
    before = pa.concat_arrays([pa.array([NOBODY], owner.type), owner.slice(0, len(owner) - 1)])
    mask = pc.and_(pc.not_equal(before, owner), _within(at, selection))
    return at.filter(mask), kind.filter(mask)


def _early(part: Part) -> Column:
    """Facts of a part among which the first of each contact is: the first of each run."""
    pa = arrow()
    pc = compute()
    facts = _table([part])
    if not part.ordered:
        return facts
    owner = part.owner
    turns = pc.not_equal(owner.slice(1), owner.slice(0, len(owner) - 1))
    return facts.filter(pa.concat_arrays([pa.array([True]), turns]))


def _line(selection: Selection, both: Column, *, back: bool = True) -> Column:
    """Facts of some kinds by contact, the latest first: owner, at, kind. None without facts.

    From `since` on, and with `back` what these contacts have from before.
    """
    pa = arrow()
    pc = compute()
    since = selection.since
    parts = [part for part in selection.parts(both, since) if part.told]
    if not parts:
        return None
    facts = _table(parts)
    if back and since is not None:
        owners = pc.unique(facts.column("owner"))
        callers = pc.is_in(selection.deck.owners, value_set=owners)
        earlier = [part for part in selection.parts(both, None, since, callers) if part.told]
        if earlier:
            facts = pa.concat_tables([facts, _table(earlier)])
    ways = [("owner", "ascending"), ("at", "descending"), ("number", "descending")]
    facts = facts.sort_by(ways).combine_chunks()
    return tuple(whole(facts.column(name)) for name in ("owner", "at", "kind"))


def _table(parts: Iterable[Part]) -> Column:
    pa = arrow()
    names = ("owner", "at", "number", "kind")
    return pa.concat_tables(
        [pa.table({name: getattr(part, name) for name in names}) for part in parts]
    )


def _places(size: int) -> Column:
    """0, 1, 2 and on."""
    pa = arrow()
    pc = compute()
    ones = pa.repeat(number(1), size)
    return pc.subtract(pc.cumulative_sum(ones), number(1))


def _after(column: Column, *, fill: object) -> Column:
    """Each row's next one."""
    pa = arrow()
    return pa.concat_arrays([column.slice(1), pa.array([fill], column.type)])


def _shifted(owner: Column, other: Column) -> Column:
    """Whether the next row is of the same contact."""
    pc = compute()
    return pc.equal(_after(owner, fill=NOBODY), other)


def _within(at: Column, selection: Selection) -> Column:
    """Whether times lie between `since` and `until`."""
    pa = arrow()
    pc = compute()
    mask = pa.repeat(pa.scalar(value=True), len(at))
    if selection.since is not None:
        mask = pc.greater_equal(at, number(selection.since))
    if selection.until is not None:
        mask = pc.and_(mask, pc.less(at, number(selection.until)))
    return mask
