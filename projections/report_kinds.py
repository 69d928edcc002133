"""The kinds of facts, and what they say: word by word a column over all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from projections.columns import Column, DoneT, integers, taken, truths
from projections.reports import KINDS, KindRow
from projections.views import Beside


def kinds_of(reports: Beside, known: tuple[KindRow, ...]) -> tuple[KindRow, ...]:
    """All kinds, by number: those that are known, and what came after them."""
    listed = ", ".join(KINDS.columns)
    rows = reports.fetch(
        f"SELECT {listed} FROM {reports.name(KINDS)} WHERE number >= ? ORDER BY number",
        (len(known),),
    )
    return (*known, *(KindRow(*row) for row in rows)) if rows else known


class Words:
    """What the kinds say, word by word: a column of numbers for each, and what they stand for.

    A deck's questions ask for the same again and again, so what was worked out is kept.
    """

    def __init__(self, kinds: tuple[KindRow, ...]) -> None:
        self.kinds = kinds
        self._known: dict[str, tuple[Column, list[Any]]] = {}
        self._found: dict[object, Any] = {}

    def with_more(self, kinds: tuple[KindRow, ...]) -> Words:
        """Those of these kinds, which are the same ones and what came after them."""
        return self if len(kinds) == len(self.kinds) else Words(kinds)

    def among(self, name: str, wanted: Sequence[object]) -> Column:
        """For each kind whether its word is one of these."""
        numbers, values = self._of(name)
        return taken(truths(value in wanted for value in values), numbers)

    def mapped(self, name: str, meaning: Callable[[Any], DoneT]) -> tuple[Column, list[DoneT]]:
        """For each kind the number of what its word means, and the meanings by number."""
        numbers, values = self._of(name)
        meanings = [meaning(value) for value in values]
        distinct = list(dict.fromkeys(meanings))
        places = {one: place for place, one in enumerate(distinct)}
        return taken(integers(places[one] for one in meanings), numbers), distinct

    def such(self, are: Callable[[KindRow], bool]) -> Column:
        """For each kind whether it is such a one; `are` is a function of a module."""
        found = self._found.get(are)
        if found is None:
            found = self._found[are] = truths(are(kind) for kind in self.kinds)
        return found

    def told_apart(self, names: tuple[str, ...]) -> tuple[Column, list[KindRow]]:
        """For each kind a number (int64), by those of some words; and one kind of each number."""
        found = self._found.get(names)
        if found is None:
            found = self._found[names] = self._told_apart(names)
        column, kinds = found
        return column, kinds

    def _told_apart(self, names: tuple[str, ...]) -> tuple[Column, list[KindRow]]:
        numbers: dict[tuple[object, ...], int] = {}
        said = (tuple(getattr(kind, name) for name in names) for kind in self.kinds)
        column = [numbers.setdefault(words, len(numbers)) for words in said]
        first: dict[int, KindRow] = {}
        for number, kind in zip(column, self.kinds, strict=True):
            first.setdefault(number, kind)
        return integers(column, "q"), list(first.values())

    def _of(self, name: str) -> tuple[Column, list[Any]]:
        known = self._known.get(name)
        if known is None:
            places: dict[Any, int] = {}
            numbers = [places.setdefault(getattr(kind, name), len(places)) for kind in self.kinds]
            known = self._known[name] = (integers(numbers), list(places))
        return known
