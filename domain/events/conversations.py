"""What people do with conversations."""

from __future__ import annotations

from uuid import UUID

from domain.events.base import Event


class ConversationSeen(Event, frozen=True, kw_only=True, gc=False):
    """A user has seen a conversation through a position."""

    contact: UUID
    user: UUID
    through: int
