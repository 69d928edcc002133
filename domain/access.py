"""Who may see a contact, as people decide it.

The decision stands in the contact's own stream. Of a contact that holds merged ones it is taken
for the whole, and says so: `replaces` names the parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from msgspec import Struct

from domain.deciding import digest_of
from domain.events import AccessOpened, AccessRestricted

if TYPE_CHECKING:
    from domain.commands import By


class Access(Struct, frozen=True):
    """Who may see a contact: everybody, or only these users and the members of these teams.

    Ids in order, each once. `replaces`: the merged contacts that it was decided for as well.
    """

    restricted: bool = False
    users: tuple[UUID, ...] = ()
    teams: tuple[UUID, ...] = ()
    replaces: tuple[UUID, ...] = ()


OPEN = Access()
"""How every contact begins."""


class Place(Struct, frozen=True):
    """Where a decision goes: the contact, its stream, and the version that follows."""

    contact: UUID
    stream: UUID
    version: int


def give(
    known: Access, wanted: Access, reason: str, place: Place, by: By
) -> AccessRestricted | AccessOpened | None:
    """Say who may see it; None where that was said before, of no less than the same parts."""
    is_known = (known.restricted, known.users, known.teams) == (
        wanted.restricted,
        wanted.users,
        wanted.teams,
    )
    if is_known and set(wanted.replaces) <= set(known.replaces):
        return None
    if not wanted.restricted:
        return AccessOpened(
            originator_id=place.stream,
            originator_version=place.version,
            actor=by.actor,
            on_behalf_of=by.on_behalf_of,
            digest=digest_of(by),
            contact=place.contact,
            replaces=wanted.replaces,
            reason=reason,
        )
    return AccessRestricted(
        originator_id=place.stream,
        originator_version=place.version,
        actor=by.actor,
        on_behalf_of=by.on_behalf_of,
        digest=digest_of(by),
        contact=place.contact,
        users=wanted.users,
        teams=wanted.teams,
        replaces=wanted.replaces,
        reason=reason,
    )


def after(event: AccessRestricted | AccessOpened) -> Access:
    """What holds after a decision."""
    match event:
        case AccessRestricted():
            return Access(
                restricted=True, users=event.users, teams=event.teams, replaces=event.replaces
            )
        case AccessOpened():
            return Access(replaces=event.replaces)
