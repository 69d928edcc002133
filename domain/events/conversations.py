"""What people do with conversations: whose turn it is, what they have seen, what they noted.

`contact` is the id of the contact that it was decided about; nothing here moves when contacts
are put together or taken apart.
"""

from __future__ import annotations

from uuid import UUID

from domain.events.base import Event


class ConversationAssigned(Event, frozen=True, kw_only=True, gc=False):
    """A conversation is this person's, this team's, this department's; None is nobody's."""

    contact: UUID
    user: UUID | None = None
    team: UUID | None = None
    department: str | None = None
    reason: str | None = None


class ConversationResolved(Event, frozen=True, kw_only=True, gc=False):
    """Nothing is left to do in a conversation, until its contact says something new."""

    contact: UUID


class ConversationReopened(Event, frozen=True, kw_only=True, gc=False):
    """There is something to do again; `reason` is `snooze` where its time was over."""

    contact: UUID
    reason: str | None = None


class ConversationSnoozed(Event, frozen=True, kw_only=True, gc=False):
    """A conversation rests until a time (µs), or until its contact says something new."""

    contact: UUID
    until: int


class ConversationSeen(Event, frozen=True, kw_only=True, gc=False):
    """A user has seen a conversation through a position."""

    contact: UUID
    user: UUID
    through: int


class ConversationMarkedUnread(Event, frozen=True, kw_only=True, gc=False):
    """A user wants what came from a position on to count as not seen."""

    contact: UUID
    user: UUID
    first: int


class NoteAdded(Event, frozen=True, kw_only=True, gc=False):
    """A person wrote a note about a contact, for the team alone."""

    contact: UUID
    text: str | None = None


class NoteRetracted(Event, frozen=True, kw_only=True, gc=False):
    """A person declared a note void; it is the second event of the note's stream."""

    about: UUID
    contact: UUID
    reason: str | None = None


class ContactMuted(Event, frozen=True, kw_only=True, gc=False):
    """What the contact says reopens nothing, and nobody waits."""

    contact: UUID
    reason: str | None = None


class ContactUnmuted(Event, frozen=True, kw_only=True, gc=False):
    """What the contact says counts again."""

    contact: UUID
    reason: str | None = None
