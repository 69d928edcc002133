"""Where somebody left off: the first of a conversation's content that they have not seen."""

from __future__ import annotations

from projections.directory import split_ids
from projections.inbox_pages import Conversation
from projections.timeline import INTERACTIONS
from projections.views import Reading


def first_unread(reading: Reading, one: Conversation) -> int | None:
    """The first interaction that its viewer has not seen, by its position; None where all is."""
    if not one.unread:
        return None
    members = split_ids(one.row.members)
    marks = ", ".join("?" * len(members))
    sql = (
        f"SELECT MIN(position) FROM {reading.name(INTERACTIONS)}"
        f" WHERE subject IN ({marks}) AND stirs = 1 AND position > ?"
    )
    found: int | None = reading.fetch(sql, (*members, one.seen_through or 0))[0][0]
    return found
