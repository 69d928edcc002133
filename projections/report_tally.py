"""Counting by code: interactions, and distinct contacts beside them.

Facts of a slice come in the order of callers and, of each, of kinds: so those of one contact and
one code are mostly neighbours, and a run of them is one fact with a length from then on. Put in
order by code, which is a matter of counting where codes are small, contacts differ from the one
before or are the same: nothing is hashed. A contact that is in no other slice, as nearly all are,
is counted where it is, in a thread; the others are put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from projections.columns import (
    Column,
    arrow,
    compute,
    counts_of,
    differs,
    each_once,
    integers,
    number,
    one_and,
    runs_of,
    sums_of,
    taken,
)

SMALL: Final = 1 << 16
"""Codes below are put in order by counting them; others get small numbers in each slice first."""


class Counted(Struct, frozen=True):
    """What one part knows: facts by code; by code and in all, the contacts that it alone has.

    `facts` and `contacts` are codes (int64) and how often each is there; `pairs` (int64) are the
    contact and code of all others.
    """

    facts: tuple[Column, Column]
    contacts: tuple[Column, Column]
    alone: int
    pairs: Column


class Tally:
    """Counts facts and distinct contacts by code; a code is less than `count`.

    `spread`: for each number of a contact whether several slices may have it, as far as its
    callers tell; None where no contact has several.
    """

    def __init__(self, count: int, spread: Column) -> None:
        self._bits = count.bit_length()
        self._small = count <= SMALL
        self._spread = spread

    def counted(self, codes: Column, owners: Column, *, told: bool, apart: bool) -> Counted:
        """Some facts; `codes` None: all of one. What is not told counts without its contact.

        `apart`: they are a slice of the great segment, in the order of callers.
        """
        pc = compute()
        none = integers([], "q")
        if codes is None:
            facts = (integers([0]), integers([len(owners)]))
            contacts = each_once(owners)
            code, owner = arrow().repeat(number(0), len(contacts)), contacts
        else:
            code, contacts, counts = _runs(codes, owners)
            small = code.cast(arrow().int32()) if self._small else code.dictionary_encode().indices
            order = pc.array_sort_indices(small)  # which is stable
            code, owner = taken(code, order), taken(contacts, order)
            facts = sums_of(code, taken(counts, order))
        if not told:
            return Counted(facts, (none, none), 0, none)
        first = one_and(pc.or_(differs(code), differs(owner)), first=True)
        if not apart:
            return Counted(facts, (none, none), 0, self._pairs(owner, code, first))
        ends = (owners[0], owners[-1])
        lone = alone(owner, ends, self._spread)
        pairs = self._pairs(owner, code, pc.and_not(first, lone))
        everyone = pc.sum(alone(each_once(contacts), ends, self._spread)).as_py() or 0
        return Counted(facts, runs_of(code.filter(pc.and_(first, lone))), everyone, pairs)

    def _pairs(self, owners: Column, codes: Column, mask: Column) -> Column:
        """Contact and code as one number (int64), where a mask stands."""
        pc, int64 = compute(), arrow().int64()
        owners, codes = (column.filter(mask).cast(int64) for column in (owners, codes))
        return pc.bit_wise_or(pc.shift_left(owners, number(self._bits)), codes)

    def together(self, parts: Sequence[Counted]) -> tuple[dict[int, tuple[int, int]], int]:
        """For each code how many facts, and of how many contacts; and of how many all are."""
        pa, pc = arrow(), compute()
        if not parts:
            return {}, 0
        pairs = pc.unique(pa.concat_arrays([part.pairs for part in parts]))
        others = counts_of(pc.bit_wise_and(pairs, number((1 << self._bits) - 1)))
        contacts = _added([*(part.contacts for part in parts), others])
        facts = _added([part.facts for part in parts])
        figures = {code: (count, contacts.get(code, 0)) for code, count in facts.items()}
        several = pc.count_distinct(pc.shift_right(pairs, number(self._bits)))
        return figures, sum(part.alone for part in parts) + int(several.as_py())


def _runs(codes: Column, owners: Column) -> tuple[Column, Column, Column]:
    """Neighbours of one code and one contact put together: code, contact, how many."""
    pc, int32 = compute(), arrow().int32()
    turns = one_and(pc.or_(differs(codes), differs(owners)), first=True)
    starts = pc.indices_nonzero(turns).cast(int32, safe=False)  # facts have numbers of 32 bits
    ends = arrow().concat_arrays([starts.slice(1), integers([len(codes)])])
    return taken(codes, starts), taken(owners, starts), pc.subtract(ends, starts)


def alone(contacts: Column, ends: tuple[Column, Column], spread: Column) -> Column:
    """For contacts in a slice of the great segment whether nowhere else is anything of them.

    `ends` are those of the first and the last of its facts, which may go on beside it; `spread`
    is the deck's.
    """
    pc = compute()
    first, last = (pc.not_equal(contacts, end) for end in ends)
    lone = pc.and_(first, last)
    return lone if spread is None else pc.and_not(lone, taken(spread, contacts))


def _added(counts: Sequence[tuple[Column, Column]]) -> dict[int, int]:
    """Counts by code, those of all parts together."""
    pa = arrow()
    codes, some = (
        pa.concat_arrays([pair[place].cast(pa.int64()) for pair in counts]) for place in (0, 1)
    )
    order = compute().array_sort_indices(codes)
    values, sums = sums_of(taken(codes, order), taken(some, order))
    return dict(zip(values.to_pylist(), sums.to_pylist(), strict=True))
