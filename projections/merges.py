"""Merges as readers ask for them: what was merged into a contact, and its whole story of merges."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from domain.times import format_utc
from projections import paging
from projections.dictionary import Names
from projections.directory_rows import MERGES, MergeRow
from projections.paging import LIMIT_DEFAULT, Ask, Page, SortKey, read_page
from projections.painting import by
from projections.shapes import MergedView, MergeView, Undoing, uuid_text
from projections.views import Reading, any_of

_COLUMNS: Final = ", ".join(MERGES.columns)


def one(reading: Reading, merge: bytes) -> MergeRow | None:
    """A merge by its id; None where there is none."""
    sql = f"SELECT {_COLUMNS} FROM {reading.name(MERGES)} WHERE merge = ?"
    found = reading.fetch(sql, (merge,))
    return MergeRow(*found[0]) if found else None


def merged_into(
    reading: Reading, names: Names, subjects: Collection[bytes]
) -> dict[bytes, list[MergedView]]:
    """What was merged into the contacts with these ids, by their id, the first first."""
    if not subjects:
        return {}
    where, params = any_of(reading, "survivor", tuple(subjects))
    sql = f"SELECT {_COLUMNS} FROM {reading.name(MERGES)} WHERE {where} ORDER BY position"
    found: dict[bytes, list[MergedView]] = {}
    for values in reading.fetch(sql, params):
        row = MergeRow(*values)
        view = MergedView(
            uuid_text(row.absorbed),
            uuid_text(row.merge),
            format_utc(row.at),
            by(names, row.actor_kind, row.actor),
            row.undone_at is not None,
        )
        found.setdefault(row.survivor, []).append(view)
    return found


def page(
    reading: Reading,
    subjects: Sequence[bytes],
    *,
    scope: str,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[MergeRow]:
    """The merges in which contacts with these ids took part, the latest first.

    `scope` names the list, and its cursors are bound to it. Raises BadCursor.
    """
    binding = paging.binding(scope)
    ask = Ask(binding=binding, limit=limit, mark=paging.read_cursor(binding, cursor))
    listed = _marks(subjects)

    def fetch(low: SortKey, high: SortKey, *, descending: bool, count: int) -> list[MergeRow]:
        way = "DESC" if descending else "ASC"
        sql = (
            f"SELECT {_COLUMNS} FROM {reading.name(MERGES)}"
            f" WHERE (survivor IN ({listed}) OR absorbed IN ({listed}))"
            f" AND position > ? AND position < ? ORDER BY position {way} LIMIT ?"
        )
        rows = reading.fetch(sql, (*subjects, *subjects, low[0], high[0], count))
        return [MergeRow(*row) for row in rows]

    return read_page(ask, fetch, lambda row: (row.position, 0))


def view(names: Names, row: MergeRow) -> MergeView:
    """A merge as answers show it."""
    undoing = None
    if row.undone_at is not None:
        who = by(names, row.undone_kind or "", row.undone_by or "")
        undoing = Undoing(format_utc(row.undone_at), who, row.undone_reason)
    return MergeView(
        id=uuid_text(row.absorbed),
        merge=uuid_text(row.merge),
        into=uuid_text(row.survivor),
        at=format_utc(row.at),
        by=by(names, row.actor_kind, row.actor),
        reason=row.reason,
        undone=undoing is not None,
        undoing=undoing,
    )


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
