"""What people do with conversations, added to a story: assign, resolve, snooze, note, mute."""

from __future__ import annotations

from typing import TypedDict
from uuid import UUID

from domain import events
from domain.ports import Entry
from tests.projections.ids import by_user, contact_stream, derived, moment, subject_of, user_of
from tests.projections.story import Story


def assigned(
    story: Story, address: str, user: str | None = None, *, department: str | None = None
) -> Entry:
    """A conversation is this person's and this department's; a team goes by the same name."""
    contact = subject_of(address)
    return story.add(
        events.ConversationAssigned(
            **_place(story, derived("conversation", contact), contact),
            user=user_of(user) if user else None,
            team=team_of(user) if user else None,
            department=department,
        )
    )


def resolved(story: Story, address: str) -> Entry:
    """Nothing is left to do."""
    contact = subject_of(address)
    place = _place(story, derived("conversation", contact), contact)
    return story.add(events.ConversationResolved(**place))


def reopened(story: Story, address: str, reason: str | None = None) -> Entry:
    """There is something to do."""
    contact = subject_of(address)
    place = _place(story, derived("conversation", contact), contact)
    return story.add(events.ConversationReopened(**place, reason=reason))


def snoozed(story: Story, address: str, until: int) -> Entry:
    """It rests until so many seconds after the beginning of the story."""
    contact = subject_of(address)
    place = _place(story, derived("conversation", contact), contact)
    return story.add(events.ConversationSnoozed(**place, until=moment(until)))


def muted(story: Story, address: str) -> Entry:
    """What the contact says reopens nothing."""
    contact = subject_of(address)
    place = _place(story, contact_stream(contact), contact)
    return story.add(events.ContactMuted(**place, reason="spam"))


def unmuted(story: Story, address: str) -> Entry:
    """What the contact says counts again."""
    contact = subject_of(address)
    return story.add(events.ContactUnmuted(**_place(story, contact_stream(contact), contact)))


def restricted(story: Story, address: str, *users: str) -> Entry:
    """Only these users see the contact from now on."""
    contact = subject_of(address)
    place = _place(story, contact_stream(contact), contact)
    return story.add(events.AccessRestricted(**place, users=tuple(map(user_of, users))))


def unread(story: Story, address: str, user: str, first: int) -> Entry:
    """A user wants it unseen from a position on."""
    contact = subject_of(address)
    event = events.ConversationMarkedUnread(
        originator_id=derived("unread", contact, user, first, len(story.entries)),
        originator_version=1,
        actor=by_user(user),
        contact=contact,
        user=user_of(user),
        first=first,
    )
    return story.add(event)


def noted(story: Story, address: str, text: str, *, by: str = "Rosa") -> Entry:
    """A person wrote a note about the contact named after an address."""
    contact = subject_of(address)
    event = events.NoteAdded(
        originator_id=derived("note", contact, text, len(story.entries)),
        originator_version=1,
        actor=by_user(by),
        contact=contact,
        text=text,
    )
    return story.add(event)


def struck(story: Story, note: Entry, *, by: str = "Rosa", reason: str = "por error") -> Entry:
    """A person declared a note void."""
    assert isinstance(note.event, events.NoteAdded)
    event = events.NoteRetracted(
        originator_id=note.event.originator_id,
        originator_version=2,
        actor=by_user(by),
        about=note.event.originator_id,
        contact=note.event.contact,
        reason=reason,
    )
    return story.add(event)


def team_of(name: str) -> UUID:
    """The id of a team of that name."""
    return derived("team", name)


class _Place(TypedDict):
    originator_id: UUID
    originator_version: int
    actor: events.Actor
    contact: UUID


def _place(story: Story, stream: UUID, contact: UUID) -> _Place:
    return {
        "originator_id": stream,
        "originator_version": story._next(stream),
        "actor": by_user("Rosa"),
        "contact": contact,
    }
