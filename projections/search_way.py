"""The way that a search goes along the list of all interactions, and how it passes empty years."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from projections.paging import SortKey
from projections.search import MINUTES_BITS, OUTERMOST, UNIT_BITS, stretch_of, unit_start
from projections.timeline import LISTED
from projections.timeline_pages import SQL_CACHED, Ref


class Way:
    """What lies ahead, between two keys, and what was found on the way.

    `sample`: the words of the first rows that were walked over.
    """

    def __init__(self, low: SortKey, high: SortKey, *, descending: bool, count: int) -> None:
        self.low = low
        self.high = high
        self.descending = descending
        self.count = count
        self.found: list[Ref] = []
        self.sample: list[str] = []
        self._ended = False

    @property
    def done(self) -> bool:
        """Whether enough was found, or nothing lies ahead any more."""
        return self._ended or len(self.found) >= self.count

    def take(self, refs: Sequence[Ref], *, last: bool) -> None:
        """The next ones were found; `last`: and there are no more."""
        self.found += refs
        self._ended = self._ended or last

    def go_beyond(self, key: SortKey) -> None:
        """Everything up to a key was looked at."""
        if self.descending:
            self.high = key
        else:
            self.low = key


@lru_cache(maxsize=SQL_CACHED)
def hops(name: str, *, descending: bool) -> str:
    """The first row from a time on, and from each one that behind its stretch, as far as another.

    Each step has one bound at either end: of two SQLite might take the farther one.
    """
    ahead, behind, order = (">=", "<=", "ASC")
    beyond = ">= ((s.at >> {0}) + 1) << {0}"
    if descending:
        ahead, behind, order, beyond = "<=", ">=", "DESC", "< (s.at >> {0}) << {0}"
    one = (
        f"SELECT i.occurred_at FROM {name} i WHERE {LISTED} AND i.occurred_at {{0}}"
        f" AND i.occurred_at {behind} ? ORDER BY i.occurred_at {order}, i.position {order} LIMIT 1"
    )
    first, next_one = one.format(f"{ahead} ?"), one.format(beyond.format(UNIT_BITS + MINUTES_BITS))
    return (
        f"WITH RECURSIVE s(at) AS (SELECT ({first}) UNION ALL"
        f" SELECT ({next_one}) FROM s WHERE s.at IS NOT NULL)"
        " SELECT s.at FROM s WHERE s.at IS NOT NULL LIMIT ?"
    )


def end_of(met: Sequence[int], asked: int, *, descending: bool) -> int | None:
    """The time (µs) at which the last stretch that was met ends; None: there is nothing behind.

    So many were asked for.
    """
    if len(met) < asked:
        return None
    last = stretch_of(met[-1])
    if last == OUTERMOST[not descending]:
        return None
    return unit_start((last + (not descending)) << MINUTES_BITS)
