"""From the rows of a timeline to its lines: days, rows, and runs of messages folded into one line.

A run is what was said over one channel on one day, with nothing else in between. It is folded
where it stands in one stretch of the list; what failed stays in sight, and so does the row that
somebody was led to.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from domain.times import zone_of
from projections.shapes import NoteView, RowView

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

RUN_MIN: Final = 5
"""Messages that are worth a fold: fewer are read more quickly than they are opened."""

FRESH: Final = 5
"""The newest rows of all are never folded: they are what one comes for."""

TALK: Final = frozenset({"sms", "whatsapp", "messenger", "instagram", "telegram", "webchat"})
"""Channels on which many short messages make one conversation."""

Row = RowView | NoteView


class Line(Struct, frozen=True):
    """A line of the list: a row, or a run of them; `day` where a day begins with it."""

    rows: tuple[Row, ...]
    day: bool
    folded: bool = False


def lines(rows: Sequence[Row], zone: str, *, shown: Collection[int], fresh: int) -> list[Line]:
    """The lines of a stretch; the run of a row with one of these ids, and the first ones, stay."""
    days = [_day(row, zone) for row in rows]
    made: list[Line] = []
    start = 0
    while start < len(rows):
        end = start + 1
        if _is_talk(rows[start]):
            while end < len(rows) and _goes_on(rows[start], rows[end], days[start] == days[end]):
                end += 1
        run, begins = tuple(rows[start:end]), start == 0 or days[start] != days[start - 1]
        kept = any(row.id in shown for row in run)
        made += _run(run, begins, len(run) if kept else max(fresh - start, 0))
        start = end
    return made


def _run(run: tuple[Row, ...], begins: bool, opened: int) -> list[Line]:  # noqa: FBT001 - of this module alone
    """A run as lines: the first ones by themselves, the rest folded if it is worth it."""
    rest = run[opened:]
    if len(rest) < RUN_MIN:
        opened, rest = len(run), ()
    made = [Line((row,), begins and place == 0) for place, row in enumerate(run[:opened])]
    if rest:
        made.append(Line(rest, begins and not made, folded=True))
    return made


def _is_talk(row: Row) -> bool:
    """Whether a row is one of many words between two people."""
    if not isinstance(row, RowView):
        return False
    failed = row.status is not None and row.status.failure is not None
    return row.channel in TALK and row.call is None and row.retracted is None and not failed


def _goes_on(first: Row, row: Row, same_day: bool) -> bool:  # noqa: FBT001 - as above
    if not same_day or not _is_talk(row):
        return False
    return isinstance(first, RowView) and isinstance(row, RowView) and row.channel == first.channel


def _day(row: Row, zone: str) -> date:
    return datetime.fromisoformat(row.occurred_at).astimezone(zone_of(zone)).date()
