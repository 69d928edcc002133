"""The working state of a conversation: whose it is, and whether there is something left to do.

Invariants: one stream a contact, derive('conversation', id). The stream holds decisions alone;
what reopens a conversation besides (something new from its contact) is in no stream of its own,
so whoever decides says how the conversation looked (`Shown`). What changes nothing leaves no
trace. A contact that was put together from several has a stream for each of them: what was
decided in any of them counts, and new decisions go to the stream of its own id.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypedDict
from uuid import UUID

from msgspec import Struct, structs

from domain.events import (
    ConversationAssigned,
    ConversationReopened,
    ConversationResolved,
    ConversationSnoozed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.commands import By
    from domain.events import Actor, Event
    from domain.ports import EventLike
    from domain.values import Deriver

SNOOZE: Final = "snooze"
"""The reason of a conversation that was reopened because its time had come."""


class Status(StrEnum):
    """Whether there is something to do in a conversation."""

    OPEN = "open"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class Assign(Struct, frozen=True, kw_only=True):
    """Give it to somebody; `fields` names what is set, a named None takes it away."""

    fields: tuple[str, ...]
    user: UUID | None = None
    team: UUID | None = None
    department: str | None = None
    reason: str | None = None


class Resolve(Struct, frozen=True):
    """Nothing is left to do."""


class Reopen(Struct, frozen=True):
    """There is something to do."""


class Snooze(Struct, frozen=True):
    """Let it rest until a time (µs)."""

    until: int


class Wake(Struct, frozen=True):
    """End a snooze whose time (µs) has come at `at`."""

    at: int


Wish = Assign | Resolve | Reopen | Snooze | Wake
"""What may be decided about a conversation."""


class Shown(Struct, frozen=True):
    """How the conversation looked to whoever decides: its version, and its state then."""

    version: int
    status: str
    until: int | None = None


class Conversation(Struct, frozen=True):
    """What was decided about a conversation.

    `status` is None where nobody ever decided on it; `decided` the version at which it last
    was, 0 where that stands in another stream than the conversation's own.
    """

    id: UUID
    version: int = 0
    user: UUID | None = None
    team: UUID | None = None
    department: str | None = None
    status: Status | None = None
    until: int | None = None
    decided: int = 0


def conversation_stream(derive: Deriver, contact: UUID) -> UUID:
    """The stream of the decisions about the conversation with a contact."""
    return derive.id("conversation", contact)


# ------------------------------------------------------------------- decisions


def decide(now: Conversation, contact: UUID, wish: Wish, shown: Shown, by: By) -> Event | None:
    """What a wish does to a conversation; None where it changes nothing."""
    if isinstance(wish, Assign):
        return _assign(now, contact, wish, by)
    place = _place(now, contact, by)
    status, until = _state(now, shown)
    match wish:
        case Resolve() if status != Status.RESOLVED:
            return ConversationResolved(**place)
        case Reopen() if status != Status.OPEN:
            return ConversationReopened(**place)
        case Snooze() if (status, until) != (Status.SNOOZED, wish.until):
            return ConversationSnoozed(**place, until=wish.until)
        case Wake() if status == Status.SNOOZED and (until or 0) <= wish.at:
            return ConversationReopened(**place, reason=SNOOZE)
        case _:
            return None


def _assign(now: Conversation, contact: UUID, wish: Assign, by: By) -> ConversationAssigned | None:
    """The whole assignment as it is afterwards, so that the event can be read alone."""
    user = wish.user if "user" in wish.fields else now.user
    team = wish.team if "team" in wish.fields else now.team
    department = wish.department if "department" in wish.fields else now.department
    if (user, team, department) == (now.user, now.team, now.department):
        return None
    return ConversationAssigned(
        **_place(now, contact, by),
        user=user,
        team=team,
        department=department,
        reason=wish.reason,
    )


class _Place(TypedDict):
    """What all these events have."""

    originator_id: UUID
    originator_version: int
    actor: Actor
    on_behalf_of: UUID | None
    digest: bytes | None
    contact: UUID


def _place(now: Conversation, contact: UUID, by: By) -> _Place:
    return {
        "originator_id": now.id,
        "originator_version": now.version + 1,
        "actor": by.actor,
        "on_behalf_of": by.on_behalf_of,
        "digest": by.repeatable.digest if by.repeatable else None,
        "contact": contact,
    }


def _state(now: Conversation, shown: Shown) -> tuple[str, int | None]:
    """The state that a wish changes: as it was shown, unless somebody decided since."""
    if now.status is not None and now.decided > shown.version:
        return now.status, now.until
    return shown.status, shown.until


# ----------------------------------------------------------------------- apply


def project(conversation: Conversation | None, events: Iterable[EventLike]) -> Conversation | None:
    """What was decided after these events, in the order of the log.

    Without a conversation to begin with, it is the one whose stream the first event is in.
    """
    for event in events:
        now = conversation or Conversation(event.originator_id)
        own = event.originator_version if event.originator_id == now.id else 0
        match event:
            case ConversationAssigned():
                now = structs.replace(
                    now, user=event.user, team=event.team, department=event.department
                )
            case ConversationResolved():
                now = _turned(now, Status.RESOLVED, None, own)
            case ConversationReopened():
                now = _turned(now, Status.OPEN, None, own)
            case ConversationSnoozed():
                now = _turned(now, Status.SNOOZED, event.until, own)
            case _:
                pass
        conversation = structs.replace(now, version=own) if own else now
    return conversation


def _turned(now: Conversation, status: Status, until: int | None, own: int) -> Conversation:
    return structs.replace(now, status=status, until=until, decided=own)
