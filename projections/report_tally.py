"""Counting by code: interactions, and distinct contacts beside them.

A fact's contact and its code are one number, contact first; facts come in the order of contacts.
So nearly all that repeat are neighbours, or neighbours but one (question and answer take
turns), and go before anything is sorted; what is left is put in order, and each number stands
for one contact in one code.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from projections.columns import (
    Column,
    arranged,
    arrow,
    compute,
    counts_of,
    differs,
    each_once,
    number,
)

NEIGHBOURS: tuple[int, ...] = (1, 2)
"""How far off a repetition is looked for before facts are sorted."""


class Counted(Struct, frozen=True):
    """Facts by code, and each pair of contact and code once, ascending."""

    facts: dict[int, int]
    pairs: Column


class Tally:
    """Counts facts and distinct contacts by code; a code takes less than `code_bits`."""

    def __init__(self, code_bits: int) -> None:
        self._bits = number(code_bits)
        self._ones = number((1 << code_bits) - 1)

    def counted(self, codes: Column, owners: Column, *, told: bool = True) -> Counted:
        """Some facts; `codes` None: all of one. What is not told counts without its contact."""
        pa, pc = arrow(), compute()
        facts = {0: len(owners)} if codes is None else counts_of(codes)
        if not told:
            return Counted(facts, pa.array([], pa.int64()))
        pairs = pc.shift_left(pc.cast(owners, pa.int64()), self._bits)
        if codes is not None:
            pairs = pc.bit_wise_or(pairs, pc.cast(codes, pa.int64()))
        return Counted(facts, each_once(arranged(_fewer(pairs))))

    def together(self, parts: Sequence[Counted]) -> tuple[dict[int, tuple[int, int]], int]:
        """For each code how many facts, and of how many contacts; and of how many all are."""
        pa, pc = arrow(), compute()
        facts: dict[int, int] = {}
        for part in parts:
            for code, count in part.facts.items():
                facts[code] = facts.get(code, 0) + count
        found = [part.pairs for part in parts if len(part.pairs)]
        if not found:
            return {code: (count, 0) for code, count in facts.items()}, 0
        pairs = each_once(arranged(pa.concat_arrays(found)))
        contacts = counts_of(pc.bit_wise_and(pairs, self._ones))
        figures = {code: (count, contacts.get(code, 0)) for code, count in facts.items()}
        owners = pc.shift_right(pairs, self._bits)
        return figures, int(pc.sum(differs(owners)).as_py() or 0) + 1


def _fewer(pairs: Column) -> Column:
    """The same without most of what repeats, in the same order."""
    far = max(NEIGHBOURS)
    size = len(pairs)
    if size <= far:
        return pairs
    fresh = None
    for back in NEIGHBOURS:
        here = differs(pairs, back).slice(far - back)
        fresh = here if fresh is None else compute().and_(fresh, here)
    return arrow().concat_arrays([pairs.slice(0, far), pairs.slice(far).filter(fresh)])
