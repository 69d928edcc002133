"""The weightiest of what a search found: our own sum, since the databases' ranks differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from projections.paging import HIGHEST, LOWEST, SortKey
from projections.timeline_pages import SELF, Ref
from projections.words import Term

if TYPE_CHECKING:
    from projections.search_pages import Newest, SearchQuery

WEIGHED_MAX: Final = 500
"""Matches that are weighed where the weightiest are asked for: the newest ones."""

REPEATS_MAX: Final = 5
"""So often a word counts in one row: who writes it more often says no more."""

_WHOLE: Final = 3
"""A whole word weighs so much, one that goes on a third of it."""

_SCALE: Final = 1_000

_LENGTH: Final = 20
"""Words at which a text begins to count as long: a message of some lines."""


class Weightiest:
    """Fetches the newest matches by their weight."""

    def __init__(self, newest: Newest, query: SearchQuery) -> None:
        filters = query.filters
        low = LOWEST if filters.since is None else (filters.since, SELF)
        high = HIGHEST if filters.until is None else (filters.until, SELF)
        refs = newest(low, high, descending=True, count=WEIGHED_MAX)
        words = newest.words(refs)
        self._keys = {
            ref.originator: (_weight(words.get(ref.originator, ""), query.terms), ref.position)
            for ref in refs
        }
        self._refs = sorted(refs, key=self.key_of, reverse=True)

    def key_of(self, ref: Ref) -> SortKey:
        """Its weight, and of one weight the order of the log."""
        return self._keys[ref.originator]

    def __call__(
        self, low: SortKey, high: SortKey, *, descending: bool, count: int
    ) -> Sequence[Ref]:
        """The first `count` between two keys."""
        found = [ref for ref in self._refs if low < self.key_of(ref) < high]
        return (found if descending else found[::-1])[:count]


def _weight(words: str, terms: Sequence[Term]) -> int:
    """How much a row says of the terms: whole words and several, in few words."""
    weight = 0
    for term in terms:
        begun = min(words.count(f" {' '.join(term.words)}"), REPEATS_MAX)
        whole = min(words.count(f" {' '.join(term.words)} "), REPEATS_MAX)
        weight += begun + (_WHOLE - 1) * whole
    return weight * _SCALE // (_LENGTH + words.count(" "))
