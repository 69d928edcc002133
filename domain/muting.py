"""Whether a contact is muted: what it says then reopens nothing, and nobody waits.

Invariants: the decisions stand in the contact's own stream, derive('contact', id), among what
else was decided about the contact. What changes nothing leaves no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct, structs

from domain.events import ContactMuted, ContactUnmuted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.commands import By
    from domain.ports import EventLike


class Mute(Struct, frozen=True):
    """Mute a contact, or let it be heard again."""

    muted: bool
    reason: str | None = None


class Muting(Struct, frozen=True):
    """Whether a contact is muted, and the last version of its stream."""

    id: UUID
    version: int = 0
    muted: bool = False


def mute(now: Muting, contact: UUID, wish: Mute, by: By) -> ContactMuted | ContactUnmuted | None:
    """Mute or unmute; None where it is so already."""
    if now.muted == wish.muted:
        return None
    kind = ContactMuted if wish.muted else ContactUnmuted
    return kind(
        originator_id=now.id,
        originator_version=now.version + 1,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        digest=by.repeatable.digest if by.repeatable else None,
        contact=contact,
        reason=wish.reason,
    )


def project(muting: Muting | None, events: Iterable[EventLike]) -> Muting | None:
    """Whether it is muted after these events, in the order of the log.

    Without one to begin with, the stream is that of the first event.
    """
    for event in events:
        now = muting or Muting(event.originator_id)
        match event:
            case ContactMuted():
                now = structs.replace(now, muted=True)
            case ContactUnmuted():
                now = structs.replace(now, muted=False)
            case _:
                pass
        own = event.originator_id == now.id
        muting = structs.replace(now, version=event.originator_version) if own else now
    return muting
