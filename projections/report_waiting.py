"""Who waits for an answer now, and since when: open conversations, as the inbox has them."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from projections.access import Visible
from projections.inbox import CONVERSATIONS, NOT_WAITING
from projections.inbox_pages import InboxFilters, shape_of
from projections.views import Reading

WAITING_GROUPS: Final = ("user", "team", "department", "campaign")
"""What waiting conversations are grouped by; `user` is who they are assigned to."""

_COLUMNS: Final = {
    "user": "c.assignee",
    "team": "c.team",
    "department": "c.department",
    "campaign": "c.campaign",
}


class Waiting(Struct, frozen=True):
    """One row: how many wait, since when the first of them (µs), and since when each."""

    values: tuple[Any, ...]
    since: tuple[int, ...]


def waiting(
    reading: Reading, visible: Visible, groups: tuple[str, ...], filters: InboxFilters
) -> tuple[list[Waiting], Waiting]:
    """Who waits by group (ids are 16 bytes), and all of them; times ascend.

    The filters are the inbox's own, so that its list is what was counted.
    """
    parts, given = shape_of(filters)
    seen, params = visible.contacts("c.contact")
    listed = ", ".join(["c.waits_from", *(_COLUMNS[group] for group in groups)])
    rows = reading.fetch(
        f"SELECT {listed} FROM {reading.name(CONVERSATIONS)} c"
        f" WHERE c.status = ? AND c.waits_from < ? AND {' AND '.join((seen, *parts))}"
        " ORDER BY c.waits_from",
        ("open", NOT_WAITING, *params, *given),
    )
    found: dict[tuple[Any, ...], list[int]] = {}
    for since, *of in rows:
        found.setdefault(tuple(of), []).append(since)
    made = [Waiting(values, tuple(times)) for values, times in found.items()]
    return made, Waiting((), tuple(row[0] for row in rows))
