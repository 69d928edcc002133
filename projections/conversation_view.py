"""How a conversation is shown: its row, with names in place of ids."""

from __future__ import annotations

import msgspec

from domain.times import format_utc
from projections.cards import Card
from projections.dictionary import Names
from projections.inbox import NOT_WAITING
from projections.inbox_pages import Conversation
from projections.shapes import ConversationView
from projections.threads import channels_of


def conversation_view(
    one: Conversation, contact: Card, names: Names, last: bytes, *, restricted: bool
) -> ConversationView:
    """The conversation row; `last` is the rendered row of its last interaction.

    `restricted`: not everybody may see it.
    """
    row = one.row
    return ConversationView(
        id=contact.id,
        contact=contact.ref(),
        status=row.status,
        snoozed_until=_time(row.snoozed_until),
        assignee=names.user(row.assignee) if row.assignee else None,
        team=names.team(row.team) if row.team else None,
        department=names.department(row.department) if row.department else None,
        unread=one.unread,
        seen_through=one.seen_through,
        waiting_since=None if row.waits_from == NOT_WAITING else format_utc(row.waits_from),
        last_at=format_utc(row.last_at),
        last=msgspec.Raw(last),
        channels=channels_of(row.by_channel),
        interactions=row.interactions,
        first_at=format_utc(row.first_at),
        muted=bool(row.muted),
        restricted=restricted,
        version=row.version,
    )


def _time(time: int | None) -> str | None:
    return None if time is None else format_utc(time)
