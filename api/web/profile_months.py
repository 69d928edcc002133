"""The months of a contact's history, beside its timeline: how much there was, and a way there."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, structs

from domain.times import parse_filter_time, zone_of
from domain.values import Direction
from projections import timeline_months

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.reads import Look
    from api.web.profile_query import Asked
    from projections.shapes import ContactView

AT_ONCE_MAX: Final = 2_000
"""Interactions whose months are counted with the page: 1 ms; for those of more a script asks."""

MONTHS_MAX: Final = 360
"""Months beside a list: thirty years; what is older is reached by its date."""

_DECEMBER: Final = 12


class Month(Struct, frozen=True):
    """A month: its first and last day, its interactions, and how long its bar is (0 to 100)."""

    first: date
    last: date
    count: int
    share: float

    @property
    def key(self) -> str:
        """As scripts name it: 2026-11."""
        return self.first.isoformat()[:7]


def months(
    look: Look, members: Sequence[bytes], contact: ContactView, asked: Asked
) -> dict[str, Any]:
    """The months that have any, latest first, and how many went which way, under the filters.

    The direction does not narrow the latter: its two numbers stand at the two buttons.
    """
    if contact.first_at is None or contact.last_at is None:
        return {"months": [], "ways": {}}
    starts = _starts(_local(contact.first_at, asked.zone), _local(contact.last_at, asked.zone))
    edges = [parse_filter_time(start.isoformat(), asked.zone) for start in starts]
    filters = structs.replace(asked.query.filters, direction=())
    spans = list(pairwise(edges))
    counted = timeline_months.counts(look.reading, members, filters, spans)
    wanted = asked.query.filters.direction or tuple(map(str, Direction))
    numbers = [sum(by.get(str(way), 0) for way in wanted) for by in counted]
    most = max(numbers, default=0)
    found = [
        Month(start, following - timedelta(days=1), number, round(100 * number / most, 1))
        for start, following, number in zip(starts[:-1], starts[1:], numbers, strict=True)
        if number
    ]
    ways = {str(way): sum(by.get(str(way), 0) for by in counted) for way in Direction}
    return {"months": found[::-1], "ways": ways}


def _starts(first: date, last: date) -> list[date]:
    """The first days of the months from one day to another, and of the one behind."""
    start = _following(last)
    found = [start]
    while start > first and len(found) <= MONTHS_MAX:
        start = (start - timedelta(days=1)).replace(day=1)
        found.append(start)
    return found[::-1]


def _following(day: date) -> date:
    """The first day of the month after a day's."""
    if day.month == _DECEMBER:
        return date(day.year + 1, 1, 1)
    return date(day.year, day.month + 1, 1)


def _local(text: str, zone: str) -> date:
    return datetime.fromisoformat(text).astimezone(zone_of(zone)).date()
